/*
 * http_upgrade: the connection changes hands: the 101, what came behind the request, the limits, and
 * a server that ends before those whom it gave a connection.
 */
#include "http_routes.h"

#include "http_upgrade.h"

#define ASK                                                                                        \
	"GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: test\r\nX-Many: a, b\r\n"  \
	"X-Other: 1\r\nx-many: c\r\n\r\n"
#define SWITCHED "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n"

/* What the flows of these tests took; one at a time. */
static struct http_upgraded taken;
static struct http_server *taken_of;
static char refused[256];

static enum flow_status take(struct flow *flow)
{
	static const char *const headers[][2] = {
		{"Connection", "Upgrade"}, {"Upgrade", "test"}, {NULL, NULL}};
	struct error error = {0};

	refused[0] = '\0';
	if (http_upgrade(flow, headers, &taken, &error)) {
		taken_of = http_server_of(flow);
		loop_stop(flow_loop(flow));
		return FLOW_END;
	}
	snprintf(refused, sizeof(refused), "%s", error.text);
	return flow_fail_error(flow, &error);
}

static enum flow_status reply_first(struct flow *flow)
{
	http_reply(flow, 200, "text/plain", STR("no"));
	return take(flow);
}

static enum flow_status say_many(struct flow *flow)
{
	struct buf text;
	struct str value;
	unsigned place = 0;

	buf_init(&text, 256);
	while (http_request_header_next(flow, "X-MANY", &place, &value))
		buf_printf(&text, "[%.*s]", STR_ARG(value));
	http_reply(flow, 200, "text/plain", buf_str(&text));
	buf_free(&text);
	return FLOW_END;
}

TEST_FLOW(up, {"take", take});
TEST_FLOW(late, {"late", reply_first});
TEST_FLOW(many, {"many", say_many});
/* It looks something up first, as a bridge does. */
TEST_FLOW(slow, {"wait", wait_at_gate}, {"take", take});

static const struct http_route routes[] = {
	{"GET", "/up", &up_flow, ROUTE_UPGRADE},
	{"GET", "/slow", &slow_flow, ROUTE_UPGRADE},
	{"GET", "/late", &late_flow, ROUTE_UPGRADE},
	{"GET", "/plain", &up_flow, 0},
	{"GET", "/many", &many_flow, 0},
	{NULL, NULL, NULL, 0},
};

static struct web *web_start(unsigned max_connections)
{
	taken = (struct http_upgraded){.fd = -1};
	return web_new(
		(struct http_server_options){.routes = routes, .max_connections = max_connections});
}

static void give_back(struct http_upgraded *upgraded)
{
	close(upgraded->fd);
	if (upgraded->rest != NULL)
		buf_free(upgraded->rest);
	free(upgraded->rest);
	*upgraded = (struct http_upgraded){.fd = -1};
	http_upgraded_over(taken_of);
}

static struct client *client_upgraded(struct web *web, const char *request)
{
	struct client *client = client_open(web);

	client_send(client, str_from(request));
	while (taken.fd < 0)
		web_run(web);
	client_await_bytes(client, sizeof(SWITCHED) - 1);
	return client;
}

static void the_connection_changes_hands(void **state)
{
	struct web *web = web_start(0);
	struct client *client = client_upgraded(web, ASK "first bytes");

	assert_string_equal(client_text(client), SWITCHED);
	assert_true(str_equal(buf_str(taken.rest), STR("first bytes")));
	assert_int_equal(http_server_busy(web->server), 0);
	/* Both ways, and the server does not read along. */
	client_send(client, STR("more"));
	web_turns(web, 5);
	{
		char got[16];

		assert_int_equal(recv(taken.fd, got, sizeof(got), 0), 4);
		assert_memory_equal(got, "more", 4);
	}
	assert_int_equal(send(taken.fd, "back", 4, MSG_NOSIGNAL), 4);
	client_await_text(client, "back");
	give_back(&taken);
	client_await_end(client);
	client_close(client);
	web_free(web);
}

static void without_a_rest_there_is_none(void **state)
{
	struct web *web = web_start(0);
	struct client *client = client_upgraded(web, ASK);

	assert_null(taken.rest);
	give_back(&taken);
	client_close(client);
	web_free(web);
}

static void bytes_that_come_while_the_flow_waits_are_kept(void **state)
{
	static const char ask[] = "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
				  "Upgrade: test\r\n\r\n";
	struct web *web = web_start(0);
	struct client *client = client_waiting(web, ask);
	struct buf all;
	char got[256];
	ssize_t size;

	for (int i = 0; i < 20; i++) { /* more than there is room for behind the request */
		client_send(client, STR("0123456789"));
		web_turns(web, 2);
	}
	flow_queue_wake_all(&web->gate);
	while (taken.fd < 0)
		web_run(web);
	buf_init(&all, 1024);
	buf_add(&all, buf_str(taken.rest));
	while ((size = recv(taken.fd, got, sizeof(got), MSG_DONTWAIT)) > 0)
		buf_append(&all, got, (size_t)size);
	assert_int_equal(all.size, 200);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(all.data[i], '0' + (int)(i % 10));
	buf_free(&all);
	give_back(&taken);
	client_close(client);
	web_free(web);
}

static void refusals(void **state)
{
	struct web *web = web_start(0);
	struct client *client = client_open(web);

	client_send(client, STR("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"));
	client_await_text(client, "500 ");
	assert_string_equal(refused, "this route may not be upgraded");
	client_send(client, STR("GET /late HTTP/1.1\r\nHost: a\r\n\r\n"));
	client_await_text(client, "\r\n\r\nno");
	assert_string_equal(refused, "an upgrade after an answer");
	client_send(client, STR("GET /up HTTP/1.0\r\nHost: a\r\n\r\n"));
	client_await_text(client, "an upgrade needs HTTP/1.1");
	assert_int_equal(taken.fd, -1);
	client_close(client);
	web_free(web);
}

static void it_counts_until_it_is_over(void **state)
{
	struct web *web = web_start(1);
	struct client *client = client_upgraded(web, ASK);
	struct client *second = client_open(web);

	client_await_text(second, "too many connections");
	client_close(second);
	give_back(&taken);
	second = client_upgraded(web, ASK);
	give_back(&taken);
	client_close(second);
	client_close(client);
	web_free(web);
}

static void it_may_outlive_the_server(void **state)
{
	struct web *web = web_start(0);
	struct client *client = client_upgraded(web, ASK);

	http_server_drain(web->server);
	web_turns(web, 3);
	assert_false(client->closed); /* a drain is its owner's business */
	http_server_free(&web->server);
	give_back(&taken);
	client_await_end(client);
	client_close(client);
	web_free(web);
}

static void headers_of_one_name(void **state)
{
	struct web *web = web_start(0);
	struct client *client = client_open(web);

	client_send(client, STR("GET /many HTTP/1.1\r\nHost: a\r\nX-Many: a, b\r\nX-Other: 1\r\n"
				"x-many:  c \r\n\r\n"));
	client_await_text(client, "[a, b][c]");
	client_close(client);
	web_free(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_connection_changes_hands),
		cmocka_unit_test(without_a_rest_there_is_none),
		cmocka_unit_test(bytes_that_come_while_the_flow_waits_are_kept),
		cmocka_unit_test(refusals),
		cmocka_unit_test(it_counts_until_it_is_over),
		cmocka_unit_test(it_may_outlive_the_server),
		cmocka_unit_test(headers_of_one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
