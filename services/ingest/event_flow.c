/*
 * event_flow: the story of one POST: read the event, find its enterprise, wait for the commit,
 * answer.
 */
#include "ingest.h"

enum { KEY_MAX_BYTES = 200, BODY_MAX_BYTES = 64 * 1024, DEADLINE_MS = 30000 };

static const char accepted[] = "{\"status\":\"ok\",\"message\":\"Event queued for processing\"}";

/* Lives as long as the request. */
struct event_state {
	enum call_event_type type;
	struct call_event event;
	struct batch *batch; /* our reference to it; NULL: none */
	unsigned index;	     /* of our event in it */
	int64_t at_ms;
	struct str number; /* of the enterprise */
	bool debug_log;
};

/* -- reading -------------------------------------------------------------------------------------- */

static bool read_key(struct flow *flow, struct str *key, struct error *error)
{
	*key = http_request_header(flow, "Idempotency-Key");
	if (key->data == NULL)
		return true;
	if (key->size == 0 || key->size > KEY_MAX_BYTES)
		return error_set(error, ERROR_INPUT, "Idempotency-Key: not 1 to %d characters",
			KEY_MAX_BYTES);
	for (size_t i = 0; i < key->size; i++) {
		if (key->data[i] < ' ' || key->data[i] > '~')
			return error_set(
				error, ERROR_INPUT, "Idempotency-Key: not printable ASCII");
	}
	return true;
}

/* In the body as "Token", with some senders "token", else in the header. */
static bool find_token(
	struct flow *flow, const struct json *body, struct call_event *event, struct error *error)
{
	const struct json *lower = json_member(body, "token");

	if (event->token.size == 0 && lower != NULL) {
		struct str text = json_text(lower);

		event->token = str_trim(str_of(
			arena_strndup(flow_arena(flow), text.size > 0 ? text.data : "", text.size),
			text.size));
	}
	if (event->token.size == 0)
		event->token = str_trim(http_request_header(flow, "Token"));
	return event->token.size > 0 || error_set(error, ERROR_INPUT, "Token: missing");
}

/* Everything that PostgreSQL could refuse is refused here, where it costs one sender one answer and
 * not its neighbours a failed commit. The zone does not matter: nothing is made of the times yet. */
static bool read_event(struct flow *flow, struct event_state *state, struct error *error)
{
	struct json_limits limits = {BODY_MAX_BYTES, CALL_EVENT_JSON_DEPTH};
	struct str text = http_request(flow)->body;
	struct json *body;
	bool ok;

	if (text.size == 0)
		return error_set(error, ERROR_INPUT, "body: missing");
	body = json_parse(text, limits, error);
	if (body == NULL)
		return error_prefix(error, "body: ");
	ok = call_event_read(state->type, body, NULL, flow_arena(flow), &state->event, error) &&
	     find_token(flow, body, &state->event, error);
	json_free(&body);
	return ok;
}

/* -- answers -------------------------------------------------------------------------------------- */

static struct ingest *count_refusal(struct flow *flow, enum refusal_reason reason)
{
	struct ingest *ingest = flow_context(flow);

	metric_add(ingest->meters.refused[reason], 1);
	return ingest;
}

static enum flow_status refuse_input(struct flow *flow, const struct error *error)
{
	count_refusal(flow, REFUSED_INPUT);
	return flow_fail_error(flow, error);
}

/* Hosts repeat nothing by themselves, but proxies and people do. */
static enum flow_status refuse_busy(struct flow *flow, const char *words)
{
	count_refusal(flow, REFUSED_BUSY);
	http_reply_header(flow, "Retry-After", "1");
	return http_reply_detail(flow, 503, "%s", words);
}

/* Kept for an operator: the token may be right and its enterprise not yet entered. What comes out of
 * the quarantine is there already. */
static enum flow_status refuse_token(struct flow *flow, const char *reason, struct str key)
{
	struct ingest *ingest = count_refusal(flow, REFUSED_TOKEN);
	struct event_state *state = flow_state(flow);
	const struct http_request *request = http_request(flow);

