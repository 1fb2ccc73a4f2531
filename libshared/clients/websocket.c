/*
 * websocket: the life of an open one.
 *
 * System calls are most of what a frame costs: one recv(2) a wake-up unless it filled its buffer, and
 * one send(2) at the end of the turn for all that was said in it. Whatever the handler is told may
 * make it free the websocket; `depth` keeps the memory until the last of our functions has returned.
 */
#include "websocket.h"

#include "alloc.h"
#include "http_upgrade.h"
#include "websocket_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MAX_MESSAGE_BYTES = 64 << 10,
	MAX_OUTPUT_BYTES = 256 << 10,
	CONTROL_BYTES = 4 << 10, /* beside it, for pongs and a close */
	KEEP_OUT_BYTES = 8 << 10,
	PING_MS = 20000,
	IDLE_MS = 60000,
	CLOSE_MS = 5000,  /* for the peer to answer our close */
	LINGER_MS = 2000, /* for the peer to close the connection */
	READS_A_TURN = 16,
};

void websocket_enter(struct websocket *websocket)
{
	websocket->depth++;
}

static void destroy(struct websocket *websocket)
{
	websocket_frames_free(&websocket->frames);
	buf_free(&websocket->out);
	free(websocket);
}

void websocket_leave(struct websocket *websocket)
{
	if (--websocket->depth == 0 && websocket->freed)
		destroy(websocket);
}

/* -- end ------------------------------------------------------------------------------------------ */

static void forget_rest(struct websocket *websocket)
{
	if (websocket->rest != NULL)
		buf_free(websocket->rest);
	free(websocket->rest);
	websocket->rest = NULL;
}

void websocket_drop_socket(struct websocket *websocket)
{
	loop_watch_free(&websocket->watch);
	tls_free(&websocket->tls);
	if (websocket->fd >= 0)
		close(websocket->fd);
	websocket->fd = -1;
}

static void let_go(struct websocket *websocket)
{
	websocket_dial_free(&websocket->dial);
	loop_undefer(websocket->loop, &websocket->writer);
	loop_timer_free(&websocket->timer);
	websocket_drop_socket(websocket);
	forget_rest(websocket);
	if (websocket->server != NULL)
		http_upgraded_over(websocket->server);
	websocket->server = NULL;
}

void websocket_end(struct websocket *websocket, int code, const char *words)
{
	char copy[sizeof(websocket->words)];

	if (websocket->state == WEBSOCKET_OVER || websocket->freed)
		return;
	(void)str_copy(copy, sizeof(copy), str_from(words));
	websocket->state = WEBSOCKET_OVER;
	let_go(websocket);
	websocket->options.handler->closed(websocket->options.context, code, copy);
}

/* The connection broke. Behind the closing handshake that is how it ends. */
static void lose(struct websocket *websocket, const char *words)
{
	if (websocket->state == WEBSOCKET_LINGERING)
		websocket_end(websocket, websocket->code, websocket->words);
	else
		websocket_end(websocket, WEBSOCKET_ABNORMAL, words);
}

void websocket_free(struct websocket **websocket)
{
	struct websocket *gone = *websocket;

	*websocket = NULL;
	if (gone == NULL || gone->freed)
		return;
	let_go(gone);
	gone->freed = true;
	if (gone->depth == 0)
		destroy(gone);
}

/* -- sending -------------------------------------------------------------------------------------- */

/* Only what was sent can be heard: the connection is closed for sending once all is said. */
static void on_all_sent(struct websocket *websocket)
{
	if (websocket->out.capacity > KEEP_OUT_BYTES)
		buf_free(&websocket->out);
	websocket->blocked_ms = 0;
	if (websocket->state == WEBSOCKET_LINGERING && !websocket->shut) {
		websocket->shut = true;
		link_shutdown(websocket->fd, websocket->tls);
	}
}

static void update_interest(struct websocket *websocket)
{
	bool waits = websocket->out.size > 0 ||
		     (websocket->tls != NULL && tls_wants_write(websocket->tls));

	/* Level by level the kernel looks at each connection twice a frame. */
	loop_watch_set(websocket->watch,
		(unsigned)LOOP_READ | (websocket->tls == NULL ? (unsigned)LOOP_EDGE : 0u) |
			(waits ? (unsigned)LOOP_WRITE : 0u));
}

static void on_blocked(struct websocket *websocket)
{
	if (websocket->blocked_ms != 0)
		return;
	websocket->blocked_ms = loop_now_ms(websocket->loop);
	if (websocket->deadline_ms == 0)
		websocket_set_timer(websocket);
}

/* False: it will never take anything any more. */
static bool send_some(struct websocket *websocket)
{
	struct buf *out = &websocket->out;

	while (out->size > 0) {
		ssize_t sent = link_send(websocket->fd, websocket->tls, out->data, out->size);

		if (sent == (ssize_t)out->size)
			buf_clear(out);
		else if (sent >= 0)
			buf_consume(out, (size_t)sent);
		else if (errno == EAGAIN)
			return true;
		else if (errno != EINTR)
			return false;
	}
	return true;
}

