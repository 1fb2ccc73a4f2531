/*
 * twilio_phone: a person at the page takes part in a call: its microphone comes as frames of mu-law over
 * a WebSocket, what the caller hears goes back; keys and hanging up are JSON.
 */
#include "twilio_call.h"

#include "json.h"
#include "uri.h"
#include "websocket.h"

struct phone_input {
	struct str key;
	bool hangup;
};

static const struct json_field phone_fields[] = {
	JSON_FIELD(struct phone_input, key, JSON_STRING, 0),
	JSON_FIELD(struct phone_input, hangup, JSON_BOOL, 0),
	{NULL},
};

/* Late audio is worse than lost audio: what does not fit is left out. */
static void take_audio(struct twilio_call *call, struct str audio)
{
	(void)buf_add(&call->phone_said, audio);
	call->phone_said.failed = false;
}

static void take_text(struct twilio_call *call, struct str text)
{
	struct json *json = json_parse(text, (struct json_limits){1024, 3}, NULL);
	struct arena *arena = arena_new(16384);
	struct phone_input input = {0};

	if (json != NULL && json_read(json, phone_fields, &input, arena, NULL)) {
		for (size_t i = 0; i < input.key.size; i++) {
			if (strchr("0123456789*#", input.key.data[i]) != NULL)
				call_key(call, input.key.data[i]);
		}
		if (input.hangup)
			call_end(call, CALL_COMPLETED);
	}
	json_free(&json);
	arena_free(&arena);
}

static void on_message(void *context, bool binary, struct str payload)
{
	struct twilio_call *call = context;

	if (call_is_over(call))
		return;
	if (binary)
		take_audio(call, payload);
	else
		take_text(call, payload);
}

/* Who closes the page hangs up. */
static void on_closed(void *context, int code, const char *words)
{
	struct twilio_call *call = context;

	(void)code;
	(void)words;
	websocket_free(&call->phone);
	call_end(call, CALL_COMPLETED);
}

static void say(struct twilio_call *call, const char *name, const char *value)
{
	struct json_writer writer;
	struct buf text;

	buf_init(&text, 4096);
	json_begin(&writer, &text);
	json_open_object(&writer);
	json_put_member_str(&writer, name, str_from(value));
	json_close_object(&writer);
	(void)websocket_send(call->phone, false, buf_str(&text));
	buf_free(&text);
}

void phone_hear(struct twilio_call *call, const uint8_t *frame)
{
	if (call->phone != NULL)
		(void)websocket_send(call->phone, true, str_of((const char *)frame, FRAME_BYTES));
}

void phone_state(struct twilio_call *call)
{
	if (call->phone != NULL)
		say(call, "state", call_state_name(call->state));
}

/* The socket is closed by the page when it reads the end, or by us when the call is forgotten. */
void phone_end(struct twilio_call *call)
{
	if (call->phone != NULL)
		websocket_close(call->phone, 1000, "");
}

void phone_free(struct twilio_call *call)
{
	websocket_free(&call->phone);
}

static enum flow_status open_phone(struct flow *flow)
{
	static const struct websocket_handler handler = {
		.message = on_message, .closed = on_closed};
	struct twilio *twilio = sandbox_twilio(flow_context(flow));
	struct websocket_options options = {.handler = &handler, .log = *flow_log(flow)};
	struct twilio_call *call;
	struct str sid = {0};
	struct error error;

	(void)uri_query_value(http_request(flow)->query, "call", flow_arena(flow), &sid);
	call = twilio_call_find(twilio, sid);
	if (call == NULL)
		return flow_fail(flow, ERROR_MISSING, "call: no such call");
	if (call->phone != NULL)
		return flow_fail(flow, ERROR_CONFLICT, "call: somebody holds the receiver already");
	options.context = call;
	call->phone = websocket_accept(flow, &options, NULL, &error);
	if (call->phone == NULL)
		return flow_fail_error(flow, &error);
	phone_state(call);
	/* It may have ended before the page had the line: that is told, too. */
	if (call_is_over(call))
		phone_end(call);
	return FLOW_END;
}

const struct flow_spec twilio_phone_flow = ONE_STEP("twilio_phone", open_phone);
