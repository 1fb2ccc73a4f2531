/*
 * media_message: what is said over a Media Streams WebSocket
 * (twilio.com/docs/voice/media-streams/websocket-messages).
 *
 * In: text JSON, numbers as strings. Out: media, mark and clear with exactly the documented members;
 * one more or less is 31951. Nothing is allocated for a frame of audio.
 */
#ifndef CALLWEAVE_MEDIA_MESSAGE_H
#define CALLWEAVE_MEDIA_MESSAGE_H

#include "arena.h"
#include "buf.h"
#include "error.h"

enum media_event {
	MEDIA_CONNECTED,
	MEDIA_START,
	MEDIA_MEDIA,
	MEDIA_DTMF,
	MEDIA_MARK,
	MEDIA_STOP,
	MEDIA_UNKNOWN /* new kinds may come: to be ignored */
};

#define MEDIA_MAX_PARAMETERS 16
#define MEDIA_SID_BYTES	     35 /* MZ and 32 hex digits, and a NUL */

struct media_message {
	enum media_event event;
	struct str stream_sid;
	int64_t sequence; /* -1: none (connected) */
	/* start */
	struct str account_sid, call_sid, encoding;
	int64_t sample_rate, channels;
	struct {
		struct str name, value;
	} parameters[MEDIA_MAX_PARAMETERS];
	unsigned parameter_count;
	/* media */
	struct str payload; /* base64, as it came */
	int64_t chunk, timestamp_ms;
	/* mark, dtmf */
	struct str name;
	char digit;
};

/* Slices of `text` or of the arena. A plain media message takes a fast way without cJSON; all else
 * goes through it. False with words: no JSON, wrong types. */
bool media_message_read(
	struct str text, struct arena *arena, struct media_message *message, struct error *error);
struct str media_parameter(const struct media_message *message, const char *name);

void media_put_audio(struct buf *to, struct str stream_sid, const uint8_t *mulaw, size_t bytes);
void media_put_mark(struct buf *to, struct str stream_sid, struct str name);
void media_put_clear(struct buf *to, struct str stream_sid);

#endif
