/*
 * voice_any: one path for calls and texts alike, as the PHP application had it: a request with a
 * MessageSid is a text.
 */
#include "texts.h"
#include "uri.h"
#include "voice.h"

/* -- a text --------------------------------------------------------------------------------------------- */

struct text_state {
	struct hook_caller caller;
	struct text_in text;
};

static enum flow_status text_store(struct flow *flow)
{
	struct text_state *state = flow_state(flow);
	struct error error;

	if (!hook_caller_read(flow, &state->caller, &error))
		return hook_refuse(flow, &error);
	return await_text_in(flow, &state->caller, &state->text);
}

static enum flow_status text_reply(struct flow *flow)
{
	struct text_state *state = flow_state(flow);

	return text_in_reply(flow, &state->text);
}

static const struct flow_step text_steps[] = {
	{"store", text_store},
	{"reply", text_reply},
	{NULL, NULL},
};

static const struct flow_spec text_flow = {
	.name = "text-in",
	.steps = text_steps,
	.state_bytes = sizeof(struct text_state),
	.arena_max_bytes = VOICE_ARENA_BYTES,
	.deadline_ms = VOICE_DEADLINE_MS,
};

/* -- which is it? ------------------------------------------------------------------------------------------ */

static enum flow_status any_begin(struct flow *flow)
{
	const struct http_request *request = http_request(flow);
	bool post = str_equal(request->method, STR("POST"));
	struct str sid;
	bool text = uri_query_value(
		post ? request->body : request->query, "MessageSid", flow_arena(flow), &sid);

	flow_spawn(flow, text ? &text_flow : &voice_in_flow);
	return await_children(flow);
}

static const struct flow_step any_steps[] = {
	{"begin", any_begin},
	{NULL, NULL},
};

const struct flow_spec voice_any_flow = {
	.name = "webhook",
	.steps = any_steps,
	.deadline_ms = VOICE_DEADLINE_MS + 1000,
};
