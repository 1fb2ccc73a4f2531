/*
 * channel_lease: the flow that keeps our channels, takes free ones and gives back what is too much.
 *
 * It also finds what nobody told us of: a row whose notice was lost, whose instance died.
 */
#include "gateway_parts.h"

#include <stdio.h>

enum { RENEWALS_A_LEASE = 3, LEAVE_POLL_MS = 20, MARGIN_MS = 500, RETRY_MS = 500 };
#define LEASE_ARENA_BYTES ((size_t)16 << 20)
#define LIST_MAX_BYTES	  ((size_t)4 << 20)

static const char sql_lease[] =
	"SELECT enterprise_number, crm, epoch, fair, waiting"
	" FROM crm_lease($1, $2::uuid, $3::boolean, $4::bigint * interval '1 millisecond')";
static const char sql_release[] = "SELECT crm_release($1, $2::text[], $3::text[])";
static const char sql_goodbye[] = "SELECT crm_goodbye($1, $2::uuid)";

/* -- one renewal ------------------------------------------------------------------------------------ */

struct lease_state {
	struct pg_batch *batch;
	int64_t asked_ms;
};

static enum flow_status lease_ask(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct lease_state *state = flow_state(flow);
	struct pg_params params = {0};

	state->asked_ms = loop_now_ms(gateway->loop); /* it counts from here */
	pg_put_text(&params, gateway->name);
	pg_put_text(&params, gateway->boot);
	pg_put_bool(&params, gateway->channels.fresh);
	pg_put_int(&params, flow_arena(flow), gateway->settings->lease_ms);
	return await_pg_query(flow, gateway->look_pg, &state->batch, sql_lease, &params);
}

static void hold(struct gateway *gateway, const struct pg_batch *batch, int row)
{
	struct str enterprise = pg_text(batch, 0, row, 0), crm = pg_text(batch, 0, row, 1);
	struct channel *channel = channel_find(gateway, enterprise, crm);
	int64_t epoch = pg_int(batch, 0, row, 2);

	if (channel != NULL && channel->epoch != epoch) { /* it was somebody else's for a while */
		channel_drop(gateway, channel);
		channel = NULL;
	}
	if (channel == NULL)
		channel = channel_new(gateway, enterprise, crm, epoch);
	channel->held = true;
	/* What is there and not here: nobody told us. */
	if (pg_bool(batch, 0, row, 4) && channel->parked_ms == 0 &&
		loop_now_ms(gateway->loop) - channel->loaded_ms > CHANNEL_SWEEP_MS) {
		channel->more = true;
		channel_go(gateway, channel);
	}
}

/* The others take what is more than our part, as soon as nothing of it is under way. */
static void yield_some(struct gateway *gateway, unsigned fair)
{
	size_t at = 0, ours = table_count(gateway->channels.table);
	void *value;

	while (ours > fair && table_next(gateway->channels.table, &at, NULL, &value)) {
		((struct channel *)value)->leaving = true;
		ours--;
	}
}

static void drop_lost(struct gateway *gateway)
{
	size_t at = 0;
	void *value;

	while (table_next(gateway->channels.table, &at, NULL, &value)) {
		struct channel *channel = value;

		if (!channel->held)
			channel_drop(gateway, channel);
	}
}

static void forget_held(struct gateway *gateway)
{
	size_t at = 0;
	void *value;

	while (table_next(gateway->channels.table, &at, NULL, &value)) {
		((struct channel *)value)->held = false;
		((struct channel *)value)->leaving = false;
	}
}

static void supersede(struct gateway *gateway)
{
	if (!gateway->channels.superseded)
		log_error(gateway->log,
			"deliveries: another instance has the name \"%s\" too; this one delivers "
			"nothing",
			gateway->name);
	gateway->channels.superseded = true;
}

static enum flow_status lease_read(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	const struct lease_state *state = flow_state(flow);
	struct channels *channels = &gateway->channels;
	struct error error;
	int rows = pg_rows(state->batch, 0);

	if (!pg_batch_ok(state->batch, &error))
		return flow_fail_error(flow, &error);
	forget_held(gateway);
	if (rows == 0)
		supersede(gateway);
	else
		channels->lease_until_ms =
			state->asked_ms + gateway->settings->lease_ms - MARGIN_MS;
	channels->superseded = channels->superseded && rows == 0;
	channels->fresh = false;
	for (int row = 0; row < rows; row++) {
		if (!pg_is_null(state->batch, 0, row, 0))
			hold(gateway, state->batch, row);
	}
	drop_lost(gateway);
	yield_some(gateway, rows > 0 ? (unsigned)pg_int(state->batch, 0, 0, 3) : 0);
	flow_queue_wake_all(&channels->clock); /* a lease that had run out holds again */
	return FLOW_END;
}

static void lease_finally(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	if (flow_error(flow) != NULL && !gateway->draining)
		log_warn(flow_log(flow), "deliveries: the lease is not renewed: %s",
			flow_error(flow)->text);
}

static const struct flow_step lease_steps[] = {
	{"ask", lease_ask},
	{"read", lease_read},
	{NULL, NULL},
};

static const struct flow_spec lease_one_flow = {
	.name = "lease",
	.steps = lease_steps,
	.finally = lease_finally,
	.state_bytes = sizeof(struct lease_state),
	.arena_max_bytes = LEASE_ARENA_BYTES,
	.deadline_ms = 10000,
};

/* -- giving back ------------------------------------------------------------------------------------ */

