/*
 * housekeeper: what was kept for as long as the settings say goes: requests, what was said to voice agents,
 * texts (P30). Ids grow with time, so the oldest rows are the first by the primary key.
 *
 * A thousand rows of a table a statement: webhooks use the same connection and wait no longer than for that.
 */
#include "hooks.h"

#define REST_MS	    60000 /* nothing is left that is too old */
#define BUSY_MS	    500	  /* there may be more */
#define FIRST_MS    1000
#define ARENA_BYTES ((size_t)256 << 10)
#define ROWS	    1000
#define DAY_MS	    (INT64_C(24) * 3600 * 1000)

#define OLDEST(table, column)                                                                      \
	"WITH gone AS (DELETE FROM " table " WHERE id IN (SELECT id FROM (SELECT id, " column      \
	" AS at FROM " table " ORDER BY id LIMIT 1000) AS oldest"                                  \
	" WHERE at < $1::timestamptz) RETURNING 1) SELECT count(*) FROM gone"

static const char sql_requests[] = OLDEST("hook_requests", "received_at");
static const char sql_turns[] = OLDEST("call_turns", "started_at");
static const char sql_messages[] = OLDEST("messages", "created_at");

struct housekeeper {
	struct arena *arena; /* of one round */
	struct pg_batch *batch;
	int64_t rest_ms;
};

enum { KEEPER_REST, KEEPER_ASK, KEEPER_SEE };

static enum flow_status keeper_rest(struct flow *flow)
{
	struct housekeeper *keeper = flow_state(flow);

	return await_sleep(flow, keeper->rest_ms > 0 ? keeper->rest_ms : FIRST_MS);
}

static void ask(struct housekeeper *keeper, const char *sql, int64_t days)
{
	struct pg_params params = {0};

	pg_put_time(&params, keeper->arena, clock_wall_ms() - days * DAY_MS);
	pg_batch_add(keeper->batch, sql, &params);
}

static enum flow_status keeper_ask(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct housekeeper *keeper = flow_state(flow);

	keeper->rest_ms = FIRST_MS;
	if (!pg_ready(hooks->pg) || schema_why_not(hooks->schema) != NULL)
		return flow_goto(flow, KEEPER_REST);
	keeper->rest_ms = REST_MS;
	if (keeper->arena == NULL)
		keeper->arena = arena_new(ARENA_BYTES);
	arena_reset(keeper->arena);
	keeper->batch = pg_batch_new(keeper->arena);
	ask(keeper, sql_requests, hooks->settings->keep_requests_days);
	ask(keeper, sql_turns, hooks->settings->keep_turns_days);
	ask(keeper, sql_messages, hooks->settings->keep_messages_days);
	return await_pg(flow, hooks->pg, keeper->batch);
}

static enum flow_status keeper_see(struct flow *flow)
{
	static const char *const names[] = {"requests", "turns of voice agents", "texts"};
	struct housekeeper *keeper = flow_state(flow);
	struct error error;

	(void)flow_goto(flow, KEEPER_REST);
	if (!pg_batch_ok(keeper->batch, &error)) {
		log_warn(flow_log(flow), "housekeeper: %s", error.text);
		return FLOW_NEXT;
	}
	for (int i = 0; i < 3; i++) {
		int64_t gone = pg_int(keeper->batch, i, 0, 0);

		if (gone > 0)
			log_info(flow_log(flow), "housekeeper: %lld %s were kept for long enough",
				(long long)gone, names[i]);
		if (gone == ROWS)
			keeper->rest_ms = BUSY_MS;
	}
	return FLOW_NEXT;
}

static void keeper_over(struct flow *flow)
{
	struct housekeeper *keeper = flow_state(flow);

	arena_free(&keeper->arena);
}

static const struct flow_step keeper_steps[] = {
	[KEEPER_REST] = {"rest", keeper_rest},
	[KEEPER_ASK] = {"ask", keeper_ask},
	[KEEPER_SEE] = {"see", keeper_see},
	{NULL, NULL},
};

static const struct flow_spec keeper_flow = {
	.name = "housekeeper",
	.steps = keeper_steps,
	.finally = keeper_over,
	.state_bytes = sizeof(struct housekeeper),
	.deadline_ms = FLOW_FOREVER,
};

void housekeeper_start(struct hooks *hooks)
{
	(void)flow_start(hooks->loop, &keeper_flow, hooks, service_log(hooks->service));
}