static void flush(struct websocket *websocket)
{
	bool said = websocket->out.size > 0;

	if (!send_some(websocket)) {
		lose(websocket, link_words(websocket->tls, errno));
		return;
	}
	if (websocket->out.size > 0)
		on_blocked(websocket);
	else
		on_all_sent(websocket);
	update_interest(websocket);
	if (said && websocket->out.size == 0 && websocket->state == WEBSOCKET_OPEN &&
		websocket->options.handler->drained != NULL)
		websocket->options.handler->drained(websocket->options.context);
}

/* Control frames: there is room beside the messages'. */
void websocket_put(struct websocket *websocket, enum websocket_frame frame, struct str payload)
{
	(void)websocket_frames_put(&websocket->frames, &websocket->out, frame, payload);
	loop_defer(websocket->loop, &websocket->writer);
}

static void put_close(struct websocket *websocket, int code, const char *reason)
{
	(void)websocket_frames_put_close(&websocket->frames, &websocket->out, code, reason);
	loop_defer(websocket->loop, &websocket->writer);
}

/* -- the closing handshake ------------------------------------------------------------------------ */

static void linger(struct websocket *websocket, int code, struct str words)
{
	websocket->state = WEBSOCKET_LINGERING;
	websocket->code = code;
	(void)str_copy(websocket->words, sizeof(websocket->words), words);
	websocket_set_deadline(websocket, LINGER_MS);
	loop_defer(websocket->loop, &websocket->writer);
}

static void on_peer_close(struct websocket *websocket, const struct websocket_event *event)
{
	if (websocket->state == WEBSOCKET_OPEN)
		put_close(websocket, event->code, NULL);
	linger(websocket, event->code, event->payload);
}

static void violated(struct websocket *websocket, int code, const char *what)
{
	char words[sizeof(websocket->words)];

	if (websocket->state == WEBSOCKET_OPEN)
		put_close(websocket, code, what);
	(void)snprintf(words, sizeof(words), "the peer sent %s (%d)", what, code);
	linger(websocket, WEBSOCKET_ABNORMAL, str_from(words));
}

/* -- receiving ------------------------------------------------------------------------------------ */

static ssize_t from_rest(struct websocket *websocket, void *to, size_t room)
{
	struct buf *rest = websocket->rest;
	size_t size = rest->size < room ? rest->size : room;

	if (size > 0)
		memcpy(to, rest->data, size);
	buf_consume(rest, size);
	if (rest->size == 0)
		forget_rest(websocket);
	return (ssize_t)size;
}

static ssize_t on_recv(void *owner, void *to, size_t room)
{
	struct websocket *websocket = owner;
	ssize_t got;

	if (websocket->rest != NULL)
		return from_rest(websocket, to, room);
	if (!websocket->more || websocket->reads_left == 0)
		return 0;
	websocket->reads_left--;
	got = link_recv(websocket->fd, websocket->tls, to, room);
	/* Under TLS a short read is the end of a record, not of what came. */
	websocket->more = got > 0 &&
			  (websocket->tls != NULL || websocket->peer_closed || (size_t)got == room);
	if (got > 0) {
		websocket->heard_ms = loop_now_ms(websocket->loop);
		websocket->pinged = false;
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		websocket->at_end = true;
		websocket->end_errno = got == 0 ? 0 : errno;
	}
	return got;
}

static void take(
	struct websocket *websocket, enum websocket_got got, const struct websocket_event *event)
{
	const struct websocket_options *options = &websocket->options;

	if (got == WEBSOCKET_GOT_WRONG)
		violated(websocket, event->code, event->words);
	else if (event->frame == WEBSOCKET_CLOSE && got == WEBSOCKET_GOT_CONTROL)
		on_peer_close(websocket, event);
	else if (websocket->state != WEBSOCKET_OPEN) /* we are closing: nobody listens any more */
		return;
	else if (got == WEBSOCKET_GOT_MESSAGE)
		options->handler->message(
			options->context, event->frame == WEBSOCKET_BINARY, event->payload);
	else if (event->frame == WEBSOCKET_PING)
		websocket_put(websocket, WEBSOCKET_PONG, event->payload);
}

/* Neither freed nor over, and frames count. */
static bool listens(const struct websocket *websocket)
{
	return !websocket->freed &&
	       (websocket->state == WEBSOCKET_OPEN || websocket->state == WEBSOCKET_CLOSING);
}

/* What comes after a close is thrown away; reading it keeps our own close frame from being lost. */
static void discard(struct websocket *websocket)
{
	char scrap[2048];

	forget_rest(websocket);
	while (websocket->reads_left > 0 && on_recv(websocket, scrap, sizeof(scrap)) > 0)
		continue;
	if (websocket->at_end)
		lose(websocket, NULL);
}

static const char *end_words(const struct websocket *websocket)
{
	return websocket->end_errno == 0 ? "the peer went without a close"
					 : link_words(websocket->tls, websocket->end_errno);
}

