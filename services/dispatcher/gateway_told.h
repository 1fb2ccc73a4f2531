/*
 * gateway_told: what CRMs were told of the calls that the fold remembers, and what is to tell next.
 *
 * Decided before the commit; the rows go into the same transaction as the call. After a restart it is
 * read back from those rows.
 */
#ifndef DISPATCHER_GATEWAY_TOLD_H
#define DISPATCHER_GATEWAY_TOLD_H

#include "crm_turns.h"
#include "folding.h"
#include "gateway.h"

struct directory_tenant;
struct dispatcher;
struct recording;

struct gateway_told {
	int64_t call_id;
	unsigned shard;
	char *enterprise;
	bool reading;	  /* its rows are being read */
	bool click_asked; /* whether it came of a click is known */
	struct crm_told told;
};

/* NULL: not known. */
struct gateway_told *gateway_told_find(const struct dispatcher *d, int64_t call_id);
struct gateway_told *gateway_told_new(struct dispatcher *d, const struct change *change);
/* NULL: no CRM wants to know of its calls. */
const struct directory_tenant *gateway_tenant(const struct dispatcher *d, const char *enterprise);

/* A row to be made. */
struct gateway_item {
	int64_t call_id;
	unsigned shard, version; /* of the call */
	const char *enterprise, *trace;
	int64_t since_ms;
	struct str body;
	struct gateway_item *next;
};

struct gateway_plan {
	struct arena *arena;
	struct gateway_item *first, **last;
	unsigned count;
};

void gateway_plan_begin(struct gateway_plan *plan, struct arena *arena);

/* -- in a round, in this order --------------------------------------------------------------------- */

/* Ask for the rows of calls of these changes (and of the recordings) that are not known; behind the
 * `before` statements that are in the batch. `*batch` is made when it is NULL. */
void gateway_add_lookup(struct dispatcher *d, const struct changes *changes, struct arena *arena,
	struct pg_batch **batch, int before);
void gateway_take_lookup(struct dispatcher *d, const struct changes *changes,
	const struct pg_batch *batch, struct arena *arena);
/* A round that is not stored is forgotten with all memory: so memory may be ahead of it. */
void gateway_plan_change(struct dispatcher *d, const struct change *change, const struct call *call,
	struct gateway_plan *plan);
void gateway_plan_recording(
	struct dispatcher *d, const struct recording *recording, struct gateway_plan *plan);

/* gateway_click.c: which of the outgoing calls that were not told yet came of a click in a CRM? Part of
 * the look-up. */
void gateway_add_clicks(struct dispatcher *d, const struct changes *changes, struct arena *arena,
	struct pg_batch **batch, int before);
void gateway_take_clicks(
	struct dispatcher *d, const struct changes *changes, const struct pg_batch *batch);

/* -- calls that came out otherwise afterwards ------------------------------------------------------- */

struct gateway_past {
	const char *enterprise;
	unsigned shard;
	int64_t call_id; /* of its record */
	const struct call *call;
	const struct pg_batch *batch; /* with the rows of such calls, by gateway_add_rows() */
	int at;
};

void gateway_add_rows(struct pg_batch *batch, struct arena *arena, struct str call_ids);
void gateway_plan_past(
	struct dispatcher *d, const struct gateway_past *past, struct gateway_plan *plan);
/* Memory does not know what was told of it: it is read when it is wanted. */
void gateway_told_forget(struct dispatcher *d, int64_t call_id);

/* -- after the commit ------------------------------------------------------------------------------- */

/* `at`: the place of store_sql_gateway in the batch. */
void gateway_apply(struct dispatcher *d, const struct gateway_plan *plan,
	const struct pg_batch *batch, int at);

/* Forget the calls of a shard; SHARD_COUNT: all. */
void gateway_told_drop(struct gateway *gateway, unsigned shard);
/* Forget those whose calls are forgotten. */
void gateway_told_sweep(struct dispatcher *d);

#endif
