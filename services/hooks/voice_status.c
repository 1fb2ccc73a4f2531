/*
 * voice_status: callbacks that tell and ask nothing. They come twice, late and out of order; nothing but a
 * wrong signature, or no place to store, lets one fail (P16).
 */
#include "voice.h"

/* -- of a stream ------------------------------------------------------------------------------------------ */

static const char *text_of(struct flow *flow, struct str text)
{
	return arena_strndup(flow_arena(flow), text.size > 0 ? text.data : "", text.size);
}

/* Older senders call it Status. */
static struct str stream_event(const struct voice *voice)
{
	struct str event = voice_field(voice, "StreamEvent");

	return event.size > 0 ? event : voice_field(voice, "Status");
}

static enum flow_status stream_status_store(struct flow *flow)
{
	struct voice *voice = flow_state(flow);
	struct str event, sid;
	enum flow_status status;

	if (!voice_begin(flow, voice, &status))
		return status;
	event = stream_event(voice);
	sid = voice_field(voice, "StreamSid");
	if (str_equal(event, STR("stream-error")))
		log_warn(flow_log(flow), "stream %.*s: %.*s", STR_ARG(sid),
			STR_ARG(voice_field(voice, "StreamError")));
	if (!str_equal(event, STR("stream-started")) && !str_equal(event, STR("connected")))
		return FLOW_NEXT;
	return await_voice_talk(flow, voice, "agent", text_of(flow, sid));
}

static enum flow_status status_reply(struct flow *flow)
{
	return voice_stored_reply(flow, flow_state(flow));
}

#define STATUS_FLOW(what, step_table)                                                              \
	{                                                                                          \
		.name = (what), .steps = (step_table), .finally = voice_finally,                   \
		.state_bytes = sizeof(struct voice), .arena_max_bytes = VOICE_ARENA_BYTES,         \
		.deadline_ms = VOICE_DEADLINE_MS,                                                  \
	}

static const struct flow_step stream_status_steps[] = {
	{"store", stream_status_store},
	{"reply", status_reply},
	{NULL, NULL},
};

const struct flow_spec voice_stream_status_flow = STATUS_FLOW("stream-status", stream_status_steps);

/* -- of a leg that we dialled --------------------------------------------------------------------------------- */

static enum flow_status dial_status_store(struct flow *flow)
{
	struct voice *voice = flow_state(flow);
	enum flow_status status;
	struct str how;

	if (!voice_begin(flow, voice, &status))
		return status;
	how = voice_field(voice, "CallStatus");
	if (!str_equal(how, STR("in-progress")) && !str_equal(how, STR("answered")))
		return FLOW_NEXT;
	return await_voice_talk(flow, voice, text_of(flow, voice_query(flow, "to")), "");
}

static const struct flow_step dial_status_steps[] = {
	{"store", dial_status_store},
	{"reply", status_reply},
	{NULL, NULL},
};

const struct flow_spec voice_dial_status_flow = STATUS_FLOW("dial-status", dial_status_steps);

/* -- of the call --------------------------------------------------------------------------------------------------- */

static enum flow_status call_status_store(struct flow *flow)
{
	struct voice *voice = flow_state(flow);
	enum flow_status status;
	int64_t sequence = 0;

	if (!voice_begin(flow, voice, &status))
		return status;
	/* Of a leg of its own: the call goes on without it. */
	if (voice_field(voice, "ParentCallSid").size > 0)
		return FLOW_NEXT;
	if (!str_to_int64(voice_field(voice, "SequenceNumber"), &sequence) || sequence > INT32_MAX)
		sequence = 0;
	return await_voice_status(flow, voice, voice_field(voice, "CallStatus"), sequence);
}

static const struct flow_step call_status_steps[] = {
	{"store", call_status_store},
	{"reply", status_reply},
	{NULL, NULL},
};

const struct flow_spec voice_call_status_flow = STATUS_FLOW("call-status", call_status_steps);
