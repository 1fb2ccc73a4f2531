/*
 * deliver: POST /internal/deliver: one attempt to tell the CRM one thing (docs/protocol/integrations.md).
 *
 * The story is not cancelled when 8020 goes away: a call is not left half told. Who sends the same
 * delivery once more meanwhile waits, and hears what became of it (lanes.h).
 */
#include "inner.h"
#include "lanes.h"

#include "json_put.h"

#include <inttypes.h>

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
	struct lane_place place;
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

/* Its number, and what it tells: a database that was set back gives numbers anew. */
static struct str delivery_id(struct flow *flow)
{
	const struct delivery *delivery = flow_state(flow);
	const struct order *order = &delivery->order;

	if (order->delivery <= 0)
		return STR("");
	return str_from(arena_printf(flow_arena(flow), "%.*s %" PRId64 " %.*s:%" PRId64 " %.*s",
		STR_ARG(order->enterprise), order->delivery, STR_ARG(order->kind), order->turn,
		STR_ARG(delivery->call.key)));
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

static struct json_writer *begin_without_requests(
	struct inner_answer *answer, enum outcome outcome, const char *words)
{
	struct json_writer *writer = inner_answer_begin(answer);

	json_put_member_str(writer, "outcome", str_from(outcome_name(outcome)));
	json_put_member_str(writer, "reason", str_from(words));
	json_put_member_int(writer, "wait_ms", -1);
	json_put_name(writer, "http_status");
	json_put_null(writer);
	json_put_name(writer, "crm_success");
	json_put_null(writer);
	json_put_member_int(writer, "took_ms", 0);
	json_put_member_raw(writer, "requests", STR("[]"));
	json_put_member_raw(writer, "replies", STR("[]"));
	return writer;
}

/* Not even begun. 8020 heard that the enterprise wants it: most likely a moment before we did, so it
 * comes again. */
static enum flow_status answer_unknown(struct flow *flow, const char *words)
{
	struct inner_answer answer;

	(void)begin_without_requests(&answer, OUTCOME_AGAIN, words);
	return inner_answer_send(flow, &answer, 200);
}

/* 8020 did not hear it. */
static enum flow_status answer_told(struct flow *flow, struct str memory)
{
	struct inner_answer answer;
	struct json_writer *writer = begin_without_requests(
		&answer, OUTCOME_DONE, "told before: the answer to that was lost");

	json_put_member_raw(writer, "memory", memory.size > 0 ? memory : STR("{}"));
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
	const struct adapter *adapter = flow_context(flow);
	const struct attempt *attempt = &delivery->inner.attempt;
	struct inner_answer answer;
	struct json_writer *writer = inner_answer_begin(&answer);

	if (attempt->outcome == OUTCOME_DONE)
		lanes_told(adapter->lanes, delivery_id(flow), attempt->job.memory);
	put_verdict(writer, attempt);
	json_put_member_raw(
		writer, "memory", attempt->job.memory.size > 0 ? attempt->job.memory : STR("{}"));
	record_write(&attempt->record, writer);
	return inner_answer_send(flow, &answer, 200);
}

/* -- the steps ------------------------------------------------------------------------------------ */

enum { DELIVER_OPEN, DELIVER_TURN, DELIVER_AGAIN, DELIVER_ATTEMPT, DELIVER_ANSWER };

static enum flow_status deliver_open(struct flow *flow)
{
	struct delivery *delivery = flow_state(flow);
	enum flow_status next = inner_begin(flow, &delivery->inner);
	struct error error = {0};

	if (next != FLOW_NEXT)
		return next;
	if (!read_order(flow, delivery, &error))
		return http_reply_detail(flow, 400, "%s", error.text);
	name_flow(flow, delivery);
	return FLOW_NEXT;
}

/* One delivery of a call at a time: what an earlier 8020 began goes on here. */
static enum flow_status deliver_turn(struct flow *flow)
{
	struct delivery *delivery = flow_state(flow);
	const struct adapter *adapter = flow_context(flow);
	const struct order *order = &delivery->order;
	struct str memory;

	if (!lane_take(adapter->lanes, &delivery->place, order->enterprise, delivery->call.key))
		return lane_wait(flow, &delivery->place);
	if (lanes_was_told(adapter->lanes, delivery_id(flow), flow_arena(flow), &memory))
		return answer_told(flow, memory);
	return flow_goto(flow, DELIVER_ATTEMPT);
}

static enum flow_status deliver_again(struct flow *flow)
{
	return flow_goto(flow, DELIVER_TURN);
}

static enum flow_status deliver_attempt(struct flow *flow)
{
	struct delivery *delivery = flow_state(flow);
	struct inner *inner = &delivery->inner;
	struct error error = {0};

	if (!inner_open(flow, inner, delivery->order.enterprise, &error))
		return answer_unknown(flow, error.text);
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

	lane_leave(&delivery->place);
	inner_free(&delivery->inner);
}

static const struct flow_step deliver_steps[] = {
	[DELIVER_OPEN] = {"open", deliver_open},
	[DELIVER_TURN] = {"turn", deliver_turn},
	[DELIVER_AGAIN] = {"again", deliver_again},
	[DELIVER_ATTEMPT] = {"attempt", deliver_attempt},
	[DELIVER_ANSWER] = {"answer", deliver_answer},
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
