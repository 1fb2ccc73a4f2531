/*
 * engine_realtime_say: how the Realtime stand-in answers: sound in pieces, all at once and so faster
 * than real time, words, uses of tools; and how answers fail.
 */
#include "engine_realtime.h"

#include "clock.h"
#include "crypto.h"

#include <stdarg.h>
#include <stdio.h>

enum { DELTA_BYTES = 1600 /* mu-law in one message: 200 ms */, STALL_AT = 2 /* of these */ };

/* -- sending --------------------------------------------------------------------------------------- */

static void send_buf(struct engine_session *session, const struct buf *message)
{
	(void)websocket_send(session->socket, false, buf_str(message));
}

/* A message of plain names and numbers. */
void engine_session_say(struct engine_session *session, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	(void)websocket_send(session->socket, false, str_from(text));
}

/* Every message that is no sound, for those who look at what was asked. */
void engine_session_note(struct engine_session *session, const char *what, struct str shown)
{
	struct sandbox *sandbox = session->world->sandbox;
	int64_t id = requests_add(
		sandbox->requests, &(struct requests_note){.service = engine_service.name,
					   .method = str_from(what),
					   .path = STR("/v1/realtime"),
					   .request = shown.size > 0 ? shown : STR("null"),
					   .at_ms = clock_wall_ms()});

	requests_finish(sandbox->requests, id, 101, (struct str){0});
	flow_queue_wake_all(&sandbox->changed);
}

/* -- answers --------------------------------------------------------------------------------------- */

static const char *name_of(
	const struct engine_session *session, const char *today, const char *beta)
{
	return session->beta ? beta : today;
}

/* The tone at 8 kHz. */
static void put_mulaw(struct buf *to, struct str text)
{
	struct buf samples;

	buf_init(&samples, ENGINE_MAX_REPLY);
	engine_put_tone(&samples, text, MULAW_HZ);
	for (size_t i = 0; i + 1 < samples.size; i += 2) {
		const unsigned char *two = (const unsigned char *)samples.data + i;

		(void)buf_add_char(
			to, (char)mulaw_encode((int16_t)(uint16_t)(two[0] | two[1] << 8)));
	}
	buf_free(&samples);
}

static void send_delta(struct engine_session *session, const struct buf *sound, size_t at)
{
	char base64[CRYPTO_BASE64_TEXT(DELTA_BYTES)];
	size_t left = sound->size - at;
	struct buf message;

	crypto_base64(sound->data + at, left < DELTA_BYTES ? left : DELTA_BYTES, base64);
	buf_init(&message, 16384);
	(void)buf_printf(&message,
		"{\"type\":\"%s\",\"response_id\":\"resp_%u\",\"item_id\":\"%s\",\"output_index\":"
		"0,"
		"\"content_index\":0,\"delta\":\"%s\"}",
		name_of(session, "response.output_audio.delta", "response.audio.delta"),
		session->responses, session->item, base64);
	send_buf(session, &message);
	buf_free(&message);
}

void engine_session_text(struct engine_session *session, const char *type, struct str text)
{
	struct buf message;

	buf_init(&message, 65536);
	(void)buf_printf(&message,
		"{\"type\":\"%s\",\"response_id\":\"resp_%u\",\"item_id\":\"%s\",\"transcript\":",
		type, session->responses, session->item);
	json_add_string(&message, text);
	(void)buf_add_char(&message, '}');
	send_buf(session, &message);
	buf_free(&message);
}

/* True: the fault lets nothing more come. */
static bool fault_in_answer(struct engine_session *session, const struct fault *fault)
{
	if (fault->status != 0) {
		engine_session_say(session,
			"{\"type\":\"response.done\",\"response\":{\"id\":\"resp_%u\",\"status\":"
			"\"failed\",\"status_details\":{\"type\":\"failed\",\"error\":{\"code\":"
			"\"server_error\",\"message\":\"The server had an error\"}}}}",
			session->responses);
		return true;
	}
	if (fault->drop == FAULT_DROP_MIDDLE)
		websocket_close(session->socket, 1011, "a fault");
	return true;
}

static bool send_sound(struct engine_session *session, struct str text, const struct fault *fault)
{
	struct buf sound;
	bool broken = false;

	buf_init(&sound, ENGINE_MAX_REPLY);
	put_mulaw(&sound, text);
	session->item_ms = (int64_t)sound.size * 1000 / MULAW_HZ;
	for (size_t at = 0; at < sound.size && !broken; at += DELTA_BYTES) {
		if (fault != NULL && at >= (size_t)STALL_AT * DELTA_BYTES)
			broken = fault_in_answer(session, fault);
		else
			send_delta(session, &sound, at);
	}
	buf_free(&sound);
	if (!broken)
		engine_session_say(session,
			"{\"type\":\"%s\",\"response_id\":\"resp_%u\",\"item_id\":\"%s\"}",
			name_of(session, "response.output_audio.done", "response.audio.done"),
			session->responses, session->item);
	return !broken;
}

static void send_tool(struct engine_session *session, const struct engine_line *line)
{
	struct buf message;

	buf_init(&message, 65536);
	(void)buf_printf(&message,
		"{\"type\":\"response.output_item.done\",\"response_id\":\"resp_%u\",\"item\":{"
		"\"id\":"
		"\"item_tool\",\"type\":\"function_call\",\"call_id\":\"call_%u\",\"name\":\"%s\","
		"\"arguments\":",
		session->responses, session->responses, line->tool);
	json_add_string(&message, str_from(line->arguments));
	(void)buf_add(&message, STR("}}"));
	send_buf(session, &message);
	buf_free(&message);
}

void engine_session_answer(struct engine_session *session, const struct engine_line *line)
{
	struct sandbox *sandbox = session->world->sandbox;
	struct arena *arena = arena_new(1 << 20);
	struct fault_subject subject = {.service = STR("engine"),
		.path = STR("/v1/realtime/response"),
		.method = STR("response")};
	struct fault fault;
	bool has_fault = faults_meet(sandbox->faults, &subject, arena, &fault);
	bool whole = true;

	session->responses++;
	(void)snprintf(session->item, sizeof(session->item), "item_%u", ++session->items);
	session->item_ms = 0;
	engine_session_say(session,
		"{\"type\":\"response.created\",\"response\":{\"id\":\"resp_%u\"}}",
		session->responses);
	if (line->text[0] != '\0') {
		whole = send_sound(session, str_from(line->text), has_fault ? &fault : NULL);
		if (whole)
			engine_session_text(session,
				name_of(session, "response.output_audio_transcript.done",
					"response.audio_transcript.done"),
				str_from(line->text));
	}
	if (whole && line->tool != NULL)
		send_tool(session, line);
	if (whole)
		engine_session_say(session,
			"{\"type\":\"response.done\",\"response\":{\"id\":\"resp_%u\",\"status\":"
			"\"completed\"}}",
			session->responses);
	arena_free(&arena);
}

void engine_session_answer_to(struct engine_session *session, struct str said)
{
	const struct engine_line *scripted = engine_next_line(session->world);
	char text[512];

	if (scripted != NULL) {
		engine_session_answer(session, scripted);
		return;
	}
	(void)snprintf(text, sizeof(text), "You said: %.*s",
		(int)(said.size < 400 ? said.size : 400), said.data != NULL ? said.data : "");
	engine_session_answer(session, &(struct engine_line){.text = text});
}
