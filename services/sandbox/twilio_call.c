/*
 * twilio_call: the life of a call, and its clock: each 20 ms the caller says a frame and hears one.
 */
#include "twilio_call.h"

#include "clock.h"
#include "twilio_stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_LATE_FRAMES 50 /* caught up with at once; what is later is left out */

static const char *const state_names[] = {
	[CALL_QUEUED] = "queued",
	[CALL_RINGING] = "ringing",
	[CALL_IN_PROGRESS] = "in-progress",
	[CALL_COMPLETED] = "completed",
	[CALL_BUSY] = "busy",
	[CALL_NO_ANSWER] = "no-answer",
	[CALL_FAILED] = "failed",
	[CALL_CANCELED] = "canceled",
};

const char *call_state_name(enum call_state state)
{
	return state_names[state];
}

bool call_is_over(const struct twilio_call *call)
{
	return call->state >= CALL_COMPLETED;
}

int64_t call_seconds(const struct twilio_call *call)
{
	int64_t until = call_is_over(call) ? call->ended_ms : clock_wall_ms();

	return call->answered_ms == 0 ? 0 : (until - call->answered_ms + 999) / 1000;
}

/* -- what is told ------------------------------------------------------------------------------------------ */

void call_note(struct twilio_call *call, const char *what, const char *format, ...)
{
	va_list arguments;
	char text[512];

	if (call->event_count == CALL_MAX_EVENTS)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* Powers of two: many calls have a dozen events, one with a mark each frame has thousands. */
	if ((call->event_count & (call->event_count - 1)) == 0)
		call->events = alloc_resize(
			call->events, (call->event_count == 0 ? 1 : 2 * (size_t)call->event_count) *
					      sizeof(*call->events));
	call->events[call->event_count++] =
		(struct call_event){call->clock_ms, what, alloc_text(str_from(text))};
	twilio_changed(call->twilio);
}

void call_fields(const struct twilio_call *call, struct arena *arena, struct twilio_form *form)
{
	twilio_form_put_text(form, arena, "CallSid", call->sid);
	twilio_form_put_text(form, arena, "AccountSid", call->account_sid);
	twilio_form_put_text(form, arena, "From", call->from);
	twilio_form_put_text(form, arena, "To", call->to);
	twilio_form_put_text(form, arena, "Caller", call->from);
	twilio_form_put_text(form, arena, "Called", call->to);
	twilio_form_put_text(form, arena, "CallStatus", state_names[call->state]);
	twilio_form_put_text(form, arena, "ApiVersion", "2010-04-01");
	twilio_form_put_text(form, arena, "Direction", call->outbound ? "outbound-api" : "inbound");
	twilio_form_put_text(form, arena, "FromCity", "");
	twilio_form_put_text(form, arena, "ToCountry", "US");
	if (!call->outbound)
		twilio_form_put_text(form, arena, "StirVerstat", "TN-Validation-Passed-A");
}

/* Reversed: the earlier a state, the longer its callback is on its way. */
static int64_t status_delay(const struct twilio_call *call)
{
	const struct twilio_switches *switches = &call->twilio->switches;

	if (switches->order != TWILIO_REVERSED || call->sequence > 3)
		return 0;
	return (3 - (int64_t)call->sequence) * 4 * (switches->delay_ms + 1);
}

void call_tell_status(struct twilio_call *call, const char *event, const char *status)
{
	struct arena *arena = arena_new(1u << 20);
	char date[TWILIO_DATE_BYTES], word[32];
	struct twilio_form form = {0};

	snprintf(word, sizeof(word), " %s ", event);
	if (strstr(call->callback_events, word) != NULL) {
		twilio_date(clock_wall_ms(), date);
		call_fields(call, arena, &form);
		form.fields[6].value = str_from(status); /* CallStatus, as of the event */
		twilio_form_put_text(&form, arena, "Timestamp", date);
		twilio_form_put_text(&form, arena, "CallbackSource", "call-progress-events");
		twilio_form_put_int(&form, arena, "SequenceNumber", call->sequence);
		if (call_is_over(call)) {
			twilio_form_put_int(
				&form, arena, "Duration", (call_seconds(call) + 59) / 60);
			twilio_form_put_int(&form, arena, "CallDuration", call_seconds(call));
		}
		twilio_callback_send(
			call->twilio, &(struct twilio_callback){.url = call->status_callback,
					      .account_sid = call->account_sid,
					      .sid = call->sid,
					      .form = &form,
					      .delay_ms = status_delay(call)});
	}
	call->sequence++;
	arena_free(&arena);
}

