/*
 * horizon: says who holds back events that are already committed.
 *
 * One forgotten transaction that has written something keeps every newer event out of reach. That
 * must be seen, with the name of the program to end.
 */
#include "dispatcher.h"

#define HELD_MS	      5000
#define WARN_EVERY_MS 30000

static const char sql_holder[] =
	"SELECT pid, application_name, state,"
	" extract(epoch FROM clock_timestamp() - xact_start)::bigint FROM pg_stat_activity"
	" WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY age(backend_xid) DESC "
	"LIMIT 1";

struct holder {
	struct pg_batch *batch;
};

static enum flow_status holder_ask(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct holder *holder = flow_state(flow);
	return await_pg_query(flow, d->side_pg, &holder->batch, sql_holder, NULL);
}

static enum flow_status holder_say(struct flow *flow)
{
	const struct holder *holder = flow_state(flow);
	struct error error;
	if (!pg_batch_ok(holder->batch, &error))
		return flow_fail_error(flow, &error);
	if (pg_rows(holder->batch, 0) == 0)
		log_warn(flow_log(flow), "fold: events wait behind a transaction without a session "
					 "(see pg_prepared_xacts)");
	else
		log_warn(flow_log(flow),
			"fold: events wait behind the open transaction of process %lld (%.*s, "
			"%.*s), begun %lld s ago",
			(long long)pg_int(holder->batch, 0, 0, 0),
			STR_ARG(pg_text(holder->batch, 0, 0, 1)),
			STR_ARG(pg_text(holder->batch, 0, 0, 2)),
			(long long)pg_int(holder->batch, 0, 0, 3));
	return FLOW_END;
}

static const struct flow_step holder_steps[] = {
	{"ask", holder_ask},
	{"say", holder_say},
	{NULL, NULL},
};

static const struct flow_spec holder_flow = {
	.name = "horizon",
	.steps = holder_steps,
	.state_bytes = sizeof(struct holder),
	.deadline_ms = 10000,
};

void horizon_watch(struct dispatcher *d, const struct reading *reading)
{
	int64_t now = loop_now_ms(d->loop);
	metric_set(d->meters.horizon_seconds, (double)reading->unsettled_ms / 1000);
	if (reading->unsettled_ms < HELD_MS || now - d->round.warned_ms < WARN_EVERY_MS)
		return;
	d->round.warned_ms = now;
	(void)flow_spawn(d->root, &holder_flow);
}
