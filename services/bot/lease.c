/*
 * lease: see lease.h. The roster is read on the same connection whenever something has changed.
 */
#include "bots.h"

#define LEASE_ARENA_BYTES ((size_t)128 << 20) /* a hundred thousand bots */
/* We stop earlier than others may begin. */
#define LEASE_MARGIN_MS	 500
#define RENEWALS_A_LEASE 3
#define RETRY_MS	 500
#define NOTICE_WAIT_MS	 60000
#define LEAVE_POLL_MS	 20

static const char sql_lease[] = "SELECT bot_lease($1, $2::interval)";
static const char sql_leave[] = "SELECT bot_leave($1)";
static const char sql_roster[] =
	"SELECT b.bot_token, min(e.number), coalesce(b.username, ''), coalesce(b.introduced, ''),"
	" b.next_update, coalesce(b.owner, '') = $1, coalesce(b.last_error, '')"
	" FROM telegram_bots b JOIN enterprises e ON e.bot_token = b.bot_token AND e.active"
	" GROUP BY b.bot_token";

enum {
	LEASE_READY,
	LEASE_ASK,
	LEASE_TAKE,
	LEASE_LOAD,
	LEASE_LOADED,
	LEASE_SLEEP,
	LEASE_AGAIN,
	LEASE_LEAVE,
	LEASE_LEFT
};

void lease_init(struct lease *lease)
{
	*lease = (struct lease){.arena = arena_new(LEASE_ARENA_BYTES), .wanted = true};
	flow_queue_init(&lease->wake);
}

void lease_free(struct lease *lease)
{
	arena_free(&lease->arena);
}

bool lease_holds(const struct bots *b)
{
	return clock_monotonic_ms() < b->lease.until_ms;
}

void lease_want(struct bots *b)
{
	b->lease.wanted = true;
	flow_queue_wake_all(&b->lease.wake);
}

static enum flow_status lease_ready(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	return schema_why_not(b->schema) == NULL ? FLOW_NEXT
						 : await_schema(flow, b->schema, RETRY_MS);
}

static enum flow_status lease_ask(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct lease *lease = &b->lease;
	struct pg_params params = {0};
	if (b->draining)
		return flow_goto(flow, LEASE_LEAVE);
	if (schema_why_not(b->schema) != NULL)
		return flow_goto(flow, LEASE_READY);
	arena_reset(lease->arena);
	lease->asked_ms = clock_monotonic_ms();
	lease->batch = pg_batch_new(lease->arena);
	pg_put_text(&params, b->name);
	pg_put_text(&params,
		arena_printf(lease->arena, "%lld milliseconds", (long long)b->config->lease_ms));
	pg_batch_add(lease->batch, sql_lease, &params);
	return await_pg(flow, b->lease_pg, lease->batch);
}

static enum flow_status lease_take(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct lease *lease = &b->lease;
	struct error error;
	if (!pg_batch_ok(lease->batch, &error)) {
		log_warn(flow_log(flow), "lease: not renewed: %s", error.text);
		return flow_goto(flow, LEASE_SLEEP);
	}
	/* Lapsed, and others may have had our bots meanwhile. */
	if (!lease_holds(b))
		lease->wanted = true;
	lease->until_ms = lease->asked_ms + b->config->lease_ms - LEASE_MARGIN_MS;
	if (pg_bool(lease->batch, 0, 0, 0))
		lease->wanted = true;
	return lease->wanted ? FLOW_NEXT : flow_goto(flow, LEASE_SLEEP);
}

static enum flow_status lease_load(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct lease *lease = &b->lease;
	struct pg_params params = {0};
	lease->wanted = false;
	arena_reset(lease->arena);
	lease->batch = pg_batch_new(lease->arena);
	pg_put_text(&params, b->name);
	pg_batch_add(lease->batch, sql_roster, &params);
	return await_pg(flow, b->lease_pg, lease->batch);
}

static enum flow_status lease_loaded(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct error error;
	if (!pg_batch_ok(b->lease.batch, &error)) {
		b->lease.wanted = true;
		log_warn(flow_log(flow), "bots: not read: %s", error.text);
		return FLOW_NEXT;
	}
	roster_load(b, b->lease.batch);
	log_info(flow_log(flow), "bots: %zu of %zu are ours", b->roster.mine,
		table_count(b->roster.by_token));
	return FLOW_NEXT;
}

static enum flow_status lease_sleep(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	if (b->draining)
		return FLOW_NEXT;
	if (b->lease.wanted)
		return await_sleep(flow, RETRY_MS / 5); /* changes come together */
	return await_queue_for(flow, &b->lease.wake, b->config->lease_ms / RENEWALS_A_LEASE);
}

static enum flow_status lease_again(struct flow *flow)
{
	return flow_goto(flow, LEASE_ASK);
}

/* A drain: the others need not wait for the lease to run out. */
static enum flow_status lease_leave(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct lease *lease = &b->lease;
	struct pg_params params = {0};
	if (b->handling > 0) {
		(void)flow_goto(flow, LEASE_LEAVE);
		return await_sleep(flow, LEAVE_POLL_MS);
	}
	arena_reset(lease->arena);
	lease->batch = pg_batch_new(lease->arena);
	pg_put_text(&params, b->name);
	pg_batch_add(lease->batch, sql_leave, &params);
	return await_pg(flow, b->lease_pg, lease->batch);
}

static enum flow_status lease_left(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct error error;
	if (!pg_batch_ok(b->lease.batch, &error))
		log_warn(flow_log(flow), "lease: not given back, it runs out: %s", error.text);
	b->lease.until_ms = 0;
	b->lease.released = true;
	return FLOW_END;
}

static const struct flow_step lease_steps[] = {
	[LEASE_READY] = {"ready", lease_ready},
	[LEASE_ASK] = {"ask", lease_ask},
	[LEASE_TAKE] = {"take", lease_take},
	[LEASE_LOAD] = {"load", lease_load},
	[LEASE_LOADED] = {"loaded", lease_loaded},
	[LEASE_SLEEP] = {"sleep", lease_sleep},
	[LEASE_AGAIN] = {"again", lease_again},
	[LEASE_LEAVE] = {"leave", lease_leave},
	[LEASE_LEFT] = {"left", lease_left},
	{NULL, NULL},
};

const struct flow_spec lease_flow = {
	.name = "lease", .steps = lease_steps, .deadline_ms = FLOW_FOREVER};

/* -- following changes --------------------------------------------------------------------------- */

static enum flow_status listen_wait(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	return await_pg_notice(flow, b->listen, NOTICE_WAIT_MS);
}

/* Other tables of tenants change often and say nothing about bots. */
static enum flow_status listen_take(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct pg_notice notice;
	bool any = false;
	while (pg_listen_take(b->listen, &notice))
		any = any || notice.payload[0] == '\0' ||
		      str_equal(str_from(notice.payload), STR("enterprises"));
	if (any)
		lease_want(b);
	return flow_goto(flow, 0);
}

static const struct flow_step listen_steps[] = {
	{"wait", listen_wait},
	{"take", listen_take},
	{NULL, NULL},
};

const struct flow_spec lease_listen_flow = {
	.name = "lease-listen", .steps = listen_steps, .deadline_ms = FLOW_FOREVER};
