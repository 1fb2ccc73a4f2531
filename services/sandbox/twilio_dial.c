/*
 * twilio_dial: <Dial>: somebody's telephone rings; he answers, is busy or does not come, as a test has
 * declared him.
 */
#include "twilio_document.h"

#include "clock.h"

#include <stdio.h>

struct dial {
	struct call_run run;
	const struct xml_node *noun; /* <Number>; NULL: the text of <Dial> */
	const char *number, *answers, *status;
	char sid[TWILIO_SID_BYTES];
	const uint8_t *mulaw; /* what he says */
	size_t bytes, said;
	int64_t ring_ms, timeout_ms, talk_ms, limit_ms; /* talk 0: until the caller goes */
	int64_t at_ms, answered_at_ms;			/* of this dial; -1: not yet */
	unsigned sequence;
	bool star_ends, records;
	struct buf mixed;
};

static bool wants(const struct dial *dial, const char *event)
{
	struct str events = xml_get(dial->noun, "statusCallbackEvent");

	if (events.size == 0)
		return strcmp(event, "completed") == 0;
	while (events.data != NULL && events.size > 0) {
		if (str_equal(str_cut(&events, ' '), str_from(event)))
			return true;
	}
	return false;
}

/* The called leg is a call of its own, with this one as its parent. */
static void tell(struct twilio_call *call, struct dial *dial, const char *event, const char *status)
{
	struct arena *arena = dial->run.arena;
	struct str callback =
		dial->noun != NULL ? xml_get(dial->noun, "statusCallback") : (struct str){0};
	struct twilio_form form = {0};
	char date[TWILIO_DATE_BYTES];

	if (callback.size > 0 && wants(dial, event)) {
		twilio_date(clock_wall_ms(), date);
		twilio_form_put_text(&form, arena, "CallSid", dial->sid);
		twilio_form_put_text(&form, arena, "ParentCallSid", call->sid);
		twilio_form_put_text(&form, arena, "AccountSid", call->account_sid);
		twilio_form_put_text(&form, arena, "From", call->from);
		twilio_form_put_text(&form, arena, "To", dial->number);
		twilio_form_put_text(&form, arena, "CallStatus", status);
		twilio_form_put_text(&form, arena, "Direction", "outbound-dial");
		twilio_form_put_text(&form, arena, "ApiVersion", "2010-04-01");
		twilio_form_put_text(&form, arena, "Timestamp", date);
		twilio_form_put_text(&form, arena, "CallbackSource", "call-progress-events");
		twilio_form_put_int(&form, arena, "SequenceNumber", dial->sequence);
		twilio_callback_send(call->twilio,
			&(struct twilio_callback){
				.url = twilio_resolve(arena, dial->run.base, callback),
				.account_sid = call->account_sid,
				.sid = dial->sid,
				.form = &form,
				.delay_ms = 0});
	}
	dial->sequence++;
}

static void read_person(struct twilio_call *call, struct dial *dial)
{
	const struct twilio_person *person =
		twilio_person_find(call->twilio, str_from(dial->number));
	const struct twilio_file *file =
		person != NULL ? twilio_file_find(call->twilio, str_from(person->file)) : NULL;
	const char *answers =
		person != NULL && person->answers[0] != '\0' ? person->answers : "answer";

	dial->answers = arena_strdup(dial->run.arena, answers);
	dial->ring_ms = person != NULL && person->ring_ms > 0 ? person->ring_ms : 1000;
	dial->talk_ms = person != NULL ? person->talk_ms : 0;
	if (file == NULL)
		return;
	dial->mulaw = (const uint8_t *)arena_strndup(
		dial->run.arena, (const char *)file->mulaw, file->bytes);
	dial->bytes = file->bytes;
}

/* Of several nouns the first is called: that is whom a menu of ours means. */
static void begin(struct twilio_call *call, struct call_run *run)
{
	struct dial *dial = call->verb_state;
	struct str record = xml_get(run->node, "record"), text;

	dial->run = *run;
	dial->noun = run->node->first;
	text = str_trim(dial->noun != NULL ? dial->noun->text : run->node->text);
	dial->number = arena_strndup(run->arena, text.data != NULL ? text.data : "", text.size);
	twilio_sid("CA", dial->sid);
	dial->timeout_ms = xml_number(run->node, "timeout", 30) * 1000;
	dial->limit_ms = xml_number(run->node, "timeLimit", 14400) * 1000;
	dial->star_ends = str_equal(xml_get(run->node, "hangupOnStar"), STR("true"));
	dial->records = record.size > 0 && !str_equal(record, STR("do-not-record")) &&
			!str_equal(record, STR("false"));
	dial->answered_at_ms = -1;
	buf_init(&dial->mixed, CALL_MAX_AUDIO);
	read_person(call, dial);
	call_note(call, "dial", "%s (%s)", dial->number, dial->answers);
	tell(call, dial, "initiated", "initiated");
	tell(call, dial, "ringing", "ringing");
}

