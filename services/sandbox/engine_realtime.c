/*
 * engine_realtime: OpenAI's Realtime WebSocket, /v1/realtime: hears mu-law, finds utterances by their
 * energy, answers by the script, and is told what was heard.
 *
 * Faults: on "/v1/realtime" at the handshake (a status, a drop; "stall": no session), on
 * "/v1/realtime/response" in an answer ("middle", "stall", or a status: it fails).
 */
#include "engine_realtime.h"

#include "alloc.h"
#include "crypto.h"
#include "uri.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_OUT_BYTES = 4 << 20 };

static void complain(struct engine_session *session, const char *code, const char *words)
{
	engine_session_say(session,
		"{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"code\":\"%s\","
		"\"message\":\"%s\",\"param\":null}}",
		code, words);
}

/* -- hearing --------------------------------------------------------------------------------------- */

static void utterance_over(struct engine_session *session)
{
	const char *scripted = engine_next_transcript(session->world);
	char words[64];

	(void)snprintf(words, sizeof(words), "%lld milliseconds of speech",
		(long long)vad_utterance_ms(&session->vad));
	session->world->transcriptions++;
	(void)snprintf(session->item, sizeof(session->item), "item_%u", ++session->items);
	engine_session_say(session,
		"{\"type\":\"input_audio_buffer.speech_stopped\",\"audio_end_ms\":%lld,\"item_id\":"
		"\"%s\"}",
		(long long)(session->appended * 1000 / MULAW_HZ), session->item);
	engine_session_text(session, "conversation.item.input_audio_transcription.completed",
		str_from(scripted != NULL ? scripted : words));
	engine_session_answer_to(session, str_from(scripted != NULL ? scripted : words));
}

static void hear_frame(struct engine_session *session)
{
	int16_t samples[MULAW_FRAME_BYTES];

	mulaw_decode_all(session->frame, MULAW_FRAME_BYTES, samples);
	session->fill = 0;
	switch (vad_hear(&session->vad, samples, MULAW_FRAME_BYTES)) {
	case VAD_STARTED:
		engine_session_say(session,
			"{\"type\":\"input_audio_buffer.speech_started\",\"audio_start_ms\":%lld,"
			"\"item_id\":\"item_%u\"}",
			(long long)(session->appended * 1000 / MULAW_HZ), session->items + 1);
		break;
	case VAD_ENDED:
	case VAD_CUT:
		utterance_over(session);
		break;
	case VAD_BARGED:
	case VAD_DROPPED:
	case VAD_NONE:
		break;
	}
}

static void take_sound(struct engine_session *session, const struct json *message)
{
	struct str audio = json_text(json_member(message, "audio"));
	size_t size = 0, room = audio.size / 4 * 3 + 3;
	uint8_t *mulaw = alloc_zeroed(1, room);

	if (!crypto_base64_read(audio, mulaw, room, &size) || size == 0) {
		complain(session, "invalid_value", "Invalid 'audio'. Expected base64.");
		size = 0;
	}
	for (size_t i = 0; i < size; i++) {
		session->frame[session->fill++] = mulaw[i];
		session->appended++;
		if (session->fill == MULAW_FRAME_BYTES)
			hear_frame(session);
	}
	free(mulaw);
}

/* -- what clients say ------------------------------------------------------------------------------ */

static bool is_text(const struct json *json, const char *name, const char *value)
{
	return str_equal(json_text(json_member(json, name)), str_from(value));
}

/* Both ways mu-law; the wrong dialect's names are unknown parameters. */
static bool session_is_good(const struct engine_session *session, const struct json *wanted)
{
	const struct json *audio = json_member(wanted, "audio");
	const struct json *in = json_member(json_member(audio, "input"), "format");
	const struct json *out = json_member(json_member(audio, "output"), "format");

	if (session->beta)
		return audio == NULL && json_member(wanted, "type") == NULL &&
		       is_text(wanted, "input_audio_format", "g711_ulaw") &&
		       is_text(wanted, "output_audio_format", "g711_ulaw");
	return is_text(wanted, "type", "realtime") && is_text(in, "type", "audio/pcmu") &&
	       is_text(out, "type", "audio/pcmu") &&
	       json_member(wanted, "input_audio_format") == NULL &&
	       json_member(wanted, "modalities") == NULL;
}

static void take_session(struct engine_session *session, const struct json *message)
{
	const struct json *wanted = json_member(message, "session");

	if (!session_is_good(session, wanted)) {
		complain(session, "unknown_parameter", "Unknown or missing parameter: 'session'.");
		return;
	}
	session->configured = true;
	engine_session_say(session, "{\"type\":\"session.updated\",\"session\":{%s}}",
		session->beta ? "" : "\"type\":\"realtime\"");
}

static void take_truncate(struct engine_session *session, const struct json *message)
{
	double ms = json_number(json_member(message, "audio_end_ms"));

	if (ms < 0 || ms > (double)session->item_ms ||
		json_member(message, "content_index") == NULL)
		complain(session, "item_truncation_invalid_audio_end_ms",
			"Audio content is already shorter than that.");
	else
		engine_session_say(session,
			"{\"type\":\"conversation.item.truncated\",\"audio_end_ms\":%d,\"content_"
			"index\":0}",
			(int)ms);
}

