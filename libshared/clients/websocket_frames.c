/*
 * websocket_frames: see websocket_frames.h.
 *
 * wslay's frame layer checks lengths, and that control frames are short and whole. All that follows
 * from the order of frames, from their direction and from their content is checked here.
 */
#include "websocket_frames.h"

#include "crypto.h"

#include <stdlib.h>
#include <wslay/wslay.h>

enum { KEEP_BYTES = 8 << 10 }; /* of a buffer that grew for one long message */

/* -- wslay's callbacks ---------------------------------------------------------------------------- */

static ssize_t on_recv(uint8_t *to, size_t room, int flags, void *owner)
{
	struct websocket_frames *frames = owner;

	return frames->recv(frames->owner, to, room);
}

/* Room was made before. */
static ssize_t on_send(const uint8_t *data, size_t size, int flags, void *owner)
{
	struct websocket_frames *frames = owner;

	(void)buf_append(frames->out, data, size);
	return (ssize_t)size;
}

static int on_mask(uint8_t *to, size_t size, void *owner)
{
	crypto_random(to, size);
	return 0;
}

void websocket_frames_init(struct websocket_frames *frames, bool server, size_t max_message_bytes)
{
	static const struct wslay_frame_callbacks callbacks = {on_send, on_recv, on_mask};

	*frames =
		(struct websocket_frames){.server = server, .max_message_bytes = max_message_bytes};
	buf_init(&frames->message, max_message_bytes);
	if (wslay_frame_context_init(&frames->wslay, &callbacks, frames) != 0)
		abort();
}

void websocket_frames_free(struct websocket_frames *frames)
{
	if (frames->wslay != NULL)
		wslay_frame_context_free(frames->wslay);
	frames->wslay = NULL;
	buf_free(&frames->message);
}

/* -- what may not be ------------------------------------------------------------------------------ */

static enum websocket_got wrong(struct websocket_event *event, int code, const char *words)
{
	event->code = code;
	event->words = words;
	return WEBSOCKET_GOT_WRONG;
}

static bool is_control(unsigned opcode)
{
	return opcode >= WEBSOCKET_CLOSE;
}

/* What a frame's head says against it; NULL: nothing. */
static const char *fault(
	const struct websocket_frames *frames, const struct wslay_frame_iocb *frame)
{
	if (frame->rsv != 0)
		return "a reserved bit is set";
	if (frame->opcode > WEBSOCKET_PONG ||
		(frame->opcode > WEBSOCKET_BINARY && frame->opcode < WEBSOCKET_CLOSE))
		return "an unknown kind of frame";
	if ((frame->mask != 0) != frames->server)
		return frames->server ? "a frame that is not masked" : "a masked frame";
	if (frame->opcode == WEBSOCKET_CONTINUATION && frames->kind == 0)
		return "a continuation of nothing";
	if ((frame->opcode == WEBSOCKET_TEXT || frame->opcode == WEBSOCKET_BINARY) &&
		frames->kind != 0)
		return "a message within another";
	return NULL;
}

