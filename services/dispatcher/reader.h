/*
 * reader: the log's next events for the shards we own, in the order of (tx, id).
 *
 * All transactions below a snapshot's xmin are over, so nothing can appear behind a place below it:
 * rows at or above it are seen (`unsettled`) but left for the next time. ADR 0004.
 */
#ifndef DISPATCHER_READER_H
#define DISPATCHER_READER_H

#include "call_event.h"
#include "pg.h"
#include "shards.h"

#define READER_MAX_EVENTS 1000

struct log_event {
	struct log_position at;
	unsigned shard;
	struct str enterprise, type, data_source;
	const char *trace;
	int64_t received_ms; /* wall */
	struct str body;     /* JSON */
};

/* It came afterwards, and is folded at its own time: refolding.h. */
static inline bool log_event_is_late(const struct log_event *event)
{
	return str_equal(event->data_source, STR("recovery"));
}

struct reading {
	unsigned rows;	      /* settled: below the horizon */
	bool unsettled;	      /* there are more, above it */
	int64_t unsettled_ms; /* age of the oldest of those */
};

void reader_add_query(struct pg_batch *batch, struct arena *arena, const struct shards *shards,
	const struct shard_group *group, unsigned limit);
void reader_look(const struct pg_batch *batch, struct reading *reading);
void reader_event(
	const struct pg_batch *batch, unsigned row, struct arena *arena, struct log_event *event);

#endif
