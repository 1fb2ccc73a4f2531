/*
 * worker: see worker.h. Looks each second by itself: other instances and the past put rows there, too.
 */
#include "worker.h"

#include "bots.h"
#include "clock.h"

#define LOOK_MS	       1000
#define ARENA_BYTES    ((size_t)16 << 20)
#define FAILED_WAIT_MS 500

enum { WORKER_WAIT, WORKER_CLAIM, WORKER_TAKE };

struct work {
	struct worker *worker;
};

void worker_init(struct worker *worker, const struct worker_kind *kind, unsigned most)
{
	*worker = (struct worker){.kind = kind, .most = most, .arena = arena_new(ARENA_BYTES)};
	flow_queue_init(&worker->wake);
}

void worker_free(struct worker *worker)
{
	if (worker->arena != NULL)
		arena_free(&worker->arena);
}

void worker_wake(struct worker *worker)
{
	worker->wanted = true;
	flow_queue_wake_all(&worker->wake);
}

/* There may be more of what it kept waiting. */
void worker_child_ended(struct worker *worker)
{
	worker->active--;
	worker_wake(worker);
}

static struct worker *worker_of(struct flow *flow)
{
	const struct work *work = flow_state(flow);
	return work->worker;
}

/* At a drain nothing new is begun: what waits in the database waits for another instance. */
static enum flow_status worker_wait(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct worker *worker = worker_of(flow);
	bool may = worker->active < worker->most && !b->draining;
	return worker->wanted && may ? FLOW_NEXT : await_queue_for(flow, &worker->wake, LOOK_MS);
}

static enum flow_status worker_claim(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct worker *worker = worker_of(flow);
	struct pg_params params = {0};
	worker->wanted = false;
	if (b->draining || worker->active >= worker->most || schema_why_not(b->schema) != NULL)
		return flow_goto(flow, WORKER_WAIT);
	arena_reset(worker->arena);
	worker->batch = pg_batch_new(worker->arena);
	worker->asked_ms = clock_monotonic_ms();
	pg_put_int(&params, worker->arena, worker->most - worker->active);
	pg_batch_add(worker->batch, worker->kind->claim, &params);
	return await_pg(flow, b->pg, worker->batch);
}

static enum flow_status worker_take(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct worker *worker = worker_of(flow);
	struct error error;
	(void)flow_goto(flow, WORKER_WAIT);
	if (!pg_batch_ok(worker->batch, &error)) {
		log_warn(flow_log(flow), "%s: not read: %s", worker->kind->name, error.text);
		return await_pg_again(flow, b->pg, FAILED_WAIT_MS);
	}
	for (int row = 0; row < pg_rows(worker->batch, 0); row++) {
		struct flow *child = flow_spawn(b->root, worker->kind->child);
		worker->kind->fill(child, worker->batch, row);
		worker->active++;
	}
	return FLOW_NEXT;
}

static const struct flow_step worker_steps[] = {
	[WORKER_WAIT] = {"wait", worker_wait},
	[WORKER_CLAIM] = {"claim", worker_claim},
	[WORKER_TAKE] = {"take", worker_take},
	{NULL, NULL},
};

static const struct flow_spec worker_flow = {
	.name = "worker",
	.steps = worker_steps,
	.state_bytes = sizeof(struct work),
	.deadline_ms = FLOW_FOREVER,
};

void worker_start(struct worker *worker, struct flow *parent)
{
	struct work *work = flow_state(flow_spawn(parent, &worker_flow));
	work->worker = worker;
}
