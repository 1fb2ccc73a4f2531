/*
 * http_parse: http_parser over one growing buffer, stopped at the end of the head and of the message.
 *
 * The stop behind the head is where all checks are made, before a byte of the body counts. The stop
 * behind the message leaves pipelined bytes alone until the request is answered.
 */
#include "http_parse_private.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* More than any read(2) adds at once to a head and a body that are both as long as they may be. */
enum { SLACK_BYTES = 16 * 1024 };

static size_t offset_of(const struct http_parse *parse, const char *at)
{
	return (size_t)(at - parse->in.data);
}

/* The parser may report one text in several pieces; they are neighbours in the buffer. */
static void extend(struct http_span *span, size_t at, size_t size)
{
	if (span->size == 0)
		span->at = at;
	span->size = at + size - span->at;
}

static int on_url(http_parser *parser, const char *at, size_t size)
{
	struct http_parse *parse = parser->data;

	extend(&parse->target, offset_of(parse, at), size);
	return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t size)
{
	struct http_parse *parse = parser->data;

	if (parse->head_size > 0) /* a trailer behind a chunked body: nobody asks for it */
		return 0;
	if (parse->in_value || parse->header_count == 0) {
		parse->too_many = parse->header_count == HTTP_HEADERS_MAX;
		if (parse->too_many)
			return -1;
		parse->headers[parse->header_count++] = (struct http_header){0};
		parse->in_value = false;
	}
	extend(&parse->headers[parse->header_count - 1].name, offset_of(parse, at), size);
	return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t size)
{
	struct http_parse *parse = parser->data;

	if (parse->head_size > 0)
		return 0;
	parse->in_value = true;
	extend(&parse->headers[parse->header_count - 1].value, offset_of(parse, at), size);
	return 0;
}

static int on_headers_complete(http_parser *parser)
{
	http_parser_pause(parser, 1);
	return 0;
}

/* The page cache takes it: a write to a file of ours does not wait for a disk. */
static int spool(struct http_parse *parse, const char *at, size_t size)
{
	if (size > parse->body_limit - parse->spooled_bytes)
		return -1;
	parse->spooled_bytes += size;
	while (size > 0) {
		ssize_t written = write(parse->spool_fd, at, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			http_parse_refuse(
				parse, 507, "body: no room to keep it: %s", strerror(errno));
			return -1;
		}
		at += written;
		size -= (size_t)written;
	}
	return 0;
}

/* -1 ends the parse: the body is too long. */
static int on_body(http_parser *parser, const char *at, size_t size)
{
	struct http_parse *parse = parser->data;
	char *to = parse->in.data + parse->body.at + parse->body.size;

	if (parse->spool_fd >= 0)
		return spool(parse, at, size);
	if (size > parse->body_limit - parse->body.size)
		return -1;
	if (to != at)
		memmove(to, at, size);
	parse->body.size += size;
	return 0;
}

