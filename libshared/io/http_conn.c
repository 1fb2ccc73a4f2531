/*
 * http_conn: the life of one connection, from accept to close.
 *
 * A request is answered before the next is looked at: a client that sends faster than it is
 * answered fills its own buffer, then its own socket. Whatever closes a connection goes through
 * http_conn_lose(); its memory goes at the end of the turn, so nobody is left without ground.
 */
#include "http_conn_private.h"

#include "alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_BYTES = 2048,
	READS_A_TURN = 4, /* then the others get their turn */
	LINGER_MS = 2000,
	KEEP_IN_BYTES = 16 << 10, /* buffers that grew beyond are given back between requests */
	KEEP_OUT_BYTES = 64 << 10,
};

#define NEVER_MS INT64_MAX

/* -- time ------------------------------------------------------------------------------------------- */

/* Putting off is free: the alarm fires at its old time and is then set to the new one. */
static void set_due(struct http_conn *conn, int64_t delay_ms)
{
	struct loop *loop = conn->server->loop;

	conn->due_ms = loop_now_ms(loop) + delay_ms;
	if (conn->alarm.place == 0 || conn->alarm.at_ms > conn->due_ms + 1)
		loop_alarm_set(loop, &conn->alarm, delay_ms);
}

static void refuse(struct http_conn *conn, int status, struct str detail);

static int64_t receive_timeout_ms(const struct http_conn *conn)
{
	const struct http_server_options *options = &conn->server->options;

	return conn->spools ? options->spool_timeout_ms : options->request_timeout_ms;
}

static void on_alarm(void *owner)
{
	struct http_conn *conn = owner;
	int64_t now_ms = loop_now_ms(conn->server->loop);
	char detail[64];

	if (conn->due_ms == NEVER_MS)
		return;
	if (now_ms < conn->due_ms) {
		loop_alarm_set(conn->server->loop, &conn->alarm, conn->due_ms - now_ms);
		return;
	}
	if (conn->state != HTTP_RECEIVING) {
		http_conn_lose(conn);
		return;
	}
	snprintf(detail, sizeof(detail), "request: took longer than %lld ms",
		(long long)receive_timeout_ms(conn));
	refuse(conn, 408, str_from(detail));
}

/* -- end -------------------------------------------------------------------------------------------- */

static void bury(struct http_conn *conn)
{
	struct http_server *server = conn->server;

	if (conn->link == NULL)
		return;
	*conn->link = conn->next;
	if (conn->next != NULL)
		conn->next->link = conn->link;
	conn->link = NULL;
	conn->next = server->buried;
	server->buried = conn;
	loop_defer(server->loop, &server->reaper);
}

int http_conn_detach(struct http_conn *conn)
{
	int fd = conn->fd;

	loop_watch_free(&conn->watch);
	loop_alarm_stop(conn->server->loop, &conn->alarm);
	loop_undefer(conn->server->loop, &conn->again);
	conn->fd = -1;
	conn->state = HTTP_CLOSED;
	return fd;
}

static void close_socket(struct http_conn *conn)
{
	tls_free(&conn->tls);
	close(http_conn_detach(conn));
	conn->server->open_count--;
	metric_set(conn->server->connections, conn->server->open_count);
}

void http_conn_lose(struct http_conn *conn)
{
	if (conn->fd < 0)
		return;
	close_socket(conn);
	if (conn->flow == NULL)
		bury(conn);
	else if (conn->streaming || (!conn->replied && (conn->route->flags & ROUTE_DETACHED) == 0))
		flow_cancel(conn->flow);
}

void http_conn_free(struct http_conn *conn)
{
	http_spool_end(conn);
	http_parse_free(&conn->parse);
	buf_free(&conn->out);
	buf_free(&conn->extra);
	free(conn);
}

