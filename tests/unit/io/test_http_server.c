/*
 * http_server: what a client gets, byte for byte: answers, refusals, pipelining, CORS, traces.
 */
#include "http_routes.h"

#include <time.h>

#define HOST	"Host: a\r\n"
#define NOSNIFF "X-Content-Type-Options: nosniff\r\n"
#define TEN	"0123456789"
#define JSON	"Content-Type: application/json\r\n"

/* One request on a connection of its own, and all that came until the server closed. */
static void expect_closed(
	struct http_server_options options, struct str input, const char *expected)
{
	struct web *web;
	struct client *client;

	options.routes = test_routes;
	web = web_new(options);
	client = client_open(web);
	client_send(client, input);
	client_await_end(client);
	assert_string_equal(client_text(client), expected);
	client_close(client);
	web_free(web);
}

/* A request whose answer is known in full; the connection stays open. */
static void expect(struct client *client, const char *input, const char *expected)
{
	const size_t date_size = sizeof("Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n") - 1;

	client_send(client, str_from(input));
	client_await_bytes(client, strlen(expected) + date_size);
	assert_string_equal(client_text(client), expected);
	buf_clear(&client->got);
}

static void answers_keep_alive(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	for (int i = 0; i < 3; i++)
		expect(client, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
			"HTTP/1.1 200 OK\r\n" NOSNIFF
			"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
	assert_int_equal(http_server_busy(web->server), 0);
	client_close(client);
	web_free(web);
}

static void date_is_a_date(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);
	char expected[64];
	time_t before = time(NULL), after;
	struct tm at;

	client_send(client, STR("GET /who HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(client, "\r\n\r\n");
	after = time(NULL);
	for (time_t second = before;; second++) {
		assert_true(second <= after);
		strftime(expected, sizeof(expected), "\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n",
			gmtime_r(&second, &at));
		if (client_has(client, str_from(expected)))
			break;
	}
	client_close(client);
	web_free(web);
}

static void byte_by_byte(void **state)
{
	struct str input = STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
	struct web *web = web_default();
	struct client *client = client_open(web);

	for (size_t i = 0; i < input.size; i++) {
		client_send(client, str_of(input.data + i, 1));
		web_turns(web, 3);
		assert_int_equal(client->got.size > 0, i == input.size - 1);
	}
	client_await_text(client, "\r\n\r\nhi");
	client_close(client);
	web_free(web);
}

static void pipelined_are_answered_in_order(void **state)
{
	enum { COUNT = 200 };
	struct web *web = web_default();
	struct client *client = client_open(web);
	struct buf input, bodies;
	const char *at;

	buf_init(&input, 1 << 20);
	buf_init(&bodies, 1 << 20);
	for (int i = 0; i < COUNT; i++) {
		/* Every third needs no flow. */
		if (i % 3 == 2)
			buf_printf(&input, "GET /none%03d HTTP/1.1\r\n" HOST "\r\n", i);
		else
			buf_printf(&input,
				"POST /echo HTTP/1.1\r\n" HOST
				"Content-Length: 9\r\n\r\n<body%03d>",
				i);
	}
	buf_add(&input, STR("GET /who HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
	client_send(client, buf_str(&input));
	client_await_end(client);
	at = client_text(client);
	for (int i = 0; i < COUNT; i++) {
		char body[32];

		snprintf(body, sizeof(body), i % 3 == 2 ? "Not Found" : "<body%03d>", i);
		at = strstr(at, body);
		assert_non_null(at);
		at++;
	}
	assert_non_null(strstr(at, "GET|/who"));
	buf_free(&input);
	buf_free(&bodies);
	client_close(client);
	web_free(web);
}

static void request_is_told(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	client_send(client, STR("GET /who?a=1&b=%20 HTTP/1.1\r\n" HOST "X-Request-Id: abc-1\r\n"
				"X-Test: value\r\n\r\n"));
	client_await_text(client, "GET|/who||a=1&b=%20|127.0.0.1|abc-1|value");
	client_send(client, STR("GET /call/757/x HTTP/1.1\r\n" HOST "X-Request-Id: q\r\n\r\n"));
	client_await_text(client, "GET|/call/757/x|757/x||127.0.0.1|q|");
	client_send(
		client, STR("GET http://h:1/who?z HTTP/1.1\r\n" HOST "X-Request-Id: q\r\n\r\n"));
	client_await_text(client, "GET|/who||z|127.0.0.1|q|");
	client_send(client, STR("GET /spawn HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(client, "\r\n\r\n/spawn");
	client_close(client);
	web_free(web);
}

static void exact_path_beats_a_tail(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	expect(client, "GET /call/exact HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 200 OK\r\n" NOSNIFF
		"Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n");
	client_close(client);
	web_free(web);
}

/* The trace in the answer of /who; it stands before the last |. */
static void expect_trace(struct web *web, const char *headers, const char *expected)
{
	struct client *client = client_open(web);
	char request[512], wanted[128];

	snprintf(request, sizeof(request), "GET /who HTTP/1.1\r\n" HOST "%s\r\n", headers);
	client_send(client, str_from(request));
	client_await_text(client, "127.0.0.1|");
	if (expected != NULL) {
		snprintf(wanted, sizeof(wanted), "|127.0.0.1|%s|", expected);
		client_await_text(client, wanted);
	} else { /* made up: 32 hexadecimal digits */
		const char *at = strstr(client_text(client), "|127.0.0.1|") + 11;

		assert_int_equal(strspn(at, "0123456789abcdef"), 32);
		assert_int_equal(at[32], '|');
	}
	client_close(client);
}

static void trace_ids(void **state)
{
	struct web *web = web_default();

	expect_trace(web, "", NULL);
	expect_trace(web, "X-Request-Id: a.b_c-9\r\n", "a.b_c-9");
	expect_trace(web, "X-Request-Id: has space\r\n", NULL);
	expect_trace(web, "X-Request-Id: a\"b\r\n", NULL);
	expect_trace(web,
		"X-Request-Id: x\r\n"
		"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
		"0af7651916cd43dd8448eb211c80319c");
	expect_trace(web,
		"X-Request-Id: x\r\n"
		"traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01\r\n",
		"x");
	expect_trace(web,
		"X-Request-Id: x\r\n"
		"traceparent: 00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01\r\n",
		"x");
	expect_trace(web,
		"X-Request-Id: x\r\n"
		"traceparent: ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
		"x");
	web_free(web);
}

static void unknown_paths_and_methods(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	expect(client, "GET /none HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 404 Not Found\r\n" NOSNIFF JSON
		"Content-Length: 22\r\n\r\n{\"detail\":\"Not Found\"}");
	expect(client, "POST /who HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}",
		"HTTP/1.1 405 Method Not Allowed\r\n" NOSNIFF JSON
		"Content-Length: 31\r\nAllow: GET, HEAD, PUT\r\n\r\n"
		"{\"detail\":\"Method Not Allowed\"}");
	expect(client, "OPTIONS /who HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 405 Method Not Allowed\r\n" NOSNIFF JSON
		"Content-Length: 31\r\nAllow: GET, HEAD, PUT\r\n\r\n"
		"{\"detail\":\"Method Not Allowed\"}");
	client_close(client);
	web_free(web);
}

static void head_has_no_body(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	expect(client, "HEAD /call/exact HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 200 OK\r\n" NOSNIFF
		"Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n");
	expect(client, "HEAD /none HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 404 Not Found\r\n" NOSNIFF JSON "Content-Length: 22\r\n\r\n");
	client_close(client);
	web_free(web);
}

static void cors(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	expect(client,
		"OPTIONS /cors HTTP/1.1\r\n" HOST "Origin: http://x\r\n"
		"Access-Control-Request-Headers: token, content-type\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n" NOSNIFF "Access-Control-Allow-Origin: *\r\n"
		"Access-Control-Allow-Methods: POST, OPTIONS\r\n"
		"Access-Control-Allow-Headers: token, content-type\r\n"
		"Access-Control-Max-Age: 86400\r\n\r\n");
	expect(client, "POST /cors HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx",
		"HTTP/1.1 200 OK\r\n" NOSNIFF "Content-Type: text/plain\r\nContent-Length: 1\r\n"
		"Access-Control-Allow-Origin: *\r\n\r\nx");
	expect(client, "GET /cors HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 405 Method Not Allowed\r\n" NOSNIFF JSON "Content-Length: 31\r\n"
		"Access-Control-Allow-Origin: *\r\nAllow: POST, OPTIONS\r\n\r\n"
		"{\"detail\":\"Method Not Allowed\"}");
	client_close(client);
	web_free(web);
}

static void versions_and_connections(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	expect(client, "GET /call/exact HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" NOSNIFF
		"Content-Type: text/plain\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
	client_close(client);
	web_free(web);
	expect_closed((struct http_server_options){0}, STR("GET /call/exact HTTP/1.0\r\n\r\n"),
		"HTTP/1.1 200 OK\r\n" NOSNIFF
		"Content-Type: text/plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	expect_closed((struct http_server_options){0},
		STR("POST /echo HTTP/1.1\r\n" HOST
		    "Connection: close\r\nContent-Length: 1\r\n\r\nx"),
		"HTTP/1.1 200 OK\r\n" NOSNIFF
		"Content-Type: text/plain\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
}

static void refusals(void **state)
{
	struct http_server_options small = {.max_header_bytes = 100, .max_body_bytes = 10};

	expect_closed(small, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n"),
		"HTTP/1.1 413 Payload Too Large\r\n" NOSNIFF JSON
		"Content-Length: 39\r\nConnection: close\r\n\r\n"
		"{\"detail\":\"body: longer than 10 bytes\"}");
	expect_closed((struct http_server_options){0},
		STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n"),
		"HTTP/1.1 413 Payload Too Large\r\n" NOSNIFF JSON
		"Content-Length: 42\r\nConnection: close\r\n\r\n"
		"{\"detail\":\"body: longer than 65536 bytes\"}");
	expect_closed(small,
		STR("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		    "b\r\n01234567890\r\n0\r\n\r\n"),
		"HTTP/1.1 413 Payload Too Large\r\n" NOSNIFF JSON
		"Content-Length: 39\r\nConnection: close\r\n\r\n"
		"{\"detail\":\"body: longer than 10 bytes\"}");
	expect_closed(small,
		STR("GET /" TEN TEN TEN TEN TEN TEN TEN TEN TEN " HTTP/1.1\r\n" HOST "\r\n"),
		"HTTP/1.1 431 Request Header Fields Too Large\r\n" NOSNIFF JSON
		"Content-Length: 43\r\nConnection: close\r\n\r\n"
		"{\"detail\":\"headers: longer than 100 bytes\"}");
	expect_closed((struct http_server_options){0}, STR("GET /who HTTP/1.1\r\n\r\n"),
		"HTTP/1.1 400 Bad Request\r\n" NOSNIFF JSON
		"Content-Length: 45\r\nConnection: close\r\n\r\n"
		"{\"detail\":\"malformed request: Host: missing\"}");
}

/* A good request before a bad one still gets its answer, and nothing behind the bad one does. */
static void a_bad_request_ends_the_connection(void **state)
{
	expect_closed((struct http_server_options){0},
		STR("GET /call/exact HTTP/1.1\r\n" HOST "\r\n"
		    "GET /call/exact HTTP/1.1\r\n" HOST " folded\r\n\r\n"
		    "GET /call/exact HTTP/1.1\r\n" HOST "\r\n"),
		"HTTP/1.1 200 OK\r\n" NOSNIFF
		"Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
		"HTTP/1.1 400 Bad Request\r\n" NOSNIFF JSON
		"Content-Length: 47\r\nConnection: close\r\n\r\n"
		"{\"detail\":\"malformed request: a folded header\"}");
}

static void failures_become_answers(void **state)
{
	static const struct {
		const char *kind, *status, *detail;
	} cases[] = {
		{"input", "422 Unprocessable Entity", "phone: \\\"input\\\" is wrong"},
		{"auth", "401 Unauthorized", "phone: \\\"auth\\\" is wrong"},
		{"missing", "404 Not Found", "phone: \\\"missing\\\" is wrong"},
		{"conflict", "409 Conflict", "phone: \\\"conflict\\\" is wrong"},
		{"busy", "503 Service Unavailable", "phone: \\\"busy\\\" is wrong"},
		{"upstream", "502 Bad Gateway", "phone: \\\"upstream\\\" is wrong"},
		{"internal", "500 Internal Server Error", "internal error"},
		{"nothing", "500 Internal Server Error", "internal error"},
	};
	struct web *web = web_default();
	struct client *client = client_open(web);
	struct arena *arena = arena_new(1 << 20);
	struct str log;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];

		snprintf(
			text, sizeof(text), "GET /fail/%s HTTP/1.1\r\n" HOST "\r\n", cases[i].kind);
		client_send(client, str_from(text));
		snprintf(text, sizeof(text), "{\"detail\":\"%s\"}", cases[i].detail);
		client_await_text(client, text);
		assert_true(client_has(client, str_from(cases[i].status)));
		assert_int_equal(client_has(client, STR("Retry-After: 1\r\n")),
			strcmp(cases[i].kind, "busy") == 0);
		buf_clear(&client->got);
	}
	/* What was kept from the client an operator can read. */
	log = web_log_text(web, arena);
	assert_non_null(memmem(log.data, log.size, "phone: \\\"internal\\\" is wrong", 28));
	assert_non_null(memmem(log.data, log.size, "ended without an answer", 23));
	arena_free(&arena);
	client_close(client);
	web_free(web);
}

static void own_headers_are_checked(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	expect(client, "GET /headers HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 409 Conflict\r\n" NOSNIFF JSON "Content-Length: 35\r\n"
		"X-One: 1\r\nX-Many: m\r\nX-Many: m\r\nX-Many: m\r\nX-Many: m\r\nX-Many: m\r\n"
		"X-Many: m\r\nX-Many: m\r\n\r\n{\"detail\":\"phone: \\\"1 2\\\" clashes\"}");
	client_close(client);
	web_free(web);
}

static void only_the_first_answer_counts(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	expect(client, "GET /twice HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 200 OK\r\n" NOSNIFF
		"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nfirst");
	expect(client, "GET /too-big HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 500 Internal Server Error\r\n" NOSNIFF JSON
		"Content-Length: 27\r\n\r\n{\"detail\":\"internal error\"}");
	client_close(client);
	web_free(web);
}

static void continue_is_said_once(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);

	client_send(client, STR("POST /echo HTTP/1.1\r\n" HOST
				"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
	client_await_text(client, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(client->got.size, strlen("HTTP/1.1 100 Continue\r\n\r\n"));
	buf_clear(&client->got);
	client_send(client, STR("ab"));
	web_turns(web, 3);
	assert_int_equal(client->got.size, 0);
	client_send(client, STR("cd"));
	client_await_text(client, "\r\n\r\nabcd");
	assert_false(client_has(client, STR("100 Continue")));
	client_close(client);
	web_free(web);
	/* Too long: said before the client sends it. */
	expect_closed((struct http_server_options){.max_body_bytes = 3},
		STR("POST /echo HTTP/1.1\r\n" HOST
		    "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
		"HTTP/1.1 413 Payload Too Large\r\n" NOSNIFF JSON
		"Content-Length: 38\r\nConnection: close\r\n\r\n"
		"{\"detail\":\"body: longer than 3 bytes\"}");
}

static void metrics_count(void **state)
{
	struct web *web = web_default();
	struct client *client = client_open(web);
	struct buf text;

	client_send(client, STR("GET /who HTTP/1.1\r\n" HOST "\r\nGET /no HTTP/1.1\r\n" HOST "\r\n"
				"GET /fail/busy HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(client, "busy");
	buf_init(&text, 1 << 20);
	metrics_print(&text, web->metrics);
	assert_non_null(strstr(text.data, "callweave_http_requests_total{status=\"2xx\"} 1\n"));
	assert_non_null(strstr(text.data, "callweave_http_requests_total{status=\"4xx\"} 1\n"));
	assert_non_null(strstr(text.data, "callweave_http_requests_total{status=\"5xx\"} 1\n"));
	assert_non_null(strstr(text.data, "callweave_http_connections 1\n"));
	buf_free(&text);
	client_close(client);
	web_free(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_keep_alive),
		cmocka_unit_test(date_is_a_date),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(pipelined_are_answered_in_order),
		cmocka_unit_test(request_is_told),
		cmocka_unit_test(exact_path_beats_a_tail),
		cmocka_unit_test(trace_ids),
		cmocka_unit_test(unknown_paths_and_methods),
		cmocka_unit_test(head_has_no_body),
		cmocka_unit_test(cors),
		cmocka_unit_test(versions_and_connections),
		cmocka_unit_test(refusals),
		cmocka_unit_test(a_bad_request_ends_the_connection),
		cmocka_unit_test(failures_become_answers),
		cmocka_unit_test(own_headers_are_checked),
		cmocka_unit_test(only_the_first_answer_counts),
		cmocka_unit_test(continue_is_said_once),
		cmocka_unit_test(metrics_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
