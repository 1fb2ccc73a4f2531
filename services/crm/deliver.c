/*
 * deliver: POST /internal/deliver: one attempt to tell the CRM one thing (docs/protocol/integrations.md).
 *
 * The story is not cancelled when 8020 goes away: a call half told is worse than one told twice, for
 * CRMs know calls by ids that stay the same.
 */
#include "inner.h"

#include "json_put.h"

enum { DEADLINE_MS = 30000, MEMORY_MAX_BYTES = 2 * CRM_MEMORY_MAX };

struct order {
	int64_t delivery, turn, attempt;
	struct str enterprise, kind, trace;
	bool late;
	const struct json *call, *memory;
};

static const struct json_field order_fields[] = {
	JSON_FIELD(struct order, delivery, JSON_INT64, 0),
	JSON_FIELD(struct order, turn, JSON_INT64, 0),
	JSON_FIELD(struct order, attempt, JSON_INT64, 0),
	JSON_FIELD(struct order, enterprise, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct order, kind, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct order, trace, JSON_STRING, 0),
	JSON_FIELD(struct order, late, JSON_BOOL, 0),
	JSON_FIELD(struct order, call, JSON_RAW, JSON_REQUIRED),
	JSON_FIELD(struct order, memory, JSON_RAW, 0),
	{0},
};

struct delivery {
	struct inner inner;
	struct order order;
	enum crm_kind kind;
	struct crm_call call;
};

static bool read_order(struct flow *flow, struct delivery *delivery, struct error *error)
{
	struct order *order = &delivery->order;
	struct arena *arena = flow_arena(flow);

	if (delivery->inner.json == NULL)
		return error_set(error, ERROR_INPUT, "the body is no JSON");
	if (!json_read(delivery->inner.json, order_fields, order, arena, error))
		return false;
	if (!crm_kind_read(order->kind, &delivery->kind))
		return error_set(error, ERROR_INPUT, "kind: not known");
	if (order->turn < 0 || order->turn > UINT16_MAX)
		return error_set(error, ERROR_INPUT, "turn: out of range");
	return crm_call_read(order->call, arena, &delivery->call, error);
}

static struct str text_of(const struct json *json, struct arena *arena)
{
	struct str text = {0};
	struct buf buf;

	if (json_kind(json) != JSON_OBJECT || json_first(json) == NULL)
		return text;
	buf_init(&buf, MEMORY_MAX_BYTES);
	json_print(&buf, json, false);
	if (!buf.failed)
		text = str_of(arena_strndup(arena, buf.data, buf.size), buf.size);
	buf_free(&buf);
	return text;
}

static void name_flow(struct flow *flow, const struct delivery *delivery)
{
	struct arena *arena = flow_arena(flow);
	const struct order *order = &delivery->order;

	if (order->trace.size > 0)
		flow_set_trace(flow, arena_strndup(arena, order->trace.data, order->trace.size));
	flow_set_call(flow, arena_strndup(arena, delivery->call.key.data, delivery->call.key.size));
}

/* -- the answer ----------------------------------------------------------------------------------- */

/* Not even begun: for a person to mend. */
static enum flow_status answer_locked(struct flow *flow, const char *words)
{
	struct inner_answer answer;
	struct json_writer *writer = inner_answer_begin(&answer);

	json_put_member_str(writer, "outcome", str_from(outcome_name(OUTCOME_LOCKED)));
	json_put_member_str(writer, "reason", str_from(words));
	json_put_member_int(writer, "wait_ms", -1);
	json_put_member_raw(writer, "requests", STR("[]"));
	json_put_member_raw(writer, "replies", STR("[]"));
	return inner_answer_send(flow, &answer, 200);
}

static void put_verdict(struct json_writer *writer, const struct attempt *attempt)
{
	json_put_member_str(writer, "outcome", str_from(outcome_name(attempt->outcome)));
	json_put_member_str(writer, "reason", str_from(attempt->reason));
	json_put_member_int(writer, "wait_ms", attempt->wait_ms);
	json_put_name(writer, "http_status");
	if (attempt->http_status > 0)
		json_put_int(writer, attempt->http_status);
	else
		json_put_null(writer);
	json_put_name(writer, "crm_success");
	if (attempt->crm_success >= 0)
		json_put_bool(writer, attempt->crm_success == 1);
	else
		json_put_null(writer);
	json_put_member_int(writer, "took_ms", attempt->took_ms);
}

static enum flow_status deliver_answer(struct flow *flow)
{
	const struct delivery *delivery = flow_state(flow);
	const struct attempt *attempt = &delivery->inner.attempt;
	struct inner_answer answer;
	struct json_writer *writer = inner_answer_begin(&answer);

	put_verdict(writer, attempt);
	json_put_member_raw(
		writer, "memory", attempt->job.memory.size > 0 ? attempt->job.memory : STR("{}"));
	record_write(&attempt->record, writer);
	return inner_answer_send(flow, &answer, 200);
}

/* -- the steps ------------------------------------------------------------------------------------ */

static enum flow_status deliver_attempt(struct flow *flow)
{
	struct delivery *delivery = flow_state(flow);
	struct inner *inner = &delivery->inner;
	enum flow_status next = inner_begin(flow, inner);
	struct error error = {0};

	if (next != FLOW_NEXT)
		return next;
	if (!read_order(flow, delivery, &error))
		return http_reply_detail(flow, 400, "%s", error.text);
	name_flow(flow, delivery);
	if (!inner_open(flow, inner, delivery->order.enterprise, &error))
		return answer_locked(flow, error.text);
	inner_attempt(flow, inner, CRM_TELL);
	inner->attempt.job.kind = delivery->kind;
	inner->attempt.job.turn = (unsigned)delivery->order.turn;
	inner->attempt.job.late = delivery->order.late;
	inner->attempt.job.call = &delivery->call;
	inner->attempt.job.memory = text_of(delivery->order.memory, flow_arena(flow));
	attempt_start(flow, &inner->attempt);
	return await_children(flow);
}

static void deliver_finally(struct flow *flow)
{
	struct delivery *delivery = flow_state(flow);

	inner_free(&delivery->inner);
}

static const struct flow_step deliver_steps[] = {
	{"attempt", deliver_attempt},
	{"answer", deliver_answer},
	{NULL, NULL},
};

const struct flow_spec deliver_flow = {
	.name = "deliver",
	.steps = deliver_steps,
	.finally = deliver_finally,
	.state_bytes = sizeof(struct delivery),
	.arena_max_bytes = ATTEMPT_ARENA_BYTES,
	.deadline_ms = DEADLINE_MS,
};
