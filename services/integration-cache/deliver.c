/*
 * deliver: the story of an attempt.
 *
 * The claim asks what only the database knows: whether the channel is still ours, what the driver
 * remembers of the call, whether it is over already. It marks the row for people; nothing hangs on
 * that mark, so it does not wait for the disk. (The + 0: rows of the call are found by its key, never by
 * walking along the ids of all that waits.)
 */
#include "deliver.h"

#include "crm_call.h"
#include "json_put.h"

enum { RETRY_MS = 1000, CLAIM_DEADLINE_MS = 20000, LATE_MS = 60000 };
enum { ANSWER_MAX_BYTES = 256 << 10 };
#define BODY_MAX_BYTES ((size_t)256 << 10)
#define ATTEMPT_ARENA  ((size_t)4 << 20)

static const char sql_relaxed[] = "SELECT set_config('synchronous_commit', 'off', true)";

#define OPEN "('queued', 'sending', 'failed')"
static const char sql_claim[] =
	"WITH c AS (SELECT FROM crm_channels WHERE enterprise_number = $2 AND crm = $3"
	" AND owner = $4 AND epoch = $5::bigint),"
	" u AS (UPDATE crm_deliveries d SET state = 'sending', updated_at = now()"
	" WHERE id = $1::bigint AND state IN " OPEN " AND EXISTS (SELECT FROM c)"
	" AND (SELECT e.id FROM crm_deliveries e WHERE e.enterprise_number = $2 AND e.crm = $3"
	" AND e.call_key = d.call_key AND e.id + 0 < $1::bigint AND e.state || '' IN " OPEN
	" LIMIT 1) IS NULL RETURNING d.attempts, d.call_key, d.created_at, d.retried_at)"
	" SELECT EXISTS (SELECT FROM c), u.attempts,"
	" (extract(epoch FROM now() - u.created_at) * 1000)::bigint,"
	" (extract(epoch FROM now() - coalesce(u.retried_at, u.created_at)) * 1000)::bigint,"
	" EXISTS (SELECT FROM crm_deliveries o WHERE o.enterprise_number = $2 AND o.crm = $3"
	" AND o.call_key = u.call_key AND o.id + 0 > $1::bigint"
	" AND o.kind ~ '^(hangup|recovered)'),"
	" (SELECT k.memory::text FROM crm_calls k WHERE k.enterprise_number = $2 AND k.crm = $3"
	" AND k.call_key = u.call_key)"
	" FROM (VALUES (1)) AS one (row) LEFT JOIN u ON true";

enum { DELIVER_CLAIM, DELIVER_SEND, DELIVER_JUDGE, DELIVER_RECORD, DELIVER_END };

/* -- the claim -------------------------------------------------------------------------------------- */

static enum flow_status deliver_claim(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct attempt *attempt = flow_state(flow);
	const struct channel *channel = attempt->channel;
	struct arena *arena = flow_arena(flow);
	struct pg_params params = {0}, none = {0};

	attempt->claim = pg_batch_new(arena);
	pg_put_int(&params, arena, attempt->delivery->id);
	pg_put_text(&params, channel->enterprise);
	pg_put_text(&params, channel->crm);
	pg_put_text(&params, gateway->name);
	pg_put_int(&params, arena, channel->epoch);
	pg_batch_add(attempt->claim, sql_relaxed, &none);
	pg_batch_add(attempt->claim, sql_claim, &params);
	return await_pg(flow, gateway->work_pg, attempt->claim);
}

/* False: it is not to be sent. */
static bool read_claim(struct gateway *gateway, struct attempt *attempt)
{
	const struct pg_batch *claim = attempt->claim;
	struct channel *channel = attempt->channel;

	if (!pg_bool(claim, 1, 0, 0)) { /* another instance has taken it over */
		channel_drop(gateway, channel);
		return false;
	}
	if (pg_is_null(claim, 1, 0, 1)) { /* told already, given up, or not its turn: look anew */
		attempt->over = true;
		channel->more = true;
		return false;
	}
	attempt->delivery->attempts = (unsigned)pg_int(claim, 1, 0, 1);
	attempt->age_ms = pg_int(claim, 1, 0, 2);
	attempt->given_ms = pg_int(claim, 1, 0, 3);
	attempt->late = attempt->age_ms > LATE_MS || pg_bool(claim, 1, 0, 4);
	attempt->memory = pg_text(claim, 1, 0, 5);
	return true;
}

/* -- the request ------------------------------------------------------------------------------------ */

/* "ringing:1" is the kind and its turn. */
static void put_kind(struct json_writer *writer, struct str kind)
{
	struct str turn = kind;
	struct str name = str_cut(&turn, ':');
	int64_t number = 0;

	(void)str_to_int64(turn, &number);
	json_put_member_str(writer, "kind", name);
	json_put_member_int(writer, "turn", number);
}

static struct str write_body(const struct attempt *attempt, struct arena *arena)
{
	const struct delivery *delivery = attempt->delivery;
	struct json_writer writer;
	struct str text;
	struct buf body;

	buf_init(&body, BODY_MAX_BYTES);
	json_begin(&writer, &body);
	json_open_object(&writer);
	json_put_member_int(&writer, "delivery", delivery->id);
	json_put_member_str(&writer, "enterprise", delivery->enterprise);
	put_kind(&writer, delivery->kind);
	json_put_member_bool(&writer, "late", attempt->late);
	json_put_member_int(&writer, "attempt", delivery->attempts + 1);
	json_put_member_raw(&writer, "call", delivery->payload);
	json_put_member_raw(
		&writer, "memory", attempt->memory.size > 0 ? attempt->memory : STR("{}"));
	json_put_member_str(&writer, "trace", delivery->trace);
	json_close_object(&writer);
	text = str_of(arena_strndup(arena, body.data, body.size), body.size);
	buf_free(&body);
	return text;
}

