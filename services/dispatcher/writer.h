/*
 * writer: group commit of what became of deliveries.
 *
 * One transaction under way at a time; all that accumulates meanwhile goes into the next. What is
 * written is a state, not a step, so that a commit with unknown outcome is simply done again.
 */
#ifndef DISPATCHER_WRITER_H
#define DISPATCHER_WRITER_H

#include "buf.h"
#include "flow.h"

struct delivery;
struct dispatcher;
struct pg_batch;

struct writer {
	struct arena *arena; /* of the commit under way */
	struct flow_queue wake;
	struct delivery *first, **last; /* dirty reports, oldest first */
	unsigned count;
	struct delivery **taken; /* in the commit under way, in the arena */
	unsigned taken_count;
	int outbox_at; /* index of the statement that tells which claims were granted */
	struct pg_batch *batch;
};

void writer_init(struct writer *writer);
void writer_free(struct writer *writer);

void writer_add(struct dispatcher *d, struct delivery *delivery);

extern const struct flow_spec writer_flow;

#endif
