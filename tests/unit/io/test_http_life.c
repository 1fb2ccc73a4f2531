/*
 * http_server: how connections live and die: slow and lost clients, limits.
 */
#include "http_routes.h"

#include <sys/resource.h>

#define HOST "Host: a\r\n"

/* -- time -------------------------------------------------------------------------------------------- */

static void a_slow_request_gets_408(void **state)
{
	struct web *web = web_with((struct http_server_options){.request_timeout_ms = 30});
	struct client *client = client_open(web);

	client_send(client, STR("GET /who HTTP/1.1\r\nHo"));
	client_await_end(client);
	assert_true(client_has(client, STR("HTTP/1.1 408 Request Timeout\r\n")));
	assert_true(client_has(client, STR("Connection: close\r\n")));
	assert_true(client_has(client, STR("{\"detail\":\"request: took longer than 30 ms\"}")));
	client_close(client);
	web_free(web);
}

static void on_drip(void *owner)
{
	struct client *client = owner;

	/* The server may close in between: then this goes nowhere. */
	send(client->fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The time counts from the first byte: bytes that go on dripping win nothing. */
static void a_dripping_client_is_cut(void **state)
{
	struct web *web = web_with((struct http_server_options){.request_timeout_ms = 60});
	struct client *client = client_open(web);
	struct loop_timer *timers[20];

	client_send(client, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n"));
	for (int i = 0; i < 20; i++) {
		timers[i] = loop_timer_new(web->loop, on_drip, client);
		loop_timer_set(timers[i], 10 * i);
	}
	client_await_text(client, " 408 ");
	for (int i = 0; i < 20; i++)
		loop_timer_free(&timers[i]);
	client_close(client);
	web_free(web);
}

static void an_idle_connection_is_closed_silently(void **state)
{
	struct web *web = web_with((struct http_server_options){.idle_timeout_ms = 30});
	struct client *fresh = client_open(web);
	struct client *used = client_open(web);

	client_send(used, STR("GET /call/exact HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(used, "\r\n\r\n");
	buf_clear(&used->got);
	client_await_end(fresh);
	client_await_end(used);
	assert_int_equal(fresh->got.size, 0);
	assert_int_equal(used->got.size, 0);
	client_close(fresh);
	client_close(used);
	web_free(web);
}

static void on_time_for_more(void *owner)
{
	struct client *client = owner;

	client_send(client, STR("GET /call/exact HTTP/1.1\r\n" HOST "\r\n"));
}

/* Used every 100 ms for longer than it may be idle: it stays open until it is idle. */
static void each_request_puts_the_idle_time_off(void **state)
{
	struct web *web = web_with((struct http_server_options){.idle_timeout_ms = 200});
	struct client *client = client_open(web);
	struct loop_timer *timers[4];
	unsigned answers = 0;

	for (int i = 0; i < 4; i++) {
		timers[i] = loop_timer_new(web->loop, on_time_for_more, client);
		loop_timer_set(timers[i], 100 * i);
	}
	client_await_end(client);
	for (const char *at = client->got.data; (at = strstr(at, " 200 OK")) != NULL; at++)
		answers++;
	assert_int_equal(answers, 4);
	for (int i = 0; i < 4; i++)
		loop_timer_free(&timers[i]);
	client_close(client);
	web_free(web);
}

/* An answer may take longer than any of the connection's limits. */
static void waiting_for_an_answer_is_not_idle(void **state)
{
	struct web *web = web_with((struct http_server_options){
		.idle_timeout_ms = 20, .request_timeout_ms = 20, .write_timeout_ms = 20});
	struct client *waiting = client_open(web);
	struct client *idle = client_open(web);

	client_send(waiting, STR("GET /wait HTTP/1.1\r\n" HOST "\r\n"));
	client_await_end(idle);
	web_turns(web, 3);
	assert_false(waiting->closed);
	flow_queue_wake_all(&web->gate);
	client_await_text(waiting, "\r\n\r\nwoke");
	client_close(idle);
	client_close(waiting);
	web_free(web);
}

static void a_client_that_does_not_read_is_cut(void **state)
{
	struct web *web = web_with((struct http_server_options){.write_timeout_ms = 50});
	struct client *client = client_open(web);

	loop_watch_set(client->watch, 0);
	client_send(client, STR("GET /big HTTP/1.1\r\n" HOST "\r\n"));
	web_turns(web, 5);
	assert_int_equal(http_server_busy(web->server), 1);
	while (http_server_busy(web->server) > 0) /* turns, until its time is over */
		web_turns(web, 1);
	loop_watch_set(client->watch, LOOP_READ);
	client_await_end(client);
	assert_true(client->got.size < BIG_BYTES);
	client_close(client);
	web_free(web);
}

static void a_large_answer_arrives_whole(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_open(web);
	size_t b = 0;

	client_send(client, STR("GET /big HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
	client_await_end(client);
	for (size_t i = 0; i < client->got.size; i++)
		b += client->got.data[i] == 'b';
	assert_true(b >= BIG_BYTES);
	client_close(client);
	web_free(web);
}

/* -- lost clients ------------------------------------------------------------------------------------ */

static void a_lost_client_cancels_its_flow(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_waiting(web, "GET /wait HTTP/1.1\r\n" HOST "\r\n");

	client_close(client);
	while (web->finals == 0)
		web_turns(web, 1);
	assert_string_equal(web->last_error, "cancelled");
	assert_int_equal(http_server_busy(web->server), 0);
	assert_true(flow_queue_empty(&web->gate));
	web_free(web);
}

static void a_reset_cancels_too(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_waiting(web, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
	struct linger reset = {.l_onoff = 1, .l_linger = 0};

	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	client_close(client);
	while (web->finals == 0)
		web_turns(web, 1);
	assert_string_equal(web->last_error, "cancelled");
	web_free(web);
}

static void a_detached_flow_outlives_its_client(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_waiting(web, "GET /detached HTTP/1.1\r\n" HOST "\r\n");

	client_close(client);
	web_turns(web, 5);
	assert_int_equal(web->finals, 0);
	assert_int_equal(http_server_busy(web->server), 1);
	flow_queue_wake_all(&web->gate);
	while (web->finals == 0)
		web_turns(web, 1);
	assert_string_equal(web->last_error, "");
	assert_int_equal(http_server_busy(web->server), 0);
	web_free(web);
}

static void freeing_the_server_cancels_all(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *first = client_waiting(web, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
	struct client *second = client_open(web);
	struct client *partial = client_open(web);

	client_send(second, STR("GET /detached HTTP/1.1\r\n" HOST "\r\n"));
	client_send(partial, STR("GET /deta"));
	web_turns(web, 5);
	client_close(second);
	web_turns(web, 5);
	http_server_free(&web->server);
	assert_int_equal(web->finals, 2);
	client_await_end(first);
	client_await_end(partial);
	assert_int_equal(first->got.size, 0);
	client_close(first);
	client_close(partial);
	web_free(web);
}

static void a_deadline_is_answered(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_open(web);

	client_send(client, STR("GET /hasty HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(client, "{\"detail\":\"deadline\"}");
	assert_true(client_has(client, STR("HTTP/1.1 503 Service Unavailable\r\n")));
	assert_true(client_has(client, STR("Retry-After: 1\r\n")));
	assert_int_equal(web->finals, 1);
	client_close(client);
	web_free(web);
}

static void a_drop_says_nothing(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_open(web);

	client_send(client, STR("GET /drop HTTP/1.1\r\n" HOST "\r\n"));
	client_await_end(client);
	assert_int_equal(client->got.size, 0);
	client_close(client);
	web_free(web);
}

/* What is pipelined behind a request that takes long is not read without end. */
static void pipelining_without_answers_is_held_back(void **state)
{
	static char bytes[65536];
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_waiting(web, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
	ssize_t sent;

	memset(bytes, 'x', sizeof(bytes));
	do { /* until the kernel's buffers are full, because the server takes no more */
		sent = send(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
		web_turns(web, 3);
	} while (sent > 0);
	assert_int_equal(errno, EAGAIN);
	flow_queue_wake_all(&web->gate);
	client_await_text(client, "woke");
	client_await_text(client, " 400 ");
	client_close(client);
	web_free(web);
}

/* A client that still sends must be able to read why it is refused: closing at once would reset the
 * connection, and take the answer along. */
static void an_early_refusal_arrives_whole(void **state)
{
	static const char head[] = "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n";
	static char bytes[50000]; /* far more than the server reads before it refuses */
	struct web *web = web_with((struct http_server_options){0});
	struct client *client = client_open(web);

	memcpy(bytes, head, sizeof(head) - 1);
	loop_watch_set(client->watch, 0); /* sends all of it before it reads */
	client_send(client, str_of(bytes, sizeof(bytes)));
	web_turns(web, 5);
	loop_watch_set(client->watch, LOOP_READ);
	client_await_end(client);
	assert_false(client->reset);
	assert_true(client_has(client, STR("{\"detail\":\"body: longer than 65536 bytes\"}")));
	client_close(client);
	web_free(web);
}

/* -- limits ------------------------------------------------------------------------------------------ */

static void too_many_connections_are_turned_away(void **state)
{
	struct web *web = web_with((struct http_server_options){.max_connections = 2});
	struct client *first = client_open(web), *second = client_open(web);
	struct client *third;

	web_turns(web, 3);
	third = client_open(web);
	client_await_end(third);
	assert_string_equal(client_text(third),
		"HTTP/1.1 503 Service Unavailable\r\n"
		"Content-Type: application/json\r\nContent-Length: 33\r\n"
		"Retry-After: 1\r\nConnection: close\r\n\r\n{\"detail\":\"too many connections\"}");
	client_close(third);
	client_close(first);
	web_turns(web, 3);
	third = client_open(web);
	client_send(third, STR("GET /who HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(third, " 200 OK");
	client_close(second);
	client_close(third);
	web_free(web);
}

/* Accepting pauses, those that are open go on, and the one that waits is served afterwards. */
static void running_out_of_descriptors_is_survived(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct client *open = client_open(web), *waiting;
	struct rlimit limit, tight;
	struct arena *arena = arena_new(1 << 20);
	struct str log;
	int filler;

	web_turns(web, 3);
	waiting = client_open(web);
	getrlimit(RLIMIT_NOFILE, &limit);
	filler = dup(0); /* the lowest free: none below it */
	tight = limit;
	tight.rlim_cur = (rlim_t)filler + 1;
	setrlimit(RLIMIT_NOFILE, &tight);
	web_turns(web, 10);
	client_send(open, STR("GET /who HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(open, " 200 OK");
	client_send(waiting, STR("GET /who HTTP/1.1\r\n" HOST "\r\n"));
	web_turns(web, 10);
	assert_int_equal(waiting->got.size, 0);
	setrlimit(RLIMIT_NOFILE, &limit);
	client_await_text(waiting, " 200 OK");
	log = web_log_text(web, arena);
	assert_non_null(memmem(log.data, log.size, "Too many open files", 19));
	arena_free(&arena);
	close(filler);
	client_close(open);
	client_close(waiting);
	web_free(web);
}

static void a_taken_port_is_named(void **state)
{
	struct web *web = web_with((struct http_server_options){0});
	struct http_server_options options = {.routes = test_routes, .host = "127.0.0.1"};
	struct error error = {0};
	char expected[64];

	options.port = http_server_port(web->server);
	snprintf(expected, sizeof(expected), "port %d is already in use", options.port);
	assert_null(http_server_new(web->loop, &options, &error));
	assert_string_equal(error.text, expected);
	options.host = "localhost";
	assert_null(http_server_new(web->loop, &options, &error));
	assert_string_equal(error.text, "localhost is not a numeric address");
	options.host = "198.51.100.7";
	assert_null(http_server_new(web->loop, &options, &error));
	assert_string_equal(error.text, "198.51.100.7 is no address of this machine");
	web_free(web);
}

/* Lists of addresses are written in IPv4, so that is how an IPv4 client of "::" is shown. */
static void ipv6_is_listened_on(void **state)
{
	int probe = socket(AF_INET6, SOCK_STREAM, 0);
	struct client *client;
	struct web *web;

	if (probe < 0)
		skip(); /* a kernel without IPv6 */
	close(probe);
	web = web_with((struct http_server_options){.host = "::"});
	client = client_open(web);
	client_send(client, STR("GET /who HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(client, "|127.0.0.1|");
	client_close(client);
	web_free(web);
}

static void an_inherited_socket_is_used(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct client *client;
	struct web *web;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(fd, 16), 0);
	web = web_with((struct http_server_options){.listen_fd = fd});
	client = client_open(web);
	client_send(client, STR("GET /who HTTP/1.1\r\n" HOST "\r\n"));
	client_await_text(client, " 200 OK");
	client_close(client);
	web_free(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_request_gets_408),
		cmocka_unit_test(a_dripping_client_is_cut),
		cmocka_unit_test(an_idle_connection_is_closed_silently),
		cmocka_unit_test(each_request_puts_the_idle_time_off),
		cmocka_unit_test(waiting_for_an_answer_is_not_idle),
		cmocka_unit_test(an_early_refusal_arrives_whole),
		cmocka_unit_test(a_client_that_does_not_read_is_cut),
		cmocka_unit_test(a_large_answer_arrives_whole),
		cmocka_unit_test(a_lost_client_cancels_its_flow),
		cmocka_unit_test(a_reset_cancels_too),
		cmocka_unit_test(a_detached_flow_outlives_its_client),
		cmocka_unit_test(freeing_the_server_cancels_all),
		cmocka_unit_test(a_deadline_is_answered),
		cmocka_unit_test(a_drop_says_nothing),
		cmocka_unit_test(pipelining_without_answers_is_held_back),
		cmocka_unit_test(too_many_connections_are_turned_away),
		cmocka_unit_test(running_out_of_descriptors_is_survived),
		cmocka_unit_test(a_taken_port_is_named),
		cmocka_unit_test(ipv6_is_listened_on),
		cmocka_unit_test(an_inherited_socket_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
