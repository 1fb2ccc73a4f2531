/* redis_command: commands and their answers, in time or not at all. */
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
	struct arena *arena; /* of the last answer's texts */
	struct str words[8];
	unsigned count;
	int64_t timeout_ms;
	struct redis_reply reply;
	bool over;
};

static enum flow_status ask(struct flow *flow)
{
	struct world *world = flow_context(flow);

	const struct redis_command command = {world->words, world->count, world->timeout_ms};

	return await_redis(flow, world->redis, &command, &world->reply);
}

/* The texts go with the flow. */
static enum flow_status keep(struct flow *flow)
{
	struct world *world = flow_context(flow);

	for (unsigned i = 0; i < world->reply.count; i++) {
		struct str *item = &world->reply.items[i];

		if (item->data != NULL)
			item->data = arena_strndup(world->arena, item->data, item->size);
	}
	if (world->reply.count > 0)
		world->reply.items =
			memcpy(arena_array(world->arena, world->reply.count, sizeof(struct str)),
				world->reply.items, world->reply.count * sizeof(struct str));
	return FLOW_END;
}

static void done(struct flow *flow)
{
	struct world *world = flow_context(flow);

	world->over = true;
	loop_stop(world->loop);
}

static const struct flow_step steps[] = {{"ask", ask}, {"keep", keep}, {NULL, NULL}};
static const struct flow_spec spec = {.name = "ask", .steps = steps, .finally = done};

/* Words separated by spaces. */
static struct flow *begin(struct world *world, const char *command, int64_t timeout_ms)
{
	struct str rest = str_from(command);

	for (world->count = 0; rest.data != NULL && rest.size > 0;)
		world->words[world->count++] = str_cut(&rest, ' ');
	world->timeout_ms = timeout_ms;
	world->over = false;
	return flow_start(world->loop, &spec, world, NULL);
}

static const struct redis_reply *run(struct world *world, const char *command, int64_t timeout_ms)
{
	(void)begin(world, command, timeout_ms);
	loop_test_run(world->loop);
	return &world->reply;
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
	struct redis_options options = {.url = server.url};
	struct error error;

	world->loop = loop_new();
	world->arena = arena_new(1 << 20);
	world->redis = redis_new(world->loop, &options, &error);
	until_ready(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	redis_free(&world->redis);
	loop_free(&world->loop);
	arena_free(&world->arena);
	free(world);
	return 0;
}

static void must_be(const struct redis_reply *reply, unsigned item, const char *text)
{
	assert_true(reply->ok);
	assert_true(item < reply->count);
	if (text == NULL)
		assert_null(reply->items[item].data);
	else
		assert_true(str_equal(reply->items[item], str_from(text)));
}

static void test_answers_of_all_kinds(void **state)
{
	struct world *world = *state;
	const struct redis_reply *reply;

	must_be(run(world, "SET a one", 20000), 0, "OK");
	must_be(run(world, "GET a", 20000), 0, "one");
	must_be(run(world, "GET nothing", 20000), 0, NULL);
	reply = run(world, "MGET a nothing a", 20000);
	assert_int_equal(reply->count, 3);
	must_be(reply, 0, "one");
	must_be(reply, 1, NULL);
	must_be(reply, 2, "one");
	assert_int_equal(run(world, "DEL a nothing", 20000)->number, 1);
	reply = run(world, "LRANGE empty 0 9", 20000);
	assert_true(reply->ok);
	assert_int_equal(reply->count, 0);
}

static void test_a_refusal_has_words(void **state)
{
	struct world *world = *state;
	const struct redis_reply *reply;

	(void)run(world, "SET a one", 20000);
	reply = run(world, "LPUSH a x", 20000);
	assert_false(reply->ok);
	assert_int_equal(reply->error.kind, ERROR_UPSTREAM);
	assert_non_null(strstr(reply->error.text, "WRONGTYPE"));
}

static void test_told_comes_before_asked(void **state)
{
	struct world *world = *state;
	const struct str set[] = {STR("SET"), STR("b"), STR("x y\r\n")};

	assert_true(redis_tell(world->redis, set, 3));
	must_be(run(world, "GET b", 20000), 0, "x y\r\n");
}

static void test_an_answer_that_is_too_large(void **state)
{
	struct world *world = *state;

	must_be(run(world, "SET large x", 20000), 0, "OK");
	assert_true(run(world, "SETRANGE large 300000 x", 20000)->ok);
	assert_false(run(world, "GET large", 20000)->ok);
	assert_non_null(strstr(world->reply.error.text, "too large"));
	assert_true(run(world, "DEL large", 20000)->ok);
}

/* Nobody waits longer than he said, and the answer that comes later harms nobody. */
static void test_no_answer_in_time(void **state)
{
	struct world *world = *state;

	(void)run(world, "CLIENT PAUSE 300 ALL", 20000);
	assert_false(run(world, "GET a", 20)->ok);
	assert_non_null(strstr(world->reply.error.text, "in time"));
	must_be(run(world, "SET c late", 20000), 0, "OK");
	must_be(run(world, "GET c", 20000), 0, "late");
}

static void test_a_cancelled_flow(void **state)
{
	struct world *world = *state;
	struct flow *flow;

	(void)run(world, "CLIENT PAUSE 200 ALL", 20000);
	flow = begin(world, "GET a", 20000);
	loop_test_run_for(world->loop, 20);
	flow_cancel(flow);
	assert_true(world->over);
	must_be(run(world, "SET d x", 20000), 0, "OK");
}

static void test_a_lost_server(void **state)
{
	struct world *world = *state;
	unsigned before = redis_connections(world->redis);
	struct str words[] = {STR("PING")};

	(void)run(world, "CLIENT PAUSE 60000 ALL", 20000);
	(void)begin(world, "GET a", 20000);
	loop_test_run_for(world->loop, 20);
	temp_server_do(&server, "kill");
	if (!world->over)
		loop_test_run(world->loop);
	assert_false(world->reply.ok);
	assert_int_equal(world->reply.error.kind, ERROR_BUSY);
	assert_false(run(world, "GET a", 20000)->ok);
	assert_false(redis_tell(world->redis, words, 1));
	temp_server_do(&server, "resume");
	until_ready(world);
	assert_true(redis_connections(world->redis) > before);
	assert_true(run(world, "PING", 20000)->ok);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers_of_all_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_refusal_has_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_told_comes_before_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_answer_that_is_too_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_answer_in_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_cancelled_flow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_lost_server, set_up, tear_down),
	};

	server = temp_server_start("temp_redis");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
