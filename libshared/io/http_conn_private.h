/*
 * http_conn_private: one connection of the server, and the exchange that is under way on it.
 */
#ifndef CALLWEAVE_HTTP_CONN_PRIVATE_H
#define CALLWEAVE_HTTP_CONN_PRIVATE_H

#include "http_private.h"

enum http_conn_state {
	HTTP_IDLE,	/* nothing of a next request has come */
	HTTP_RECEIVING, /* some of it has */
	HTTP_ANSWERING, /* from the whole request until the whole answer is taken and the flow ended */
	HTTP_LINGERING, /* all is said; what the client still sends is thrown away */
	HTTP_CLOSED,	/* the descriptor is gone; a detached flow may still be under way */
};

struct http_conn {
	struct http_server *server;
	struct http_conn *next, **link;
	int fd;
	struct tls *tls;	/* NULL: without */
	struct loop_task again; /* to read what TLS has taken from the kernel already */
	struct loop_watch *watch;
	struct loop_alarm alarm;
	int64_t due_ms; /* what the alarm is for; it may be set earlier than that */
	char peer[INET6_ADDRSTRLEN];
	enum http_conn_state state;
	struct http_parse parse;
	struct buf out; /* empty once all of it is taken */
	size_t sent;	/* how much of `out` the client took so far */

	/* the exchange */
	struct flow *flow; /* NULL: answered without one, or ended */
	const struct http_route *route;
	struct http_request request;
	char trace[HTTP_TRACE_BYTES];
	char plain_path[HTTP_PLAIN_PATH_BYTES]; /* with loose_slashes */
	struct str routed;			/* the path by which its route was found */
	void *note;
	struct buf extra; /* further headers of the answer */
	unsigned extra_count;
	int64_t started_us;
	bool replied;
	bool close_after;
	bool cors;
	bool head_only;
	bool streaming;
	bool chunked;
	bool spools;	   /* counted in the server */
	bool stream_waits; /* stream_op: a flow waits until `out` is taken */
	struct flow_op stream_op;
};

void http_conn_new(struct http_server *server, int fd, const char *peer);
/* Send what can be sent; what is left waits for the client. */
void http_conn_flush(struct http_conn *conn);
/* The flow ended, or the answer was taken: go on when both are true. */
void http_conn_settle(struct http_conn *conn);
/* Close without a word. Its flow is cancelled unless it has replied, or is detached. */
void http_conn_lose(struct http_conn *conn);
/* Give the socket away, which still counts as open; the connection goes with its flow. */
int http_conn_detach(struct http_conn *conn);
void http_conn_free(struct http_conn *conn);

#endif
