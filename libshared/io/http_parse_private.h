/*
 * http_parse: bytes in, a request out. No sockets, no clock: it can be fed any way, and fuzzed.
 *
 * The bytes stay where they arrived; what was found is kept as offsets, because the buffer may move
 * while it grows. A chunked body is closed up in place, so that it is contiguous like any other.
 */
#ifndef CALLWEAVE_HTTP_PARSE_PRIVATE_H
#define CALLWEAVE_HTTP_PARSE_PRIVATE_H

#include "buf.h"

#include <http_parser.h>

enum { HTTP_HEADERS_MAX = 64 };

struct http_span {
	uint32_t at, size;
};

struct http_header {
	struct http_span name, value;
};

enum http_parse_result { HTTP_PARSE_MORE, HTTP_PARSE_DONE, HTTP_PARSE_BAD };

struct http_parse {
	struct buf in; /* append here, then call http_parse_run() */
	size_t max_header_bytes, max_body_bytes;
	/* Asked once the head is there, before its length is judged; false: status and detail are
	 * set. It may raise body_limit and give a file for the body. NULL: nobody asks. */
	bool (*on_head)(struct http_parse *parse);
	void *owner;

	size_t parsed;	  /* bytes of `in` that the parser has seen */
	size_t head_size; /* with the empty line; 0: it is not complete yet */
	struct http_span target, body;
	struct http_header headers[HTTP_HEADERS_MAX];
	unsigned header_count;
	bool keep_alive;
	bool wants_continue; /* the body is held back until "100 Continue" */
	bool done;
	uint64_t body_limit;
	int spool_fd; /* the body goes there and not into `in`; -1. Closed with the request */
	uint64_t spooled_bytes;

	int status;	  /* HTTP_PARSE_BAD: how to answer */
	char detail[128]; /* and in which words */

	struct http_parser parser;
	bool in_value, too_many; /* where the parser's callbacks are */
};

void http_parse_init(struct http_parse *parse, size_t max_header_bytes, size_t max_body_bytes);
void http_parse_free(struct http_parse *parse);

/* Look at what was appended. Behind HTTP_PARSE_DONE the request is there until http_parse_next(),
 * behind HTTP_PARSE_BAD the connection is of no more use. */
enum http_parse_result http_parse_run(struct http_parse *parse);

/* Forget the request; what was sent behind it (pipelined) moves to the front of the buffer. */
void http_parse_next(struct http_parse *parse);

/* Valid until `in` changes. Names in any case; the first of that name, empty when absent. */
struct str http_parse_header(const struct http_parse *parse, const char *name);
/* The next of that name, from *place (0 at first), which moves on. False: no more. */
bool http_parse_header_next(
	const struct http_parse *parse, const char *name, unsigned *place, struct str *value);
struct str http_parse_str(const struct http_parse *parse, struct http_span span);
struct str http_parse_method(const struct http_parse *parse);
bool http_parse_is_1_0(const struct http_parse *parse);

/* -- http_head.c: what http_parser lets pass and a server must not -------------------------------- */

/* False when the head is to be refused: status and detail are set. */
bool http_head_check(struct http_parse *parse);
bool http_head_check_length(struct http_parse *parse); /* against body_limit */
bool http_parse_refuse(struct http_parse *parse, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
