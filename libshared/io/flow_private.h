/*
 * flow_private: what flow.c and flow_wait.c share.
 */
#ifndef CALLWEAVE_FLOW_PRIVATE_H
#define CALLWEAVE_FLOW_PRIVATE_H

#include "flow.h"
#include "loop_private.h"

struct flow {
	const struct flow_spec *spec;
	struct loop *loop;
	void *context;
	void *state;
	struct arena *arena; /* holds the flow itself */
	struct log_context log;
	struct error error;
	unsigned step; /* the next to run */
	bool ended;
	bool timed_out;
	bool waits_for_children;

	struct loop_task task; /* runs it, in the end frees it */
	struct loop_alarm deadline;
	struct loop_alarm sleep; /* await_sleep, await_queue_for */
	struct flow_op *pending; /* what it waits for */
	struct flow_op op;	 /* for the waits that need no client */
	struct flow_queue *queue;

	struct flow *parent;	   /* NULL: a root */
	struct flow *next, **link; /* among the parent's children, or the loop's roots */
	struct flow *children;
	unsigned child_count;
	unsigned failed_children;

	void *origin;
	flow_origin_ended_fn *origin_ended;
};

#endif