struct release_state {
	struct pg_batch *batch;
	struct pg_array enterprises, crms;
};

static bool may_go(const struct gateway *gateway, const struct channel *channel)
{
	return channel->leaving && channel->sending == 0 && !channel->loading && !channel->dirty &&
	       !gateway->draining;
}

static enum flow_status release_send(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct release_state *state = flow_state(flow);
	struct pg_params params = {0};
	size_t at = 0;
	void *value;

	pg_array_text_init(&state->enterprises, LIST_MAX_BYTES);
	pg_array_text_init(&state->crms, LIST_MAX_BYTES);
	while (table_next(gateway->channels.table, &at, NULL, &value)) {
		struct channel *channel = value;

		if (!may_go(gateway, channel))
			continue;
		pg_array_add_str(&state->enterprises, str_from(channel->enterprise));
		pg_array_add_str(&state->crms, str_from(channel->crm));
		channel_drop(gateway, channel);
	}
	pg_put_text(&params, gateway->name);
	if (gateway->draining) {
		pg_put_text(&params, gateway->boot);
		return await_pg_query(flow, gateway->look_pg, &state->batch, sql_goodbye, &params);
	}
	if (state->enterprises.count == 0)
		return FLOW_END;
	pg_put_array(&params, &state->enterprises);
	pg_put_array(&params, &state->crms);
	return await_pg_query(flow, gateway->look_pg, &state->batch, sql_release, &params);
}

/* Did it fail, the next renewal shows them as ours, and they are given back again. */
static enum flow_status release_read(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	const struct release_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error))
		return flow_fail_error(flow, &error);
	gateway->channels.left = gateway->draining;
	return FLOW_END;
}

static void release_finally(struct flow *flow)
{
	struct release_state *state = flow_state(flow);

	pg_array_free(&state->enterprises);
	pg_array_free(&state->crms);
}

static const struct flow_step release_steps[] = {
	{"send", release_send},
	{"read", release_read},
	{NULL, NULL},
};

static const struct flow_spec release_flow = {
	.name = "release",
	.steps = release_steps,
	.finally = release_finally,
	.state_bytes = sizeof(struct release_state),
	.arena_max_bytes = LEASE_ARENA_BYTES,
	.deadline_ms = 10000,
};

/* -- the story -------------------------------------------------------------------------------------- */

enum { KEEPER_READY, KEEPER_RENEW, KEEPER_GIVE, KEEPER_SLEEP, KEEPER_AGAIN };

static enum flow_status keeper_ready(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	if (gateway->draining)
		return flow_goto(flow, KEEPER_GIVE);
	return pg_ready(gateway->look_pg) ? FLOW_NEXT
					  : await_pg_ready(flow, gateway->look_pg, RETRY_MS);
}

static enum flow_status keeper_renew(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	if (gateway->draining || !pg_ready(gateway->look_pg))
		return flow_goto(flow, KEEPER_READY);
	gateway->channels.renewed_ms = loop_now_ms(gateway->loop);
	(void)flow_spawn(flow, &lease_one_flow);
	return await_children(flow);
}

static bool some_may_go(const struct gateway *gateway)
{
	size_t at = 0;
	void *value;

	while (table_next(gateway->channels.table, &at, NULL, &value)) {
		if (may_go(gateway, value))
			return true;
	}
	return false;
}

/* A CRM that never answers is not waited for: whoever takes over asks it again. */
static bool may_leave(const struct gateway *gateway)
{
	bool done = gateway->channels.attempts == 0 && journal_idle(gateway);

	return done || loop_now_ms(gateway->loop) - gateway->draining_ms > GATEWAY_PATIENCE_MS;
}

static enum flow_status keeper_give(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	bool goodbye = gateway->draining && may_leave(gateway);

	if (gateway->channels.left)
		return FLOW_END;
	if (pg_ready(gateway->look_pg) && (goodbye || some_may_go(gateway)))
		(void)flow_spawn(flow, &release_flow);
	return await_children(flow);
}

static bool somebody_leaves(const struct gateway *gateway)
{
	size_t at = 0;
	void *value;

	while (table_next(gateway->channels.table, &at, NULL, &value)) {
		if (((const struct channel *)value)->leaving)
			return true;
	}
	return false;
}

/* Short while channels leave: somebody waits for them. */
static enum flow_status keeper_sleep(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	bool hurry = gateway->draining || somebody_leaves(gateway);

	return await_queue_for(flow, &gateway->channels.lease,
		hurry ? LEAVE_POLL_MS : gateway->settings->lease_ms / RENEWALS_A_LEASE);
}

/* Woken by a notice: there may be free channels; by the time: renew; else look who may leave. */
static enum flow_status keeper_again(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	int64_t since = loop_now_ms(gateway->loop) - gateway->channels.renewed_ms;
	bool due = since >= gateway->settings->lease_ms / RENEWALS_A_LEASE;

	return flow_goto(flow, due || !flow_timed_out(flow) ? KEEPER_READY : KEEPER_GIVE);
}

static const struct flow_step keeper_steps[] = {
	[KEEPER_READY] = {"ready", keeper_ready},
	[KEEPER_RENEW] = {"renew", keeper_renew},
	[KEEPER_GIVE] = {"give", keeper_give},
	[KEEPER_SLEEP] = {"sleep", keeper_sleep},
	[KEEPER_AGAIN] = {"again", keeper_again},
	{NULL, NULL},
};

const struct flow_spec channel_lease_flow = {
	.name = "leases", .steps = keeper_steps, .deadline_ms = FLOW_FOREVER};
