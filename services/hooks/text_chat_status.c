/*
 * text_chat_status: GET /api/whatsapp/status: by whom chats would go now, and is its phone connected?
 */
#include "json_put.h"
#include "text_choice.h"
#include "text_room.h"

enum { STATUS_MS = 12000, BRIDGE_MS = 3000 };

struct status_state {
	struct api_key key;
	struct text_choice choice;
	bool configured;
	struct http_call call;
	struct http_answer answer;
	struct error error;
};

static enum flow_status status_who(struct flow *flow)
{
	struct status_state *state = flow_state(flow);

	return await_api_key(flow, &state->key);
}

static enum flow_status status_ask(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct status_state *state = flow_state(flow);
	const struct account *account;

	if (state->key.enterprise == NULL)
		return flow_fail_error(flow, &state->key.error);
	account = accounts_find(hooks->accounts, str_from(state->key.enterprise));
	if (account == NULL)
		return flow_fail(flow, ERROR_BUSY, "the enterprise is not loaded yet");
	state->configured =
		text_choose(hooks, account, "whatsapp", STR(""), &state->choice, &state->error);
	if (!state->configured || strcmp(state->choice.provider, "baileys") != 0)
		return FLOW_NEXT;
	state->call = (struct http_call){
		.method = "GET",
		.url = arena_printf(flow_arena(flow), "%s/health", hooks->settings->baileys_url),
		.headers = {{"X-BAILEYS-SECRET", hooks->settings->baileys_secret.value}},
		.timeout_ms = BRIDGE_MS,
	};
	return await_http(flow, hooks->http, &state->call, &state->answer);
}

/* Twilio needs no connection of ours. */
static bool is_connected(const struct status_state *state)
{
	const struct json_limits limits = {.max_bytes = (size_t)64 << 10, .max_depth = 8};
	struct json *json;
	bool connected;

	if (!state->configured || strcmp(state->choice.provider, "twilio") == 0)
		return state->configured;
	json = json_parse(state->answer.body, limits, NULL);
	connected = state->answer.status == 200 && json_is_true(json_member(json, "connected"));
	json_free(&json);
	return connected;
}

static enum flow_status status_answer(struct flow *flow)
{
	const struct status_state *state = flow_state(flow);
	bool connected = is_connected(state);
	struct json_writer json;
	struct buf buf;
	enum flow_status next;

	buf_init(&buf, 4096);
	json_begin(&json, &buf);
	json_open_object(&json);
	json_put_member_bool(&json, "success", true);
	json_put_member_str(
		&json, "provider", str_from(state->configured ? state->choice.provider : ""));
	json_put_member_bool(&json, "ready", connected);
	json_put_member_bool(&json, "connected", connected);
	json_put_member_bool(&json, "configured", state->configured);
	if (!state->configured)
		json_put_member_str(&json, "error", str_from(state->error.text));
	json_close_object(&json);
	next = http_reply_json(flow, 200, &buf);
	buf_free(&buf);
	return next;
}

static const struct flow_step status_steps[] = {
	{"who", status_who},
	{"ask", status_ask},
	{"answer", status_answer},
	{NULL, NULL},
};

const struct flow_spec text_chat_status_flow = {
	.name = "whatsapp_status",
	.steps = status_steps,
	.state_bytes = sizeof(struct status_state),
	.deadline_ms = STATUS_MS,
};
