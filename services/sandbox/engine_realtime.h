/*
 * engine_realtime: a session of the Realtime stand-in. engine_realtime.c hears, engine_realtime_say.c
 * answers. Private to them.
 */
#ifndef SANDBOX_ENGINE_REALTIME_H
#define SANDBOX_ENGINE_REALTIME_H

#include "engine.h"
#include "mulaw.h"
#include "vad.h"
#include "websocket.h"

struct engine_session {
	struct engine_world *world;
	struct websocket *socket;
	bool configured, beta, silent;
	struct vad vad;
	uint8_t frame[MULAW_FRAME_BYTES];
	size_t fill;
	int64_t appended; /* bytes of sound */
	unsigned items, responses;
	int64_t item_ms; /* of the last answer's sound */
	char item[32];
	struct engine_session *next, **link;
};

/* A message of plain names and numbers. */
void engine_session_say(struct engine_session *session, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* One with a transcript. */
void engine_session_text(struct engine_session *session, const char *type, struct str text);
/* For those who look at what was asked: every message that is no sound. */
void engine_session_note(struct engine_session *session, const char *what, struct str shown);
void engine_session_answer(struct engine_session *session, const struct engine_line *line);
/* By the script, or by repeating what was said. */
void engine_session_answer_to(struct engine_session *session, struct str said);

#endif
