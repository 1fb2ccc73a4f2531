/*
 * realtime_message: what is said over OpenAI's Realtime WebSocket, in its names of today (GA) and in
 * those of the beta, which compatible servers still speak. Pure.
 */
#ifndef MEDIA_WS_REALTIME_MESSAGE_H
#define MEDIA_WS_REALTIME_MESSAGE_H

#include "engine_options.h"

enum realtime_event {
	REALTIME_OTHER, /* new kinds may come: to be ignored */
	REALTIME_SESSION_CREATED,
	REALTIME_SESSION_UPDATED,
	REALTIME_SPEECH_STARTED,
	REALTIME_SPEECH_STOPPED,
	REALTIME_USER_TEXT, /* what the caller said; may come after the answer to it */
	REALTIME_RESPONSE_CREATED,
	REALTIME_AUDIO,
	REALTIME_AUDIO_DONE,
	REALTIME_REPLY_TEXT,
	REALTIME_TOOL, /* a use of a tool is whole */
	REALTIME_RESPONSE_DONE,
	REALTIME_ERROR
};

struct realtime_message { /* slices of the document */
	enum realtime_event event;
	bool beta; /* of SESSION_CREATED: the session has no type */
	struct str item_id, response_id;
	struct str audio; /* base64 */
	struct str text;
	struct str call_id, name, arguments;
	struct str status; /* of RESPONSE_DONE: completed cancelled failed incomplete */
	struct str code, words;
	int64_t at_ms; /* of the caller's audio; SPEECH_STARTED, SPEECH_STOPPED */
	struct json *document;
};

/* False with words: no JSON, no type. The document is the caller's: realtime_message_free(). */
bool realtime_read(struct str text, struct realtime_message *message, struct error *error);
void realtime_message_free(struct realtime_message *message);

/* Does the dialogue go on after this error? (What was asked for had become pointless.) */
bool realtime_error_is_harmless(struct str code);

/* Append one message each. */
void realtime_put_session(struct buf *to, bool beta, const struct engine_options *options,
	const struct engine_call *call);
void realtime_put_audio(struct buf *to, const uint8_t *mulaw, size_t bytes);
void realtime_put_truncate(struct buf *to, struct str item_id, int64_t played_ms);
void realtime_put_user_text(struct buf *to, struct str text);
void realtime_put_tool_result(struct buf *to, struct str call_id, struct str result);
void realtime_put_response(struct buf *to, struct str instructions); /* empty: as it is */

#endif
