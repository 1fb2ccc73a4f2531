/*
 * store: a round's results as one transaction: calls, legs, transfers, memory of the fold, outbox,
 * cursors. One statement a table, whatever the number of rows.
 */
#ifndef DISPATCHER_STORE_H
#define DISPATCHER_STORE_H

#include "folding.h"
#include "plan.h"

struct store {
	struct arena *arena;
	struct buf positions, calls, legs, transfers, over, memory, merged, outbox, recordings,
		gateway;
};

void store_begin(struct store *store, struct arena *arena);
void store_end(struct store *store);

void store_position(struct store *store, unsigned shard, const struct shard *state);
/* `call` is NULL when it was merged into another; `saved` is the fold's memory of it. */
void store_call(struct store *store, const struct dispatcher *d, const struct change *change,
	const struct call *call, struct str saved);
void store_plan(struct store *store, const struct plan *plan);
/* Its call's final message shows it from this commit on, or never will. */
struct recording;
void store_recording(struct store *store, const struct recording *recording);

/* Events for CRMs. They are the second statement of the batch: its rows say (n of the event, id). */
#define STORE_GATEWAY_AT 1
struct gateway_plan;
void store_gateway(struct store *store, const struct gateway_plan *plan);

/* False when it is too large for memory (error has words). */
bool store_batch(
	struct store *store, const char *owner, struct pg_batch *batch, struct error *error);

#endif
