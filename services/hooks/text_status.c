/*
 * text_status: what became of a text that we sent. Callbacks overtake each other and come twice: the
 * database never moves a status backwards.
 */
#include "json_put.h"
#include "sender.h"
#include "text_room.h"

#include "clock.h"
#include "uri.h"

const struct later_kind text_status_kind = {
	.name = "text_status",
	.sql = "SELECT message, now_is FROM text_status($1::jsonb, $2::boolean)",
};

struct status_state {
	struct hook_caller caller;
	struct later_store store;
};

/* What we gave along in the callback's URL: "ours" our number of it, "answers" the text it answers. */
static void put_marks(struct flow *flow, struct json_writer *json)
{
	static const char *const names[] = {"ours", "answers"};
	struct str query = http_request(flow)->query, value;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!uri_query_value(query, names[i], flow_arena(flow), &value))
			continue;
		if (i > 0 || str_is_digits(value))
			json_put_member_str(json, names[i], value);
	}
}

static struct str document(struct flow *flow, const struct hook_caller *caller, const char *status)
{
	struct str code = twilio_form_get(&caller->form, "ErrorCode");
	struct str said = twilio_form_get(&caller->form, "ErrorMessage");
	struct json_writer json;
	struct buf buf;
	struct str text;

	buf_init(&buf, (size_t)16 << 10);
	json_begin(&json, &buf);
	json_open_object(&json);
	json_put_member_str(&json, "enterprise", str_from(caller->enterprise));
	json_put_member_str(&json, "provider", STR("twilio"));
	json_put_member_str(&json, "provider_id", caller->sid);
	json_put_member_str(&json, "status", str_from(status));
	json_put_member_str(&json, "error_code", code);
	json_put_member_str(&json, "error", text_error_words(code, said));
	json_put_member_int(&json, "at", clock_wall_ms());
	put_marks(flow, &json);
	json_close_object(&json);
	text = str_of(arena_strndup(flow_arena(flow), buf.data, buf.size), buf.size);
	buf_free(&buf);
	return text;
}

static enum flow_status status_take(struct flow *flow)
{
	struct status_state *state = flow_state(flow);
	struct str said;
	const char *status;
	struct error error;

	if (!hook_caller_read(flow, &state->caller, &error)) {
		(void)hook_refuse(flow, &error);
		return FLOW_END;
	}
	said = twilio_form_get(&state->caller.form, "MessageStatus");
	if (said.size == 0)
		said = twilio_form_get(&state->caller.form, "SmsStatus");
	status = text_status_name(said);
	state->store.stored = true;
	if (status == NULL || state->caller.enterprise[0] == '\0' || state->caller.sid.size == 0) {
		log_info(flow_log(flow), "a status of a text is passed over: \"%.*s\"",
			STR_ARG(said));
		return FLOW_NEXT;
	}
	state->store = (struct later_store){
		.kind = &text_status_kind, .json = document(flow, &state->caller, status)};
	return await_later(flow, &state->store);
}

static enum flow_status status_answer(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct status_state *state = flow_state(flow);

	if (!state->store.stored)
		return flow_fail_error(flow, &state->store.error);
	sender_wake(hooks->sender); /* what was in doubt may be settled */
	return hook_reply_nothing(flow);
}

static const struct flow_step status_steps[] = {
	{"take", status_take},
	{"answer", status_answer},
	{NULL, NULL},
};

const struct flow_spec text_status_flow = {
	.name = "message_status",
	.steps = status_steps,
	.state_bytes = sizeof(struct status_state),
	.deadline_ms = TEXT_DEADLINE_MS,
};
