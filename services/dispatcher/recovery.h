/*
 * recovery: reads back what the database knows of shards that have become ours.
 */
#ifndef DISPATCHER_RECOVERY_H
#define DISPATCHER_RECOVERY_H

#include "flow.h"
#include "shards.h"

struct dispatcher;
struct pg_batch;

struct recovery {
	struct arena *arena;
	struct flow_queue wake;
	struct pg_batch *batch;
	bool running; /* the shards below are being read back */
	bool loading[SHARD_COUNT];
	char list[256]; /* of them, as an array of PostgreSQL */
	int64_t after;	/* the last row of the page before */
	bool refill;	/* not after a take-over: rows that had found no room in memory */
	int64_t refilled_ms;
};

void recovery_init(struct recovery *recovery);
void recovery_free(struct recovery *recovery);

extern const struct flow_spec recovery_flow;

#endif