static void put_recording(struct twilio_call *call, struct dial *dial)
{
	const struct twilio_recording *recording;

	if (!dial->records || dial->mixed.size == 0)
		return;
	recording = twilio_recording_add(call->twilio, call->account_sid, call->sid, &dial->mixed);
	document_field(call, &dial->run, "RecordingUrl",
		arena_printf(dial->run.arena,
			"http://127.0.0.1:%d/2010-04-01/Accounts/%s/Recordings/%s",
			service_port(call->twilio->sandbox->service), call->account_sid,
			recording->sid));
	document_field(call, &dial->run, "RecordingSid", recording->sid);
	call_note(call, "recorded", "%s", recording->sid);
}

static void finish(struct twilio_call *call, const char *status)
{
	struct dial *dial = call->verb_state;
	struct arena *arena = dial->run.arena;
	bool answered = dial->answered_at_ms >= 0;

	if (dial->status != NULL)
		return;
	dial->status = status;
	call_note(call, "dialled", "%s", status);
	tell(call, dial, "completed", status);
	document_action(call, &dial->run, false);
	document_field(call, &dial->run, "DialCallSid", dial->sid);
	document_field(call, &dial->run, "DialCallStatus", status);
	document_field(call, &dial->run, "DialBridged", answered ? "true" : "false");
	if (answered)
		document_field(call, &dial->run, "DialCallDuration",
			arena_printf(arena, "%lld",
				(long long)(dial->at_ms - dial->answered_at_ms + 999) / 1000));
	put_recording(call, dial);
	buf_free(&dial->mixed);
}

/* "busy" and "failed" say so at once; the others ring. */
static bool tick_ringing(struct twilio_call *call, struct dial *dial, uint8_t *heard)
{
	bool answers = strcmp(dial->answers, "answer") == 0;

	audio_make(SOUND_RINGING, (size_t)dial->at_ms * 8, heard, FRAME_BYTES);
	if (dial->at_ms >= dial->timeout_ms) {
		finish(call, "no-answer");
	} else if (dial->at_ms >= dial->ring_ms && strcmp(dial->answers, "no-answer") != 0) {
		if (!answers) {
			finish(call, dial->answers);
			return true;
		}
		dial->answered_at_ms = dial->at_ms;
		call_note(call, "bridged", "%s", dial->number);
		tell(call, dial, "answered", "in-progress");
	}
	return dial->status != NULL;
}

static bool tick_talking(
	struct twilio_call *call, struct dial *dial, const uint8_t *said, uint8_t *heard)
{
	int64_t talked_ms = dial->at_ms - dial->answered_at_ms;
	size_t bytes = dial->bytes - dial->said;
	uint8_t mixed[FRAME_BYTES];

	if (bytes > FRAME_BYTES)
		bytes = FRAME_BYTES;
	if (bytes > 0)
		memcpy(heard, dial->mulaw + dial->said, bytes);
	dial->said += bytes;
	if (dial->records) {
		audio_mix(said, heard, mixed, FRAME_BYTES);
		(void)buf_append(&dial->mixed, mixed, FRAME_BYTES);
	}
	if ((dial->talk_ms > 0 && talked_ms >= dial->talk_ms) || talked_ms >= dial->limit_ms)
		finish(call, "completed");
	return dial->status != NULL;
}

static bool tick(struct twilio_call *call, const uint8_t *said, uint8_t *heard)
{
	struct dial *dial = call->verb_state;

	dial->at_ms += FRAME_MS;
	if (dial->status != NULL)
		return true;
	return dial->answered_at_ms < 0 ? tick_ringing(call, dial, heard)
					: tick_talking(call, dial, said, heard);
}

static void key(struct twilio_call *call, char pressed)
{
	const struct dial *dial = call->verb_state;

	if (pressed == '*' && dial->star_ends && dial->answered_at_ms >= 0)
		finish(call, "completed");
}

static void cut(struct twilio_call *call)
{
	const struct dial *dial = call->verb_state;

	finish(call, dial->answered_at_ms >= 0 ? "completed" : "canceled");
}

const struct call_verb verb_dial = {"Dial", sizeof(struct dial), begin, tick, key, NULL, cut};
