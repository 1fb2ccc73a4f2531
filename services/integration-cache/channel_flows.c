/*
 * channel_flows: what moves channels from outside: time, notices of other instances, changed settings.
 */
#include "gateway_parts.h"

/* -- the clock -------------------------------------------------------------------------------------- */

enum { CLOCK_LEAST_MS = 5, CLOCK_MOST_MS = 60000 };
enum { CLOCK_LOOK, CLOCK_AGAIN };

static enum flow_status clock_look(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct channels *channels = &gateway->channels;
	int64_t now_ms = loop_now_ms(gateway->loop), next_ms = now_ms + CLOCK_MOST_MS;
	size_t at = 0;
	void *value;

	channels->starved = false;
	while (table_next(channels->table, &at, NULL, &value)) {
		int64_t due_ms = channel_pump(gateway, value);

		if (due_ms < next_ms)
			next_ms = due_ms;
	}
	if (next_ms < now_ms + CLOCK_LEAST_MS)
		next_ms = now_ms + CLOCK_LEAST_MS;
	channels->clock_ms = next_ms;
	return await_queue_for(flow, &channels->clock, next_ms - now_ms);
}

static enum flow_status clock_again(struct flow *flow)
{
	return flow_goto(flow, CLOCK_LOOK);
}

static const struct flow_step clock_steps[] = {
	[CLOCK_LOOK] = {"look", clock_look},
	[CLOCK_AGAIN] = {"again", clock_again},
	{NULL, NULL},
};

const struct flow_spec channel_clock_flow = {
	.name = "clock", .steps = clock_steps, .deadline_ms = FLOW_FOREVER};

/* -- notices ---------------------------------------------------------------------------------------- */

const char *const channel_notices[] = {"callweave_crm", NULL};

enum { NOTICE_TIMEOUT_MS = 60000 };
enum { NOTICE_WAIT, NOTICE_READ };

/* A person has acted and does not want to wait: neither for a pause nor for a closed door. */
static void hurry(struct gateway *gateway, struct channel *channel)
{
	channel->paused_ms = 0;
	if (channel->breaker.state != BREAKER_CLOSED)
		channel->breaker.until_ms = loop_now_ms(gateway->loop);
}

/* "0367 retailcrm": a row was stored there; with "now" behind it: by a person. Empty: channels are
 * free, or notices were lost: look at everything. */
static void heard(struct gateway *gateway, const struct pg_notice *notice)
{
	struct str rest = str_from(notice->payload);
	struct str enterprise = str_cut(&rest, ' ');
	struct str crm = str_cut(&rest, ' ');
	struct channel *channel;
	size_t at = 0;
	void *value;

	if (notice->payload[0] == '\0') {
		flow_queue_wake_all(&gateway->channels.lease);
		while (table_next(gateway->channels.table, &at, NULL, &value))
			channel_want(gateway, value);
		return;
	}
	channel = channel_find(gateway, enterprise, crm);
	if (channel == NULL)
		return;
	if (str_equal(rest, STR("now")))
		hurry(gateway, channel);
	channel_want(gateway, channel);
}

static enum flow_status notice_wait(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	return await_pg_notice(flow, gateway->listen, NOTICE_TIMEOUT_MS);
}

static enum flow_status notice_read(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct pg_notice notice;

	while (pg_listen_take(gateway->listen, &notice))
		heard(gateway, &notice);
	return flow_goto(flow, NOTICE_WAIT);
}

static const struct flow_step notice_steps[] = {
	[NOTICE_WAIT] = {"wait", notice_wait},
	[NOTICE_READ] = {"read", notice_read},
	{NULL, NULL},
};

const struct flow_spec channel_notice_flow = {
	.name = "notices", .steps = notice_steps, .deadline_ms = FLOW_FOREVER};

/* -- changed settings ------------------------------------------------------------------------------- */

enum { WATCH_WAIT, WATCH_LOOK };

static enum flow_status watch_wait(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	return await_queue(flow, accounts_loaded(gateway->accounts));
}

/* Whoever mends a key wants to see it work now, not in a quarter of an hour. */
static void look_at(struct gateway *gateway, struct channel *channel)
{
	struct str crm = str_from(channel->crm);
	const struct account *account =
		accounts_find(gateway->accounts, str_from(channel->enterprise));

	if (channel->breaker.state != BREAKER_LOCKED || channel->breaker.trying ||
		channel_config_sum(account, crm) == channel->locked_with)
		return;
	channel->breaker = (struct breaker){0};
	channel->paused_ms = 0;
	channel_changed(gateway, channel, "");
	channel_go(gateway, channel);
}

static enum flow_status watch_look(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	size_t at = 0;
	void *value;

	while (table_next(gateway->channels.table, &at, NULL, &value))
		look_at(gateway, value);
	return flow_goto(flow, WATCH_WAIT);
}

static const struct flow_step watch_steps[] = {
	[WATCH_WAIT] = {"wait", watch_wait},
	[WATCH_LOOK] = {"look", watch_look},
	{NULL, NULL},
};

const struct flow_spec channel_watch_flow = {
	.name = "watch", .steps = watch_steps, .deadline_ms = FLOW_FOREVER};
