/*
 * flow_wait: how a flow waits and is woken; the waits that need no client.
 *
 * A flow has one op of its own, enough for all of these, because it waits for one thing at a time.
 */
#include "flow.h"

#include "flow_private.h"
#include "loop_private.h"

#include <stdlib.h>

enum flow_status flow_wait(struct flow *flow, struct flow_op *op)
{
	if (flow->pending != NULL) /* a step waits at most once */
		abort();
	flow->timed_out = false;
	if (flow->ended) { /* by its own step: nobody would ever cancel this wait */
		op->cancel(op);
		return FLOW_END;
	}
	op->flow = flow;
	flow->pending = op;
	return FLOW_WAIT;
}

void flow_wake(struct flow_op *op)
{
	struct flow *flow = op->flow;

	if (flow == NULL || flow->pending != op)
		abort(); /* an op that is over, or was cancelled, must not wake */
	op->flow = NULL;
	flow->pending = NULL;
	flow->waits_for_children = false;
	loop_defer(flow->loop, &flow->task);
}

static struct flow *owner_of(struct flow_op *op)
{
	return (struct flow *)((char *)op - offsetof(struct flow, op));
}

/* -- children --------------------------------------------------------------------------------------- */

static void forget_children(struct flow_op *op)
{
	owner_of(op)->waits_for_children = false;
}

enum flow_status await_children(struct flow *flow)
{
	if (flow->child_count == 0)
		return FLOW_NEXT;
	flow->waits_for_children = true;
	flow->op = (struct flow_op){.cancel = forget_children};
	return flow_wait(flow, &flow->op);
}

/* -- time ------------------------------------------------------------------------------------------- */

static void stop_sleep(struct flow_op *op)
{
	struct flow *flow = owner_of(op);

	loop_alarm_stop(flow->loop, &flow->sleep);
}

static void on_slept(void *owner)
{
	struct flow *flow = owner;

	flow_wake(&flow->op);
}

enum flow_status await_sleep(struct flow *flow, int64_t delay_ms)
{
	flow->op = (struct flow_op){.cancel = stop_sleep};
	flow->sleep.fire = on_slept;
	flow->sleep.owner = flow;
	loop_alarm_set(flow->loop, &flow->sleep, delay_ms);
	return flow_wait(flow, &flow->op);
}

static void nothing_to_stop(struct flow_op *op)
{
}

enum flow_status await_turn(struct flow *flow)
{
	enum flow_status status;

	flow->op = (struct flow_op){.cancel = nothing_to_stop};
	status = flow_wait(flow, &flow->op);
	if (status == FLOW_WAIT)
		flow_wake(&flow->op);
	return status;
}

bool flow_timed_out(const struct flow *flow)
{
	return flow->timed_out;
}

/* -- queues ----------------------------------------------------------------------------------------- */

void flow_queue_init(struct flow_queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

static void leave_queue(struct flow_op *op)
{
	struct flow *flow = owner_of(op);

	loop_alarm_stop(flow->loop, &flow->sleep);
	*op->link = op->next;
	if (op->next != NULL)
		op->next->link = op->link;
	else
		flow->queue->last = op->link;
	flow->queue = NULL;
}

enum flow_status await_queue(struct flow *flow, struct flow_queue *queue)
{
	flow->op = (struct flow_op){.cancel = leave_queue, .link = queue->last};
	flow->queue = queue;
	*queue->last = &flow->op;
	queue->last = &flow->op.next;
	return flow_wait(flow, &flow->op);
}

static void on_queue_timeout(void *owner)
{
	struct flow *flow = owner;

	leave_queue(&flow->op);
	flow_wake(&flow->op);
	flow->timed_out = true;
}

enum flow_status await_queue_for(struct flow *flow, struct flow_queue *queue, int64_t timeout_ms)
{
	flow->sleep.fire = on_queue_timeout;
	flow->sleep.owner = flow;
	loop_alarm_set(flow->loop, &flow->sleep, timeout_ms);
	return await_queue(flow, queue);
}

unsigned flow_queue_wake(struct flow_queue *queue, unsigned at_most)
{
	unsigned woken = 0;

	while (queue->first != NULL && woken < at_most) {
		struct flow_op *op = queue->first;

		leave_queue(op);
		flow_wake(op);
		woken++;
	}
	return woken;
}

unsigned flow_queue_wake_all(struct flow_queue *queue)
{
	return flow_queue_wake(queue, UINT32_MAX);
}

bool flow_queue_empty(const struct flow_queue *queue)
{
	return queue->first == NULL;
}
