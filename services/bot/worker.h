/*
 * worker: empties a queue in PostgreSQL: claims rows that are due, a flow for each, so many at a time.
 *
 * Rows are claimed by an UPDATE ... RETURNING that skips what others hold, so several instances share
 * a queue, and what one leaves behind the next one finds.
 */
#ifndef BOT_WORKER_H
#define BOT_WORKER_H

#include "flow.h"

struct pg_batch;

struct worker_kind {
	const char *name;
	const char *claim; /* SQL; $1: at most so many rows */
	const struct flow_spec *child;
	/* The row into the state of its child, copied. */
	void (*fill)(struct flow *child, const struct pg_batch *batch, int row);
};

struct worker {
	const struct worker_kind *kind;
	unsigned most, active;
	bool wanted;	  /* something has been put into the queue */
	int64_t asked_ms; /* monotonic: when the last claim began, at the latest it counts from here */
	struct arena *arena;
	struct pg_batch *batch;
	struct flow_queue wake;
};

void worker_init(struct worker *worker, const struct worker_kind *kind, unsigned most);
void worker_free(struct worker *worker);
void worker_start(struct worker *worker, struct flow *parent);

/* Look now: something was put into the queue. */
void worker_wake(struct worker *worker);
/* For the `finally` of its children. */
void worker_child_ended(struct worker *worker);

#endif