/* -- its ends ------------------------------------------------------------------------------------------------ */

void call_answer(struct twilio_call *call)
{
	if (call->state != CALL_RINGING && call->state != CALL_QUEUED)
		return;
	call->state = CALL_IN_PROGRESS;
	call->answered_ms = clock_wall_ms();
	call_note(call, "answered", "%s", "");
	call_tell_status(call, "answered", "in-progress");
	phone_state(call);
}

void call_verb_stop(struct twilio_call *call)
{
	const struct call_verb *verb = call->verb;

	call->verb = NULL;
	if (verb != NULL && verb->cut != NULL && !call->verb_over)
		verb->cut(call);
	call->verb_over = true;
	(void)flow_queue_wake_all(&call->woken);
}

void call_end(struct twilio_call *call, enum call_state state)
{
	if (call_is_over(call))
		return;
	/* First the end, then the verb: its last request says "completed". */
	call->state = state;
	call->ended_ms = clock_wall_ms();
	call->after = (struct call_after){.kind = AFTER_HANGUP};
	call_verb_stop(call);
	call_note(call, "ended", "%s", state_names[state]);
	call_tell_status(call, "completed", state_names[state]);
	phone_state(call);
	phone_end(call);
	(void)flow_queue_wake_all(&call->woken);
}

/* -- its clock ------------------------------------------------------------------------------------------------ */

void call_key(struct twilio_call *call, char key)
{
	call_note(call, "key", "%c", key);
	if (call->verb != NULL && call->verb->key != NULL && !call->verb_over)
		call->verb->key(call, key);
}

static void keep(struct buf *audio, const uint8_t *frame)
{
	if (audio->size + FRAME_BYTES <= CALL_MAX_AUDIO)
		(void)buf_append(audio, frame, FRAME_BYTES);
}

/* A person at the page speaks over what a script says. */
static void add_phone(struct twilio_call *call, uint8_t *said)
{
	if (call->phone_said.size < FRAME_BYTES)
		return;
	memcpy(said, call->phone_said.data, FRAME_BYTES);
	buf_consume(&call->phone_said, FRAME_BYTES);
}

static void listen(struct twilio_call *call, const uint8_t *heard)
{
	bool voice = audio_is_voice(heard, FRAME_BYTES);

	if (voice)
		call->voice_ms = call->clock_ms;
	call->hears_voice = voice;
	keep(&call->heard, heard);
	phone_hear(call, heard);
}

static void obey(struct twilio_call *call, const struct script_act *act)
{
	if (act->gave_up != NULL)
		call_note(call, "gave_up", "%s", act->gave_up);
	if (act->key != 0)
		call_key(call, act->key);
	if (act->speech != NULL && call->verb != NULL && call->verb->speech != NULL &&
		!call->verb_over)
		call->verb->speech(call, act->speech);
}

static void frame(struct twilio_call *call)
{
	struct script_view view = {
		.now_ms = call->clock_ms,
		.hears_voice = call->hears_voice,
		.stream_open = call->stream != NULL && stream_is_open(call->stream),
		.verb = call->verb != NULL && !call->verb_over ? call->verb->name : NULL,
	};
	uint8_t said[FRAME_BYTES], heard[FRAME_BYTES];
	struct script_act act;

	script_frame(&call->script, &view, said, &act);
	add_phone(call, said);
	keep(&call->said, said);
	audio_silence(heard, FRAME_BYTES);
	if (call->verb != NULL && !call->verb_over && call->verb->tick(call, said, heard)) {
		call->verb_over = true;
		(void)flow_queue_wake_all(&call->woken);
	}
	listen(call, heard);
	obey(call, &act);
	call->clock_ms += FRAME_MS;
	if (act.hangup || call->clock_ms > CALL_LONGEST_MS)
		call_end(call, CALL_COMPLETED);
}

