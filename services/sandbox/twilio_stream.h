/*
 * twilio_stream: one Media Stream: Twilio's side of the WebSocket. It lives a little longer than its
 * call, until the socket is closed.
 */
#ifndef SANDBOX_TWILIO_STREAM_H
#define SANDBOX_TWILIO_STREAM_H

#include "twilio_document.h"

/* Opens the URL of <Stream>; what is wrong with it becomes an alert, and NULL. */
struct twilio_stream *stream_open(
	struct twilio_call *call, const struct call_run *run, const struct xml_node *node);
bool stream_is_open(const struct twilio_stream *stream);
bool stream_is_over(const struct twilio_stream *stream);
const char *stream_sid(const struct twilio_stream *stream);
/* A frame both ways. */
void stream_frame(struct twilio_stream *stream, const uint8_t *said, uint8_t *heard);
void stream_key(struct twilio_stream *stream, char key);
/* The call goes on without it: stop is said when it is still open. The stream frees itself. */
void stream_leave(struct twilio_stream *stream);
void streams_clear(struct twilio *twilio);

#endif
