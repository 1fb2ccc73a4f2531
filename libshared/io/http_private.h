/*
 * http_private: the server and its connections, as the http_*.c files share them.
 *
 * http_listen.c accepts, http_conn.c owns a connection's life, http_exchange.c turns a request into
 * a flow, http_reply.c and http_stream.c write the answer, http_route.c finds whose it is,
 * http_upgrade.c gives the connection away.
 */
#ifndef CALLWEAVE_HTTP_PRIVATE_H
#define CALLWEAVE_HTTP_PRIVATE_H

#include "http_parse_private.h"
#include "http_server.h"
#include "loop_private.h"
#include "tls.h"

#include <netinet/in.h>

struct http_conn;

enum {
	HTTP_OUT_MAX_BYTES = 16 << 20,
	HTTP_EXTRA_MAX_BYTES = 8 << 10,
	HTTP_EXTRA_HEADERS_MAX = 8,
	HTTP_TRACE_BYTES = 65,
	HTTP_DATE_BYTES = 40,
	HTTP_PLAIN_PATH_BYTES = 256, /* longer paths are taken as they are */
};

/* -- http_route.c --------------------------------------------------------------------------------- */

struct http_routes;
struct http_match {
	const struct http_route *route; /* NULL: none for this method */
	void *context;
	struct str tail;
	bool path_known;
	bool cors;
};
struct http_routes *http_routes_new(const struct http_server_options *options);
/* Without doubled slashes and a last one; `room` holds the copy when there is one. */
struct str http_plain_path(struct str path, char room[HTTP_PLAIN_PATH_BYTES]);
void http_routes_free(struct http_routes **routes);
void http_routes_find(const struct http_routes *routes, struct str method, struct str path,
	struct http_match *match);
/* Append "GET, HEAD, POST": what the path may be asked with. */
void http_routes_methods(const struct http_routes *routes, struct str path, struct buf *to);

/* -- the server ------------------------------------------------------------------------------------ */

struct http_server {
	struct loop *loop;
	struct http_server_options options; /* with the defaults filled in */
	struct http_routes *routes;
	int listen_fd; /* -1: it takes no more connections */
	struct loop_watch *listen_watch;
	struct loop_timer *accept_pause;
	int64_t told_ms;	 /* when it was last said that descriptors ran out */
	struct tls_context *tls; /* NULL: without */
	bool draining;
	bool freed;	   /* and still here: connections that were handed over count in it */
	unsigned upgraded; /* of them; they are in open_count, too */
	unsigned spools;   /* requests whose body is a file */

	struct http_conn *conns;
	unsigned open_count;
	struct http_conn *buried; /* closed, freed by the task at the end of the turn */
	struct loop_task reaper;

	char date[HTTP_DATE_BYTES]; /* "Sat, 21 Nov 2026 12:00:00 GMT" */
	int64_t date_until_ms;
	uint64_t trace_prefix, trace_count;

	struct metric *answered[6]; /* by hundreds of the status */
	struct metric *seconds;
	struct metric *connections;
	struct metric *refused;
};

/* -- http_listen.c --------------------------------------------------------------------------------- */

int http_listen(const char *host, int port, struct error *error); /* -1 with words */
void http_listen_start(struct http_server *server);
void http_listen_stop(struct http_server *server);

/* -- http_exchange.c -------------------------------------------------------------------------------- */

void http_exchange_begin(struct http_conn *conn);
struct http_conn *http_exchange_of(const struct flow *flow);
void http_split_target(struct str target, struct http_request *request);

/* -- http_spool.c ----------------------------------------------------------------------------------- */
bool http_spool_begin(struct http_parse *parse); /* parse.on_head */
void http_spool_end(struct http_conn *conn);

/* -- http_reply.c ----------------------------------------------------------------------------------- */

void http_answer(struct http_conn *conn, int status, const char *content_type, struct str body);
void http_answer_detail(struct http_conn *conn, int status, struct str detail);
/* Status line and headers for an answer of that length; HTTP_LENGTH_UNKNOWN: of a stream. */
#define HTTP_LENGTH_UNKNOWN SIZE_MAX
void http_answer_head(struct http_conn *conn, int status, const char *content_type, size_t length);
void http_answer_header(struct http_conn *conn, struct str name, struct str value);

/* -- http_stream.c ---------------------------------------------------------------------------------- */

void http_stream_taken(struct http_conn *conn);
void http_stream_end(struct http_conn *conn);

#endif
