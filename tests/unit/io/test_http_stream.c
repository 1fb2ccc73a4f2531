/*
 * http_server: answers without a known length, and the end of a server that still has some to give.
 */
#include "http_routes.h"

#define HOST "Host: a\r\n"

/* -- streams ----------------------------------------------------------------------------------------- */

static void a_stream_comes_in_chunks(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_waiting(web, "GET /stream HTTP/1.1\r\n" HOST "\r\n");

	client_await_text(client, "9\r\ndata: 1\n\n\r\n");
	assert_true(client_has(client, STR("Transfer-Encoding: chunked\r\n")));
	assert_false(client_has(client, STR("data: 2")));
	flow_queue_wake_all(&web->gate);
	client_await_text(client, "9\r\ndata: 2\n\n\r\n0\r\n\r\n");
	/* The connection is as good as before. */
	client_send(client, STR("GET /who HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(client, "GET|/who");
	client_close(client);
	web_free(web);
}

static void a_stream_to_1_0_ends_with_the_connection(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_waiting(web, "GET /stream HTTP/1.0\r\n\r\n");

	flow_queue_wake_all(&web->gate);
	client_await_end(client);
	assert_true(client_has(client, STR("\r\n\r\ndata: 1\n\ndata: 2\n\n")));
	assert_false(client_has(client, STR("chunked")));
	client_close(client);
	web_free(web);
}

static void a_broken_stream_does_not_look_complete(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_open(web);

	client_send(client, STR("GET /broken HTTP/1.1\r\n" HOST "\r\n"));
	client_await_end(client);
	assert_true(client_has(client, STR("data: 1")));
	assert_false(client_has(client, STR("0\r\n\r\n")));
	client_close(client);
	web_free(web);
}

static void a_lost_reader_cancels_its_stream(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_waiting(web, "GET /stream HTTP/1.1\r\n" HOST "\r\n");

	client_close(client);
	while (web->finals == 0)
		web_turns(web, 1);
	assert_string_equal(web->last_error, "cancelled");
	web_free(web);
}

/* Nobody reads: the stream stands still instead of piling up, and is cut in the end. */
static void a_flood_waits_for_its_reader(void **state)
{
	struct web *web = web_with((struct http_server_options){.write_timeout_ms = 50});
	struct client *client = client_open(web);
	size_t taken;

	loop_watch_set(client->watch, 0);
	client_send(client, STR("GET /flood HTTP/1.1\r\n" HOST "\r\n"));
	while (web->finals == 0)
		web_turns(web, 1);
	loop_watch_set(client->watch, LOOP_READ);
	client_await_end(client);
	taken = client->got.size;
	assert_in_range(taken, 65536, 32 << 20); /* what fits into the kernel's buffers */
	assert_string_equal(web->last_error, "cancelled");
	client_close(client);
	web_free(web);
}

/* -- drain ------------------------------------------------------------------------------------------- */

static void drain_answers_what_is_under_way(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *waiting = client_waiting(web, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
	struct client *idle = client_open(web);
	struct client *partial = client_open(web);

	client_send(partial, STR("GET /who HTTP/1.1\r\n"));
	web_turns(web, 3);
	http_server_drain(web->server);
	assert_int_equal(http_server_busy(web->server), 2);
	client_await_end(idle);
	assert_int_equal(idle->got.size, 0);
	client_send(partial, STR(HOST "\r\n"));
	client_await_end(partial);
	assert_true(client_has(partial, STR(" 200 OK\r\n")));
	assert_true(client_has(partial, STR("Connection: close\r\n")));
	flow_queue_wake_all(&web->gate);
	client_await_end(waiting);
	assert_true(client_has(waiting, STR("Connection: close\r\n")));
	assert_true(client_has(waiting, STR("\r\n\r\nwoke")));
	assert_int_equal(http_server_busy(web->server), 0);
	client_close(waiting);
	client_close(idle);
	client_close(partial);
	web_free(web);
}

static void drain_takes_no_more_and_ends_streams(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_waiting(web, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_port = htons((uint16_t)http_server_port(web->server));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	http_server_drain(web->server);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	client_await_end(client);
	assert_true(client_has(client, STR("data: 1\n\n\r\n0\r\n\r\n")));
	assert_int_equal(web->finals, 1);
	assert_int_equal(http_server_busy(web->server), 0);
	client_close(client);
	web_free(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_comes_in_chunks),
		cmocka_unit_test(a_stream_to_1_0_ends_with_the_connection),
		cmocka_unit_test(a_broken_stream_does_not_look_complete),
		cmocka_unit_test(a_lost_reader_cancels_its_stream),
		cmocka_unit_test(a_flood_waits_for_its_reader),
		cmocka_unit_test(drain_answers_what_is_under_way),
		cmocka_unit_test(drain_takes_no_more_and_ends_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
