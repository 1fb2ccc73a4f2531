/*
 * dispatch_batch: rows of several requests that share a commit, and their line.
 */
#include "dispatch.h"

#include "alloc.h"

#include <stdlib.h>

void dispatch_line_init(struct dispatch_line *line)
{
	*line = (struct dispatch_line){0};
	flow_queue_init(&line->arrived);
}

static void batch_free(struct dispatch_batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		if (batch->rows[i] != NULL)
			delivery_free(&batch->rows[i]);
	}
	free(batch);
}

void dispatch_line_free(struct dispatch_line *line)
{
	struct dispatch_batch *next;

	for (struct dispatch_batch *batch = line->first; batch != NULL; batch = next) {
		next = batch->next;
		batch_free(batch);
	}
	line->first = line->newest = NULL;
}

struct dispatch_batch *dispatch_line_open(struct dispatch_line *line, unsigned rows)
{
	struct dispatch_batch *batch = line->newest;

	if (line->rows + rows > DISPATCH_LINE_ROWS)
		return NULL;
	if (batch == NULL || batch->count + rows > DISPATCH_BATCH_ROWS) {
		batch = alloc_zeroed(1, sizeof(*batch));
		flow_queue_init(&batch->waiters);
		batch->references = 1; /* the writer's */
		if (line->newest == NULL)
			line->first = batch;
		else
			line->newest->next = batch;
		line->newest = batch;
	}
	batch->references++;
	return batch;
}

void dispatch_line_add(
	struct dispatch_line *line, struct dispatch_batch *batch, struct delivery *row)
{
	batch->rows[batch->count++] = row;
	line->rows++;
	flow_queue_wake(&line->arrived, 1);
}

struct dispatch_batch *dispatch_line_take(struct dispatch_line *line)
{
	struct dispatch_batch *batch = line->first;

	if (batch == NULL)
		return NULL;
	line->first = batch->next;
	if (line->first == NULL)
		line->newest = NULL;
	batch->next = NULL;
	return batch;
}

void dispatch_batch_release(struct dispatch_batch *batch)
{
	if (--batch->references == 0)
		batch_free(batch);
}

void dispatch_line_settle(
	struct dispatch_line *line, struct dispatch_batch *batch, enum dispatch_state state)
{
	batch->state = state;
	line->rows -= batch->count;
	flow_queue_wake_all(&batch->waiters);
	dispatch_batch_release(batch);
}
