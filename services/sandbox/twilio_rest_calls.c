/*
 * twilio_rest_calls: Calls.json and recordings: calls that our side makes, changes and looks at.
 */
#include "twilio_document.h"
#include "twilio_rest.h"

#include "wav.h"

#include <stdio.h>

static void put_null(struct json_writer *writer, const char *name)
{
	json_put_name(writer, name);
	json_put_null(writer);
}

static void put_date(struct json_writer *writer, const char *name, int64_t wall_ms)
{
	char date[TWILIO_DATE_BYTES];

	if (wall_ms == 0) {
		put_null(writer, name);
		return;
	}
	twilio_date(wall_ms, date);
	json_put_member_str(writer, name, str_from(date));
}

static void put_call(const struct twilio_call *call, struct json_writer *writer)
{
	char text[160];

	json_open_object(writer);
	json_put_member_str(writer, "account_sid", str_from(call->account_sid));
	put_null(writer, "answered_by");
	json_put_member_str(writer, "api_version", STR("2010-04-01"));
	put_date(writer, "date_created", call->created_ms);
	put_date(writer, "date_updated", call->ended_ms != 0 ? call->ended_ms : call->created_ms);
	json_put_member_str(
		writer, "direction", call->outbound ? STR("outbound-api") : STR("inbound"));
	snprintf(text, sizeof(text), "%lld", (long long)call_seconds(call));
	if (call_is_over(call))
		json_put_member_str(writer, "duration", str_from(text));
	else
		put_null(writer, "duration");
	put_date(writer, "end_time", call->ended_ms);
	json_put_member_str(writer, "from", str_from(call->from));
	put_null(writer, "parent_call_sid");
	put_null(writer, "price");
	json_put_member_str(writer, "sid", str_from(call->sid));
	put_date(writer, "start_time", call->answered_ms);
	json_put_member_str(writer, "status", str_from(call_state_name(call->state)));
	json_put_member_str(writer, "to", str_from(call->to));
	snprintf(text, sizeof(text), "/2010-04-01/Accounts/%s/Calls/%s.json", call->account_sid,
		call->sid);
	json_put_member_str(writer, "uri", str_from(text));
	json_close_object(writer);
}

static void answer(struct twilio_rest *rest, int status, const struct twilio_call *call)
{
	struct json_writer writer;

	rest->call->status = status;
	json_begin(&writer, &rest->call->reply);
	put_call(call, &writer);
}

static struct twilio_call *find(struct twilio_rest *rest)
{
	struct twilio_call *call = twilio_call_find(rest->twilio, rest->sid);

	if (call != NULL && str_equal(str_from(call->account_sid), rest->account))
		return call;
	rest_missing(rest);
	return NULL;
}

void rest_show_call(struct twilio_rest *rest)
{
	const struct twilio_call *call = find(rest);

	if (call != NULL)
		answer(rest, 200, call);
}

void rest_list_calls(struct twilio_rest *rest)
{
	struct str to = args_get(&rest->call->args, "To");
	const struct twilio_call *at;
	struct json_writer writer;

	rest->call->status = 200;
	json_begin(&writer, &rest->call->reply);
	json_open_object(&writer);
	json_put_name(&writer, "calls");
	json_open_array(&writer);
	TAILQ_FOREACH_REVERSE(at, &rest->twilio->calls, twilio_calls, link)
	{
		if (str_equal(str_from(at->account_sid), rest->account) &&
			(to.size == 0 || str_equal(to, str_from(at->to))))
			put_call(at, &writer);
	}
	json_close_array(&writer);
	json_close_object(&writer);
}

/* -- what is asked of a call ---------------------------------------------------------------------------------- */

static bool is_url(struct str url)
{
	return str_starts(url, STR("https://")) || str_starts(url, STR("http://"));
}

/* Url or Twiml; false: the request is answered. */
static bool read_document(struct twilio_rest *rest, const char **url, const char **twiml)
{
	struct str given = args_get(&rest->call->args, "Url");
	struct str inline_twiml = args_get(&rest->call->args, "Twiml");

	if (inline_twiml.size > 4000) {
		rest_error(rest->call, 400, 21218, "Twiml: 4000 characters are the most");
		return false;
	}
	if (inline_twiml.size == 0 && !is_url(given)) {
		rest_error(rest->call, 400, 21205, "Url is not a valid URL: %.*s", STR_ARG(given));
		return false;
	}
	*url = inline_twiml.size > 0 ? NULL
				     : arena_strndup(rest->call->arena, given.data, given.size);
	*twiml = inline_twiml.size > 0
			 ? arena_strndup(rest->call->arena, inline_twiml.data, inline_twiml.size)
			 : NULL;
	return true;
}

