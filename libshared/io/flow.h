/*
 * flow: an asynchronous story as a table of named steps.
 *
 * A step does its work and returns: FLOW_NEXT (go on with the next step), the value of an
 * await_...() call (wait; the next step runs when it is over), flow_goto(), FLOW_END, or
 * flow_fail(). A step waits at most once, at its end. Every wake goes through the event loop: no
 * step ever runs inside the stack of the code that woke it.
 *
 * A flow has one arena, one deadline, at most one pending operation, children, and a `finally`
 * that runs exactly once however the flow ends: by its end, a failure, its deadline, a cancel.
 */
#ifndef CALLWEAVE_FLOW_H
#define CALLWEAVE_FLOW_H

#include "arena.h"
#include "error.h"
#include "log.h"
#include "loop.h"

struct flow;

enum flow_status { FLOW_NEXT, FLOW_WAIT, FLOW_END };

typedef enum flow_status flow_step_fn(struct flow *flow);

struct flow_step {
	const char *name; /* for logs, metrics and tests; NULL ends the table */
	flow_step_fn *run;
};

struct flow_spec {
	const char *name;
	const struct flow_step *steps;
	void (*finally)(
		struct flow *flow); /* may be NULL; may not wait; flow_error() tells how it went */
	size_t state_bytes;	    /* zeroed, in the arena: flow_state() */
	size_t arena_max_bytes;	    /* 0: 1 MiB */
	int64_t deadline_ms;	    /* from the start; FLOW_FOREVER for a daemon's own loops */
};
#define FLOW_FOREVER 0

/* Start a flow. Its first step runs in the next turn of the loop, so the caller may fill the state
 * first. `context` is the owner (a struct <service>), `log` is copied with its texts. The flow frees
 * itself. */
struct flow *flow_start(struct loop *loop, const struct flow_spec *spec, void *context,
	const struct log_context *log);

void *flow_state(struct flow *flow);
void *flow_context(struct flow *flow);
struct arena *flow_arena(struct flow *flow);
struct loop *flow_loop(struct flow *flow);
const struct log_context *flow_log(struct flow *flow); /* flow and step names are kept current */
void flow_set_trace(struct flow *flow, const char *trace);	     /* copied into the arena */
void flow_set_enterprise(struct flow *flow, const char *enterprise); /* copied into the arena */
void flow_set_call(struct flow *flow, const char *call);	     /* copied into the arena */
const char *flow_step_name(const struct flow *flow);

/* Go on with the step of that index. To wait first: call it, then `return await_...()`. */
enum flow_status flow_goto(struct flow *flow, unsigned step);

/* Deadline from now on; replaces the earlier one. FLOW_FOREVER: none. */
void flow_set_deadline(struct flow *flow, int64_t after_ms);

/* End the flow as failed: `return flow_fail(f, ERROR_INPUT, "phone: missing");` */
enum flow_status flow_fail(struct flow *flow, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum flow_status flow_fail_error(struct flow *flow, const struct error *error);

/* Why the flow failed, was cancelled (ERROR_INTERNAL "cancelled") or ran out of time (ERROR_BUSY
 * "deadline"); NULL while all is well. For `finally`. */
const struct error *flow_error(const struct flow *flow);

/* End another flow (or the one that runs, or a parent): its pending operation and its children are
 * cancelled, its `finally` runs before this returns; memory goes at the end of the turn. */
void flow_cancel(struct flow *flow);

/* Cancel all that were started on this loop: for the end of a process. */
void flow_cancel_all(struct loop *loop);

/* -- children: they end before their parent does; a failed child does not fail its parent ------- */

struct flow *flow_spawn(struct flow *parent, const struct flow_spec *spec);
unsigned flow_children(const struct flow *flow);	/* still running */
unsigned flow_failed_children(const struct flow *flow); /* over its whole life so far */
enum flow_status await_children(struct flow *flow);	/* returns at once when there are none */

/* -- waits that need no client ------------------------------------------------------------------ */

enum flow_status await_sleep(struct flow *flow, int64_t delay_ms);
enum flow_status await_turn(struct flow *flow); /* let others run, go on in the next turn */

/* A line of flows that wait for something to happen. Embedded in its owner. */
struct flow_queue {
	struct flow_op *first, **last;
};
void flow_queue_init(struct flow_queue *queue);
enum flow_status await_queue(struct flow *flow, struct flow_queue *queue);
/* The same, but goes on after `timeout_ms` all the same: flow_timed_out() then says so. */
enum flow_status await_queue_for(struct flow *flow, struct flow_queue *queue, int64_t timeout_ms);
bool flow_timed_out(const struct flow *flow);
unsigned flow_queue_wake(struct flow_queue *queue, unsigned at_most); /* returns how many */
unsigned flow_queue_wake_all(struct flow_queue *queue);
bool flow_queue_empty(const struct flow_queue *queue);

/* -- for clients: how an await_...() is built ---------------------------------------------------- */

/* A pending operation, embedded in the client's own struct (which may live in the flow's arena, but
 * then the client must forget it in `cancel`). */
struct flow_op {
	struct flow *flow; /* set while it waits */
	/* Called at most once, when the flow ends first. Must let go of the flow for good: after it
	 * returns the client never touches the op again. */
	void (*cancel)(struct flow_op *op);
	struct flow_op *next, **link; /* free for the client, and for flow_queue */
};

/* Make `op` the flow's pending operation: `return flow_wait(flow, op);` */
enum flow_status flow_wait(struct flow *flow, struct flow_op *op);

/* The operation is over: its flow goes on with its next step, in a turn of the loop. After this the
 * client does not touch the op again. */
void flow_wake(struct flow_op *op);

/* A slot for the layer that started the flow (http_server keeps its exchange here). `ended` is called
 * once, after `finally`. */
typedef void flow_origin_ended_fn(struct flow *flow);
void flow_set_origin(struct flow *flow, void *origin, flow_origin_ended_fn *ended);
void *flow_origin(const struct flow *flow);

#endif
