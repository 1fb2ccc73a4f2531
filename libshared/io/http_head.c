/*
 * http_head: what a request's head must not hold.
 *
 * http_parser forgives much. A proxy in front may read a forgiven head differently than we do, and
 * then one request smuggles in another (RFC 9112 section 11.2): whatever can be read in two ways is
 * refused.
 */
#include "http_parse_private.h"

static bool malformed(struct http_parse *parse, const char *what)
{
	return http_parse_refuse(parse, 400, "malformed request: %s", what);
}

static bool is_control(unsigned char c)
{
	return (c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

/* The raw bytes: no NUL or other control character, no lone CR, no line that goes on on the next. */
static bool check_bytes(struct http_parse *parse)
{
	const char *at = parse->in.data;
	const char *end = at + parse->head_size;

	for (; at < end; at++) {
		if (is_control((unsigned char)*at))
			return malformed(parse, "a control character in the headers");
		if (*at == '\r' && at[1] != '\n')
			return malformed(parse, "a lone CR in the headers");
		if (*at == '\n' && at + 1 < end && (at[1] == ' ' || at[1] == '\t'))
			return malformed(parse, "a folded header");
	}
	return true;
}

static bool check_target(struct http_parse *parse)
{
	struct str target = http_parse_str(parse, parse->target);

	for (size_t i = 0; i < target.size; i++) {
		if (target.data[i] <= ' ' || target.data[i] > '~')
			return malformed(parse, "a character that a URL must escape");
	}
	return true;
}

static bool check_names(struct http_parse *parse)
{
	for (unsigned i = 0; i < parse->header_count; i++) {
		struct str name = http_parse_str(parse, parse->headers[i].name);

		if (name.size == 0 || memchr(name.data, ' ', name.size) != NULL)
			return malformed(parse, "a space in a header's name");
	}
	return true;
}

static unsigned count(const struct http_parse *parse, struct str wanted)
{
	unsigned found = 0;

	for (unsigned i = 0; i < parse->header_count; i++) {
		if (parse->headers[i].name.size == wanted.size &&
			str_equal_nocase(http_parse_str(parse, parse->headers[i].name), wanted))
			found++;
	}
	return found;
}

static bool check_host(struct http_parse *parse)
{
	unsigned hosts = count(parse, STR("Host"));

	if (hosts == 0 && !http_parse_is_1_0(parse))
		return malformed(parse, "Host: missing");
	return hosts <= 1 || malformed(parse, "more than one Host header");
}

/* How long the body is must be said in one way only. */
static bool check_length(struct http_parse *parse)
{
	unsigned codings = count(parse, STR("Transfer-Encoding"));
	unsigned lengths = count(parse, STR("Content-Length"));

	if (codings + lengths > 1)
		return malformed(parse, "its length is given more than once");
	if (codings == 1 && (http_parse_is_1_0(parse) ||
				    !str_equal_nocase(http_parse_header(parse, "Transfer-Encoding"),
					    STR("chunked"))))
		return malformed(parse, "Transfer-Encoding is not chunked");
	if (lengths == 0)
		return true;
	if (!str_is_digits(http_parse_header(parse, "Content-Length")))
		return malformed(parse, "Content-Length is not a number");
	return true;
}

bool http_head_check_length(struct http_parse *parse)
{
	if (count(parse, STR("Content-Length")) == 0 ||
		parse->parser.content_length <= parse->body_limit)
		return true;
	return http_parse_refuse(
		parse, 413, "body: longer than %llu bytes", (unsigned long long)parse->body_limit);
}

static bool check_expect(struct http_parse *parse)
{
	struct str expect = http_parse_header(parse, "Expect");

	if (expect.size == 0 || http_parse_is_1_0(parse))
		return true;
	if (!str_equal_nocase(expect, STR("100-continue")))
		return http_parse_refuse(parse, 417, "Expect: only 100-continue is known");
	parse->wants_continue = true;
	return true;
}

bool http_head_check(struct http_parse *parse)
{
	if (parse->parser.http_major != 1 || parse->parser.http_minor > 1)
		return http_parse_refuse(parse, 505, "HTTP version: neither 1.0 nor 1.1");
	return check_bytes(parse) && check_target(parse) && check_names(parse) &&
	       check_host(parse) && check_length(parse) && check_expect(parse);
}
