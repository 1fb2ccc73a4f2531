/*
 * http_client: requests to the outside world, for flows. The only user of libcurl.
 *
 * It never repeats a request by itself, also not on a kept-alive connection that the server closed
 * (libcurl would): whether to try again is the caller's business, and for that the result says how
 * far the request came. No redirects, cookies or proxies; TLS certificates are checked.
 */
#ifndef CALLWEAVE_HTTP_CLIENT_H
#define CALLWEAVE_HTTP_CLIENT_H

#include "address.h"
#include "flow.h"

struct http_client;

struct http_client_options {
	unsigned max_connections;	   /* 0: 256 */
	unsigned max_connections_per_host; /* 0: 64 */
	const char *user_agent;
	/* HTTP/2 where the server offers it over TLS. Off by default: when a server retires an
	 * HTTP/2 connection (nginx does after 1000 requests), requests that cross its GOAWAY have an
	 * unknown outcome; in HTTP/1.1 it says so in its last answer. */
	bool allow_http2;
	/* For targets that a tenant chose: connect to public addresses only, and to these. It is asked
	 * at each connection, of the address that is really used. Borrowed; may be NULL. */
	bool deny_private;
	const struct address_list *allowed;
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
	int64_t head_timeout_ms; /* of a feed: until its head; 0: as long as the whole */
	size_t max_answer_bytes; /* 0: 256 KiB; longer: ERROR_UPSTREAM. Must fit the flow's arena,
				  * but of a feed */
	bool gzip;	   /* ask for a packed answer; it is unpacked, and its limit is of that */
	bool want_headers; /* fill answer->headers */
};

#define HTTP_MAX_ANSWER_HEADERS 32

struct http_answer_header {
	struct str name, value;
};

enum http_reach {
	HTTP_NOT_SENT, /* no connection: the server has not seen it, it may be sent again */
	HTTP_UNKNOWN,  /* begun to be sent, but no whole answer: the server may have acted */
	HTTP_ANSWERED, /* status and body are there */
};

struct http_answer {
	enum http_reach reach;
	int status;		/* also when only the body is missing; 0: not even a head came */
	struct str body;	/* in the flow's arena */
	int64_t retry_after_ms; /* of a Retry-After header in seconds; -1 when there is none */
	int64_t took_ms;
	struct error
		error; /* when not answered: without the URL; ERROR_INPUT: it can never be sent */
	/* With want_headers, in the flow's arena; the first ones, at most 16 KiB. */
	struct http_answer_header *headers;
	unsigned header_count;
};

/* `answer` lives in the flow's state or arena and is filled when the flow goes on. Everything that
 * `call` points to must live until then. */
enum flow_status await_http(struct flow *flow, struct http_client *client,
	const struct http_call *call, struct http_answer *answer);

/* -- answers that come piece by piece (Server-Sent Events, audio) --------------------------------- */

/* The flow's own, freed in its `finally` (or before: the connection is then closed in mid-answer). At
 * most 64 KiB wait to be taken, then the server has to: so does its timeout_ms, which counts on. */
struct http_feed;

/* Goes on when the head of the answer is there, whatever its status, or there is none (answer->reach). */
enum flow_status await_http_begin(struct flow *flow, struct http_client *client,
	const struct http_call *call, struct http_answer *answer, struct http_feed **feed);
/* Goes on with the next bytes, at the end, or when it broke off: within `timeout_ms`, else it is broken
 * off. What the piece before held is gone. A NULL feed is over. */
enum flow_status await_http_piece(struct flow *flow, struct http_feed *feed, int64_t timeout_ms);
/* The same bytes until the next piece is asked for; the slice is valid until the flow waits. */
struct str http_feed_piece(struct http_feed *feed);
/* Nothing more comes. answer->reach is HTTP_ANSWERED when it is whole, else answer->error has words. */
bool http_feed_over(const struct http_feed *feed);
void http_feed_free(struct http_feed **feed);

#endif
