/*
 * channel_load: the first open rows of a channel, out of the table.
 *
 * Asked for when the channel begins, when memory has run low, when a row that waits there becomes due,
 * and when another instance says that it stored one. What memory has already is passed over; rows
 * that are over stay in memory until the answer is there, or it would bring them back.
 */
#include "gateway_parts.h"

enum { LOAD_DEADLINE_MS = 30000, RETRY_MS = 500 };
#define LOAD_ARENA_BYTES ((size_t)16 << 20)

/* Planned without a look at values: what the statistics say of an enterprise whose CRM is dead would
 * have all that waits for it read and sorted for the sake of the first rows. */
static const char sql_plans[] =
	"SELECT set_config('plan_cache_mode', 'force_generic_plan', true),"
	" set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)";

static const char sql_channel[] =
	"SELECT epoch, failures, locked, reason,"
	" ceil(extract(epoch FROM open_until - now()) * 1000)::bigint"
	" FROM crm_channels WHERE enterprise_number = $1 AND crm = $2 AND owner = $3";

/* Not those that wait for a far try, nor what comes behind them in their call. The inner SELECT has a
 * LIMIT so that it stays a look into the few failed rows of one call: as a join it would go through
 * all that waits for a dead CRM. */
#define LATER "next_at > now() + $4::bigint * interval '1 millisecond'"
static const char sql_rows[] =
	"SELECT id, call_key, kind, payload::text, trace_id, attempts,"
	" ceil(extract(epoch FROM next_at - now()) * 1000)::bigint"
	" FROM crm_deliveries d WHERE enterprise_number = $1 AND crm = $2"
	" AND state IN ('queued', 'sending', 'failed') AND NOT (state = 'failed' AND " LATER ")"
	" AND (SELECT e.id FROM crm_deliveries e WHERE e.enterprise_number = $1 AND e.crm = $2"
	" AND e.call_key = d.call_key AND e.state = 'failed' AND e.id + 0 < d.id AND e." LATER
	" LIMIT 1) IS NULL ORDER BY id LIMIT $3";

static const char sql_parked[] =
	"SELECT ceil(extract(epoch FROM min(next_at) - now()) * 1000)::bigint FROM crm_deliveries"
	" WHERE enterprise_number = $1 AND crm = $2 AND state = 'failed'"
	" AND next_at > now() + $3::bigint * interval '1 millisecond'";

enum { PLANS, CHANNEL, ROWS, PARKED }; /* the statements */

struct load_state {
	struct channel *channel;
	struct pg_batch *batch;
	unsigned limit;
};

static enum flow_status load_ask(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct load_state *state = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct pg_params none = {0}, channel = {0}, rows = {0}, parked = {0};

	state->limit = channel_room(gateway);
	state->batch = pg_batch_new(arena);
	pg_put_text(&channel, state->channel->enterprise);
	pg_put_text(&channel, state->channel->crm);
	rows = parked = channel;
	pg_put_text(&channel, gateway->name);
	pg_put_int(&rows, arena, state->limit);
	pg_put_int(&rows, arena, CHANNEL_PARK_MS);
	pg_put_int(&parked, arena, CHANNEL_PARK_MS);
	pg_batch_add(state->batch, sql_plans, &none);
	pg_batch_add(state->batch, sql_channel, &channel);
	pg_batch_add(state->batch, sql_rows, &rows);
	pg_batch_add(state->batch, sql_parked, &parked);
	return await_pg(flow, gateway->look_pg, state->batch);
}

/* What the table says of the door: of another owner's time, or of a person who has opened it. While
 * something of ours is under way we know better. */
static void see_door(struct gateway *gateway, struct channel *channel, const struct pg_batch *batch)
{
	struct breaker *breaker = &channel->breaker;
	int64_t now_ms = loop_now_ms(gateway->loop), open_ms = pg_int(batch, CHANNEL, 0, 4);
	bool locked = pg_bool(batch, CHANNEL, 0, 2);

	if (channel->dirty || channel->sending > 0)
		return;
	if (breaker->state != BREAKER_CLOSED && !locked && pg_is_null(batch, CHANNEL, 0, 4)) {
		*breaker = (struct breaker){0};
		channel->paused_ms = 0;
	}
	if (channel->loaded_ms != 0)
		return; /* everything else has become so by our own doing */
	breaker->failures = (unsigned)pg_int(batch, CHANNEL, 0, 1);
	(void)str_copy(channel->reason, sizeof(channel->reason), pg_text(batch, CHANNEL, 0, 3));
	channel->locked_with =
		channel_config_sum(accounts_find(gateway->accounts, str_from(channel->enterprise)),
			str_from(channel->crm));
	if (locked) /* perhaps it was mended while nobody looked: try at once */
		(void)breaker_lock(breaker, now_ms);
	else if (open_ms > 0)
		*breaker = (struct breaker){.state = BREAKER_OPEN,
			.failures = breaker->failures,
			.until_ms = now_ms + open_ms};
}

