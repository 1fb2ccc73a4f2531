/*
 * websocket_frames: bytes in, messages out, and frames to send; no sockets, no clock (RFC 6455
 * section 5). The one place that knows wslay: its frame layer, because a message then lies in the
 * buffer into which it was received, and nothing is allocated for it.
 */
#ifndef CALLWEAVE_WEBSOCKET_FRAMES_H
#define CALLWEAVE_WEBSOCKET_FRAMES_H

#include "buf.h"

#include <sys/types.h>

enum {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_PROTOCOL_ERROR = 1002,
	WEBSOCKET_UNSUPPORTED = 1003,
	WEBSOCKET_NO_CODE = 1005,  /* never on the wire: the close frame was empty */
	WEBSOCKET_ABNORMAL = 1006, /* never on the wire: there was no close frame */
	WEBSOCKET_NOT_UTF8 = 1007,
	WEBSOCKET_TOO_BIG = 1009,

	WEBSOCKET_CONTROL_MAX = 125,
	WEBSOCKET_REASON_MAX = WEBSOCKET_CONTROL_MAX - 2,
	WEBSOCKET_HEADER_MAX = 14,
};

enum websocket_frame { /* as on the wire */
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

/* Bytes of the peer: how many were put there; <= 0: none now. */
typedef ssize_t websocket_recv_fn(void *owner, void *to, size_t room);

struct websocket_frames {
	struct wslay_frame_context *wslay;
	bool server; /* we are: the peer masks, we do not */
	size_t max_message_bytes;
	websocket_recv_fn *recv;
	void *owner;

	unsigned char kind; /* of the message that comes in pieces: TEXT, BINARY; 0: none */
	uint64_t seen;	    /* payload bytes of the frame that is under way */
	struct buf message; /* pieces; empty when the message came in one */
	char control[WEBSOCKET_CONTROL_MAX];
	size_t control_size;
	struct buf *out; /* where frames_put() is writing */
};

void websocket_frames_init(struct websocket_frames *frames, bool server, size_t max_message_bytes);
void websocket_frames_free(struct websocket_frames *frames);

enum websocket_got {
	WEBSOCKET_GOT_NOTHING, /* all that came is read */
	WEBSOCKET_GOT_MESSAGE,
	WEBSOCKET_GOT_CONTROL,
	WEBSOCKET_GOT_WRONG, /* `code` and `words`; the connection is of no more use */
};
struct websocket_event {
	enum websocket_frame frame; /* TEXT, BINARY; CLOSE, PING, PONG */
	struct str payload;	    /* until the next call; of CLOSE: the reason */
	int code;		    /* CLOSE: the peer's; WRONG: how to close */
	const char *words;	    /* WRONG */
};
enum websocket_got websocket_frames_next(
	struct websocket_frames *frames, struct websocket_event *event);

/* Append one whole frame. False: `out` is full, nothing was added. */
bool websocket_frames_put(struct websocket_frames *frames, struct buf *out,
	enum websocket_frame frame, struct str payload);
/* The same for a close frame; the reason is cut to what fits, between characters. */
bool websocket_frames_put_close(
	struct websocket_frames *frames, struct buf *out, int code, const char *reason);

#endif