	if (str_starts(key, STR("quarantine:")))
		return flow_fail(flow, ERROR_AUTH, "Token: unknown");
	quarantine_offer(
		ingest->quarantine, &(struct quarantine_item){
					    .type = str_from(call_event_type_name(state->type)),
					    .token = state->event.token,
					    .reason = str_from(reason),
					    .peer = str_from(request->peer),
					    .trace = str_from(request->trace),
					    .body = request->body,
				    });
	return flow_fail(flow, ERROR_AUTH, "Token: unknown");
}

/* -- the steps ------------------------------------------------------------------------------------ */

/* From here on the batch holds a copy: the event is stored even when its client goes away. */
static enum flow_status event_enqueue(
	struct flow *flow, const struct enterprise *enterprise, struct str key)
{
	struct ingest *ingest = flow_context(flow);
	struct event_state *state = flow_state(flow);
	struct event_row row = {
		.at_ms = state->at_ms,
		.shard = (int)enterprise->shard,
		.enterprise = enterprise->number,
		.unique_id = state->event.unique_id,
		.type = str_from(call_event_type_name(state->type)),
		.trace = str_from(http_request(flow)->trace),
		.key = key,
		.body = http_request(flow)->body,
	};

	state->batch = backlog_add(&ingest->backlog, &row, &state->index);
	if (state->batch == NULL)
		return refuse_busy(flow, "too many events are waiting");
	state->debug_log = enterprise->debug_log;
	if (state->debug_log) /* the table may be another one when the commit is done */
		state->number = str_from(arena_strndup(
			flow_arena(flow), enterprise->number.data, enterprise->number.size));
	return await_queue(flow, &state->batch->waiters);
}

static enum flow_status event_take(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct event_state *state = flow_state(flow);
	const struct enterprise *enterprise;
	struct str path = http_request(flow)->path, key;
	struct error error;

	call_event_type_from(str_of(path.data + 1, path.size - 1), &state->type);
	metric_add(ingest->meters.received[state->type], 1);
	state->at_ms = clock_wall_ms();
	if (!read_key(flow, &key, &error) || !read_event(flow, state, &error))
		return refuse_input(flow, &error);
	if (ingest->tenants == NULL)
		return refuse_busy(flow, "the enterprises are not known yet");
	enterprise = tenants_by_token(ingest->tenants, state->event.token);
	if (enterprise == NULL || !enterprise->active)
		return refuse_token(flow, enterprise == NULL ? "unknown token" : "not active", key);
	return event_enqueue(flow, enterprise, key);
}

/* Only what was acknowledged; waiters are woken in the order of acceptance, so it is in order, too. */
static void write_debug_log(struct ingest *ingest, struct event_state *state, struct str body)
{
	const struct enterprise *enterprise = tenants_by_number(ingest->tenants, state->number);
	struct debug_event event = {
		.number = state->number,
		.zone = enterprise != NULL ? enterprise->zone : NULL,
		.at_ms = state->at_ms,
		.type = str_from(call_event_type_name(state->type)),
		.token = state->event.token,
		.unique_id = state->event.unique_id,
		.body = body,
	};

	debug_log_add(ingest->debug_log, &event);
}

static enum flow_status event_answer(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct event_state *state = flow_state(flow);
	const char *refusal;

	if (state->batch->state != BATCH_STORED)
		return refuse_busy(flow, state->batch->failure);
	refusal = batch_refusal(state->batch, state->index);
	if (refusal != NULL)
		return flow_fail(flow, ERROR_INPUT, "body: %s", refusal);
	if (state->debug_log)
		write_debug_log(ingest, state, http_request(flow)->body);
	return http_reply(flow, 200, "application/json", str_of(accepted, sizeof(accepted) - 1));
}

/* The last waiter to go gives the batch back. */
static void event_finally(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct event_state *state = flow_state(flow);

	if (state->batch != NULL)
		backlog_release(&ingest->backlog, state->batch);
}

static const struct flow_step event_steps[] = {
	{"take", event_take},
	{"answer", event_answer},
	{NULL, NULL},
};

const struct flow_spec event_flow = {
	.name = "event",
	.steps = event_steps,
	.finally = event_finally,
	.state_bytes = sizeof(struct event_state),
	.deadline_ms = DEADLINE_MS,
};