static void take_rows(
	struct gateway *gateway, struct channel *channel, const struct pg_batch *batch)
{
	int64_t now_ms = loop_now_ms(gateway->loop);

	for (int row = 0; row < pg_rows(batch, ROWS); row++) {
		int64_t wait_ms = pg_int(batch, ROWS, row, 6);
		const struct delivery found = {
			.enterprise = str_from(channel->enterprise),
			.crm = str_from(channel->crm),
			.id = pg_int(batch, ROWS, row, 0),
			.call_key = pg_text(batch, ROWS, row, 1),
			.kind = pg_text(batch, ROWS, row, 2),
			.payload = pg_text(batch, ROWS, row, 3),
			.trace = pg_text(batch, ROWS, row, 4),
			.attempts = (unsigned)pg_int(batch, ROWS, row, 5),
			.due_ms = wait_ms > 0 ? now_ms + wait_ms : 0,
		};

		(void)channel_take(gateway, channel, delivery_new(&found));
	}
}

static enum flow_status load_read(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct load_state *state = flow_state(flow);
	struct channel *channel = state->channel;
	const struct pg_batch *batch = state->batch;
	struct error error;

	if (!pg_batch_ok(batch, &error))
		return flow_fail_error(flow, &error);
	if (channel->gone)
		return FLOW_END;
	if (pg_rows(batch, CHANNEL) == 0 || pg_int(batch, CHANNEL, 0, 0) != channel->epoch) {
		channel->loading = false;
		channel_drop(gateway, channel);
		state->channel = NULL;
		return FLOW_END;
	}
	see_door(gateway, channel, batch);
	take_rows(gateway, channel, batch);
	channel->loaded_ms = loop_now_ms(gateway->loop);
	channel->more = channel->more || pg_rows(batch, ROWS) == (int)state->limit;
	channel->parked_ms = pg_is_null(batch, PARKED, 0, 0)
				     ? 0
				     : channel->loaded_ms + pg_int(batch, PARKED, 0, 0);
	return FLOW_END;
}

/* Also when it failed: then it is asked again. */
static void load_finally(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct load_state *state = flow_state(flow);
	struct channel *channel = state->channel;

	if (channel == NULL)
		return;
	channel->loading = false;
	if (flow_error(flow) != NULL) {
		channel->more = true;
		gateway->channels.load_failed = true;
		if (!gateway->draining)
			log_warn(flow_log(flow), "deliveries of %s to %s cannot be read: %s",
				channel->enterprise, channel->crm, flow_error(flow)->text);
	}
	if (channel_sweep(gateway, channel))
		channel_go(gateway, channel);
}

static const struct flow_step load_steps[] = {
	{"ask", load_ask},
	{"read", load_read},
	{NULL, NULL},
};

static const struct flow_spec load_one_flow = {
	.name = "load",
	.steps = load_steps,
	.finally = load_finally,
	.state_bytes = sizeof(struct load_state),
	.arena_max_bytes = LOAD_ARENA_BYTES,
	.deadline_ms = LOAD_DEADLINE_MS,
};

/* -- one after the other --------------------------------------------------------------------------- */

enum { LOADER_WAIT, LOADER_TAKE, LOADER_AGAIN };

static enum flow_status loader_wait(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	if (gateway->channels.load_failed)
		return flow_goto(flow, LOADER_AGAIN);
	return gateway->channels.wanted != NULL ? FLOW_NEXT
						: await_queue(flow, &gateway->channels.load);
}

static struct channel *next_wanted(struct gateway *gateway)
{
	struct channels *channels = &gateway->channels;
	struct channel *channel = channels->wanted;

	if (channel == NULL)
		return NULL;
	channels->wanted = channel->next_wanted;
	if (channels->wanted == NULL)
		channels->wanted_last = &channels->wanted;
	channel->wanted = false;
	return channel;
}

static enum flow_status loader_take(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct channel *channel;

	if (!pg_ready(gateway->look_pg))
		return flow_goto(flow, LOADER_AGAIN);
	channel = next_wanted(gateway);
	if (channel == NULL)
		return flow_goto(flow, LOADER_WAIT);
	if (channel->gone) {
		(void)channel_sweep(gateway, channel);
		return flow_goto(flow, LOADER_TAKE);
	}
	channel->loading = true;
	channel->more = false;
	((struct load_state *)flow_state(flow_spawn(flow, &load_one_flow)))->channel = channel;
	(void)flow_goto(flow, LOADER_WAIT);
	return await_children(flow);
}

static enum flow_status loader_again(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	gateway->channels.load_failed = false;
	(void)flow_goto(flow, LOADER_WAIT);
	return await_pg_again(flow, gateway->look_pg, RETRY_MS);
}

static const struct flow_step loader_steps[] = {
	[LOADER_WAIT] = {"wait", loader_wait},
	[LOADER_TAKE] = {"take", loader_take},
	[LOADER_AGAIN] = {"again", loader_again},
	{NULL, NULL},
};

const struct flow_spec channel_load_flow = {
	.name = "loader", .steps = loader_steps, .deadline_ms = FLOW_FOREVER};