static int on_message_complete(http_parser *parser)
{
	struct http_parse *parse = parser->data;

	parse->done = true;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

static void reset(struct http_parse *parse)
{
	http_parser_init(&parse->parser, HTTP_REQUEST);
	parse->parser.data = parse;
	parse->parsed = 0;
	parse->head_size = 0;
	parse->target = (struct http_span){0};
	parse->body = (struct http_span){0};
	parse->header_count = 0;
	parse->wants_continue = false;
	parse->done = false;
	parse->in_value = false;
	parse->body_limit = parse->max_body_bytes;
	if (parse->spool_fd >= 0)
		close(parse->spool_fd);
	parse->spool_fd = -1;
	parse->spooled_bytes = 0;
}

void http_parse_init(struct http_parse *parse, size_t max_header_bytes, size_t max_body_bytes)
{
	*parse = (struct http_parse){
		.max_header_bytes = max_header_bytes,
		.max_body_bytes = max_body_bytes,
		.spool_fd = -1,
	};
	buf_init(&parse->in, max_header_bytes + max_body_bytes + SLACK_BYTES);
	reset(parse);
}

void http_parse_free(struct http_parse *parse)
{
	buf_free(&parse->in);
	if (parse->spool_fd >= 0)
		close(parse->spool_fd);
	parse->spool_fd = -1;
}

void http_parse_next(struct http_parse *parse)
{
	buf_consume(&parse->in, parse->parsed);
	reset(parse);
}

bool http_parse_refuse(struct http_parse *parse, int status, const char *format, ...)
{
	va_list arguments;

	parse->status = status;
	va_start(arguments, format);
	vsnprintf(parse->detail, sizeof(parse->detail), format, arguments);
	va_end(arguments);
	return false;
}

/* Words for what the parser did not take. */
static bool explain(struct http_parse *parse)
{
	enum http_errno number = HTTP_PARSER_ERRNO(&parse->parser);

	if (parse->status != 0) /* whoever stopped the parser has said why */
		return false;
	if (number == HPE_CB_body)
		return http_parse_refuse(parse, 413, "body: longer than %llu bytes",
			(unsigned long long)parse->body_limit);
	if (number == HPE_CB_header_field)
		return http_parse_refuse(
			parse, 431, "headers: more than %d of them", HTTP_HEADERS_MAX);
	if (number == HPE_HEADER_OVERFLOW)
		return http_parse_refuse(
			parse, 431, "headers: longer than %zu bytes", parse->max_header_bytes);
	return http_parse_refuse(
		parse, 400, "malformed request: %s", http_errno_description(number));
}

/* Let the parser see what it has not seen. False when it refuses. */
static bool execute(struct http_parse *parse)
{
	size_t left = parse->in.size - parse->parsed;

	parse->parsed += http_parser_execute(
		&parse->parser, &settings, parse->in.data + parse->parsed, left);
	if (HTTP_PARSER_ERRNO(&parse->parser) == HPE_PAUSED) {
		http_parser_pause(&parse->parser, 0);
		return true;
	}
	return HTTP_PARSER_ERRNO(&parse->parser) == HPE_OK || explain(parse);
}

/* The parser stops on the head's last byte and goes on from that same byte. */
static bool take_head(struct http_parse *parse)
{
	bool complete;

	if (!execute(parse))
		return false;
	complete = parse->parsed < parse->in.size;
	if (parse->parsed + complete > parse->max_header_bytes)
		return http_parse_refuse(
			parse, 431, "headers: longer than %zu bytes", parse->max_header_bytes);
	if (!complete)
		return true;
	parse->head_size = parse->parsed + 1;
	parse->body.at = parse->head_size;
	parse->keep_alive = http_should_keep_alive(&parse->parser) != 0;
	return http_head_check(parse) && (parse->on_head == NULL || parse->on_head(parse)) &&
	       http_head_check_length(parse);
}

static bool take_body(struct http_parse *parse)
{
	if (!execute(parse))
		return false;
	if (parse->done)
		return true;
	/* What framed the chunks is of no use any more. */
	parse->in.size = parse->body.at + parse->body.size;
	parse->in.data[parse->in.size] = '\0';
	parse->parsed = parse->in.size;
	return true;
}

enum http_parse_result http_parse_run(struct http_parse *parse)
{
	if (parse->status != 0)
		return HTTP_PARSE_BAD;
	if (!parse->done && parse->parsed == parse->in.size)
		return HTTP_PARSE_MORE;
	if (parse->head_size == 0 && !take_head(parse))
		return HTTP_PARSE_BAD;
	if (parse->head_size == 0)
		return HTTP_PARSE_MORE;
	if (!parse->done && !take_body(parse))
		return HTTP_PARSE_BAD;
	if (parse->body.size > 0 || parse->done)
		parse->wants_continue = false;
	return parse->done ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
}

struct str http_parse_str(const struct http_parse *parse, struct http_span span)
{
	return str_of(parse->in.data + span.at, span.size);
}

bool http_parse_header_next(
	const struct http_parse *parse, const char *name, unsigned *place, struct str *value)
{
	struct str wanted = str_from(name);

	while (*place < parse->header_count) {
		const struct http_header *header = &parse->headers[(*place)++];

		if (header->name.size != wanted.size ||
			!str_equal_nocase(http_parse_str(parse, header->name), wanted))
			continue;
		*value = str_trim(http_parse_str(parse, header->value));
		return true;
	}
	*value = str_of(NULL, 0);
	return false;
}

struct str http_parse_header(const struct http_parse *parse, const char *name)
{
	unsigned place = 0;
	struct str value;

	(void)http_parse_header_next(parse, name, &place, &value);
	return value;
}

struct str http_parse_method(const struct http_parse *parse)
{
	return str_from(http_method_str((enum http_method)parse->parser.method));
}

bool http_parse_is_1_0(const struct http_parse *parse)
{
	return parse->parser.http_minor == 0;
}
