/* redis: messages wake, a lost server is told of and comes back, bad URLs are refused in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop_test.h"
#include "redis.h"
#include "temp_server.h"

static struct temp_server server;

struct world {
	struct loop *loop;
	struct redis *redis;
	unsigned running;
	int64_t timeout_ms;
	bool timed_out;
};

static struct redis *open_redis(struct loop *loop, const char *url, const char *channel)
{
	struct redis_options options = {.url = url, .subscribe = channel};
	struct error error = {.text = ""};
	struct redis *redis = redis_new(loop, &options, &error);

	if (redis == NULL)
		fail_msg("%s", error.text);
	return redis;
}

static enum flow_status wait_for_message(struct flow *flow)
{
	struct world *world = flow_context(flow);

	return await_redis_message(flow, world->redis, world->timeout_ms);
}

static enum flow_status note_timeout(struct flow *flow)
{
	struct world *world = flow_context(flow);

	world->timed_out = flow_timed_out(flow);
	return FLOW_END;
}

static void done(struct flow *flow)
{
	struct world *world = flow_context(flow);

	if (--world->running == 0)
		loop_stop(world->loop);
}

static const struct flow_step wait_steps[] = {
	{"wait", wait_for_message}, {"note", note_timeout}, {NULL, NULL}};
static const struct flow_spec wait_flow = {.name = "wait", .steps = wait_steps, .finally = done};

static struct flow *start_wait(struct world *world, int64_t timeout_ms)
{
	world->timeout_ms = timeout_ms;
	world->running++;
	return flow_start(world->loop, &wait_flow, world, NULL);
}

/* False: nothing came in time. */
static bool wait_message(struct world *world, int64_t timeout_ms)
{
	(void)start_wait(world, timeout_ms);
	loop_test_run(world->loop);
	return !world->timed_out;
}

static void until_ready(struct world *world)
{
	for (int i = 0; i < 1000 && !redis_ready(world->redis); i++)
		loop_test_run_for(world->loop, 10);
	assert_true(redis_ready(world->redis));
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->loop = loop_new();
	world->redis = open_redis(world->loop, server.url, "wake");
	until_ready(world);
	assert_true(wait_message(world, 20000)); /* the subscription itself */
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	redis_free(&world->redis);
	loop_free(&world->loop);
	free(world);
	return 0;
}

static void test_a_message_wakes(void **state)
{
	struct world *world = *state;

	assert_true(redis_publish(world->redis, "other", STR("not for us")));
	assert_false(wait_message(world, 100));
	assert_true(redis_publish(world->redis, "wake", STR("")));
	assert_true(wait_message(world, 20000));
	assert_false(wait_message(world, 100));
}

static void test_messages_before_the_wait_count_as_one(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 50; i++)
		assert_true(redis_publish(world->redis, "wake", STR("a b\r\nc")));
	loop_test_run_for(world->loop, 200);
	assert_true(wait_message(world, 20000));
	assert_false(wait_message(world, 100));
}

static void test_unanswered_publishes_are_bounded(void **state)
{
	struct world *world = *state;
	unsigned taken = 0;

	for (int i = 0; i < 1500; i++)
		taken += redis_publish(world->redis, "other", STR("x")) ? 1 : 0;
	assert_int_equal(taken, 1000);
	loop_test_run_for(world->loop, 300);
	assert_true(redis_publish(world->redis, "other", STR("x")));
}

static void test_a_lost_server_comes_back(void **state)
{
	struct world *world = *state;

	temp_server_do(&server, "kill");
	while (redis_ready(world->redis))
		loop_test_run_for(world->loop, 10);
	assert_false(redis_publish(world->redis, "wake", STR("lost")));
	(void)wait_message(world, 100); /* whatever the loss itself said */
	temp_server_do(&server, "resume");
	assert_true(wait_message(world, 20000)); /* what came meanwhile was missed: look */
	until_ready(world);
	assert_true(redis_publish(world->redis, "wake", STR("again")));
	assert_true(wait_message(world, 20000));
}

static void test_a_waiting_flow_can_be_cancelled(void **state)
{
	struct world *world = *state;
	struct flow *flow = start_wait(world, 20000);

	loop_test_run_for(world->loop, 10);
	flow_cancel(flow);
	assert_true(redis_publish(world->redis, "wake", STR("")));
	assert_true(wait_message(world, 20000));
}

/* Freed at every stage of the connection. */
static void test_free_at_any_time(void **state)
{
	for (int ms = 0; ms < 20; ms++) {
		struct loop *loop = loop_new();
		struct redis *redis = open_redis(loop, server.url, "wake");

		loop_test_run_for(loop, ms / 4);
		(void)redis_publish(redis, "wake", STR("x"));
		redis_free(&redis);
		loop_free(&loop);
	}
}

static void test_bad_urls(void **state)
{
	static const char *const urls[] = {"", "http://127.0.0.1", "redis://", "redis://:pw@",
		"redis://127.0.0.1:70000", "redis://127.0.0.1:6379/x", "unix:"};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct redis_options options = {.url = urls[i]};
		struct loop *loop = loop_new();
		struct error error = {.text = ""};

		assert_null(redis_new(loop, &options, &error));
		assert_int_equal(error.kind, ERROR_INPUT);
		assert_null(strstr(error.text, "pw"));
		loop_free(&loop);
	}
}

/* Nobody there: not ready, and no busy loop. */
static void test_no_server(void **state)
{
	struct loop *loop = loop_new();
	struct redis *redis = open_redis(loop, "redis://127.0.0.1:1", "wake");

	loop_test_run_for(loop, 500);
	assert_false(redis_ready(redis));
	redis_free(&redis);
	loop_free(&loop);
}

/* The server wants a password. */
static void test_a_login(void **state)
{
	static const char *const logins[][2] = {{":s3cret", "ok"}, {"s3cret", "ok"},
		{"default:s3cret", "ok"}, {":wrong", ""}, {"", ""}};
	struct temp_server guarded = temp_server_start("temp_redis");
	const char *address = guarded.url + strlen("redis://");
	char command[400], url[400];

	(void)snprintf(command, sizeof(command),
		"redis-cli -u '%s' config set requirepass s3cret >/dev/null", guarded.url);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		struct world world = {.loop = loop_new()};

		(void)snprintf(url, sizeof(url), "redis://%s%s%s", logins[i][0],
			logins[i][0][0] != '\0' ? "@" : "", address);
		world.redis = open_redis(world.loop, url, "wake");
		if (logins[i][1][0] != '\0')
			until_ready(&world);
		else
			loop_test_run_for(world.loop, 300);
		assert_int_equal(redis_ready(world.redis), logins[i][1][0] != '\0');
		redis_free(&world.redis);
		loop_free(&world.loop);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_message_wakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_messages_before_the_wait_count_as_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_unanswered_publishes_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_lost_server_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_waiting_flow_can_be_cancelled, set_up, tear_down),
		cmocka_unit_test(test_free_at_any_time),
		cmocka_unit_test(test_bad_urls),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_a_login),
	};

	server = temp_server_start("temp_redis");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
