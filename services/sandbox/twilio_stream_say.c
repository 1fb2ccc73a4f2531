/*
 * twilio_stream_say: what Twilio says over a stream: connected, start, media, dtmf, mark, stop; numbers are
 * strings, as there.
 */
#include "twilio_stream_private.h"

#include "crypto.h"

static bool send(struct twilio_stream *stream, struct buf *text)
{
	bool sent = !text->failed && websocket_send(stream->websocket, false, buf_str(text));

	if (!sent)
		stream_note(stream, "unsent", "the peer does not read");
	buf_free(text);
	return sent;
}

void stream_say_start(struct twilio_stream *stream)
{
	struct buf text;

	buf_init(&text, 65536);
	buf_add(&text,
		STR("{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}"));
	(void)send(stream, &text);
	buf_init(&text, 65536);
	buf_printf(&text,
		"{\"event\":\"start\",\"sequenceNumber\":\"%lld\",\"start\":{\"accountSid\":\"%s\","
		"\"streamSid\":\"%s\",\"callSid\":\"%s\",\"tracks\":[\"inbound\"],\"mediaFormat\":{"
		"\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":1},"
		"\"customParameters\":%.*s},\"streamSid\":\"%s\"}",
		(long long)++stream->sequence, stream->account_sid, stream->sid, stream->call_sid,
		STR_ARG(buf_str(&stream->parameters)), stream->sid);
	(void)send(stream, &text);
}

void stream_say_media(struct twilio_stream *stream, const uint8_t *said)
{
	char payload[CRYPTO_BASE64_TEXT(FRAME_BYTES)];
	struct buf text;

	crypto_base64(said, FRAME_BYTES, payload);
	buf_init(&text, 2048);
	buf_printf(&text,
		"{\"event\":\"media\",\"sequenceNumber\":\"%lld\",\"media\":{\"track\":\"inbound\","
		"\"chunk\":\"%lld\",\"timestamp\":\"%lld\",\"payload\":\"%s\"},\"streamSid\":\"%"
		"s\"}",
		(long long)++stream->sequence, (long long)++stream->chunk,
		(long long)stream->frames++ * FRAME_MS + 5, payload, stream->sid);
	(void)send(stream, &text);
}

void stream_key(struct twilio_stream *stream, char key)
{
	struct buf text;

	if (!stream_is_open(stream))
		return;
	buf_init(&text, 1024);
	buf_printf(&text,
		"{\"event\":\"dtmf\",\"streamSid\":\"%s\",\"sequenceNumber\":\"%lld\",\"dtmf\":{"
		"\"track\":\"inbound_track\",\"digit\":\"%c\"}}",
		stream->sid, (long long)++stream->sequence, key);
	(void)send(stream, &text);
}

void stream_say_mark(struct twilio_stream *stream, const char *name, const char *how)
{
	struct buf text;

	buf_init(&text, 65536);
	buf_printf(&text,
		"{\"event\":\"mark\",\"sequenceNumber\":\"%lld\",\"streamSid\":\"%s\","
		"\"mark\":{\"name\":",
		(long long)++stream->sequence, stream->sid);
	json_add_string(&text, str_from(name));
	buf_add(&text, STR("}}"));
	(void)send(stream, &text);
	stream_note(stream, how, name);
}

void stream_say_stop(struct twilio_stream *stream)
{
	struct buf text;

	stream->stopped = true;
	buf_init(&text, 1024);
	buf_printf(&text,
		"{\"event\":\"stop\",\"sequenceNumber\":\"%lld\",\"stop\":{\"accountSid\":\"%s\","
		"\"callSid\":\"%s\"},\"streamSid\":\"%s\"}",
		(long long)++stream->sequence, stream->account_sid, stream->call_sid, stream->sid);
	(void)send(stream, &text);
}