static void take_response(struct engine_session *session, const struct json *message)
{
	static const char exactly[] = "exactly these words: ";
	struct str instructions =
		json_text(json_member(json_member(message, "response"), "instructions"));
	const char *words = instructions.size > 0 ? strstr(instructions.data, exactly) : NULL;
	struct engine_line line = {0};

	if (words == NULL) {
		engine_session_answer_to(session, STR("(nothing)"));
		return;
	}
	line.text = alloc_text(str_from(words + sizeof(exactly) - 1));
	engine_session_answer(session, &line);
	free(line.text);
}

static void take(struct engine_session *session, const struct json *message, struct str text)
{
	if (is_text(message, "type", "input_audio_buffer.append")) {
		take_sound(session, message);
		return;
	}
	engine_session_note(session, "message", text);
	if (is_text(message, "type", "session.update"))
		take_session(session, message);
	else if (!session->configured)
		complain(session, "invalid_request", "no session.update yet");
	else if (is_text(message, "type", "conversation.item.truncate"))
		take_truncate(session, message);
	else if (is_text(message, "type", "response.create"))
		take_response(session, message);
	else if (!is_text(message, "type", "conversation.item.create"))
		complain(session, "invalid_value", "Invalid value: 'type'.");
}

/* -- the socket ------------------------------------------------------------------------------------ */

static void on_message(void *context, bool binary, struct str payload)
{
	struct engine_session *session = context;
	struct json *message =
		binary ? NULL : json_parse(payload, (struct json_limits){1 << 20, 32}, NULL);

	if (session->silent)
		;
	else if (message == NULL)
		complain(session, "invalid_json", "We could not parse that.");
	else
		take(session, message, payload);
	json_free(&message);
}

static void session_free(struct engine_session *session)
{
	websocket_free(&session->socket);
	free(session);
}

void engine_end_sessions(struct engine_world *world)
{
	struct engine_session *next;

	for (struct engine_session *at = world->realtime; at != NULL; at = next) {
		next = at->next;
		session_free(at);
	}
	world->realtime = NULL;
}

static void leave_list(struct engine_session *session)
{
	*session->link = session->next;
	if (session->next != NULL)
		session->next->link = session->link;
}

static void on_closed(void *context, int code, const char *words)
{
	struct engine_session *session = context;
	struct buf shown;

	buf_init(&shown, 256);
	(void)buf_printf(&shown, "{\"code\":%d,\"heard_ms\":%lld}", code,
		(long long)(session->appended * 1000 / MULAW_HZ));
	engine_session_note(session, "closed", buf_str(&shown));
	buf_free(&shown);
	leave_list(session);
	session_free(session);
}

static const struct websocket_handler socket_handler = {
	.message = on_message,
	.closed = on_closed,
};

static enum flow_status open_session(struct flow *flow, struct engine_world *world, bool silent)
{
	struct engine_session *session = alloc_zeroed(1, sizeof(*session));
	const struct websocket_options options = {
		.handler = &socket_handler,
		.context = session,
		.max_message_bytes = 1 << 20,
		.max_output_bytes = MAX_OUT_BYTES,
	};
	struct error error;

	session->world = world;
	session->beta = world->beta;
	session->silent = silent;
	vad_init(&session->vad, NULL);
	session->socket = websocket_accept(flow, &options, "realtime", &error);
	if (session->socket == NULL) {
		free(session);
		return flow_fail_error(flow, &error);
	}
	session->link = &world->realtime;
	session->next = world->realtime;
	if (session->next != NULL)
		session->next->link = &session->next;
	world->realtime = session;
	world->sessions++;
	engine_session_note(session, "open", (struct str){0});
	if (!silent)
		engine_session_say(session,
			"{\"type\":\"session.created\",\"session\":{%s\"id\":\"sess_1\"}}",
			session->beta ? "" : "\"type\":\"realtime\",");
	return FLOW_END;
}

static enum flow_status refuse(struct flow *flow, int status, const char *code)
{
	enum flow_status answered;
	struct buf body;

	buf_init(&body, 4096);
	engine_put_error(&body, status, code, (struct str){0});
	answered = http_reply_json(flow, status, &body);
	buf_free(&body);
	return answered;
}

static enum flow_status shake_hands(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_world *world = engine_world(sandbox);
	struct fault_subject subject = {
		.service = STR("engine"), .path = STR("/v1/realtime"), .method = STR("open")};
	struct str model;
	struct fault fault = {0};

	if (!engine_knows(world, http_request_header(flow, "Authorization"))) {
		world->refused++;
		return refuse(flow, 401, "invalid_api_key");
	}
	if (!uri_query_value(http_request(flow)->query, "model", flow_arena(flow), &model) ||
		model.size == 0)
		return refuse(flow, 400, "missing_model");
	if (faults_meet(sandbox->faults, &subject, flow_arena(flow), &fault)) {
		if (fault.status != 0)
			return refuse(flow, fault.status, "");
		if (fault.drop != FAULT_STALL)
			return http_drop(flow);
	}
	return open_session(flow, world, fault.drop == FAULT_STALL);
}

const struct flow_spec engine_realtime_flow = ONE_STEP("realtime", shake_hands);
