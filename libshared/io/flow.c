/*
 * flow: the one driver of all asynchronous stories.
 *
 * A flow lies in its own arena. It is driven by its loop task alone, so a step never runs inside
 * somebody else's stack; and it is freed by that same task, so whoever ends it in the middle of one
 * of its steps leaves the step solid ground to return to.
 */
#include "flow.h"

#include "flow_private.h"
#include "loop_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX_BYTES = 1 << 20 };

/* -- running ---------------------------------------------------------------------------------------- */

static void flow_free(void *owner)
{
	struct flow *flow = owner;
	struct arena *arena = flow->arena;

	arena_free(&arena);
}

static void unlink_child(struct flow *flow)
{
	*flow->link = flow->next;
	if (flow->next != NULL)
		flow->next->link = flow->link;
}

static void leave_parent(struct flow *flow)
{
	struct flow *parent = flow->parent;

	unlink_child(flow);
	if (parent == NULL)
		return;
	parent->child_count--;
	if (flow->error.kind != ERROR_NONE)
		parent->failed_children++;
	if (parent->child_count == 0 && parent->waits_for_children)
		flow_wake(&parent->op);
}

static void let_go_of_pending(struct flow *flow)
{
	struct flow_op *op = flow->pending;

	if (op == NULL)
		return;
	flow->pending = NULL;
	op->flow = NULL;
	op->cancel(op);
}

/* The one exit. Order: nothing can wake it any more, its children go, then `finally` sees a story
 * that is over. */
static void flow_finish(struct flow *flow)
{
	if (flow->ended)
		return;
	flow->ended = true;
	loop_alarm_stop(flow->loop, &flow->deadline);
	loop_undefer(flow->loop, &flow->task);
	let_go_of_pending(flow);
	while (flow->children != NULL)
		flow_cancel(flow->children);
	/* Before `finally`: that may cancel the parent, which then must not find this child. */
	leave_parent(flow);
	if (flow->spec->finally != NULL)
		flow->spec->finally(flow);
	if (flow->origin_ended != NULL)
		flow->origin_ended(flow);
	flow->task.run = flow_free;
	loop_defer(flow->loop, &flow->task);
}

/* A step that waits must say so, and the other way round: else the flow would stand for ever, or run
 * while it waits. */
static enum flow_status check_step(struct flow *flow, enum flow_status status)
{
	bool waits = flow->pending != NULL || flow->task.link != NULL;

	if (flow->ended || status == FLOW_END || waits == (status == FLOW_WAIT))
		return status;
	return flow_fail(
		flow, ERROR_INTERNAL, "step %s: its await was not returned", flow->log.step);
}

static void flow_run(void *owner)
{
	struct flow *flow = owner;
	enum flow_status status = FLOW_NEXT;

	while (status == FLOW_NEXT && !flow->ended) {
		const struct flow_step *step = &flow->spec->steps[flow->step];

		if (step->name == NULL) {
			status = FLOW_END;
			break;
		}
		flow->log.step = step->name;
		flow->step++; /* flow_goto() says otherwise */
		status = check_step(flow, step->run(flow));
	}
	if (status == FLOW_END)
		flow_finish(flow);
}

static void on_deadline(void *owner)
{
	struct flow *flow = owner;

	error_set(&flow->error, ERROR_BUSY, "deadline");
	flow_finish(flow);
}

/* -- beginning and end ------------------------------------------------------------------------------ */

static struct flow *flow_make(struct loop *loop, const struct flow_spec *spec)
{
	struct arena *arena =
		arena_new(spec->arena_max_bytes > 0 ? spec->arena_max_bytes : ARENA_MAX_BYTES);
	struct flow *flow = arena_alloc(arena, sizeof(*flow));

	flow->spec = spec;
	flow->loop = loop;
	flow->arena = arena;
	if (spec->state_bytes > 0)
		flow->state = arena_alloc(arena, spec->state_bytes);
	flow->task = (struct loop_task){.run = flow_run, .owner = flow};
	flow->deadline = (struct loop_alarm){.fire = on_deadline, .owner = flow};
	flow_set_deadline(flow, spec->deadline_ms);
	loop_defer(loop, &flow->task);
	return flow;
}

