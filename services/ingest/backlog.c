/*
 * backlog: the line between the requests and the writer.
 */
#include "backlog.h"

enum { MAX_SPARES = 4 };

void backlog_init(struct backlog *backlog)
{
	*backlog = (struct backlog){0};
	crypto_uuid4(backlog->writer);
	flow_queue_init(&backlog->arrived);
}

static void free_list(struct batch *batch)
{
	struct batch *next;

	for (; batch != NULL; batch = next) {
		next = batch->next;
		batch_free(&batch);
	}
}

void backlog_free(struct backlog *backlog)
{
	free_list(backlog->first);
	free_list(backlog->spare);
	backlog->first = backlog->spare = NULL;
}

/* Two batches take turns under steady load: one is filled while the other is committed. */
static struct batch *spare_batch(struct backlog *backlog)
{
	struct batch *batch = backlog->spare;

	if (batch == NULL)
		return batch_new();
	backlog->spare = batch->next;
	backlog->spares--;
	return batch;
}

/* The batch that takes this event; a new one when the newest has no room. */
static struct batch *newest_batch(struct backlog *backlog, const struct event_row *row)
{
	struct batch *batch;

	if (backlog->first != NULL && batch_fits(backlog->newest, row))
		return backlog->newest;
	batch = spare_batch(backlog);
	batch_open(batch, backlog->writer, ++backlog->sequence);
	batch->references = 1; /* the writer's */
	batch->next = NULL;
	if (backlog->first == NULL)
		backlog->first = batch;
	else
		backlog->newest->next = batch;
	backlog->newest = batch;
	return batch;
}

struct batch *backlog_add(struct backlog *backlog, const struct event_row *row, unsigned *index)
{
	struct batch *batch;

	if (backlog->events >= BACKLOG_MAX_EVENTS ||
		backlog->bytes + row->body.size > BACKLOG_MAX_BYTES)
		return NULL;
	batch = newest_batch(backlog, row);
	backlog->bytes -= batch_event_bytes(batch);
	*index = batch_add(batch, row);
	backlog->bytes += batch_event_bytes(batch);
	batch->references++;
	backlog->events++;
	flow_queue_wake(&backlog->arrived, 1);
	return batch;
}

void backlog_release(struct backlog *backlog, struct batch *batch)
{
	if (--batch->references > 0)
		return;
	if (backlog->spares >= MAX_SPARES) {
		batch_free(&batch);
		return;
	}
	batch->next = backlog->spare;
	backlog->spare = batch;
	backlog->spares++;
}

struct batch *backlog_take(struct backlog *backlog)
{
	struct batch *batch = backlog->first;

	if (batch == NULL)
		return NULL;
	backlog->first = batch->next;
	batch->next = NULL;
	return batch;
}

/* Waiters read the outcome in a later turn, when the writer has long taken the next batch: their
 * references keep this one as it is until then. */
void backlog_settle(struct backlog *backlog, struct batch *batch, enum batch_state state)
{
	batch->state = state;
	backlog->events -= batch->count;
	backlog->bytes -= batch_event_bytes(batch);
	flow_queue_wake_all(&batch->waiters);
	backlog_release(backlog, batch);
}
