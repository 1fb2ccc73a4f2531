/*
 * round: the fold's flow: read events, fold them, commit what they changed, let it be told.
 */
#ifndef DISPATCHER_ROUND_H
#define DISPATCHER_ROUND_H

#include "asides.h"
#include "gateway_told.h"
#include "plan.h"
#include "reader.h"
#include "store.h"

struct round {
	struct arena *arena; /* of this round */
	struct pg_batch *batch, *commit, *lookup;
	struct shard_group group;
	struct reading reading;
	unsigned next_row; /* of the reading: folded up to here */
	struct log_position last;
	int64_t last_received_ms;
	bool touched[SHARD_COUNT];
	struct changes changes;
	struct plan *plans, **last_plan;
	struct gateway_plan gateway;
	struct asides asides;
	bool lookup_messages; /* the lookup has a statement about messages */
	bool careful;	      /* one event at a time: one of these cannot be stored */
	struct log_position careful_until;
	int64_t skip_id;     /* that one */
	bool prefer_lagging; /* alternate with those that have caught up */
	bool persist;	     /* this round writes all cursors down */
	bool unpersisted;    /* there were events since cursors were last written down */
	bool idle;	     /* between two rounds: memory may change */
	bool more;	     /* read again at once */
	unsigned unsettled;  /* times in a row that rows above the horizon were seen */
	int64_t persisted_ms, warned_ms, asked_ms, commit_us;
	unsigned pg_generation;
};

void round_init(struct round *round);
void round_free(struct round *round);

/* Between two rounds: let go of shards that have to go. */
void round_apply_drops(struct dispatcher *d);

extern const struct flow_spec round_flow;

/* horizon.c: say who holds the horizon back. */
void horizon_watch(struct dispatcher *d, const struct reading *reading);

#endif