static void receive(struct websocket *websocket)
{
	struct websocket_event event = {.code = 0};
	enum websocket_got got = WEBSOCKET_GOT_MESSAGE;

	websocket->more = true;
	websocket->reads_left = READS_A_TURN;
	while (listens(websocket) && got != WEBSOCKET_GOT_NOTHING) {
		got = websocket_frames_next(&websocket->frames, &event);
		if (got != WEBSOCKET_GOT_NOTHING)
			take(websocket, got, &event);
	}
	if (listens(websocket) && websocket->at_end)
		lose(websocket, end_words(websocket));
	else if (!websocket->freed && websocket->state == WEBSOCKET_LINGERING)
		discard(websocket);
	/* The kernel does not tell again what it has told, nor what OpenSSL has taken already. */
	if (!websocket->freed && websocket->fd >= 0 && websocket->more)
		loop_defer(websocket->loop, &websocket->writer);
}

/* -- from the loop -------------------------------------------------------------------------------- */

static void on_ready(void *owner, int fd, unsigned ready)
{
	struct websocket *websocket = owner;

	websocket_enter(websocket);
	websocket->peer_closed = websocket->peer_closed || (ready & LOOP_CLOSED) != 0;
	if (websocket->state == WEBSOCKET_DIALING) {
		websocket_dial_ready(websocket);
	} else {
		if ((ready & LOOP_READ) != 0 || websocket->tls != NULL)
			receive(websocket);
		if ((ready & LOOP_WRITE) != 0 && websocket->fd >= 0)
			flush(websocket);
	}
	websocket_leave(websocket);
}

/* Answers to all that came in this turn; and what was received with the handshake. */
static void on_turn_end(void *owner)
{
	struct websocket *websocket = owner;

	websocket_enter(websocket);
	if (websocket->rest != NULL || websocket->more)
		receive(websocket);
	if (!websocket->freed && websocket->fd >= 0)
		flush(websocket);
	websocket_leave(websocket);
}

/* -- beginning ------------------------------------------------------------------------------------ */

static void fill_defaults(struct websocket_options *options)
{
	if (options->max_message_bytes == 0)
		options->max_message_bytes = MAX_MESSAGE_BYTES;
	if (options->max_output_bytes == 0)
		options->max_output_bytes = MAX_OUTPUT_BYTES;
	if (options->ping_ms == 0)
		options->ping_ms = PING_MS;
	if (options->idle_ms == 0)
		options->idle_ms = IDLE_MS;
}

struct websocket *websocket_new(
	struct loop *loop, const struct websocket_options *options, bool server)
{
	struct websocket *websocket = alloc_zeroed(1, sizeof(*websocket));

	websocket->loop = loop;
	websocket->options = *options;
	fill_defaults(&websocket->options);
	websocket->fd = -1;
	websocket->writer = (struct loop_task){.run = on_turn_end, .owner = websocket};
	websocket_new_timer(websocket);
	buf_init(&websocket->out, websocket->options.max_output_bytes + CONTROL_BYTES);
	websocket_frames_init(&websocket->frames, server, websocket->options.max_message_bytes);
	websocket->frames.recv = on_recv;
	websocket->frames.owner = websocket;
	return websocket;
}

void websocket_watch(struct websocket *websocket)
{
	websocket->watch = loop_watch_new(websocket->loop, websocket->fd, on_ready, websocket);
}

void websocket_begin(struct websocket *websocket, struct buf *rest)
{
	websocket->state = WEBSOCKET_OPEN;
	websocket->rest = rest;
	websocket->heard_ms = loop_now_ms(websocket->loop);
	websocket->deadline_ms = 0;
	websocket_set_timer(websocket);
	if (websocket->watch == NULL)
		websocket_watch(websocket);
	update_interest(websocket);
	if (rest != NULL)
		loop_defer(websocket->loop, &websocket->writer);
}

/* -- for its owner -------------------------------------------------------------------------------- */

bool websocket_send(struct websocket *websocket, bool binary, struct str payload)
{
	size_t max_bytes = websocket->options.max_output_bytes;

	if (websocket->state != WEBSOCKET_OPEN || websocket->freed ||
		websocket->out.size > max_bytes ||
		payload.size + WEBSOCKET_HEADER_MAX > max_bytes - websocket->out.size ||
		!websocket_frames_put(&websocket->frames, &websocket->out,
			binary ? WEBSOCKET_BINARY : WEBSOCKET_TEXT, payload))
		return false;
	loop_defer(websocket->loop, &websocket->writer);
	return true;
}

size_t websocket_unsent_bytes(const struct websocket *websocket)
{
	return websocket->out.size;
}

void websocket_close(struct websocket *websocket, int code, const char *reason)
{
	if (websocket->state == WEBSOCKET_OPEN) {
		websocket->state = WEBSOCKET_CLOSING;
		put_close(websocket, code, reason);
		websocket_set_deadline(websocket, CLOSE_MS);
	} else if (websocket->state == WEBSOCKET_DIALING) {
		websocket_dial_free(&websocket->dial);
		websocket_drop_socket(websocket);
		linger(websocket, WEBSOCKET_ABNORMAL, STR("closed before it was open"));
		websocket_set_deadline(websocket, 0);
	}
}
