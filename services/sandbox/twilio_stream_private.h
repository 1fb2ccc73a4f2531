/*
 * twilio_stream_private: a stream's own struct, for the files twilio_stream*.c alone.
 */
#ifndef SANDBOX_TWILIO_STREAM_PRIVATE_H
#define SANDBOX_TWILIO_STREAM_PRIVATE_H

#include "twilio_playout.h"
#include "twilio_stream.h"
#include "websocket.h"

struct twilio_stream {
	TAILQ_ENTRY(twilio_stream) link;
	struct twilio *twilio;
	struct twilio_call *call; /* NULL: it has left */
	struct websocket *websocket;
	char sid[TWILIO_SID_BYTES], call_sid[TWILIO_SID_BYTES];
	char *account_sid, *name, *url, *status_callback;
	struct buf parameters; /* JSON object */
	struct playout playout;
	int64_t sequence, chunk, frames;
	int64_t dry_ms; /* when the caller had heard all that came; -1: he hears, or heard nothing yet */
	bool open, over, stopped, warned, full;
};

void stream_note(struct twilio_stream *stream, const char *what, const char *detail);

/* twilio_stream_say.c */
void stream_say_start(struct twilio_stream *stream);
void stream_say_media(struct twilio_stream *stream, const uint8_t *said);
void stream_say_mark(struct twilio_stream *stream, const char *name, const char *how);
void stream_say_stop(struct twilio_stream *stream);

#endif
