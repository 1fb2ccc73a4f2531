/*
 * http_parse: each request whole, byte by byte, and cut in two anywhere gives the same; what can be
 * read in two ways is refused.
 */
#include "http_parse_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { MAX_HEADER = 1024, MAX_BODY = 256 };

/* -- one parse as text ------------------------------------------------------------------------------ */

static void add_request(struct buf *to, const struct http_parse *parse)
{
	buf_printf(to, "%.*s %.*s keep=%d", STR_ARG(http_parse_method(parse)),
		STR_ARG(http_parse_str(parse, parse->target)), parse->keep_alive);
	for (unsigned i = 0; i < parse->header_count; i++)
		buf_printf(to, " %.*s=[%.*s]",
			STR_ARG(http_parse_str(parse, parse->headers[i].name)),
			STR_ARG(http_parse_str(parse, parse->headers[i].value)));
	buf_printf(to, " body=[%.*s]\n", STR_ARG(http_parse_str(parse, parse->body)));
}

/* False when the connection is of no more use. */
static bool take_all(struct http_parse *parse, struct buf *to)
{
	enum http_parse_result result;

	while ((result = http_parse_run(parse)) == HTTP_PARSE_DONE) {
		add_request(to, parse);
		http_parse_next(parse);
	}
	if (result == HTTP_PARSE_BAD)
		buf_printf(to, "%d %s\n", parse->status, parse->detail);
	return result != HTTP_PARSE_BAD;
}

/* Feed `input` in three parts and then byte by byte from `singly` on. */
static char *outcome(struct str input, size_t first, size_t singly)
{
	struct http_parse parse;
	struct buf text;
	size_t at = 0;

	http_parse_init(&parse, MAX_HEADER, MAX_BODY);
	buf_init(&text, 1 << 20);
	buf_add(&text, STR(""));
	while (at < input.size) {
		size_t size = at < first ? first - at : at < singly ? singly - at : 1;

		assert_true(buf_append(&parse.in, input.data + at, size));
		at += size;
		if (!take_all(&parse, &text))
			break;
	}
	http_parse_free(&parse);
	assert_true(buf_add_char(&text, '\0'));
	return text.data;
}

/* -- requests that are taken ------------------------------------------------------------------------ */

