/*
 * twilio_admin: what tests and pages declare of numbers, people and files, and ask of alerts. Tokens go
 * in and never come out.
 */
#include "twilio_audio.h"
#include "twilio_store.h"

#include "uri.h"

static struct twilio *twilio_of(struct flow *flow)
{
	return sandbox_twilio(flow_context(flow));
}

static char *owned(struct flow *flow, struct str text)
{
	return arena_strndup(flow_arena(flow), text.data != NULL ? text.data : "", text.size);
}

/* Answer with what a writer wrote. */
static enum flow_status reply(struct flow *flow, struct buf *json)
{
	enum flow_status status = json->failed
					  ? flow_fail(flow, ERROR_BUSY, "too much for one list")
					  : http_reply_json(flow, 200, json);

	buf_free(json);
	return status;
}

/* -- numbers -------------------------------------------------------------------------------------------- */

struct number_input {
	struct str number, account_sid, auth_token, voice_url, voice_fallback_url, status_callback,
		sms_url, whatsapp_url;
	bool opt_out, trial;
};

static const struct json_field number_fields[] = {
	JSON_FIELD(struct number_input, number, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct number_input, account_sid, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct number_input, auth_token, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct number_input, voice_url, JSON_STRING, 0),
	JSON_FIELD(struct number_input, voice_fallback_url, JSON_STRING, 0),
	JSON_FIELD(struct number_input, status_callback, JSON_STRING, 0),
	JSON_FIELD(struct number_input, sms_url, JSON_STRING, 0),
	JSON_FIELD(struct number_input, whatsapp_url, JSON_STRING, 0),
	JSON_FIELD(struct number_input, opt_out, JSON_BOOL, 0),
	JSON_FIELD(struct number_input, trial, JSON_BOOL, 0),
	{NULL},
};

static enum flow_status put_number(struct flow *flow)
{
	struct number_input input = {.opt_out = true};
	struct error error;

	if (!admin_read_body(flow, number_fields, &input, &error))
		return flow_fail_error(flow, &error);
	if (!twilio_is_e164(input.number))
		return flow_fail(flow, ERROR_INPUT, "number: not E.164");
	if (!str_starts(input.account_sid, STR("AC")) || input.auth_token.size == 0)
		return flow_fail(flow, ERROR_INPUT, "account_sid: AC...; auth_token: not empty");
	twilio_number_put(twilio_of(flow),
		&(struct twilio_number){
			.number = owned(flow, input.number),
			.account_sid = owned(flow, input.account_sid),
			.auth_token = owned(flow, input.auth_token),
			.voice_url = owned(flow, input.voice_url),
			.voice_fallback_url = owned(flow, input.voice_fallback_url),
			.status_callback = owned(flow, input.status_callback),
			.sms_url = owned(flow, input.sms_url),
			.whatsapp_url = owned(flow, input.whatsapp_url),
			.no_opt_out = !input.opt_out,
			.trial = input.trial,
		});
	return admin_say_ok(flow);
}

static enum flow_status list_numbers(struct flow *flow)
{
	const struct twilio_number *at;
	struct json_writer writer;
	struct buf json;

	buf_init(&json, 8u << 20);
	json_begin(&writer, &json);
	json_open_array(&writer);
	TAILQ_FOREACH(at, &twilio_of(flow)->numbers, link)
	{
		json_open_object(&writer);
		json_put_member_str(&writer, "number", str_from(at->number));
		json_put_member_str(&writer, "account_sid", str_from(at->account_sid));
		json_put_member_str(&writer, "voice_url", str_from(at->voice_url));
		json_put_member_str(&writer, "sms_url", str_from(at->sms_url));
		json_put_member_str(&writer, "whatsapp_url", str_from(at->whatsapp_url));
		json_put_member_bool(&writer, "opt_out", !at->no_opt_out);
		json_put_member_bool(&writer, "trial", at->trial);
		json_close_object(&writer);
	}
	json_close_array(&writer);
	return reply(flow, &json);
}

/* -- people ------------------------------------------------------------------------------------------------ */

struct person_input {
	struct str number, answers, file, texts;
	int64_t ring_ms, talk_ms, error_code;
	bool verified;
};

static const struct json_field person_fields[] = {
	JSON_FIELD(struct person_input, number, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct person_input, answers, JSON_STRING, 0),
	JSON_FIELD(struct person_input, file, JSON_STRING, 0),
	JSON_FIELD(struct person_input, texts, JSON_STRING, 0),
	JSON_FIELD(struct person_input, ring_ms, JSON_INT64, 0),
	JSON_FIELD(struct person_input, talk_ms, JSON_INT64, 0),
	JSON_FIELD(struct person_input, error_code, JSON_INT64, 0),
	JSON_FIELD(struct person_input, verified, JSON_BOOL, 0),
	{NULL},
};

static bool is_one_of(struct str word, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (str_equal(word, str_from(*words)))
			return true;
	}
	return word.size == 0;
}

static enum flow_status put_person(struct flow *flow)
{
	static const char *const answers[] = {"answer", "busy", "no-answer", "failed", NULL};
	static const char *const texts[] = {
		"sent", "delivered", "read", "failed", "undelivered", NULL};
	struct person_input input = {0};
	struct error error;

