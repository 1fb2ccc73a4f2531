/*
 * engine: the stand-in for servers that hear, think and speak: OpenAI-compatible transcriptions, chat
 * and speech over HTTP, and the Realtime WebSocket.
 *
 * It answers by a script that tests give it, and by itself when that is used up: what it "heard" is the
 * length of the sound, what it says is what it was told, and each text sounds as a tone of its own.
 */
#ifndef SANDBOX_ENGINE_H
#define SANDBOX_ENGINE_H

#include "sandbox.h"

#define ENGINE_SCRIPT_MAX 64
#define ENGINE_MAX_REPLY  (8u << 20)
#define ENGINE_SPEECH_HZ  24000 /* of response_format pcm */

struct engine_line { /* one answer of the script */
	char *text, *tool, *arguments;
	int64_t think_ms; /* before its first word */
};

struct engine_world {
	struct sandbox *sandbox;
	char *transcripts[ENGINE_SCRIPT_MAX];
	struct engine_line lines[ENGINE_SCRIPT_MAX];
	unsigned transcript_count, transcript_at, line_count, line_at;
	char key[128];			 /* "": any, but one there must be */
	bool beta;			 /* Realtime in the names of the beta */
	bool whole;			 /* chat is not streamed, speech is a WAVE file */
	int64_t pace_ms;		 /* between pieces of a stream */
	struct engine_session *realtime; /* open ones */
	int64_t transcriptions, chats, speeches, sessions, refused;
};

extern const struct outside_service engine_service;
struct engine_world *engine_world(struct sandbox *sandbox);

void engine_forget_script(struct engine_world *world);
/* The next of the script; NULL: it is used up. */
const char *engine_next_transcript(struct engine_world *world);
const struct engine_line *engine_next_line(struct engine_world *world);

/* The tone that a text sounds as. */
int64_t engine_tone_hz(struct str text);
int64_t engine_tone_ms(struct str text);
/* Append its samples, little-endian 16 bits. */
void engine_put_tone(struct buf *to, struct str text, int64_t hz_of_samples);

/* {"error":{...}} as OpenAI's. */
void engine_put_error(struct buf *to, int status, const char *code, struct str words);
/* May who shows this Authorization header come in? */
bool engine_knows(const struct engine_world *world, struct str authorization);

/* engine_check.c: a transcription's form, strictly. False with words. */
struct engine_form {
	struct str model, language, file;
	int64_t ms, rms; /* of the file */
};
bool engine_read_form(
	struct str content_type, struct str body, struct engine_form *form, struct error *error);
/* A chat's body: model, messages in an order that real servers take, tools. `last`: the last text of the
 * user, or the result of a tool. */
bool engine_check_chat(
	const struct json *json, struct arena *arena, struct str *last, struct error *error);
bool engine_check_speech(const struct json *json, struct error *error);

/* Routes: engine_script.c, engine_http.c, engine_realtime.c. */
extern const struct flow_spec engine_script_flow;
extern const struct flow_spec engine_transcribe_flow, engine_chat_flow, engine_speech_flow;
extern const struct flow_spec engine_realtime_flow;
void engine_end_sessions(struct engine_world *world);

#endif