static const char *method_of(const struct twilio_rest *rest)
{
	return str_equal(args_get(&rest->call->args, "Method"), STR("GET")) ? "GET" : "POST";
}

static void change_status(struct twilio_rest *rest, struct twilio_call *call, struct str status)
{
	bool canceled = str_equal(status, STR("canceled"));

	if (!canceled && !str_equal(status, STR("completed"))) {
		rest_error(rest->call, 400, 20001, "Status: completed or canceled");
		return;
	}
	if (!canceled || call->answered_ms == 0)
		call_end(call, canceled ? CALL_CANCELED : CALL_COMPLETED);
	answer(rest, 200, call);
}

void rest_change_call(struct twilio_rest *rest)
{
	struct str status = args_get(&rest->call->args, "Status");
	struct twilio_call *call = find(rest);
	const char *url, *twiml;

	if (call == NULL)
		return;
	if (call_is_over(call)) {
		rest_error(rest->call, 400, 21220, "Call is not in-progress. Cannot redirect.");
		return;
	}
	if (status.size > 0) {
		change_status(rest, call, status);
		return;
	}
	if (!read_document(rest, &url, &twiml))
		return;
	call_note(call, "redirected", "%s", url != NULL ? url : "TwiML by REST");
	document_start(call, url, method_of(rest), twiml, NULL);
	answer(rest, 200, call);
}

/* " initiated completed " */
static const char *events_of(struct twilio_rest *rest)
{
	const struct args *args = &rest->call->args;
	const char *events = " ";

	for (size_t i = 0; i < args->count; i++) {
		struct str value = args->items[i].value;
		if (str_equal(args->items[i].name, STR("StatusCallbackEvent")))
			events = arena_printf(rest->call->arena, "%s%.*s ", events, STR_ARG(value));
	}
	return strlen(events) > 1 ? events : " completed ";
}

void rest_make_call(struct twilio_rest *rest)
{
	const struct args *args = &rest->call->args;
	struct str to = args_get(args, "To"), from = args_get(args, "From");
	struct str callback = args_get(args, "StatusCallback");
	struct call_order order = {.from = from, .to = to, .outbound = true};
	struct twilio_call *call;
	struct error error;

	order.number = twilio_number_find(rest->twilio, from);
	if (!twilio_is_e164(to)) {
		rest_error(rest->call, 400, to.size == 0 ? 21201 : 21211,
			"The phone number you are attempting to call, %.*s, is not valid.",
			STR_ARG(to));
		return;
	}
	if (order.number == NULL ||
		!str_equal(str_from(order.number->account_sid), rest->account)) {
		rest_error(rest->call, 400, 21210,
			"The source phone number provided, %.*s, is not yet verified for your "
			"account.",
			STR_ARG(from));
		return;
	}
	if (!read_document(rest, &order.url, &order.twiml))
		return;
	order.method = method_of(rest);
	order.status_callback = arena_strndup(
		rest->call->arena, callback.data != NULL ? callback.data : "", callback.size);
	order.callback_events = events_of(rest);
	call = twilio_call_new(rest->twilio, &order, &error);
	if (call == NULL)
		rest_error(rest->call, 429, 20429, "%s", error.text);
	else
		answer(rest, 201, call);
}

/* -- recordings -------------------------------------------------------------------------------------------------- */

/* WAV is what stands behind the bare URL, too. There is no MP3 encoder here: that is said. */
void rest_recording(struct twilio_rest *rest)
{
	const struct twilio_recording *recording = twilio_recording_find(rest->twilio, rest->sid);

	if (recording == NULL || !str_equal(str_from(recording->account_sid), rest->account)) {
		rest_missing(rest);
		return;
	}
	if (rest->mp3) {
		rest_error(rest->call, 501, 20404, "The sandbox has recordings as .wav alone");
		return;
	}
	rest->call->status = 200;
	rest->call->reply_type = "audio/x-wav";
	wav_put_mulaw(&rest->call->reply, buf_str(&recording->mulaw));
}