/* -- outbound: somebody is called ----------------------------------------------------------------------------- */

static void ring(struct twilio_call *call)
{
	bool answers = strcmp(call->answers, "answer") == 0;

	call->clock_ms += FRAME_MS;
	if (call->clock_ms < call->ring_ms)
		return;
	if (!answers) {
		call_end(call, strcmp(call->answers, "busy") == 0     ? CALL_BUSY
			       : strcmp(call->answers, "failed") == 0 ? CALL_FAILED
								      : CALL_NO_ANSWER);
		return;
	}
	call_answer(call);
	(void)flow_queue_wake_all(&call->woken);
}

/* -- the ticker ------------------------------------------------------------------------------------------------ */

enum { TICK_WAIT, TICK_DO };

struct ticker {
	struct twilio_call *call;
	int64_t begun_us, frames;
};

static enum flow_status tick_wait(struct flow *flow)
{
	struct ticker *ticker = flow_state(flow);
	int64_t due_us, now_us = clock_monotonic_us();

	if (ticker->begun_us == 0)
		ticker->begun_us = now_us;
	due_us = ticker->begun_us + (ticker->frames + 1) * ticker->call->frame_ms * 1000;
	return await_sleep(flow, due_us > now_us ? (due_us - now_us + 999) / 1000 : 0);
}

/* As many frames as are due. A machine that was busy for long does not make the call run after it. */
static enum flow_status tick_do(struct flow *flow)
{
	struct ticker *ticker = flow_state(flow);
	struct twilio_call *call = ticker->call;
	int64_t due = (clock_monotonic_us() - ticker->begun_us) / (call->frame_ms * 1000);

	if (call->twilio->sandbox->draining)
		call_end(call, CALL_COMPLETED);
	if (due - ticker->frames > MOST_LATE_FRAMES) {
		call_note(call, "late", "%lld frames",
			(long long)(due - ticker->frames - MOST_LATE_FRAMES));
		ticker->frames = due - MOST_LATE_FRAMES;
	}
	for (; ticker->frames < due && !call_is_over(call); ticker->frames++) {
		if (call->outbound && call->answered_ms == 0)
			ring(call);
		else
			frame(call);
	}
	return call_is_over(call) ? FLOW_END : flow_goto(flow, TICK_WAIT);
}

static void tick_finally(struct flow *flow)
{
	((struct ticker *)flow_state(flow))->call->ticker = NULL;
}

static const struct flow_spec ticker_flow = {
	.name = "twilio_ticker",
	.steps =
		(const struct flow_step[]){
			[TICK_WAIT] = {"wait", tick_wait},
			[TICK_DO] = {"do", tick_do},
			{NULL, NULL},
		},
	.finally = tick_finally,
	.state_bytes = sizeof(struct ticker),
	.deadline_ms = FLOW_FOREVER,
};

/* -- the list ---------------------------------------------------------------------------------------------------- */

struct twilio_call *twilio_call_find(const struct twilio *twilio, struct str sid)
{
	struct twilio_call *at;

	TAILQ_FOREACH_REVERSE(at, &twilio->calls, twilio_calls, link)
	{
		if (str_equal(str_from(at->sid), sid))
			return at;
	}
	return NULL;
}

static void free_call(struct twilio_call *call)
{
	TAILQ_REMOVE(&call->twilio->calls, call, link);
	call->twilio->call_count--;
	call->state = CALL_COMPLETED; /* nobody is told any more */
	if (call->document != NULL)
		flow_cancel(call->document);
	if (call->ticker != NULL)
		flow_cancel(call->ticker);
	phone_free(call);
	script_clear(&call->script);
	for (unsigned i = 0; i < call->event_count; i++)
		free(call->events[i].detail);
	free(call->events);
	buf_free(&call->heard);
	buf_free(&call->said);
	buf_free(&call->phone_said);
	free(call->account_sid);
	free(call->from);
	free(call->to);
	free(call->status_callback);
	free(call->callback_events);
	free(call);
}