static const struct {
	const char *input, *expected;
} good[] = {
	{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / keep=1 Host=[a] body=[]\n"},
	{"\r\nGET /x?a=1 HTTP/1.1\r\nHost:a\r\nEmpty:\r\n\r\n",
		"GET /x?a=1 keep=1 Host=[a] Empty=[] body=[]\n"},
	{"POST /dial HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"POST /dial keep=1 Host=[a] Content-Length=[5] body=[hello]\n"},
	{"GET / HTTP/1.0\r\n\r\n", "GET / keep=0 body=[]\n"},
	{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"GET / keep=1 Connection=[keep-alive] body=[]\n"},
	{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		"GET / keep=0 Host=[a] Connection=[close] body=[]\n"},
	{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nTrailer: t\r\n\r\n",
		"POST / keep=1 Host=[a] Transfer-Encoding=[chunked] body=[abcd]\n"},
	{"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: b\r\nContent-Length: "
	 "2\r\n\r\nhi"
	 "POST /3 HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nyo\r\n0\r\n\r\n"
	 "GET /4 HTTP/1.1\r\nHost: d\r\n\r\n",
		"GET /1 keep=1 Host=[a] body=[]\n"
		"POST /2 keep=1 Host=[b] Content-Length=[2] body=[hi]\n"
		"POST /3 keep=1 Host=[c] Transfer-Encoding=[chunked] body=[yo]\n"
		"GET /4 keep=1 Host=[d] body=[]\n"},
	{"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
	 "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / keep=1 Host=[a] Upgrade=[h2c] Connection=[Upgrade] body=[]\n"
		"GET /2 keep=1 Host=[a] body=[]\n"},
	{"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"CONNECT h:443 keep=1 Host=[h] body=[]\nGET /2 keep=1 Host=[a] body=[]\n"},
	{"GET http://h/p HTTP/1.1\r\nHost: h\r\n\r\n", "GET http://h/p keep=1 Host=[h] body=[]\n"},
	{"GET / HTTP/1.1\r\nHost: a\r\nX: tab\there\r\n\r\n",
		"GET / keep=1 Host=[a] X=[tab\there] body=[]\n"},
};

static void any_split_gives_the_same(void **state)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct str input = str_from(good[i].input);

		for (size_t cut = 0; cut <= input.size; cut++) {
			char *text = outcome(input, cut, input.size);

			assert_string_equal(text, good[i].expected);
			free(text);
			text = outcome(input, cut, cut);
			assert_string_equal(text, good[i].expected);
			free(text);
		}
	}
}

/* -- requests that are refused ---------------------------------------------------------------------- */

#define LINE "POST / HTTP/1.1\r\nHost: a\r\n"

static const struct {
	const char *input;
	size_t size; /* 0: strlen */
	const char *expected;
} bad[] = {
	{"GET / HTTP/1.1\r\n\r\n", 0, "400 malformed request: Host: missing\n"},
	{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 0,
		"400 malformed request: more than one Host header\n"},
	{"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 0, "505 HTTP version: neither 1.0 nor 1.1\n"},
	{"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 0,
		"400 malformed request: invalid HTTP method\n"},
	{LINE "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 0,
		"400 malformed request: unexpected content-length header\n"},
	{LINE "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", 0,
		"400 malformed request: unexpected content-length header\n"},
	{LINE "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, NULL},
	{LINE "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", 0, NULL},
	{LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
		"400 malformed request: its length is given more than once\n"},
	{LINE "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0,
		"400 malformed request: Transfer-Encoding is not chunked\n"},
	{LINE "Transfer-Encoding: identity\r\n\r\n", 0, NULL},
	{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
		"400 malformed request: Transfer-Encoding is not chunked\n"},
	{LINE "Content-Length: +5\r\n\r\nhello", 0, NULL},
	{LINE "Content-Length: 5, 5\r\n\r\nhello", 0, NULL},
	{LINE "Content-Length:\r\n\r\n", 0, NULL},
	{LINE "Content-Length: 99999999999999999999\r\n\r\n", 0, NULL},
	{LINE "Content-Length: 257\r\n\r\n", 0, "413 body: longer than 256 bytes\n"},
	{LINE "Content-Length : 5\r\n\r\nhello", 0, NULL},
	{LINE "X: a\r\n b\r\n\r\n", 0, "400 malformed request: a folded header\n"},
	{LINE "X:\r\n\tb\r\n\r\n", 0, "400 malformed request: a folded header\n"},
	{LINE "X: a\0b\r\n\r\n", sizeof(LINE "X: a\0b\r\n\r\n") - 1, NULL},
	{LINE "X: a\x01"
	      "b\r\n\r\n",
		0, NULL},
	{LINE "X: a\rb\r\n\r\n", 0, NULL},
	{"GET /a\x80"
	 "b HTTP/1.1\r\nHost: a\r\n\r\n",
		0, NULL},
	{LINE "Expect: 200-ok\r\n\r\n", 0, "417 Expect: only 100-continue is known\n"},
	{LINE "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 0,
		"400 malformed request: invalid character in chunk size header\n"},
	{"nonsense\r\n\r\n", 0, NULL}, {"\x16\x03\x01\x02", 0, NULL}, /* TLS where none is spoken */
};

static void ambiguous_requests_are_refused(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct str input =
			str_of(bad[i].input, bad[i].size > 0 ? bad[i].size : strlen(bad[i].input));
		char *whole = outcome(input, input.size, input.size);
		char *single = outcome(input, 0, 0);

		if (bad[i].expected != NULL)
			assert_string_equal(whole, bad[i].expected);
		if (strncmp(whole, "400 malformed request: ", 23) != 0 && bad[i].expected == NULL)
			fail_msg("case %zu was taken: %s", i, whole);
		assert_string_equal(whole, single);
		free(whole);
		free(single);
	}
}

/* -- limits ----------------------------------------------------------------------------------------- */

static void head_of(struct buf *to, size_t size)
{
	const char *start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";

	buf_init(to, 1 << 20);
	buf_add(to, str_from(start));
	while (to->size < size - 4)
		buf_add_char(to, 'x');
	buf_add(to, STR("\r\n\r\n"));
}

static void head_limit_is_exact(void **state)
{
	for (size_t size = MAX_HEADER - 1; size <= MAX_HEADER + 1; size++) {
		const char *expected = size <= MAX_HEADER ? "GET / keep=1"
							  : "431 headers: longer than 1024 bytes\n";
		struct buf head;
		char *whole, *single;

		head_of(&head, size);
		whole = outcome(buf_str(&head), size, size);
		single = outcome(buf_str(&head), 0, 0);
		assert_memory_equal(whole, expected, strlen(expected));
		assert_string_equal(whole, single);
		free(whole);
		free(single);
		buf_free(&head);
	}
}

static void headers_are_counted(void **state)
{
	for (unsigned count = HTTP_HEADERS_MAX - 1; count <= HTTP_HEADERS_MAX; count++) {
		struct buf head;
		char *text;

		buf_init(&head, 1 << 20);
		buf_add(&head, STR("GET / HTTP/1.1\r\nHost: a\r\n"));
		for (unsigned i = 0; i < count; i++)
			buf_add(&head, STR("A: b\r\n"));
		buf_add(&head, STR("\r\n"));
		text = outcome(buf_str(&head), head.size, head.size);
		assert_memory_equal(text, count < HTTP_HEADERS_MAX ? "GET" : "431", 3);
		free(text);
		buf_free(&head);
	}
}

static void chunked_limit_counts_the_body_alone(void **state)
{
	for (unsigned chunks = MAX_BODY; chunks <= MAX_BODY + 1; chunks++) {
		struct buf input;
		char *text;

		buf_init(&input, 1 << 20);
		buf_add(&input, STR(LINE "Transfer-Encoding: chunked\r\n\r\n"));
		for (unsigned i = 0; i < chunks; i++)
			buf_add(&input, STR("1\r\nz\r\n"));
		buf_add(&input, STR("0\r\n\r\n"));
		text = outcome(buf_str(&input), 0, 0);
		assert_memory_equal(text, chunks == MAX_BODY ? "POST" : "413 ", 4);
		free(text);
		buf_free(&input);
	}
}

/* However it is framed, the buffer never holds more than a head and a body. */
static void framing_takes_no_memory(void **state)
{
	struct http_parse parse;

	http_parse_init(&parse, MAX_HEADER, MAX_BODY);
	buf_add(&parse.in, STR(LINE "Transfer-Encoding: chunked\r\n\r\n"));
	for (unsigned i = 0; i < MAX_BODY; i++) {
		assert_int_equal(http_parse_run(&parse), HTTP_PARSE_MORE);
		assert_true(parse.in.size <= parse.head_size + i);
		buf_add(&parse.in, STR("1;extension=of-no-use\r\nz\r\n"));
	}
	http_parse_free(&parse);
}

static void header_values_are_trimmed_and_found_in_any_case(void **state)
{
	struct http_parse parse;
	struct str value;

	http_parse_init(&parse, MAX_HEADER, MAX_BODY);
	buf_add(&parse.in, STR("GET / HTTP/1.1\r\nhOsT:  a.b \t\r\nX: 1\r\nx: 2\r\n\r\n"));
	assert_int_equal(http_parse_run(&parse), HTTP_PARSE_DONE);
	assert_true(str_equal(http_parse_header(&parse, "Host"), STR("a.b")));
	assert_true(str_equal(http_parse_header(&parse, "X"), STR("1")));
	value = http_parse_header(&parse, "Absent");
	assert_int_equal(value.size, 0);
	http_parse_free(&parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_split_gives_the_same),
		cmocka_unit_test(ambiguous_requests_are_refused),
		cmocka_unit_test(head_limit_is_exact),
		cmocka_unit_test(headers_are_counted),
		cmocka_unit_test(chunked_limit_counts_the_body_alone),
		cmocka_unit_test(framing_takes_no_memory),
		cmocka_unit_test(header_values_are_trimmed_and_found_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
