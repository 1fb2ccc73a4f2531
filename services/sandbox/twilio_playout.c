/*
 * twilio_playout: a queue of bytes with names at some of its places.
 */
#include "twilio_playout.h"

#include "alloc.h"

#include <stdlib.h>

#define COMPACT_BYTES 65536 /* so much is played before the rest moves to the front */

void playout_init(struct playout *playout)
{
	*playout = (struct playout){0};
	buf_init(&playout->audio, PLAYOUT_MAX_BYTES + COMPACT_BYTES + 1);
	TAILQ_INIT(&playout->marks);
}

static char *take_mark(struct playout *playout)
{
	struct playout_mark *mark = TAILQ_FIRST(&playout->marks);
	char *name = mark->name;

	TAILQ_REMOVE(&playout->marks, mark, link);
	playout->mark_count--;
	free(mark);
	return name;
}

void playout_free(struct playout *playout)
{
	struct playout_mark *at = TAILQ_FIRST(&playout->marks), *next;

	for (; at != NULL; at = next) {
		next = TAILQ_NEXT(at, link);
		free(at->name);
		free(at);
	}
	TAILQ_INIT(&playout->marks);
	buf_free(&playout->audio);
}

int64_t playout_left(const struct playout *playout)
{
	return playout->queued - playout->played;
}

bool playout_add(struct playout *playout, const void *mulaw, size_t bytes)
{
	if (playout_left(playout) + (int64_t)bytes > PLAYOUT_MAX_BYTES ||
		!buf_append(&playout->audio, mulaw, bytes))
		return false;
	playout->queued += (int64_t)bytes;
	return true;
}

bool playout_add_mark(struct playout *playout, struct str name)
{
	struct playout_mark *mark;

	if (playout->mark_count >= PLAYOUT_MAX_MARKS)
		return false;
	mark = alloc_zeroed(1, sizeof(*mark));
	mark->at = playout->queued;
	mark->name = alloc_text(name);
	TAILQ_INSERT_TAIL(&playout->marks, mark, link);
	playout->mark_count++;
	return true;
}

size_t playout_take(struct playout *playout, uint8_t *to, size_t bytes)
{
	size_t left = (size_t)playout_left(playout);

	if (bytes > left)
		bytes = left;
	if (bytes > 0)
		memcpy(to, playout->audio.data + playout->offset, bytes);
	playout->offset += bytes;
	playout->played += (int64_t)bytes;
	if (playout->offset >= COMPACT_BYTES || playout_left(playout) == 0) {
		buf_consume(&playout->audio, playout->offset);
		playout->offset = 0;
	}
	return bytes;
}

char *playout_due(struct playout *playout)
{
	const struct playout_mark *first = TAILQ_FIRST(&playout->marks);

	return first != NULL && first->at <= playout->played ? take_mark(playout) : NULL;
}

int64_t playout_clear(struct playout *playout)
{
	int64_t dropped = playout_left(playout);

	playout->played = playout->queued;
	playout->offset = 0;
	buf_clear(&playout->audio);
	return dropped;
}
