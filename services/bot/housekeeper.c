/*
 * housekeeper: what other processes left behind, and what is too old.
 */
#include "bots.h"

#define ROUND_MS       2000
#define ROUNDS_A_CLEAN 300 /* ten minutes */
#define ARENA_BYTES    ((size_t)1 << 20)

static const char sql_sweep[] = "SELECT pbx_commands_sweep()";
static const char sql_clean[] = "SELECT bot_clean()";

struct housekeeper {
	struct arena *arena; /* of one round */
	struct pg_batch *batch;
	unsigned round;
	bool cleaned;
};

enum { HOUSEKEEPER_REST, HOUSEKEEPER_ASK, HOUSEKEEPER_SEE };

static enum flow_status housekeeper_rest(struct flow *flow)
{
	return await_sleep(flow, ROUND_MS);
}

static enum flow_status housekeeper_ask(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct housekeeper *keeper = flow_state(flow);
	struct pg_params none = {0};
	if (!pg_ready(b->pg) || schema_why_not(b->schema) != NULL)
		return flow_goto(flow, HOUSEKEEPER_REST);
	if (keeper->arena == NULL)
		keeper->arena = arena_new(ARENA_BYTES);
	arena_reset(keeper->arena);
	keeper->cleaned = keeper->round++ % ROUNDS_A_CLEAN == 0;
	keeper->batch = pg_batch_new(keeper->arena);
	pg_batch_add(keeper->batch, sql_sweep, &none);
	if (keeper->cleaned)
		pg_batch_add(keeper->batch, sql_clean, &none);
	return await_pg(flow, b->pg, keeper->batch);
}

static enum flow_status housekeeper_see(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct housekeeper *keeper = flow_state(flow);
	struct error error;
	(void)flow_goto(flow, HOUSEKEEPER_REST);
	if (!pg_batch_ok(keeper->batch, &error)) {
		log_warn(flow_log(flow), "housekeeper: %s", error.text);
		return FLOW_NEXT;
	}
	int64_t swept = pg_int(keeper->batch, 0, 0, 0);
	if (swept > 0) {
		log_warn(flow_log(flow),
			"%lld commands of a process that ended: told as too late or unknown",
			(long long)swept);
		metric_add(b->meters.swept, (double)swept);
		worker_wake(&b->answers);
	}
	int64_t dropped = keeper->cleaned ? pg_int(keeper->batch, 1, 0, 0) : 0;
	if (dropped > 0)
		log_warn(flow_log(flow), "%lld answers could not be told for ten minutes: dropped",
			(long long)dropped);
	return FLOW_NEXT;
}

static void housekeeper_finally(struct flow *flow)
{
	struct housekeeper *keeper = flow_state(flow);
	if (keeper->arena != NULL)
		arena_free(&keeper->arena);
}

static const struct flow_step housekeeper_steps[] = {
	[HOUSEKEEPER_REST] = {"rest", housekeeper_rest},
	[HOUSEKEEPER_ASK] = {"ask", housekeeper_ask},
	[HOUSEKEEPER_SEE] = {"see", housekeeper_see},
	{NULL, NULL},
};

const struct flow_spec housekeeper_flow = {
	.name = "housekeeper",
	.steps = housekeeper_steps,
	.finally = housekeeper_finally,
	.state_bytes = sizeof(struct housekeeper),
	.deadline_ms = FLOW_FOREVER,
};
