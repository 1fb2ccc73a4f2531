/*
 * test_http_spool: large bodies come as files, bounded in size, in number and in time.
 */
#include "http_fixture.h"

#define HOST "Host: a\r\n"

/* The first and the last byte of the file, and how long it is. */
static enum flow_status describe(struct flow *flow)
{
	const struct http_request *request = http_request(flow);
	char ends[2] = "??";

	assert_true(request->body_fd >= 0);
	if (request->body_bytes > 0) {
		assert_int_equal(pread(request->body_fd, &ends[0], 1, 0), 1);
		assert_int_equal(
			pread(request->body_fd, &ends[1], 1, (off_t)request->body_bytes - 1), 1);
	}
	char *text = arena_printf(flow_arena(flow), "%llu bytes, %c to %c, %zu in memory",
		(unsigned long long)request->body_bytes, ends[0], ends[1], request->body.size);
	return http_reply(flow, 200, "text/plain", str_from(text));
}

static enum flow_status plain(struct flow *flow)
{
	assert_int_equal(http_request(flow)->body_fd, -1);
	return http_reply(flow, 200, "text/plain", http_request(flow)->body);
}

static enum flow_status wait_at_gate(struct flow *flow)
{
	struct web *web = flow_context(flow);

	return await_queue(flow, &web->gate);
}

static const struct flow_step describe_steps[] = {{"describe", describe}, {NULL, NULL}};
static const struct flow_step plain_steps[] = {{"plain", plain}, {NULL, NULL}};
static const struct flow_step wait_steps[] = {
	{"wait", wait_at_gate}, {"describe", describe}, {NULL, NULL}};
static const struct flow_spec describe_flow = {
	.name = "describe", .steps = describe_steps, .deadline_ms = 10000};
static const struct flow_spec plain_flow = {
	.name = "plain", .steps = plain_steps, .deadline_ms = 10000};
static const struct flow_spec wait_flow = {
	.name = "wait", .steps = wait_steps, .deadline_ms = 10000};
static const struct http_route routes[] = {
	{"POST", "/large", &describe_flow, ROUTE_SPOOL},
	{"POST", "/wait", &wait_flow, ROUTE_SPOOL},
	{"POST", "/plain", &plain_flow, 0},
	{0},
};

enum { LARGE_BYTES = 1 << 20, LIMIT_BYTES = 4096 };

static struct web *web_of(struct http_server_options options)
{
	options.routes = routes;
	return web_new(options);
}

static void send_pieces(struct client *client, char fill, size_t size)
{
	char piece[8192];

	memset(piece, fill, sizeof(piece));
	while (size > 0) {
		size_t some = size < sizeof(piece) ? size : sizeof(piece);
		ssize_t sent = send(client->fd, piece, some, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent > 0)
			size -= (size_t)sent;
		else
			web_turns(client->web, 4);
	}
}

static void a_large_body_is_a_file(void **state)
{
	struct web *web = web_of((struct http_server_options){0});
	struct client *client = client_open(web);

	client_send(client,
		STR("POST /large?x=1 HTTP/1.1\r\n" HOST "Content-Length: 1048578\r\n\r\na"));
	send_pieces(client, 'x', LARGE_BYTES);
	/* Pipelined behind it: a small one of the ordinary kind. */
	client_send(client, STR("zPOST /plain HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nok"));
	client_await_text(client, "1048578 bytes, a to z, 0 in memory");
	client_await_text(client, "\r\n\r\nok");
	client_close(client);
	web_free(web);
}

static void chunks_and_nothing_are_files_too(void **state)
{
	struct web *web = web_of((struct http_server_options){0});
	struct client *client = client_open(web);

	client_send(client, STR("POST /large HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
				"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
	client_await_text(client, "5 bytes, a to e");
	client_send(client, STR("POST /large HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"));
	client_await_text(client, "0 bytes");
	client_close(client);
	web_free(web);
}

static void too_long_is_refused(void **state)
{
	struct web *web = web_of((struct http_server_options){.max_spool_bytes = LIMIT_BYTES});
	struct client *said = client_open(web), *grown = client_open(web);

	client_send(said, STR("POST /large HTTP/1.1\r\n" HOST "Content-Length: 4097\r\n\r\n"));
	client_await_text(said, "413 ");
	client_await_text(said, "longer than 4096 bytes");
	client_send(grown, STR("POST /large HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
			       "1001\r\n"));
	send_pieces(grown, 'x', LIMIT_BYTES + 1);
	client_await_text(grown, "413 ");
	client_close(said);
	client_close(grown);
	web_free(web);
}

static void only_so_many_at_a_time(void **state)
{
	struct web *web = web_of((struct http_server_options){.max_spools = 1});
	struct client *first = client_open(web), *second = client_open(web);
	const struct str request = STR("POST /wait HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na");

	client_send(first, request);
	web_turns(web, 16);
	client_send(second, request);
	client_await_text(second, "503 ");
	client_close(second);
	flow_queue_wake_all(&web->gate);
	client_await_text(first, "1 bytes");
	/* The place is free again. */
	client_send(first, STR("POST /large HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nb"));
	client_await_text(first, "1 bytes, b to b");
	client_close(first);
	web_free(web);
}

static void no_folder_is_said(void **state)
{
	struct web *web = web_of((struct http_server_options){.spool_folder = "/no/such/folder"});
	struct client *client = client_open(web);

	client_send(client, STR("POST /large HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na"));
	client_await_text(client, "507 ");
	client_close(client);
	web_free(web);
}

static void a_slow_one_is_cut(void **state)
{
	struct web *web = web_of(
		(struct http_server_options){.request_timeout_ms = 60000, .spool_timeout_ms = 20});
	struct client *client = client_open(web);

	client_send(client, STR("POST /large HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\na"));
	client_await_text(client, "408 ");
	client_await_text(client, "longer than 20 ms");
	client_close(client);
	web_free(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_body_is_a_file),
		cmocka_unit_test(chunks_and_nothing_are_files_too),
		cmocka_unit_test(too_long_is_refused),
		cmocka_unit_test(only_so_many_at_a_time),
		cmocka_unit_test(no_folder_is_said),
		cmocka_unit_test(a_slow_one_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
