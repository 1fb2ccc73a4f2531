/*
 * websocket_private: a WebSocket as its files share it: websocket.c is its life once it is open, with
 * websocket_time.c; websocket_accept.c and websocket_dial.c are how it comes to be.
 */
#ifndef CALLWEAVE_WEBSOCKET_PRIVATE_H
#define CALLWEAVE_WEBSOCKET_PRIVATE_H

#include "tls.h"
#include "websocket.h"
#include "websocket_frames.h"

enum websocket_state {
	WEBSOCKET_DIALING,   /* websocket_dial.c has the socket */
	WEBSOCKET_OPEN,	     /* messages both ways */
	WEBSOCKET_CLOSING,   /* we said close, the peer has not yet */
	WEBSOCKET_LINGERING, /* all is said; until the peer closes the connection, too */
	WEBSOCKET_OVER,	     /* `closed` was called */
};

struct websocket_dial;

struct websocket {
	struct loop *loop;
	struct websocket_options options; /* with the defaults filled in */
	enum websocket_state state;
	int fd; /* -1: none any more, or none yet */
	struct tls *tls;
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct loop_task writer;    /* at the end of the turn: sends `out` */
	struct http_server *server; /* that it came from, and counts in */
	struct websocket_dial *dial;

	struct websocket_frames frames;
	struct buf *rest; /* what came behind the handshake */
	struct buf out;
	unsigned reads_left; /* of this turn */
	bool more;	     /* there may be more to receive */
	bool peer_closed;    /* it has said so: read to the end, no edge will tell */
	bool at_end;	     /* the peer sends nothing more */
	int end_errno;	     /* why; 0: it closed the connection */
	bool shut;	     /* nor do we */

	int64_t heard_ms;    /* when something came last */
	int64_t blocked_ms;  /* since when the peer does not take what we send; 0: it does */
	int64_t deadline_ms; /* of what the state waits for; 0: none */
	bool pinged;

	int code; /* for `closed` */
	char words[160];
	unsigned
		depth; /* of our own functions on the stack: until they are left nothing is freed */
	bool freed;
};

struct websocket *websocket_new(
	struct loop *loop, const struct websocket_options *options, bool server);
/* The handshake is done: from now on frames. `rest` may be NULL. */
void websocket_begin(struct websocket *websocket, struct buf *rest);
/* From the loop only: `closed` is called here. */
void websocket_end(struct websocket *websocket, int code, const char *words);
void websocket_watch(struct websocket *websocket);
void websocket_drop_socket(struct websocket *websocket);
/* A control frame: there is room for those beside messages. */
void websocket_put(struct websocket *websocket, enum websocket_frame frame, struct str payload);

/* -- websocket_time.c ----------------------------------------------------------------------------- */

void websocket_new_timer(struct websocket *websocket);
void websocket_set_timer(struct websocket *websocket); /* for what is next now */
void websocket_set_deadline(struct websocket *websocket, int64_t after_ms); /* if it is earlier */

/* -- websocket_dial.c ----------------------------------------------------------------------------- */

void websocket_dial_ready(struct websocket *websocket);
void websocket_dial_late(struct websocket *websocket);
void websocket_dial_free(struct websocket_dial **dial);

/* -- every way from the loop into a websocket lies between these two ------------------------------- */

void websocket_enter(struct websocket *websocket);
void websocket_leave(struct websocket *websocket);

#endif
