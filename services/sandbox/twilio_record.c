/*
 * twilio_record: <Record>: a beep, then what the caller says until he is silent, presses a key or goes.
 */
#include "twilio_document.h"

#include "clock.h"

#include <stdio.h>

#define BEEP_MS	      300
#define READY_MS      400 /* until the file can be had: recordingStatusCallback */
#define MAX_RECORDING (10 * 60 * MULAW_HZ)

struct record {
	struct call_run run;
	struct buf audio;
	int64_t beep_ms, quiet_ms, timeout_ms, longest_ms;
	size_t voiced; /* bytes up to the last voice */
	struct str finish;
	const char *key;
	char pressed[2];
	bool done;
};

static void begin(struct twilio_call *call, struct call_run *run)
{
	struct record *record = call->verb_state;
	struct str finish = xml_get(run->node, "finishOnKey");

	record->run = *run;
	buf_init(&record->audio, MAX_RECORDING);
	record->beep_ms = str_equal(xml_get(run->node, "playBeep"), STR("false")) ? 0 : BEEP_MS;
	record->timeout_ms = xml_number(run->node, "timeout", 5) * 1000;
	record->longest_ms = xml_number(run->node, "maxLength", 3600) * 1000;
	record->finish = finish.size > 0 ? finish : STR("1234567890*#");
}

static bool wants_event(const struct record *record, const char *event)
{
	struct str events = xml_get(record->run.node, "recordingStatusCallbackEvent");

	if (events.size == 0)
		return strcmp(event, "completed") == 0;
	while (events.data != NULL && events.size > 0) {
		if (str_equal(str_cut(&events, ' '), str_from(event)))
			return true;
	}
	return false;
}

/* What is told of a recording: there is none when the caller said nothing. */
struct told {
	const char *event, *sid, *url, *seconds;
};

static void tell(struct twilio_call *call, const struct record *record, const struct told *told)
{
	struct arena *arena = record->run.arena;
	struct str callback = xml_get(record->run.node, "recordingStatusCallback");
	struct twilio_form form = {0};
	char date[TWILIO_DATE_BYTES];

	if (callback.size == 0 || !wants_event(record, told->event))
		return;
	twilio_date(call->answered_ms, date);
	twilio_form_put_text(&form, arena, "AccountSid", call->account_sid);
	twilio_form_put_text(&form, arena, "CallSid", call->sid);
	twilio_form_put_text(&form, arena, "RecordingSid", told->sid);
	twilio_form_put_text(&form, arena, "RecordingUrl", told->url);
	twilio_form_put_text(&form, arena, "RecordingStatus", told->event);
	twilio_form_put_text(&form, arena, "RecordingDuration", told->seconds);
	twilio_form_put_text(&form, arena, "RecordingChannels", "1");
	twilio_form_put_text(&form, arena, "RecordingSource", "RecordVerb");
	twilio_form_put_text(&form, arena, "RecordingStartTime", date);
	twilio_callback_send(call->twilio,
		&(struct twilio_callback){.url = twilio_resolve(arena, record->run.base, callback),
			.account_sid = call->account_sid,
			.sid = call->sid,
			.form = &form,
			.delay_ms = READY_MS});
}

/* Silence at its end is cut off, as trim-silence does. */
static void store(struct twilio_call *call, struct record *record, const char *digits)
{
	struct arena *arena = record->run.arena;
	bool whole = str_equal(xml_get(record->run.node, "trim"), STR("do-not-trim"));
	const struct twilio_recording *recording;
	const char *url, *seconds;

	if (!whole)
		record->audio.size = record->voiced;
	seconds = arena_printf(arena, "%zu", (record->audio.size + MULAW_HZ - 1) / MULAW_HZ);
	recording =
		twilio_recording_add(call->twilio, call->account_sid, call->sid, &record->audio);
	url = arena_printf(arena, "http://127.0.0.1:%d/2010-04-01/Accounts/%s/Recordings/%s",
		service_port(call->twilio->sandbox->service), call->account_sid, recording->sid);
	call_note(call, "recorded", "%s %s s", recording->sid, seconds);
	document_action(call, &record->run, true);
	document_field(call, &record->run, "RecordingUrl", url);
	document_field(call, &record->run, "RecordingSid", recording->sid);
	document_field(call, &record->run, "RecordingDuration", seconds);
	document_field(call, &record->run, "Digits", digits);
	tell(call, record, &(struct told){"completed", recording->sid, url, seconds});
}

/* Nothing was said: no recording, and the next verb comes. */
static void finish(struct twilio_call *call, const char *digits)
{
	struct record *record = call->verb_state;

	if (record->done)
		return;
	record->done = true;
	if (record->voiced > 0)
		store(call, record, digits);
	else
		tell(call, record, &(struct told){"absent", "", "", "0"});
	buf_free(&record->audio);
}

static bool tick(struct twilio_call *call, const uint8_t *said, uint8_t *heard)
{
	struct record *record = call->verb_state;

	if (record->key != NULL) {
		finish(call, record->key);
		return true;
	}
	if (record->beep_ms > 0) {
		audio_make(SOUND_BEEP, (size_t)(BEEP_MS - record->beep_ms) * 8, heard, FRAME_BYTES);
		record->beep_ms -= FRAME_MS;
		return false;
	}
	(void)buf_append(&record->audio, said, FRAME_BYTES);
	record->quiet_ms += FRAME_MS;
	if (audio_is_voice(said, FRAME_BYTES)) {
		record->quiet_ms = 0;
		record->voiced = record->audio.size;
	}
	if (record->quiet_ms < record->timeout_ms &&
		(int64_t)record->audio.size / 8 < record->longest_ms && !record->audio.failed)
		return false;
	finish(call, "");
	return true;
}

static void key(struct twilio_call *call, char pressed)
{
	struct record *record = call->verb_state;

	if (memchr(record->finish.data, pressed, record->finish.size) == NULL)
		return;
	record->pressed[0] = pressed;
	record->key = record->pressed;
}

/* The caller hangs up: his message is there all the same, and the action is told so. */
static void cut(struct twilio_call *call)
{
	finish(call, "hangup");
}

const struct call_verb verb_record = {"Record", sizeof(struct record), begin, tick, key, NULL, cut};