	if (!admin_read_body(flow, person_fields, &input, &error))
		return flow_fail_error(flow, &error);
	if (!is_one_of(input.answers, answers) || !is_one_of(input.texts, texts))
		return flow_fail(flow, ERROR_INPUT,
			"answers: answer, busy, no-answer, failed; texts: sent, delivered, read, "
			"failed, undelivered");
	twilio_person_put(twilio_of(flow), &(struct twilio_person){
						   .number = owned(flow, input.number),
						   .answers = owned(flow, input.answers),
						   .file = owned(flow, input.file),
						   .texts = owned(flow, input.texts),
						   .ring_ms = input.ring_ms,
						   .talk_ms = input.talk_ms,
						   .error_code = input.error_code,
						   .verified = input.verified,
					   });
	return admin_say_ok(flow);
}

/* -- files --------------------------------------------------------------------------------------------------- */

/* POST files/<name>: the body is WAV, or mu-law as audio/basic. */
static enum flow_status put_file(struct flow *flow)
{
	struct str name = http_request(flow)->tail;
	struct error error;
	struct buf mulaw;

	if (name.size == 0 || name.size > 100)
		return flow_fail(flow, ERROR_INPUT, "a file needs a name of at most 100 bytes");
	buf_init(&mulaw, 8u << 20);
	if (!audio_read(http_request(flow)->body, http_request_header(flow, "Content-Type"), &mulaw,
		    &error)) {
		buf_free(&mulaw);
		return flow_fail_error(flow, &error);
	}
	twilio_file_put(twilio_of(flow), name, mulaw.data, mulaw.size);
	buf_free(&mulaw);
	return admin_say_ok(flow);
}

/* -- alerts --------------------------------------------------------------------------------------------------- */

static void put_alert(const struct twilio_alert *alert, struct json_writer *writer)
{
	json_open_object(writer);
	json_put_member_int(writer, "id", alert->id);
	json_put_member_int(writer, "code", alert->code);
	json_put_member_str(writer, "level", alert->warning ? STR("warning") : STR("error"));
	json_put_member_str(writer, "resource_sid", str_from(alert->resource_sid));
	json_put_member_str(writer, "url", str_from(alert->url));
	json_put_member_str(writer, "text", str_from(alert->words));
	json_put_member_int(writer, "at_ms", alert->at_ms);
	json_close_object(writer);
}

static enum flow_status list_alerts(struct flow *flow)
{
	const struct twilio_alert *at;
	struct json_writer writer;
	struct str sid = {0};
	int64_t since;
	struct buf json;

	(void)uri_query_value(http_request(flow)->query, "sid", flow_arena(flow), &sid);
	if (!admin_query_int(flow, "since_id", 0, &since))
		return FLOW_END;
	buf_init(&json, 16u << 20);
	json_begin(&writer, &json);
	json_open_array(&writer);
	TAILQ_FOREACH(at, &twilio_of(flow)->alerts, link)
	{
		if (at->id > since && (sid.size == 0 || str_equal(sid, str_from(at->resource_sid))))
			put_alert(at, &writer);
	}
	json_close_array(&writer);
	return reply(flow, &json);
}

/* -- switches ---------------------------------------------------------------------------------------------------- */

struct switches_input {
	struct str order;
	bool twice;
	int64_t delay_ms, webhook_timeout_ms;
};

static const struct json_field switches_fields[] = {
	JSON_FIELD(struct switches_input, order, JSON_STRING, 0),
	JSON_FIELD(struct switches_input, twice, JSON_BOOL, 0),
	JSON_FIELD(struct switches_input, delay_ms, JSON_INT64, 0),
	JSON_FIELD(struct switches_input, webhook_timeout_ms, JSON_INT64, 0),
	{NULL},
};

static enum flow_status set_switches(struct flow *flow)
{
	static const char *const orders[] = {"in-order", "reversed", "shuffled"};
	struct twilio_switches *switches = &twilio_of(flow)->switches;
	struct switches_input input = {.order = str_from(orders[switches->order]),
		.twice = switches->twice,
		.delay_ms = switches->delay_ms,
		.webhook_timeout_ms = switches->webhook_timeout_ms};
	struct error error;
	int order = -1;

	if (!admin_read_body(flow, switches_fields, &input, &error))
		return flow_fail_error(flow, &error);
	for (int i = 0; i < 3; i++)
		order = str_equal(input.order, str_from(orders[i])) ? i : order;
	if (order < 0 || input.delay_ms < 0 || input.delay_ms > 10000 ||
		input.webhook_timeout_ms < 10 || input.webhook_timeout_ms > 15000)
		return flow_fail(flow, ERROR_INPUT,
			"order: in-order, reversed, shuffled; delay_ms: to 10000; "
			"webhook_timeout_ms: 10 to 15000");
	*switches = (struct twilio_switches){
		(enum twilio_order)order, input.twice, input.delay_ms, input.webhook_timeout_ms};
	return admin_say_ok(flow);
}

const struct flow_spec twilio_number_flow = ONE_STEP("twilio_number", put_number);
const struct flow_spec twilio_numbers_flow = ONE_STEP("twilio_numbers", list_numbers);
const struct flow_spec twilio_people_flow = ONE_STEP("twilio_people", put_person);
const struct flow_spec twilio_file_flow = ONE_STEP("twilio_file", put_file);
const struct flow_spec twilio_alerts_flow = ONE_STEP("twilio_alerts", list_alerts);
const struct flow_spec twilio_switches_flow = ONE_STEP("twilio_switches", set_switches);