/* Closing over bytes that were not read would take back the answer that is still on its way. */
static void close_politely(struct http_conn *conn)
{
	const struct http_parse *parse = &conn->parse;

	if (parse->done && parse->parsed == parse->in.size) {
		http_conn_lose(conn);
		return;
	}
	link_shutdown(conn->fd, conn->tls);
	conn->state = HTTP_LINGERING;
	buf_clear(&conn->parse.in);
	set_due(conn, LINGER_MS);
}

/* -- sending ---------------------------------------------------------------------------------------- */

static void update_interest(struct http_conn *conn)
{
	const struct buf *in = &conn->parse.in;
	bool room = conn->state != HTTP_ANSWERING || in->size + 1 < in->capacity;
	bool writes = conn->out.size > 0 || (conn->tls != NULL && tls_wants_write(conn->tls));

	if (conn->fd < 0)
		return;
	loop_watch_set(conn->watch,
		(room ? (unsigned)LOOP_READ : 0u) | (writes ? (unsigned)LOOP_WRITE : 0u));
	if (room && conn->tls != NULL && tls_has_more(conn->tls))
		loop_defer(conn->server->loop, &conn->again);
}

/* False: the connection is lost. */
static bool send_some(struct http_conn *conn)
{
	while (conn->sent < conn->out.size) {
		ssize_t sent = link_send(conn->fd, conn->tls, conn->out.data + conn->sent,
			conn->out.size - conn->sent);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		conn->sent += (size_t)sent;
	}
	return true;
}

void http_conn_flush(struct http_conn *conn)
{
	if (conn->fd < 0)
		return;
	if (!send_some(conn)) {
		http_conn_lose(conn);
		return;
	}
	if (conn->sent < conn->out.size) {
		set_due(conn, conn->server->options.write_timeout_ms);
	} else {
		conn->sent = 0;
		buf_clear(&conn->out);
		if (conn->state == HTTP_ANSWERING)
			conn->due_ms = NEVER_MS;
	}
	update_interest(conn);
}

/* -- from request to request ------------------------------------------------------------------------ */

static void become_idle(struct http_conn *conn)
{
	http_spool_end(conn);
	http_parse_next(&conn->parse);
	if (conn->parse.in.size == 0 && conn->parse.in.capacity > KEEP_IN_BYTES)
		buf_free(&conn->parse.in);
	if (conn->out.capacity > KEEP_OUT_BYTES)
		buf_free(&conn->out);
	conn->state = HTTP_IDLE;
	set_due(conn, conn->server->options.idle_timeout_ms);
}

/* True when the exchange is over and the connection is free for the next. */
static bool finish_exchange(struct http_conn *conn)
{
	if (conn->state != HTTP_ANSWERING || conn->flow != NULL || conn->out.size > 0)
		return false;
	if (conn->close_after) {
		close_politely(conn);
		return false;
	}
	become_idle(conn);
	return true;
}

