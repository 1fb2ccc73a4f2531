/* http_client: what is sent, what comes back, and above all that nothing is ever sent twice. */
#include "http_world.h"

#include <inttypes.h>
#include <stdlib.h>

static int set_up_with(void **state, struct http_client_options options)
{
	*state = http_world_new(&options);
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, (struct http_client_options){.user_agent = "callweave"});
}

static int set_up_narrow(void **state)
{
	return set_up_with(state, (struct http_client_options){.max_connections_per_host = 2});
}

static int set_up_guarded(void **state)
{
	static struct address_list allowed;

	assert_true(address_list_read(STR("127.0.0.0/28"), &allowed, NULL));
	return set_up_with(
		state, (struct http_client_options){.deny_private = true, .allowed = &allowed});
}

static int tear_down(void **state)
{
	http_world_free((struct http_world **)state);
	return 0;
}

static struct http_call post(const char *path)
{
	return (struct http_call){.method = "POST",
		.url = path,
		.content_type = "application/json",
		.body = STR("{\"a\":1}")};
}

static struct http_call get(const char *path)
{
	return (struct http_call){.method = "GET", .url = path};
}

static void must_be(const struct http_answer *answer, enum http_reach reach, const char *words)
{
	assert_int_equal(answer->reach, reach);
	if (reach == HTTP_ANSWERED)
		return;
	assert_int_not_equal(answer->error.kind, ERROR_NONE);
	if (strstr(answer->error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", answer->error.text, words);
	assert_null(strstr(answer->error.text, "/")); /* no part of a URL */
}

/* -- ordinary calls -------------------------------------------------------------------------- */

static void test_a_post_and_its_answer(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/echo");
	const struct http_answer *answer;

	call.headers[0][0] = "Idempotency-Key";
	call.headers[0][1] = "k-1";
	call.headers[1][0] = "X-Empty";
	call.headers[1][1] = "";
	answer = http_world_run(world, &call);
	must_be(answer, HTTP_ANSWERED, "");
	assert_int_equal(answer->status, 200);
	assert_string_equal(answer->body.data, "{\"a\":1}");
	assert_true(answer->retry_after_ms == -1);
	assert_non_null(strstr(world->last, "POST /echo HTTP/1.1\r\n"));
	assert_non_null(strstr(world->last, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(world->last, "\r\nIdempotency-Key: k-1\r\n"));
	assert_non_null(strstr(world->last, "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(world->last, "\r\nUser-Agent: callweave\r\n"));
	assert_null(strstr(world->last, "Expect"));
}

static void test_methods(void **state)
{
	static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
	struct http_world *world = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct http_call call = {.method = names[i], .url = "/echo"};

		must_be(http_world_run(world, &call), HTTP_ANSWERED, "");
		assert_memory_equal(world->last, names[i], strlen(names[i]));
		assert_null(strstr(world->last, "Content-Type"));
		call.body = STR("body");
		must_be(http_world_run(world, &call), HTTP_ANSWERED, "");
		assert_memory_equal(world->last, names[i], strlen(names[i]));
		assert_string_equal(world->answer.body.data, "body");
	}
	assert_int_equal(world->accepted, 1); /* all on one kept-alive connection */
}

static void test_a_large_body_goes_whole(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/echo");
	char *large = malloc(300001);

	memset(large, 'x', 300000);
	large[300000] = '\0';
	call.body = str_of(large, 300000);
	world->stop_at_request = true;
	(void)http_world_start(world, &call);
	loop_test_run(world->loop);
	assert_int_equal(world->requests, 1); /* it is counted when all of it came */
	flow_cancel_all(world->loop);
	free(large);
}

static void test_retry_after_is_read(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/busy");
	const struct http_answer *answer = http_world_run(world, &call);

	must_be(answer, HTTP_ANSWERED, "");
	assert_int_equal(answer->status, 429);
	assert_int_equal(answer->retry_after_ms, 7000);
	assert_string_equal(answer->body.data, "wait");
}

static void test_redirects_are_not_followed(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/moved");

	assert_int_equal(http_world_run(world, &call)->status, 302);
	assert_int_equal(world->requests, 1);
}

static void test_headers_of_the_answer(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/busy");

	(void)http_world_run(world, &call);
	assert_int_equal(world->answer.header_count, 0);
	call.want_headers = true;
	(void)http_world_run(world, &call);
	assert_string_equal(world->headers, "Retry-After=7\nContent-Length=4\n");
}

/* -- whom it may reach ----------------------------------------------------------------------- */

static void test_private_addresses_are_denied(void **state)
{
	static const struct {
		const char *url, *words;
	} cases[] = {
		{"http://127.0.0.99:1/", "address 127.0.0.99 is not allowed"},
		{"http://127.1.0.1:1/", "address 127.1.0.1 is not allowed"},
		{"http://169.254.169.254/latest/meta-data",
			"address 169.254.169.254 is not allowed"},
		{"http://10.0.0.1/", "address 10.0.0.1 is not allowed"},
		{"http://2852039166/", "address 169.254.169.254 is not allowed"},
		{"http://0x7f.1.0.1/", "address 127.1.0.1 is not allowed"},
		{"http://[::ffff:10.0.0.1]/", "address 10.0.0.1 is not allowed"},
		{"http://[fd00:ec2::254]/", "address fd00:ec2::254 is not allowed"},
		{"http://[::1]:1/", "address ::1 is not allowed"},
	};
	struct http_world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_call call = get(cases[i].url);

		must_be(http_world_run(world, &call), HTTP_NOT_SENT, cases[i].words);
		assert_int_equal(world->answer.error.kind, ERROR_INPUT);
	}
}

static void test_allowed_addresses_are_reached(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/echo");

	must_be(http_world_run(world, &call), HTTP_ANSWERED, "");
	call = get("http://127.0.0.1:1/"); /* allowed, and nobody there: no other words than ever */
	must_be(http_world_run(world, &call), HTTP_NOT_SENT, "Connection refused");
}

/* -- how far it came ------------------------------------------------------------------------- */

static void test_nobody_listens(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("http://127.0.0.1:1/bot123:SECRET/sendMessage");

	must_be(http_world_run(world, &call), HTTP_NOT_SENT, "Connection refused");
	assert_null(strstr(world->answer.error.text, "SECRET"));
	assert_int_equal(world->answer.error.kind, ERROR_UPSTREAM);
}

static void test_no_such_host(void **state)
{
	struct http_world *world = *state;
	struct http_call call = get("http://no-such-host.invalid/");

	must_be(http_world_run(world, &call), HTTP_NOT_SENT, "resolve");
}

static void test_what_is_not_http(void **state)
{
	static const char *const urls[] = {"ftp://127.0.0.1/x", "file:///etc/passwd", "http://",
		"not a url at all", "http://127.0.0.1:99999/"};
	struct http_world *world = *state;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct http_call call = get(urls[i]);

		assert_int_equal(http_world_run(world, &call)->reach, HTTP_NOT_SENT);
		assert_int_not_equal(world->answer.error.kind, ERROR_NONE);
	}
}

static void test_a_header_cannot_smuggle(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/echo");

	call.headers[0][0] = "X-Name";
	call.headers[0][1] = "a\r\nX-Evil: 1";
	must_be(http_world_run(world, &call), HTTP_NOT_SENT, "header");
	assert_int_equal(world->answer.error.kind, ERROR_INPUT);
	assert_int_equal(world->requests, 0);
}

/* The case for which libcurl repeats: a kept-alive connection that closes without an answer. */
static void test_a_request_is_never_repeated(void **state)
{
	static const char *const methods[] = {"POST", "GET", "PUT", "DELETE"};
	struct http_world *world = *state;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct http_call first = post("/echo"), second = post("/close");

		second.method = methods[i];
		if (i % 2 == 1)
			second.body = STR("");
		must_be(http_world_run(world, &first), HTTP_ANSWERED, "");
		world->requests = world->accepted = 0;
		must_be(http_world_run(world, &second), HTTP_UNKNOWN, "closed before an answer");
		assert_int_equal(world->answer.status, 0);
		loop_test_run_for(world->loop, 100);
		assert_int_equal(world->requests, 1);
		assert_int_equal(world->accepted, 0);
	}
}

static void test_a_fresh_connection_that_closes(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/close");

	must_be(http_world_run(world, &call), HTTP_UNKNOWN, "");
	assert_int_equal(world->requests, 1);
}

/* A close that was seen before the next call is no reason to fail. */
static void test_a_connection_that_closed_while_idle(void **state)
{
	struct http_world *world = *state;
	struct http_call first = post("/hang-up"), second = post("/echo");

	for (int i = 0; i < 20; i++) {
		must_be(http_world_run(world, &first), HTTP_ANSWERED, "");
		must_be(http_world_run(world, &second), HTTP_ANSWERED, "");
	}
	assert_int_equal(world->requests, 40);
}

static void test_half_an_answer(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/half");

	must_be(http_world_run(world, &call), HTTP_UNKNOWN, "partial");
	assert_int_equal(world->answer.status, 200);
}

static void test_a_long_answer_is_refused(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/big");

	call.max_answer_bytes = 19;
	must_be(http_world_run(world, &call), HTTP_UNKNOWN, "longer than 19 bytes");
	call.max_answer_bytes = 20;
	must_be(http_world_run(world, &call), HTTP_ANSWERED, "");
	assert_int_equal(world->answer.body.size, 20);
}

static void test_a_slow_server(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/slow");

	call.timeout_ms = 150;
	must_be(http_world_run(world, &call), HTTP_UNKNOWN, "Timeout");
	assert_true(world->answer.took_ms >= 150);
	assert_true(world->answer.took_ms < 5000);
}

/* -- ends ------------------------------------------------------------------------------------ */

static void test_a_cancelled_call_goes_away(void **state)
{
	struct http_world *world = *state;
	struct http_call slow = post("/slow"), echo = post("/echo");
	struct flow *flow;

	world->stop_at_request = true;
	flow = http_world_start(world, &slow);
	loop_test_run(world->loop); /* the request is at the server */
	flow_cancel(flow);
	world->stop_at_request = false;
	must_be(http_world_run(world, &echo), HTTP_ANSWERED, "");
	assert_int_equal(world->accepted, 2); /* the connection went with the call */
}

static void test_calls_end_with_the_client(void **state)
{
	struct http_world *world = *state;
	struct http_call call = post("/slow");

	world->stop_at_request = true;
	(void)http_world_start(world, &call);
	loop_test_run(world->loop);
	http_client_free(&world->client);
	loop_test_run(world->loop); /* ended by the flow */
	assert_int_equal(world->answer.reach, HTTP_UNKNOWN);
}

/* With two connections five calls wait for each other; one that never got its turn was not sent. */
static void test_a_narrow_client_queues(void **state)
{
	struct http_world *world = *state;
	struct http_call slow = post("/slow"), echo = post("/echo");
	struct flow *flows[2];

	slow.timeout_ms = 20000;
	for (int i = 0; i < 2; i++)
		flows[i] = http_world_start(world, &slow);
	loop_test_run_for(world->loop, 200);
	assert_int_equal(world->requests, 2);
	echo.timeout_ms = 200;
	(void)http_world_start(world, &echo);
	loop_test_run_for(world->loop, 500);
	must_be(&world->answer, HTTP_NOT_SENT, "Timeout");
	flow_cancel(flows[0]);
	echo.timeout_ms = 20000;
	for (int i = 0; i < 5; i++)
		(void)http_world_start(world, &echo);
	loop_test_run_for(world->loop, 500);
	assert_int_equal(world->running, 1); /* the other slow one */
	assert_int_equal(world->requests, 7);
	flow_cancel(flows[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_post_and_its_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_methods, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_large_body_goes_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_retry_after_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_redirects_are_not_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_headers_of_the_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_private_addresses_are_denied, set_up_guarded, tear_down),
		cmocka_unit_test_setup_teardown(
			test_allowed_addresses_are_reached, set_up_guarded, tear_down),
		cmocka_unit_test_setup_teardown(test_nobody_listens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_such_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_http, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_header_cannot_smuggle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_request_is_never_repeated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_fresh_connection_that_closes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_connection_that_closed_while_idle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_half_an_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_long_answer_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_slow_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_cancelled_call_goes_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_calls_end_with_the_client, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_narrow_client_queues, set_up_narrow, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