/* RFC 6455 section 7.4, and 1012-1014 of IANA's registry. */
static bool code_is_good(int code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

/* -- reading -------------------------------------------------------------------------------------- */

static enum websocket_got take_close(struct websocket_event *event, struct str payload)
{
	const unsigned char *bytes = (const unsigned char *)payload.data;

	event->code = WEBSOCKET_NO_CODE;
	event->payload = str_of(NULL, 0);
	if (payload.size == 0)
		return WEBSOCKET_GOT_CONTROL;
	if (payload.size == 1)
		return wrong(event, WEBSOCKET_PROTOCOL_ERROR, "half a close code");
	event->code = bytes[0] << 8 | bytes[1];
	event->payload = str_of(payload.data + 2, payload.size - 2);
	if (!code_is_good(event->code))
		return wrong(event, WEBSOCKET_PROTOCOL_ERROR, "a close code that may not be");
	if (!str_is_utf8(event->payload))
		return wrong(event, WEBSOCKET_NOT_UTF8, "a close reason that is not UTF-8");
	return WEBSOCKET_GOT_CONTROL;
}

static enum websocket_got take_control(struct websocket_frames *frames,
	const struct wslay_frame_iocb *frame, struct websocket_event *event)
{
	struct str payload;

	if (frame->data_length > 0)
		memcpy(frames->control + frames->control_size, frame->data, frame->data_length);
	frames->control_size += frame->data_length;
	if (frames->control_size < frame->payload_length)
		return WEBSOCKET_GOT_NOTHING;
	payload = str_of(frames->control, frames->control_size);
	frames->control_size = 0;
	event->frame = (enum websocket_frame)frame->opcode;
	event->payload = payload;
	return event->frame == WEBSOCKET_CLOSE ? take_close(event, payload) : WEBSOCKET_GOT_CONTROL;
}

static enum websocket_got deliver(
	struct websocket_frames *frames, struct websocket_event *event, struct str payload)
{
	event->frame = (enum websocket_frame)frames->kind;
	event->payload = payload;
	frames->kind = 0;
	if (event->frame == WEBSOCKET_TEXT && !str_is_utf8(payload))
		return wrong(event, WEBSOCKET_NOT_UTF8, "a text that is not UTF-8");
	return WEBSOCKET_GOT_MESSAGE;
}

/* The usual message came in one piece, and is shown where it lies. */
static enum websocket_got take_data(struct websocket_frames *frames,
	const struct wslay_frame_iocb *frame, struct websocket_event *event)
{
	struct str piece = str_of((const char *)frame->data, frame->data_length);
	bool whole;

	if (frame->opcode != WEBSOCKET_CONTINUATION && frames->seen == 0)
		frames->kind = frame->opcode;
	frames->seen += piece.size;
	whole = frames->seen == frame->payload_length;
	if (frame->payload_length - (frames->seen - piece.size) >
		frames->max_message_bytes - frames->message.size)
		return wrong(event, WEBSOCKET_TOO_BIG, "a message that is too long");
	if (whole)
		frames->seen = 0;
	if (whole && frame->fin && frames->message.size == 0)
		return deliver(frames, event, piece);
	(void)buf_add(&frames->message, piece);
	return whole && frame->fin ? deliver(frames, event, buf_str(&frames->message))
				   : WEBSOCKET_GOT_NOTHING;
}

/* What the last call showed is over. */
static void forget_message(struct websocket_frames *frames)
{
	if (frames->kind != 0 || frames->message.size == 0)
		return;
	if (frames->message.capacity > KEEP_BYTES)
		buf_free(&frames->message);
	else
		buf_clear(&frames->message);
}

/* A piece of a frame is no beginning: only its first piece is judged against what came before. */
static enum websocket_got take_piece(struct websocket_frames *frames,
	const struct wslay_frame_iocb *frame, struct websocket_event *event)
{
	bool first = is_control(frame->opcode) ? frames->control_size == 0 : frames->seen == 0;
	const char *words = first ? fault(frames, frame) : NULL;

	if (words != NULL)
		return wrong(event, WEBSOCKET_PROTOCOL_ERROR, words);
	return is_control(frame->opcode) ? take_control(frames, frame, event)
					 : take_data(frames, frame, event);
}

enum websocket_got websocket_frames_next(
	struct websocket_frames *frames, struct websocket_event *event)
{
	struct wslay_frame_iocb frame;
	enum websocket_got got = WEBSOCKET_GOT_NOTHING;

	forget_message(frames);
	while (got == WEBSOCKET_GOT_NOTHING) {
		ssize_t read = wslay_frame_recv(frames->wslay, &frame);

		if (read == WSLAY_ERR_WANT_READ)
			return WEBSOCKET_GOT_NOTHING;
		if (read < 0)
			return wrong(event, WEBSOCKET_PROTOCOL_ERROR,
				"a length that may not be, or a control frame in pieces");
		got = take_piece(frames, &frame, event);
	}
	return got;
}

/* -- writing -------------------------------------------------------------------------------------- */

bool websocket_frames_put(struct websocket_frames *frames, struct buf *out,
	enum websocket_frame frame, struct str payload)
{
	struct wslay_frame_iocb iocb = {
		.fin = 1,
		.opcode = (uint8_t)frame,
		.payload_length = payload.size,
		.mask = !frames->server,
		.data = (const uint8_t *)payload.data,
		.data_length = payload.size,
	};

	if (buf_reserve(out, WEBSOCKET_HEADER_MAX + payload.size) == NULL)
		return false;
	frames->out = out;
	return wslay_frame_send(frames->wslay, &iocb) >= 0;
}

bool websocket_frames_put_close(
	struct websocket_frames *frames, struct buf *out, int code, const char *reason)
{
	char payload[WEBSOCKET_CONTROL_MAX + 1];
	bool empty = code == WEBSOCKET_NO_CODE;

	payload[0] = (char)(code >> 8);
	payload[1] = (char)(code & 0xff);
	(void)str_copy(payload + 2, sizeof(payload) - 2, str_from(reason));
	return websocket_frames_put(
		frames, out, WEBSOCKET_CLOSE, str_of(payload, empty ? 0 : 2 + strlen(payload + 2)));
}
