/*
 * backlog: accepted events in the order of their arrival, until the writer takes them.
 *
 * The newest batch grows while the one before it is being committed: that is the whole of group
 * commit. Bounded in events and in bytes.
 */
#ifndef INGEST_BACKLOG_H
#define INGEST_BACKLOG_H

#include "batch.h"

enum { BACKLOG_MAX_EVENTS = 20000, BACKLOG_MAX_BYTES = 32 * 1024 * 1024 };

struct backlog {
	char writer[CRYPTO_UUID_TEXT]; /* anew at each start, so no number is ever used twice */
	int64_t sequence;	       /* of the newest batch */
	struct batch *first, *newest;  /* not taken yet */
	struct batch *spare;
	unsigned spares;
	unsigned events; /* not settled yet */
	size_t bytes;
	struct flow_queue arrived; /* the writer waits here */
};

void backlog_init(struct backlog *backlog);
void backlog_free(struct backlog *backlog);

/* The caller gets a reference to the batch: await_queue(&batch->waiters), then look at its state,
 * then backlog_release(). NULL when the backlog is full. */
struct batch *backlog_add(struct backlog *backlog, const struct event_row *row, unsigned *index);
void backlog_release(struct backlog *backlog, struct batch *batch);

/* The writer's side: the oldest batch (NULL: none), and its outcome. */
struct batch *backlog_take(struct backlog *backlog);
void backlog_settle(struct backlog *backlog, struct batch *batch, enum batch_state state);

#endif
