/*
 * http_client: requests to the outside world, for flows. The only user of libcurl.
 *
 * It never repeats a request by itself, also not on a kept-alive connection that the server closed
 * (libcurl would): whether to try again is the caller's business, and for that the result says how
 * far the request came.
 */
#ifndef CALLWEAVE_HTTP_CLIENT_H
#define CALLWEAVE_HTTP_CLIENT_H

#include "flow.h"

struct http_client;

struct http_client_options {
	unsigned max_connections;	   /* 0: 256 */
	unsigned max_connections_per_host; /* 0: 64 */
	const char *user_agent;
};

struct http_client *http_client_new(struct loop *loop, const struct http_client_options *options);
void http_client_free(struct http_client **client);

#define HTTP_MAX_HEADERS 8

struct http_call {
	const char *method;	  /* "POST" */
	const char *url;	  /* http or https; never logged (it may hold a bot's token) */
	const char *content_type; /* NULL: none */
	struct str body;
	const char *headers[HTTP_MAX_HEADERS][2]; /* name, value; NULL name ends */
	int64_t timeout_ms;			  /* whole call; 0: 10 s */
	size_t max_answer_bytes; /* 0: 1 MiB; a longer answer fails with ERROR_UPSTREAM */
};

enum http_reach {
	HTTP_NOT_SENT, /* no connection: the server has not seen it, it may be sent again */
	HTTP_UNKNOWN,  /* sent, or part of it, but no whole answer: the server may have acted */
	HTTP_ANSWERED, /* status and body are there */
};

struct http_answer {
	enum http_reach reach;
	int status;
	struct str body;	/* in the flow's arena */
	int64_t retry_after_ms; /* of a Retry-After header in seconds; -1 when there is none */
	int64_t took_ms;
	struct error error; /* when not answered: without the URL */
};

/* `answer` lives in the flow's state or arena and is filled when the flow goes on. Everything that
 * `call` points to must live until then. */
enum flow_status await_http(struct flow *flow, struct http_client *client,
	const struct http_call *call, struct http_answer *answer);

#endif
