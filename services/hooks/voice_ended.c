/*
 * voice_ended: a stream or a dialled leg is over, and Twilio asks how the call goes on. Always 200 and
 * TwiML (P15).
 *
 * After a stream: by what media-ws left in voice_calls. Nothing there means that something broke: the
 * caller may leave a message.
 */
#include "clock.h"
#include "voice.h"

enum { LOOK_MS = 2000 };

/* -- what media-ws left --------------------------------------------------------------------------------- */

static const char sql_outcome[] =
	"SELECT coalesce(outcome ->> 'end', ''), coalesce(outcome ->> 'to', ''), "
	"coalesce(outcome ->> 'reason', '') FROM voice_calls "
	"WHERE call_sid = $1 AND enterprise_number = $2";

struct outcome {
	struct str end, to, reason; /* in the asking flow's arena */
};

struct look {
	const struct voice *voice;
	struct outcome *outcome;
	struct arena *arena;
	struct pg_batch *batch;
};

static enum flow_status look_ask(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct look *look = flow_state(flow);
	struct pg_params params = {0};

	pg_put_text(&params, look->voice->sid);
	pg_put_text(&params, look->voice->caller.enterprise);
	return await_pg_query(flow, hooks->pg, &look->batch, sql_outcome, &params);
}

static struct str keep(struct look *look, int column)
{
	struct str text = pg_text(look->batch, 0, 0, column);

	return str_of(
		arena_strndup(look->arena, text.size > 0 ? text.data : "", text.size), text.size);
}

static enum flow_status look_take(struct flow *flow)
{
	struct look *look = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(look->batch, &error))
		return flow_fail_error(flow, &error);
	if (pg_rows(look->batch, 0) > 0)
		*look->outcome = (struct outcome){keep(look, 0), keep(look, 1), keep(look, 2)};
	return FLOW_END;
}

static const struct flow_step look_steps[] = {
	{"ask", look_ask},
	{"take", look_take},
	{NULL, NULL},
};

/* A slow PostgreSQL is as good as none: the caller hears silence meanwhile. */
static const struct flow_spec look_flow = {
	.name = "outcome",
	.steps = look_steps,
	.state_bytes = sizeof(struct look),
	.deadline_ms = LOOK_MS,
};

static enum flow_status await_outcome(
	struct flow *flow, const struct voice *voice, struct outcome *outcome)
{
	const struct hooks *hooks = flow_context(flow);
	struct look *look;

	if (!pg_ready(hooks->pg))
		return FLOW_NEXT;
	look = flow_state(flow_spawn(flow, &look_flow));
	*look = (struct look){.voice = voice, .outcome = outcome, .arena = flow_arena(flow)};
	return await_children(flow);
}

/* -- a stream is over ----------------------------------------------------------------------------------- */

struct stream_ended {
	struct voice voice;
	struct outcome outcome;
	const char *operator; /* whom to ring; NULL: nobody */
};

static bool is(const struct stream_ended *state, const char *end)
{
	return str_equal(state->outcome.end, str_from(end));
}

static enum flow_status stream_ended_look(struct flow *flow)
{
	struct stream_ended *state = flow_state(flow);
	enum flow_status status;

	if (!voice_begin(flow, &state->voice, &status))
		return status;
	return await_outcome(flow, &state->voice, &state->outcome);
}

/* The caller has hung up: there is nobody to answer. */
static bool is_over(const struct voice *voice)
{
	return str_equal(voice_field(voice, "CallStatus"), STR("completed"));
}

static enum flow_status stream_ended_store(struct flow *flow)
{
	struct stream_ended *state = flow_state(flow);
	struct voice *voice = &state->voice;

	if (is_over(voice) || is(state, "hangup"))
		return await_voice_status(flow, voice, STR("completed"), 0);
	voice_look(flow, voice);
	if (is(state, "menu") && voice->menu != NULL)
		return await_voice_move(flow, voice, VOICE_MENU, "");
	if (is(state, "transfer"))
		state->operator= voice_operator(flow, voice, state->outcome.to);
	if (state->operator!= NULL)
		return await_voice_move(flow, voice, VOICE_OPERATOR, state->operator);
	if (state->outcome.end.size == 0)
		log_warn(flow_log(flow), "the stream ended without an outcome: a message is taken");
	return await_voice_move(flow, voice, VOICE_VOICEMAIL, "");
}

static enum flow_status stream_ended_answer(struct flow *flow)
{
	struct stream_ended *state = flow_state(flow);
	struct voice *voice = &state->voice;

	voice_answer(flow, voice);
	if (is_over(voice) || is(state, "hangup")) {
		voice_put_hangup(voice);
	} else if (is(state, "menu") && voice->menu != NULL) {
		voice_put_menu(flow, voice, STR(""), 1);
	} else if (state->operator!= NULL) {
		voice_put_dial(flow, voice, state->operator);
	} else if (is(state, "transfer")) {
		voice_phrase(flow, voice, MENU_PHRASE_BUSY);
		voice_put_record(flow, voice, MENU_PHRASE_VOICEMAIL);
	} else if (is(state, "message")) {
		voice_put_record(flow, voice, MENU_PHRASE_VOICEMAIL);
	} else {
		voice_put_record(flow, voice, MENU_PHRASE_FAILED);
	}
	return voice_send(flow, voice);
}

