/*
 * asides: what the log tells beside calls: texts that came in, which are told as messages of their own,
 * and links to recordings, which are written to their calls.
 *
 * Both in the round's transaction, with the cursor: each once, in order with the calls themselves. See
 * docs/protocol/one-world.md.
 */
#ifndef DISPATCHER_ASIDES_H
#define DISPATCHER_ASIDES_H

#include "buf.h"
#include "reader.h"

struct dispatcher;
struct pg_batch;
struct store;
struct aside;

/* Of one round, in its arena. */
struct asides {
	struct aside *texts, **last_text;
	struct buf recordings; /* rows for SQL */
	unsigned count;
};

void asides_init(struct asides *asides);
void asides_free(struct asides *asides);

void asides_begin(struct dispatcher *d);
/* True: the event is no part of a call, and is taken; false: it is the fold's. */
bool asides_take(struct dispatcher *d, const struct log_event *event);
/* Whom texts are told. */
void asides_plan(struct dispatcher *d, struct store *store);
/* After the calls of the round: the one that a recording is of may be new. */
void asides_add_recordings(struct dispatcher *d, struct pg_batch *batch);

#endif
