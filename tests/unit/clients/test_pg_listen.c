/* pg_listen: notices arrive, gaps are told of, too many melt into one. */
#include "pg_listen.h"
#include "pg_world.h"

static struct temp_server server;

struct listening {
	struct pg_world world; /* to send from; first, for pg_world.h's flows */
	struct pg_listen *listen;
	bool timed_out;
	int64_t timeout_ms;
};

static const char *const channels[] = {"first", "second channel", NULL};

static enum flow_status wait_for_notice(struct flow *flow)
{
	struct listening *listening = flow_context(flow);

	return await_pg_notice(flow, listening->listen, listening->timeout_ms);
}

static enum flow_status note_timeout(struct flow *flow)
{
	struct listening *listening = flow_context(flow);

	listening->timed_out = flow_timed_out(flow);
	return FLOW_END;
}

static const struct flow_step wait_steps[] = {
	{"wait", wait_for_notice}, {"note", note_timeout}, {NULL, NULL}};
static const struct flow_spec wait_flow = {
	.name = "wait", .steps = wait_steps, .finally = pg_world_done};

/* False: nothing came in time. */
static bool wait_notice(struct listening *listening, int64_t timeout_ms)
{
	listening->timeout_ms = timeout_ms;
	listening->world.running++;
	(void)flow_start(listening->world.loop, &wait_flow, listening, NULL);
	loop_test_run(listening->world.loop);
	return !listening->timed_out;
}

/* The next notice must be this one; an empty channel stands for any. */
static void must_take(struct listening *listening, const char *channel, const char *payload)
{
	struct pg_notice notice;

	assert_true(wait_notice(listening, 20000));
	assert_true(pg_listen_take(listening->listen, &notice));
	assert_string_equal(notice.payload, payload);
	if (channel[0] != '\0')
		assert_string_equal(notice.channel, channel);
}

static int set_up(void **state)
{
	struct listening *listening = calloc(1, sizeof(*listening));
	struct pg_options options = {.url = server.url};

	pg_world_open(&listening->world, &options);
	listening->listen = pg_listen_new(listening->world.loop, &options, channels);
	until_ready(&listening->world);
	must_take(listening, "", ""); /* the connection itself */
	assert_true(pg_listen_ready(listening->listen));
	*state = listening;
	return 0;
}

static int tear_down(void **state)
{
	struct listening *listening = *state;

	pg_listen_free(&listening->listen);
	pg_world_close(&listening->world);
	free(listening);
	return 0;
}

static void test_notices_arrive_in_order(void **state)
{
	struct listening *listening = *state;
	struct pg_notice notice;

	must(&listening->world, "NOTIFY first, 'one'");
	must(&listening->world, "NOTIFY \"second channel\", 'two'");
	must(&listening->world, "NOTIFY third, 'not ours'");
	must(&listening->world, "NOTIFY first");
	must_take(listening, "first", "one");
	must_take(listening, "second channel", "two");
	must_take(listening, "first", "");
	assert_false(pg_listen_take(listening->listen, &notice));
}

static void test_a_wait_has_an_end(void **state)
{
	struct listening *listening = *state;
	struct pg_notice notice;

	assert_false(wait_notice(listening, 50));
	assert_false(pg_listen_take(listening->listen, &notice));
	must(&listening->world, "NOTIFY first, 'later'");
	must_take(listening, "first", "later");
}

static void test_too_many_melt_into_one(void **state)
{
	struct listening *listening = *state;
	struct pg_notice notice;
	int count = 0;

	must(&listening->world,
		"SELECT pg_notify('first', 'n' || i) FROM generate_series(1, 300) AS g(i)");
	while (wait_notice(listening, 300)) {
		bool was_gap = false;

		while (pg_listen_take(listening->listen, &notice)) {
			was_gap = was_gap || notice.payload[0] == '\0';
			count++;
		}
		if (count > 0 && was_gap)
			count = -1000; /* from here on the rest may follow singly */
	}
	assert_true(count < 0); /* it was told to look at everything */
}

static void test_a_gap_is_told_of(void **state)
{
	struct listening *listening = *state;

	temp_server_do(&server, "kill");
	while (pg_listen_ready(listening->listen))
		loop_test_run_for(listening->world.loop, 10);
	temp_server_do(&server, "resume");
	must_take(listening, "", "");
	assert_true(pg_listen_ready(listening->listen));
	until_ready(&listening->world);
	must(&listening->world, "NOTIFY first, 'after'");
	must_take(listening, "first", "after");
}

static void test_a_waiting_flow_can_be_cancelled(void **state)
{
	struct listening *listening = *state;
	struct flow *flow;

	listening->timeout_ms = 20000;
	listening->world.running++;
	flow = flow_start(listening->world.loop, &wait_flow, listening, NULL);
	loop_test_run_for(listening->world.loop, 10);
	flow_cancel(flow);
	must(&listening->world, "NOTIFY first, 'still'");
	must_take(listening, "first", "still");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_notices_arrive_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_wait_has_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_melt_into_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_gap_is_told_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_waiting_flow_can_be_cancelled, set_up, tear_down),
	};

	server = temp_server_start("temp_pg");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
