/*
 * journal_keep: what time takes away: partitions made ahead and dropped, rows that are done, calls that
 * are long over, deliveries that nobody could make for a day. In small bites, one after the other.
 */
#include "gateway_parts.h"

enum { LOOK_MS = 1000, TASK_DEADLINE_MS = 60000, BITE_ROWS = 500, DEAD_DAYS = 90 };

static const char sql_make[] = "SELECT integration_logs_make_partitions()";
static const char sql_drop[] = "SELECT integration_logs_drop_older_than($1::integer)";
static const char sql_default[] = /* months that nobody made a partition for in time */
	"DELETE FROM integration_logs_default WHERE (id, created_at) IN (SELECT id, created_at"
	" FROM integration_logs_default WHERE created_at < now() - $1::integer * interval '1 day'"
	" LIMIT $2::integer)";
static const char sql_done[] =
	"DELETE FROM crm_deliveries WHERE id IN (SELECT id FROM crm_deliveries"
	" WHERE state IN ('done', 'skipped', 'dead') AND state <> 'dead'"
	" AND updated_at < now() - $1::integer * interval '1 day' ORDER BY updated_at"
	" LIMIT $2::integer)";
static const char sql_dead[] =
	"DELETE FROM crm_deliveries WHERE id IN (SELECT id FROM crm_deliveries"
	" WHERE state = 'dead' AND updated_at < now() - $1::integer * interval '1 day'"
	" LIMIT $2::integer)";
static const char sql_calls[] =
	"DELETE FROM crm_calls WHERE (enterprise_number, crm, call_key) IN (SELECT"
	" enterprise_number, crm, call_key FROM crm_calls"
	" WHERE updated_at < now() - $1::integer * interval '1 day' ORDER BY updated_at"
	" LIMIT $2::integer)";
static const char sql_give_up[] = "SELECT crm_give_up($1::integer)";
static const char sql_look[] =
	"SELECT (SELECT count(*) FROM crm_deliveries WHERE state IN ('queued', 'sending', "
	"'failed')),"
	" (SELECT count(*) FROM crm_deliveries WHERE state = 'dead'),"
	" coalesce((SELECT extract(epoch FROM now() - min(created_at)) FROM crm_deliveries"
	" WHERE state IN ('queued', 'sending', 'failed')), 0)::bigint";

struct task {
	const char *name; /* "cannot <name>" */
	const char *sql;
	int64_t every_ms;
	int64_t (*days)(const struct gateway_settings *settings); /* NULL: takes none */
	bool bites;
	void (*then)(struct gateway *gateway, const struct pg_batch *batch);
};

static int64_t journal_days(const struct gateway_settings *settings)
{
	return settings->journal_days;
}

static int64_t done_days(const struct gateway_settings *settings)
{
	return settings->done_days;
}

static int64_t call_days(const struct gateway_settings *settings)
{
	return settings->call_days;
}

static int64_t dead_days(const struct gateway_settings *settings)
{
	(void)settings;
	return DEAD_DAYS;
}

static void gave_up(struct gateway *gateway, const struct pg_batch *batch)
{
	int64_t count = pg_int(batch, 0, 0, 0);

	if (count > 0)
		log_warn(gateway->log, "%lld deliveries are dead: not told within 24 hours",
			(long long)count);
}

/* Of this instance, by the state of their doors. */
static void count_channels(struct gateway *gateway)
{
	unsigned counts[BREAKER_STATES] = {0};
	size_t at = 0;
	void *value;

	while (table_next(gateway->channels.table, &at, NULL, &value))
		counts[((const struct channel *)value)->breaker.state]++;
	for (unsigned i = 0; i < BREAKER_STATES; i++)
		metric_set(gateway->meters.channels[i], counts[i]);
}

static void looked(struct gateway *gateway, const struct pg_batch *batch)
{
	metric_set(gateway->meters.open, (double)pg_int(batch, 0, 0, 0));
	metric_set(gateway->meters.dead, (double)pg_int(batch, 0, 0, 1));
	metric_set(gateway->meters.oldest_seconds, (double)pg_int(batch, 0, 0, 2));
	count_channels(gateway);
}

