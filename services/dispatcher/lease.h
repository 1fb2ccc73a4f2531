/*
 * lease: the flow that keeps our part of the shards, takes free ones and gives back what is too much.
 */
#ifndef DISPATCHER_LEASE_H
#define DISPATCHER_LEASE_H

#include "flow.h"

struct dispatcher;
struct pg_batch;

struct lease {
	struct arena *arena;
	struct flow_queue wake;
	struct pg_batch *batch;
	int64_t asked_ms; /* monotonic: the lease counts from here */
	unsigned given_count;
	unsigned given[64]; /* in the release under way */
	bool released;	    /* all given back: the drain may end */
};

void lease_init(struct lease *lease);
void lease_free(struct lease *lease);

extern const struct flow_spec lease_flow;

#endif