void twilio_calls_clear(struct twilio *twilio)
{
	while (!TAILQ_EMPTY(&twilio->calls))
		free_call(TAILQ_FIRST(&twilio->calls));
	streams_clear(twilio);
}

/* The oldest that nothing runs for any more; false: all of them live. */
static bool make_room(struct twilio *twilio)
{
	struct twilio_call *at;

	if (twilio->call_count < TWILIO_MAX_CALLS)
		return true;
	TAILQ_FOREACH(at, &twilio->calls, link)
	{
		if (!call_is_over(at) || at->document != NULL || at->ticker != NULL)
			continue;
		free_call(at);
		return true;
	}
	return false;
}

/* -- its beginning -------------------------------------------------------------------------------------------------- */

/* Who is called answers as was declared; by himself after a second. */
static void prepare_person(struct twilio_call *call)
{
	static const char *const known[] = {"busy", "no-answer", "failed", "answer"};
	const struct twilio_person *person = twilio_person_find(call->twilio, str_from(call->to));

	call->answers = "answer";
	call->ring_ms = person != NULL && person->ring_ms > 0 ? person->ring_ms : 1000;
	for (size_t i = 0; person != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(person->answers, known[i]) == 0)
			call->answers = known[i];
	}
}

static struct twilio_call *make(struct twilio *twilio, const struct call_order *order)
{
	struct twilio_call *call = alloc_zeroed(1, sizeof(*call));
	int64_t speed = order->speed > 0 ? order->speed : 1;

	call->twilio = twilio;
	twilio_sid("CA", call->sid);
	call->account_sid = alloc_text(str_from(order->number->account_sid));
	call->from = alloc_text(order->from);
	call->to = alloc_text(order->to);
	call->status_callback = alloc_text(str_from(order->status_callback));
	call->callback_events = alloc_text(str_from(order->callback_events));
	call->outbound = order->outbound;
	call->state = order->outbound ? CALL_QUEUED : CALL_RINGING;
	call->created_ms = clock_wall_ms();
	call->frame_ms = speed >= FRAME_MS ? 1 : FRAME_MS / speed;
	call->voice_ms = -1;
	flow_queue_init(&call->woken);
	script_init(&call->script);
	buf_init(&call->heard, CALL_MAX_AUDIO);
	buf_init(&call->said, CALL_MAX_AUDIO);
	buf_init(&call->phone_said, MULAW_HZ); /* a second: more is late */
	return call;
}

static void begin(struct twilio_call *call, const struct call_order *order)
{
	struct sandbox *sandbox = call->twilio->sandbox;
	struct ticker *ticker;

	TAILQ_INSERT_TAIL(&call->twilio->calls, call, link);
	call->twilio->call_count++;
	call->ticker = flow_start(service_loop(sandbox->service), &ticker_flow, sandbox,
		service_log(sandbox->service));
	ticker = flow_state(call->ticker);
	ticker->call = call;
	if (call->outbound) {
		prepare_person(call);
		call_tell_status(call, "initiated", "initiated");
		call->state = CALL_RINGING;
		call_tell_status(call, "ringing", "ringing");
	}
	document_start(call, order->url, order->method, order->twiml, NULL);
	twilio_changed(call->twilio);
}

struct twilio_call *twilio_call_new(
	struct twilio *twilio, const struct call_order *order, struct error *error)
{
	struct twilio_call *call;

	if (!make_room(twilio)) {
		(void)error_set(error, ERROR_BUSY, "%d calls are the most", TWILIO_MAX_CALLS);
		return NULL;
	}
	call = make(twilio, order);
	if (order->script != NULL && !script_add(&call->script, twilio, order->script, error)) {
		TAILQ_INSERT_TAIL(&twilio->calls, call, link);
		twilio->call_count++;
		free_call(call);
		return NULL;
	}
	begin(call, order);
	return call;
}