static void wait_for_more(struct http_conn *conn)
{
	if (conn->parse.in.size > 0 && conn->state == HTTP_IDLE) {
		conn->state = HTTP_RECEIVING;
		set_due(conn, receive_timeout_ms(conn));
	}
	if (!conn->parse.wants_continue)
		return;
	conn->parse.wants_continue = false;
	buf_add(&conn->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	http_conn_flush(conn);
}

/* Not a request: say why, and close. */
static void refuse(struct http_conn *conn, int status, struct str detail)
{
	conn->state = HTTP_ANSWERING;
	conn->replied = false;
	conn->close_after = true;
	conn->cors = false;
	conn->head_only = false;
	conn->extra_count = 0;
	buf_clear(&conn->extra);
	conn->started_us = 0;
	conn->note = NULL;
	conn->trace[0] = '\0';
	conn->request = (struct http_request){.peer = conn->peer, .trace = conn->trace};
	http_answer_detail(conn, status, detail);
	finish_exchange(conn);
	update_interest(conn);
}

/* Requests that need no flow (404 and the like) are answered one after the other right here. */
static void advance(struct http_conn *conn)
{
	while (conn->state == HTTP_IDLE || conn->state == HTTP_RECEIVING) {
		switch (http_parse_run(&conn->parse)) {
		case HTTP_PARSE_MORE:
			wait_for_more(conn);
			return;
		case HTTP_PARSE_BAD:
			refuse(conn, conn->parse.status, str_from(conn->parse.detail));
			return;
		case HTTP_PARSE_DONE:
			conn->due_ms = NEVER_MS;
			conn->state = HTTP_ANSWERING;
			http_exchange_begin(conn);
			finish_exchange(conn);
			break;
		}
	}
}

void http_conn_settle(struct http_conn *conn)
{
	if (conn->state == HTTP_CLOSED && conn->flow == NULL)
		bury(conn);
	if (finish_exchange(conn))
		advance(conn);
	update_interest(conn);
}

/* -- receiving -------------------------------------------------------------------------------------- */

/* While an answer is under way the request lies in the buffer, which then must not move: only what
 * is left of it is used. */
static char *room_in(struct http_conn *conn, size_t *room)
{
	struct buf *in = &conn->parse.in;

	if (conn->state != HTTP_ANSWERING)
		buf_reserve(in, READ_BYTES);
	*room = in->capacity > in->size + 1 ? in->capacity - in->size - 1 : 0;
	return in->data + in->size;
}

/* False: enough for this turn. */
static bool receive_some(struct http_conn *conn)
{
	size_t room;
	char *to = room_in(conn, &room);
	ssize_t got = room > 0 ? link_recv(conn->fd, conn->tls, to, room) : -1;

	if (room == 0 || (got < 0 && errno == EAGAIN))
		return false;
	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0) {
		http_conn_lose(conn);
		return false;
	}
	if (conn->state == HTTP_LINGERING)
		return true;
	buf_grew(&conn->parse.in, (size_t)got);
	advance(conn);
	return (size_t)got == room && conn->fd >= 0;
}

static void on_ready(void *owner, int fd, unsigned ready)
{
	struct http_conn *conn = owner;

	if ((ready & LOOP_WRITE) != 0) {
		http_conn_flush(conn);
		if (conn->out.size == 0) {
			http_stream_taken(conn);
			http_conn_settle(conn);
		}
	}
	if ((ready & LOOP_READ) == 0 || conn->fd < 0)
		return;
	for (int i = 0; i < READS_A_TURN && receive_some(conn); i++)
		continue;
	update_interest(conn);
}

static void on_again(void *owner)
{
	struct http_conn *conn = owner;

	on_ready(conn, conn->fd, LOOP_READ);
}

void http_conn_new(struct http_server *server, int fd, const char *peer)
{
	struct http_conn *conn = alloc_zeroed(1, sizeof(*conn));

	conn->server = server;
	conn->fd = fd;
	str_copy(conn->peer, sizeof(conn->peer), str_from(peer));
	http_parse_init(
		&conn->parse, server->options.max_header_bytes, server->options.max_body_bytes);
	conn->parse.on_head = http_spool_begin;
	conn->parse.owner = conn;
	buf_init(&conn->out, HTTP_OUT_MAX_BYTES);
	buf_init(&conn->extra, HTTP_EXTRA_MAX_BYTES);
	conn->next = server->conns;
	if (conn->next != NULL)
		conn->next->link = &conn->next;
	conn->link = &server->conns;
	server->conns = conn;
	metric_set(server->connections, ++server->open_count);
	conn->alarm = (struct loop_alarm){.fire = on_alarm, .owner = conn};
	conn->again = (struct loop_task){.run = on_again, .owner = conn};
	if (server->tls != NULL)
		conn->tls = tls_new(server->tls, fd, NULL);
	/* Shaking hands for TLS is part of a request. */
	set_due(conn, server->tls != NULL ? server->options.request_timeout_ms
					  : server->options.idle_timeout_ms);
	conn->watch = loop_watch_new(server->loop, fd, on_ready, conn);
	update_interest(conn);
}
