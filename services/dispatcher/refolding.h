/*
 * refolding: stretches of the log whose events came afterwards are folded again, beside the live
 * work: on a connection of its own, in pieces. Table refold_requests; ADR 0012.
 */
#ifndef DISPATCHER_REFOLDING_H
#define DISPATCHER_REFOLDING_H

#include "flow.h"
#include "gateway_told.h"
#include "metrics.h"
#include "plan.h"
#include "refold.h"

#define REFOLDING_STATEMENT_MS 600000 /* a long stretch is sorted by one statement */

struct refold_request {
	int64_t id;
	unsigned shard;
	int64_t epoch; /* of the shard when it was claimed */
	int64_t from_ms, to_ms, attempts, age_ms;
	const char *enterprise, *reason;
};

struct refolding {
	struct pg *pg; /* its own: the result lies in temporary tables of the session */
	struct flow_queue wake;
	struct arena *arena;	   /* of a request */
	struct arena *piece_arena; /* of a piece of its changes */
	struct pg_batch *batch, *lookup;
	struct refold_request request;
	struct table *tenants;
	struct refold *refold;
	int64_t done;		       /* changes up to this n are applied */
	struct refold_change *changes; /* of the piece */
	int changes_count;
	struct plan *plans;
	struct gateway_plan gateway;
	struct error error; /* why it went wrong */
	struct metric *requests[3], *calls[3];
};

void refolding_init(struct refolding *refolding, struct metrics *metrics);
void refolding_free(struct refolding *refolding);

/* Something was asked for. */
void refolding_want(struct dispatcher *d, const char *payload);

extern const struct flow_spec refolding_flow;

/* refolding_tell.c: the changes of a piece, in this order. Read them from the batch: */
void refolding_take(struct dispatcher *d, const struct pg_batch *batch);
/* Ask what stands in the chats. False: nothing to ask. */
bool refolding_look_up(struct dispatcher *d);
/* Plan what is told, and put it all into one transaction. */
bool refolding_store(struct dispatcher *d, struct pg_batch *batch, struct error *error);
/* It is committed, or it is not: memory follows, and lets go of what was read for it. */
void refolding_told(struct dispatcher *d, bool committed);

#endif
