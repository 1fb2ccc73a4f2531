/*
 * recordings: links to recordings, put into final messages once a recording exists.
 *
 * A recorder sets calls.call_url or calls.recorded_at; a trigger leaves a row in recording_requests
 * and announces it. Rows of our own shards are read here and told in the fold's next round, whose
 * commit deletes them: nothing is lost by a restart, and nothing else changes the call meanwhile.
 */
#ifndef DISPATCHER_RECORDINGS_H
#define DISPATCHER_RECORDINGS_H

#include "arena.h"
#include "buf.h"
#include "flow.h"

struct crm_event;
struct dispatcher;
struct gateway_plan;
struct store;

struct recording {
	int64_t call_id;
	unsigned shard;
	int64_t changes; /* of the row: what comes later than that is not yet told */
	const char *url; /* "": there is none after all */
	/* What CRMs were told of the call; NULL: nothing. Of a round. */
	const struct crm_event *last_told;
	unsigned told_count; /* recordings */
	const char *enterprise, *trace;
};

struct recordings {
	struct arena *arena; /* of the last look */
	struct pg_batch *batch;
	struct recording *items; /* for the next round */
	unsigned count;
	bool in_round; /* a round has them; until it is done they stay */
	bool wanted;   /* there is something new */
	bool left;     /* rows of calls that have not ended yet */
	struct flow_queue wake;
};

void recordings_init(struct recordings *recordings);
void recordings_free(struct recordings *recordings);

/* There may be something new. */
void recordings_want(struct dispatcher *d);

/* The round's part: calls whose rows have to be looked up (appended to "{1,2"), their plans, and the
 * end. After a round that was lost they are read again. */
void recordings_look_up(struct dispatcher *d, struct buf *ids);
void recordings_plan(struct dispatcher *d, struct store *store, struct gateway_plan *gateway);
void recordings_done(struct dispatcher *d);

extern const struct flow_spec recordings_flow;

#endif