static void link_child(struct flow *flow, struct flow **list)
{
	flow->next = *list;
	if (flow->next != NULL)
		flow->next->link = &flow->next;
	flow->link = list;
	*list = flow;
}

/* The texts too: they may lie in the arena of a flow that ends sooner. */
static void copy_log(struct flow *flow, const struct log_context *log)
{
	flow->log.log = log->log;
	if (log->trace != NULL)
		flow_set_trace(flow, log->trace);
	if (log->enterprise != NULL)
		flow_set_enterprise(flow, log->enterprise);
	if (log->call != NULL)
		flow_set_call(flow, log->call);
}

struct flow *flow_start(struct loop *loop, const struct flow_spec *spec, void *context,
	const struct log_context *log)
{
	struct flow *flow = flow_make(loop, spec);

	flow->context = context;
	if (log != NULL)
		copy_log(flow, log);
	flow->log.flow = spec->name;
	link_child(flow, &loop->flows);
	return flow;
}

struct flow *flow_spawn(struct flow *parent, const struct flow_spec *spec)
{
	struct flow *flow = flow_make(parent->loop, spec);

	flow->context = parent->context;
	flow->log = parent->log;
	flow->log.flow = spec->name;
	flow->log.step = NULL;
	flow->parent = parent;
	parent->child_count++;
	link_child(flow, &parent->children);
	if (parent->ended) /* by its own step, or in its `finally`: nobody would wait for the child */
		flow_cancel(flow);
	return flow;
}

void flow_cancel(struct flow *flow)
{
	if (flow->ended)
		return;
	if (flow->error.kind == ERROR_NONE)
		error_set(&flow->error, ERROR_INTERNAL, "cancelled");
	flow_finish(flow);
}

void flow_cancel_all(struct loop *loop)
{
	while (loop->flows != NULL)
		flow_cancel(loop->flows);
}

enum flow_status flow_fail(struct flow *flow, enum error_kind kind, const char *format, ...)
{
	va_list arguments;

	flow->error.kind = kind;
	va_start(arguments, format);
	vsnprintf(flow->error.text, sizeof(flow->error.text), format, arguments);
	va_end(arguments);
	return FLOW_END;
}

enum flow_status flow_fail_error(struct flow *flow, const struct error *error)
{
	flow->error = *error;
	return FLOW_END;
}

/* -- what a step asks of its flow ------------------------------------------------------------------- */

enum flow_status flow_goto(struct flow *flow, unsigned step)
{
	flow->step = step;
	return FLOW_NEXT;
}

void flow_set_deadline(struct flow *flow, int64_t after_ms)
{
	if (after_ms == FLOW_FOREVER)
		loop_alarm_stop(flow->loop, &flow->deadline);
	else
		loop_alarm_set(flow->loop, &flow->deadline, after_ms);
}

const struct error *flow_error(const struct flow *flow)
{
	return flow->error.kind != ERROR_NONE ? &flow->error : NULL;
}

void *flow_state(struct flow *flow)
{
	return flow->state;
}

void *flow_context(struct flow *flow)
{
	return flow->context;
}

struct arena *flow_arena(struct flow *flow)
{
	return flow->arena;
}

struct loop *flow_loop(struct flow *flow)
{
	return flow->loop;
}

const struct log_context *flow_log(struct flow *flow)
{
	return &flow->log;
}

void flow_set_trace(struct flow *flow, const char *trace)
{
	flow->log.trace = arena_strdup(flow->arena, trace);
}

void flow_set_enterprise(struct flow *flow, const char *enterprise)
{
	flow->log.enterprise = arena_strdup(flow->arena, enterprise);
}

void flow_set_call(struct flow *flow, const char *call)
{
	flow->log.call = arena_strdup(flow->arena, call);
}

const char *flow_step_name(const struct flow *flow)
{
	return flow->log.step != NULL ? flow->log.step : "";
}

unsigned flow_children(const struct flow *flow)
{
	return flow->child_count;
}

unsigned flow_failed_children(const struct flow *flow)
{
	return flow->failed_children;
}

void flow_set_origin(struct flow *flow, void *origin, flow_origin_ended_fn *ended)
{
	flow->origin = origin;
	flow->origin_ended = ended;
}

void *flow_origin(const struct flow *flow)
{
	return flow->origin;
}