#define HOUR_MS 3600000
static const struct task tasks[] = {
	{"make partitions of the journal", sql_make, HOUR_MS, NULL, false, NULL},
	{"drop old months of the journal", sql_drop, HOUR_MS, journal_days, false, NULL},
	{"empty the journal's last partition", sql_default, HOUR_MS, journal_days, true, NULL},
	{"delete deliveries that are done", sql_done, HOUR_MS, done_days, true, NULL},
	{"delete deliveries that are long dead", sql_dead, HOUR_MS, dead_days, true, NULL},
	{"forget calls", sql_calls, HOUR_MS, call_days, true, NULL},
	{"give up old deliveries", sql_give_up, 15000, NULL, true, gave_up},
	{"count deliveries", sql_look, 15000, NULL, false, looked},
};
enum { TASKS = sizeof(tasks) / sizeof(tasks[0]) };

/* -- one task --------------------------------------------------------------------------------------- */

struct task_state {
	const struct task *task;
	struct pg_batch *batch;
	int64_t *due_ms;
};

static enum flow_status task_send(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct task_state *state = flow_state(flow);
	struct pg_params params = {0};

	if (state->task->days != NULL)
		pg_put_int(&params, flow_arena(flow), state->task->days(gateway->settings));
	if (state->task->bites)
		pg_put_int(&params, flow_arena(flow), BITE_ROWS);
	return await_pg_query(flow, gateway->keep_pg, &state->batch, state->task->sql, &params);
}

static enum flow_status task_read(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct task_state *state = flow_state(flow);
	const struct task *task = state->task;
	struct error error;

	if (!pg_batch_ok(state->batch, &error)) {
		log_warn(flow_log(flow), "cannot %s: %s", task->name, error.text);
		return FLOW_END;
	}
	if (task->bites && (pg_affected(state->batch, 0) == BITE_ROWS ||
				   pg_int(state->batch, 0, 0, 0) == BITE_ROWS))
		*state->due_ms = 0; /* there is more */
	if (task->then != NULL)
		task->then(gateway, state->batch);
	return FLOW_END;
}

static const struct flow_step task_steps[] = {
	{"send", task_send},
	{"read", task_read},
	{NULL, NULL},
};

static const struct flow_spec task_flow = {
	.name = "task",
	.steps = task_steps,
	.state_bytes = sizeof(struct task_state),
	.deadline_ms = TASK_DEADLINE_MS,
};

/* -- task after task -------------------------------------------------------------------------------- */

struct keep_state {
	int64_t due_ms[TASKS];
};

enum { KEEP_WAIT, KEEP_RUN };

static enum flow_status keep_wait(struct flow *flow)
{
	return await_sleep(flow, LOOK_MS);
}

static enum flow_status keep_run(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct keep_state *state = flow_state(flow);
	int64_t now_ms = loop_now_ms(gateway->loop);
	struct task_state *task;
	unsigned next = 0;

	while (next < TASKS && state->due_ms[next] > now_ms)
		next++;
	if (next == TASKS || !pg_ready(gateway->keep_pg) || gateway->draining)
		return flow_goto(flow, KEEP_WAIT);
	state->due_ms[next] = now_ms + tasks[next].every_ms;
	task = flow_state(flow_spawn(flow, &task_flow));
	task->task = &tasks[next];
	task->due_ms = &state->due_ms[next];
	(void)flow_goto(flow, KEEP_RUN);
	return await_children(flow);
}

static const struct flow_step keep_steps[] = {
	[KEEP_WAIT] = {"wait", keep_wait},
	[KEEP_RUN] = {"run", keep_run},
	{NULL, NULL},
};

const struct flow_spec journal_keep_flow = {
	.name = "keeper",
	.steps = keep_steps,
	.state_bytes = sizeof(struct keep_state),
	.deadline_ms = FLOW_FOREVER,
};
