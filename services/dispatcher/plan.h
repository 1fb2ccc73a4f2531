/*
 * plan: what a round's changes have to tell, to whom, decided before the commit.
 *
 * The rows go into the round's transaction; memory follows when that is committed.
 */
#ifndef DISPATCHER_PLAN_H
#define DISPATCHER_PLAN_H

#include "call.h"
#include "folding.h"
#include "outbox.h"

struct plan_target {
	struct chat *chat;
	const char *state; /* of the row */
	bool claimed;	   /* goes out as soon as it is committed */
	bool kept;	   /* in memory; else the row waits in the database */
};

struct plan {
	int64_t call_id;
	unsigned shard;
	const char *enterprise;
	struct live_state state;
	struct plan_target *targets;
	unsigned target_count;
	struct plan *next;
};

/* NULL: nobody has to be told. `call` is NULL when the call was merged into another. */
struct plan *plan_make(struct dispatcher *d, const struct change *change, const struct call *call,
	struct arena *arena);

/* After the commit. */
void plan_apply(struct dispatcher *d, const struct plan *plan);

/* Does planning need what the database knows of the call's messages? */
bool plan_needs_lookup(const struct dispatcher *d, const struct change *change);
void plan_add_lookup(struct pg_batch *batch, struct arena *arena, struct str call_ids);
void plan_take_lookup(struct dispatcher *d, const struct pg_batch *batch);

#endif
