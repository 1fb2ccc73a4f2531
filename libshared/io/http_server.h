/*
 * http_server: HTTP/1.1 on a listening socket; every request starts a flow.
 *
 * A lean server on raw sockets and Debian's http_parser (ADR 0003): keep-alive, pipelined requests
 * are answered in order, chunked request bodies, Expect: 100-continue. Limits: connections, header
 * bytes, body bytes, time for a request to arrive, idle time, time for an answer to be taken.
 * Going over one is answered (400 408 413 431 503) where the client still listens, and closed.
 *
 * When a client goes away its flow is cancelled, unless the route says ROUTE_DETACHED. One that
 * closes its sending side counts as gone.
 */
#ifndef CALLWEAVE_HTTP_SERVER_H
#define CALLWEAVE_HTTP_SERVER_H

#include "buf.h"
#include "flow.h"
#include "metrics.h"

struct http_server;

struct http_route {
	const char *method; /* "GET"; GET also serves HEAD. NULL ends the table */
	const char *path;   /* "/dial", or with a tail: "/call/" + "*" matches all that begins so */
	const struct flow_spec *flow;
	unsigned flags;
};
enum {
	ROUTE_DETACHED = 1, /* a lost client does not cancel the flow; its reply is dropped */
	ROUTE_CORS = 2,	    /* any origin may call it; OPTIONS is answered for it */
	ROUTE_SPOOL = 4,    /* its body may be large: it comes as a file, see body_fd */
	ROUTE_UPGRADE = 8,  /* a GET that may take the connection over, see http_upgrade.h */
};

struct http_request;

/* One exchange, for those who keep a record of all: also of what was refused before it had a flow, of
 * which method and path are empty. Borrowed. */
struct http_seen {
	const struct http_request *request;
	int status;
	struct str answer; /* its body; empty: none, or a stream's */
	int64_t took_us;
	void *note; /* of http_note(); NULL */
};

struct http_server_options {
	const char *host;	    /* numeric address */
	int port;		    /* 0: any free one, see http_server_port() */
	int listen_fd;		    /* > 0: an inherited listening socket is used instead */
	unsigned max_connections;   /* 0: 4096 */
	size_t max_header_bytes;    /* 0: 16 KiB */
	size_t max_body_bytes;	    /* 0: 64 KiB */
	int64_t request_timeout_ms; /* from its first byte to its last; 0: 10 s */
	int64_t idle_timeout_ms;    /* keep-alive without a request; 0: 75 s */
	int64_t write_timeout_ms;   /* a client that does not read its answer; 0: 30 s */
	const char *tls_cert_file;  /* TLS with this chain and key (PEM); NULL: without */
	const char *tls_key_file;
	const char *spool_folder; /* for bodies of ROUTE_SPOOL; NULL: /var/tmp */
	uint64_t max_spool_bytes; /* of one such body; 0: 256 MiB */
	unsigned max_spools;	  /* at the same time; 0: 4, more are told to come back (503) */
	int64_t spool_timeout_ms; /* until such a body is there; 0: 10 min */
	const struct http_route *routes;
	const struct http_route *more_routes; /* a second table (the skeleton's), may be NULL */
	void *context;			      /* becomes flow_context() of every request */
	void *more_context;		      /* the same for more_routes */
	struct log_context log;
	struct metrics *metrics; /* may be NULL: callweave_http_requests_total{status="2xx"} ... */
	/* "//a//b/" finds the route "/a/b" (http_request's path stays as it came). */
	bool loose_slashes;
	bool show_trace; /* each answer says X-Request-Id */
	void (*seen)(void *context, const struct http_seen *seen); /* at each answer; may be NULL */
};

/* NULL with words when the address is taken ("port 8000 is already in use") or not allowed. */
struct http_server *http_server_new(
	struct loop *loop, const struct http_server_options *options, struct error *error);
/* Read the certificate and its key again, for connections from now on. False with words: the old ones
 * stay. Without TLS: true. */
bool http_server_read_tls(struct http_server *server, struct error *error);
int http_server_port(const struct http_server *server);

/* Stop taking connections; answer what is under way with Connection: close. Streams end: their flows
 * are cancelled. */
void http_server_drain(struct http_server *server);
unsigned http_server_busy(const struct http_server *server); /* requests under way */
void http_server_free(struct http_server **server);	     /* closes and cancels what is left */

/* -- inside a request's flow --------------------------------------------------------------------- */

struct http_request {
	struct str method;
	struct str path;  /* as sent, without the query; not decoded */
	struct str tail;  /* what the route's * matched */
	struct str query; /* without the ? */
	struct str body;
	int body_fd; /* ROUTE_SPOOL: the body as an unnamed file, closed with the flow; else -1 */
	uint64_t body_bytes; /* of it */
	const char *peer;    /* numeric address of the client */
	const char *trace; /* of traceparent (W3C) or X-Request-Id when well-formed, else made up */
};

/* Valid until the flow ends. */
const struct http_request *http_request(struct flow *flow);
/* Value of a request header, name in any case; empty when absent. */
struct str http_request_header(struct flow *flow, const char *name);
/* The same for headers that may come several times: from *place, 0 at first. False: no more. */
bool http_request_header_next(
	struct flow *flow, const char *name, unsigned *place, struct str *value);

/* The answer: exactly once a flow, FLOW_END afterwards (`return http_reply(...)`). A flow that
 * ends without one is answered by its error's status: {"detail": "<text>"}. */
enum flow_status http_reply(
	struct flow *flow, int status, const char *content_type, struct str body);
enum flow_status http_reply_json(struct flow *flow, int status, const struct buf *json);
enum flow_status http_reply_detail(struct flow *flow, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Instead of a reply: close the connection without a word, as a broken network would (the sandbox's
 * faults). */
enum flow_status http_drop(struct flow *flow);
/* Before the reply: an extra header, copied. Names and values are the caller's own constants or
 * checked text (no CR LF). At most 8. */
void http_reply_header(struct flow *flow, const char *name, const char *value);

/* What the options' `seen` is to know of this request; lives as long as the flow. */
void http_note(struct flow *flow, void *note);

/* A file without a name in `folder`, gone when it is closed; -1 with words. */
int http_unnamed_file(const char *folder, struct error *error);

/* An answer of unknown length (Server-Sent Events): headers now, then pieces; ends with the flow.
 * await_http_stream waits until the client has taken what was sent, so memory stays bounded. */
void http_stream_begin(struct flow *flow, const char *content_type);
enum flow_status await_http_stream(struct flow *flow, struct str piece);

#endif