static const struct flow_step stream_ended_steps[] = {
	{"look", stream_ended_look},
	{"store", stream_ended_store},
	{"answer", stream_ended_answer},
	{NULL, NULL},
};

const struct flow_spec voice_stream_ended_flow = {
	.name = "stream-ended",
	.steps = stream_ended_steps,
	.finally = voice_finally,
	.state_bytes = sizeof(struct stream_ended),
	.arena_max_bytes = VOICE_ARENA_BYTES,
	.deadline_ms = VOICE_DEADLINE_MS,
};

/* -- a dialled leg is over ------------------------------------------------------------------------------- */

struct dial_ended {
	struct voice voice;
	const char *to;
	bool talked;
};

static enum flow_status dial_ended_begin(struct flow *flow)
{
	struct dial_ended *state = flow_state(flow);
	struct str status, to;
	enum flow_status refused;

	if (!voice_begin(flow, &state->voice, &refused))
		return refused;
	status = voice_field(&state->voice, "DialCallStatus");
	to = voice_query(flow, "to");
	state->to = arena_strndup(flow_arena(flow), to.size > 0 ? to.data : "", to.size);
	state->talked = str_equal(status, STR("completed")) || str_equal(status, STR("answered"));
	if (!state->talked)
		return FLOW_NEXT;
	/* The callback that he answered may have been lost. */
	return await_voice_talk(flow, &state->voice, state->to, "");
}

static enum flow_status dial_ended_store(struct flow *flow)
{
	struct dial_ended *state = flow_state(flow);
	struct voice *voice = &state->voice;

	voice_look(flow, voice);
	if (state->talked || is_over(voice))
		return await_voice_status(flow, voice, STR("completed"), 0);
	return await_voice_move(flow, voice, VOICE_VOICEMAIL, "");
}

static enum flow_status dial_ended_answer(struct flow *flow)
{
	struct dial_ended *state = flow_state(flow);
	struct voice *voice = &state->voice;

	voice_answer(flow, voice);
	if (state->talked || is_over(voice)) {
		voice_put_hangup(voice);
	} else {
		voice_phrase(flow, voice, MENU_PHRASE_BUSY);
		voice_put_record(flow, voice, MENU_PHRASE_VOICEMAIL);
	}
	return voice_send(flow, voice);
}

static const struct flow_step dial_ended_steps[] = {
	{"begin", dial_ended_begin},
	{"store", dial_ended_store},
	{"answer", dial_ended_answer},
	{NULL, NULL},
};

const struct flow_spec voice_dial_ended_flow = {
	.name = "dial-ended",
	.steps = dial_ended_steps,
	.finally = voice_finally,
	.state_bytes = sizeof(struct dial_ended),
	.arena_max_bytes = VOICE_ARENA_BYTES,
	.deadline_ms = VOICE_DEADLINE_MS,
};

/* -- a message was recorded --------------------------------------------------------------------------------- */

/* Asked twice: as <Record action>, which wants TwiML, and when the file is ready, which wants none. */
static bool is_callback(const struct voice *voice)
{
	return voice_field(voice, "RecordingStatus").size > 0;
}

static enum flow_status recording_store(struct flow *flow)
{
	struct voice *voice = flow_state(flow);
	enum flow_status status;
	struct str url, how;

	if (!voice_begin(flow, voice, &status))
		return status;
	url = voice_field(voice, "RecordingUrl");
	how = voice_field(voice, "RecordingStatus");
	if (str_equal(how, STR("failed")) || str_equal(how, STR("absent")))
		log_warn(flow_log(flow), "no recording: %.*s", STR_ARG(how));
	else if (url.size > 0 && url.size < 500)
		return await_voice_recording(flow, voice, url);
	return FLOW_NEXT;
}

static enum flow_status recording_answer(struct flow *flow)
{
	struct voice *voice = flow_state(flow);

	if (is_callback(voice))
		return voice_stored_reply(flow, voice);
	voice_answer(flow, voice);
	voice_phrase(flow, voice, MENU_PHRASE_THANKS);
	voice_put_hangup(voice);
	return voice_send(flow, voice);
}

static const struct flow_step recording_steps[] = {
	{"store", recording_store},
	{"answer", recording_answer},
	{NULL, NULL},
};

const struct flow_spec voice_recording_flow = {
	.name = "recording",
	.steps = recording_steps,
	.finally = voice_finally,
	.state_bytes = sizeof(struct voice),
	.arena_max_bytes = VOICE_ARENA_BYTES,
	.deadline_ms = VOICE_DEADLINE_MS,
};
