/*
 * twilio_call_admin: tests and pages make somebody call one of our numbers, and look at what became of it.
 */
#include "twilio_call.h"

#include "uri.h"
#include "wav.h"

static struct twilio *twilio_of(struct flow *flow)
{
	return sandbox_twilio(flow_context(flow));
}

/* -- making one -------------------------------------------------------------------------------------------- */

struct call_input {
	struct str to, from;
	const struct json *script;
	int64_t speed;
};

static const struct json_field call_fields_table[] = {
	JSON_FIELD(struct call_input, to, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct call_input, from, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct call_input, script, JSON_RAW, 0),
	JSON_FIELD(struct call_input, speed, JSON_INT64, 0),
	{NULL},
};

/* The script is JSON of any shape: the document has to live while it is read. */
static struct json *read_body(
	struct flow *flow, const struct json_field *fields, void *to, struct error *error)
{
	struct json *json =
		json_parse(http_request(flow)->body, (struct json_limits){262144, 8}, error);

	if (json != NULL && !json_read(json, fields, to, flow_arena(flow), error))
		json_free(&json);
	return json;
}

static enum flow_status say_sid(struct flow *flow, const struct twilio_call *call)
{
	struct json_writer writer;
	enum flow_status status;
	struct buf json;

	buf_init(&json, 1024);
	json_begin(&writer, &json);
	json_open_object(&writer);
	json_put_member_str(&writer, "call_sid", str_from(call->sid));
	json_put_member_str(&writer, "state", str_from(call_state_name(call->state)));
	json_close_object(&writer);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

static struct twilio_call *begin(
	struct flow *flow, const struct call_input *input, struct error *error)
{
	struct call_order order = {
		.number = twilio_number_find(twilio_of(flow), input->to),
		.from = input->from,
		.to = input->to,
		.script = input->script,
		.speed = input->speed,
		.callback_events = " completed ",
	};

	if (order.number == NULL || order.number->voice_url[0] == '\0') {
		(void)error_set(error, ERROR_MISSING, "to: no number with a voice_url");
		return NULL;
	}
	order.url = order.number->voice_url;
	order.status_callback = order.number->status_callback;
	return twilio_call_new(twilio_of(flow), &order, error);
}

static enum flow_status make_call(struct flow *flow)
{
	struct call_input input = {0};
	struct twilio_call *call;
	struct error error;
	struct json *json = read_body(flow, call_fields_table, &input, &error);

	if (json == NULL)
		return flow_fail_error(flow, &error);
	call = begin(flow, &input, &error);
	json_free(&json);
	return call != NULL ? say_sid(flow, call) : flow_fail_error(flow, &error);
}

/* -- calls/<sid>/script: more steps for one that goes on ------------------------------------------------------ */

struct more_input {
	const struct json *script;
};

static const struct json_field more_fields[] = {
	JSON_FIELD(struct more_input, script, JSON_RAW, JSON_REQUIRED), {NULL}};

/* "CA1/script": the call, and what is wanted of it. */
static struct twilio_call *call_of(struct flow *flow, struct str *what)
{
	*what = http_request(flow)->tail;
	return twilio_call_find(twilio_of(flow), str_cut(what, '/'));
}

static enum flow_status more(struct flow *flow)
{
	struct more_input input = {0};
	struct str what;
	struct twilio_call *call = call_of(flow, &what);
	struct error error;
	struct json *json;
	bool good;

	if (call == NULL || !str_equal(what, STR("script")))
		return flow_fail(flow, ERROR_MISSING, "no such call");
	if (call_is_over(call))
		return flow_fail(flow, ERROR_CONFLICT, "the call is over");
	json = read_body(flow, more_fields, &input, &error);
	if (json == NULL)
		return flow_fail_error(flow, &error);
	good = script_add(&call->script, twilio_of(flow), input.script, &error);
	json_free(&json);
	return good ? say_sid(flow, call) : flow_fail_error(flow, &error);
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

static void put_events(const struct twilio_call *call, struct json_writer *writer)
{
	json_put_name(writer, "events");
	json_open_array(writer);
	for (unsigned i = 0; i < call->event_count; i++) {
		json_open_object(writer);
		json_put_member_int(writer, "at_ms", call->events[i].at_ms);
		json_put_member_str(writer, "what", str_from(call->events[i].what));
		json_put_member_str(writer, "detail", str_from(call->events[i].detail));
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void put_call(const struct twilio_call *call, bool whole, struct json_writer *writer)
{
	json_open_object(writer);
	json_put_member_str(writer, "call_sid", str_from(call->sid));
	json_put_member_str(writer, "from", str_from(call->from));
	json_put_member_str(writer, "to", str_from(call->to));
	json_put_member_str(
		writer, "direction", call->outbound ? STR("outbound-api") : STR("inbound"));
	json_put_member_str(writer, "state", str_from(call_state_name(call->state)));
	json_put_member_str(writer, "verb", str_from(call->verb != NULL ? call->verb->name : ""));
	json_put_member_bool(writer, "script_done", script_is_done(&call->script));
	json_put_member_bool(writer, "settled", call_is_over(call) && call->document == NULL);
	json_put_member_int(writer, "clock_ms", call->clock_ms);
	json_put_member_int(writer, "created_ms", call->created_ms);
	json_put_member_int(writer, "answered_ms", call->answered_ms);
	json_put_member_int(writer, "ended_ms", call->ended_ms);
	json_put_member_int(writer, "duration", call_seconds(call));
	if (whole)
		put_events(call, writer);
	json_close_object(writer);
}

static enum flow_status list_calls(struct flow *flow)
{
	const struct twilio_call *at;
	struct json_writer writer;
	enum flow_status status;
	struct buf json;

	buf_init(&json, 4u << 20);
	json_begin(&writer, &json);
	json_open_array(&writer);
	TAILQ_FOREACH(at, &twilio_of(flow)->calls, link)
	put_call(at, false, &writer);
	json_close_array(&writer);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

static enum flow_status show_sound(
	struct flow *flow, const struct twilio_call *call, struct str what)
{
	enum flow_status status;
	struct buf wav;

	buf_init(&wav, 64u << 20);
	if (str_equal(what, STR("heard.wav")))
		wav_put_mulaw(&wav, buf_str(&call->heard));
	else if (str_equal(what, STR("said.wav")))
		wav_put_mulaw(&wav, buf_str(&call->said));
	else if (str_equal(what, STR("both.wav")))
		audio_put_both(&wav, buf_str(&call->said), buf_str(&call->heard));
	status = wav.size > 0 ? http_reply(flow, 200, "audio/x-wav", buf_str(&wav))
			      : flow_fail(flow, ERROR_MISSING, "heard.wav, said.wav or both.wav");
	buf_free(&wav);
	return status;
}

static enum flow_status show_call(struct flow *flow)
{
	struct str what;
	const struct twilio_call *call = call_of(flow, &what);
	struct json_writer writer;
	enum flow_status status;
	struct buf json;

	if (call == NULL)
		return flow_fail(flow, ERROR_MISSING, "no such call");
	if (what.size > 0)
		return show_sound(flow, call, what);
	buf_init(&json, 8u << 20);
	json_begin(&writer, &json);
	put_call(call, true, &writer);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

const struct flow_spec twilio_call_flow = ONE_STEP("twilio_call", make_call);
const struct flow_spec twilio_call_more_flow = ONE_STEP("twilio_call_more", more);
const struct flow_spec twilio_calls_flow = ONE_STEP("twilio_calls", list_calls);
const struct flow_spec twilio_one_call_flow = ONE_STEP("twilio_one_call", show_call);