static enum flow_status send_request(struct flow *flow, const char *adapter)
{
	struct gateway *gateway = flow_context(flow);
	struct attempt *attempt = flow_state(flow);
	struct arena *arena = flow_arena(flow);

	attempt->call = (struct http_call){
		.method = "POST",
		.url = arena_printf(arena, "%s/internal/deliver", adapter),
		.content_type = "application/json",
		.body = write_body(attempt, arena),
		.headers = {{SERVICE_SECRET_HEADER,
			arena_strndup(arena, gateway->secret.data, gateway->secret.size)}},
		.timeout_ms = gateway->settings->attempt_ms,
		.max_answer_bytes = ANSWER_MAX_BYTES,
	};
	if (attempt->delivery->attempts == 0)
		metric_observe(gateway->meters.latency_seconds, (double)attempt->age_ms / 1e3);
	return await_http(flow, gateway->http, &attempt->call, &attempt->answer);
}

/* NULL: it may go. What was switched off meanwhile is not told any more. */
static const char *why_nobody(struct gateway *gateway, const struct delivery *delivery)
{
	const struct account *account = accounts_find(gateway->accounts, delivery->enterprise);
	const struct account_integration *integration =
		account != NULL ? account_integration(account, delivery->crm) : NULL;

	if (account == NULL || !account->active)
		return "the enterprise is not active";
	return integration != NULL && integration->enabled ? NULL
							   : "the integration is switched off";
}

static enum flow_status deliver_send(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct attempt *attempt = flow_state(flow);
	const char *adapter = adapters_url(gateway->adapters, attempt->delivery->crm), *nobody;
	struct error error;

	if (!pg_batch_ok(attempt->claim, &error))
		return flow_fail_error(flow, &error);
	if (!read_claim(gateway, attempt))
		return FLOW_END;
	flow_set_deadline(flow, FLOW_FOREVER); /* the request has its own; the record must come */
	nobody = why_nobody(gateway, attempt->delivery);
	if (nobody != NULL)
		deliver_skip(gateway, attempt, flow_arena(flow), nobody);
	else if (adapter == NULL || gateway->secret.size == 0)
		deliver_away(gateway, attempt, flow_arena(flow),
			adapter == NULL ? "there is no such CRM"
					: "CALLWEAVE_INTERNAL_SECRET is not set");
	else
		return send_request(flow, adapter);
	return flow_goto(flow, DELIVER_RECORD);
}

static enum flow_status deliver_answer(struct flow *flow)
{
	deliver_judge(flow_context(flow), flow_state(flow), flow_arena(flow));
	return FLOW_NEXT;
}

static enum flow_status deliver_record(struct flow *flow)
{
	struct attempt *attempt = flow_state(flow);

	journal_add(flow_context(flow), &attempt->report);
	return await_queue(flow, &attempt->report.recorded);
}

static enum flow_status deliver_end(struct flow *flow)
{
	return FLOW_END;
}

static const struct flow_step deliver_steps[] = {
	[DELIVER_CLAIM] = {"claim", deliver_claim},
	[DELIVER_SEND] = {"send", deliver_send},
	[DELIVER_JUDGE] = {"judge", deliver_answer},
	[DELIVER_RECORD] = {"record", deliver_record},
	[DELIVER_END] = {"end", deliver_end},
	{NULL, NULL},
};

/* However it ended: the channel goes on. */
static void deliver_finally(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct attempt *attempt = flow_state(flow);
	struct channels *channels = &gateway->channels;

	journal_forget(gateway, &attempt->report);
	if (!attempt->report.is_recorded) {
		breaker_unsaid(&attempt->channel->breaker, attempt->trial);
		attempt->delivery->due_ms = loop_now_ms(gateway->loop) + RETRY_MS;
	}
	if (flow_error(flow) != NULL && !gateway->draining)
		log_warn(flow_log(flow), "delivery %lld to %s is not begun: %s",
			(long long)attempt->delivery->id, attempt->channel->crm,
			flow_error(flow)->text);
	channels->attempts--;
	channels->extra -= attempt->extra ? 1 : 0;
	channel_settle(gateway, attempt->channel, attempt->delivery, attempt->over);
	if (channels->starved && attempt->extra)
		flow_queue_wake_all(&channels->clock);
	if (gateway->draining && channels->attempts == 0)
		flow_queue_wake_all(&channels->lease);
}

static const struct flow_spec attempt_flow = {
	.name = "deliver",
	.steps = deliver_steps,
	.finally = deliver_finally,
	.state_bytes = sizeof(struct attempt),
	.arena_max_bytes = ATTEMPT_ARENA,
	.deadline_ms = CLAIM_DEADLINE_MS,
};

void deliver_start(struct gateway *gateway, struct channel *channel, struct delivery *delivery)
{
	struct flow *flow = flow_start(gateway->loop, &attempt_flow, gateway, gateway->log);
	struct attempt *attempt = flow_state(flow);

	attempt->channel = channel;
	attempt->delivery = delivery;
	attempt->trial = breaker_begin(&channel->breaker);
	attempt->extra = channel->sending > 1;
	gateway->channels.attempts++;
	gateway->channels.extra += attempt->extra ? 1 : 0;
	flow_set_trace(flow, delivery->trace.data);
	flow_set_enterprise(flow, channel->enterprise);
	flow_set_call(flow, delivery->call_key.data);
}
