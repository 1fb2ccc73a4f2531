/*
 * maintenance: what has to be done now and then: partitions, old rows, idle memory, gauges.
 */
#ifndef DISPATCHER_MAINTENANCE_H
#define DISPATCHER_MAINTENANCE_H

#include "flow.h"

struct pg_batch;

struct maintenance {
	struct arena *arena;
	struct pg_batch *batch;
	unsigned task;
	int64_t *due_ms; /* a task each, monotonic */
};

void maintenance_init(struct maintenance *maintenance);
void maintenance_free(struct maintenance *maintenance);

extern const struct flow_spec maintenance_flow;

#endif
