/* http_client: answers that are taken piece by piece, from servers that pause, lie and never end. */
#include "http_world.h"

#include <stdio.h>
#include <stdlib.h>

enum { FLOOD_BYTES = 20000000 };

static int set_up(void **state)
{
	*state = http_world_new(&(struct http_client_options){0});
	return 0;
}

static int tear_down(void **state)
{
	http_world_free((struct http_world **)state);
	return 0;
}

/* -- one answer as one flow ------------------------------------------------------------------------ */

struct reader { /* what the test looks at afterwards */
	struct http_world *world;
	const char *path;
	int64_t patience_ms, timeout_ms, head_ms,
		nap_ms; /* nap: before the first piece is asked for */
	size_t max_bytes;
	bool stop_early; /* at the first piece */

	int status_at_head;
	enum http_reach reach;
	struct error error;
	char text[64];
	size_t bytes, longest;
	bool in_order, over, ended;
};

struct reading {
	struct http_call call;
	struct http_answer answer;
	struct http_feed *feed;
};

enum { READ_BEGIN, READ_HEAD, READ_PIECE };

static enum flow_status read_begin(struct flow *flow)
{
	struct reader *reader = flow_context(flow);
	struct reading *reading = flow_state(flow);

	reading->call = (struct http_call){.method = "GET",
		.url = arena_printf(flow_arena(flow), "http://127.0.0.1:%d%s", reader->world->port,
			reader->path),
		.timeout_ms = reader->timeout_ms,
		.head_timeout_ms = reader->head_ms,
		.max_answer_bytes = reader->max_bytes,
		.want_headers = true};
	return await_http_begin(
		flow, reader->world->client, &reading->call, &reading->answer, &reading->feed);
}

static enum flow_status read_head(struct flow *flow)
{
	struct reader *reader = flow_context(flow);
	struct reading *reading = flow_state(flow);

	reader->status_at_head = reading->answer.status;
	for (unsigned i = 0; i < reading->answer.header_count; i++)
		assert_false(str_equal(reading->answer.headers[i].name, STR("X-Not")));
	return reader->nap_ms > 0 ? await_sleep(flow, reader->nap_ms) : FLOW_NEXT;
}

static void look_at(struct reader *reader, struct str piece)
{
	size_t kept = strlen(reader->text);

	for (size_t i = 0; i < piece.size; i++)
		reader->in_order &= piece.data[i] == (char)('a' + (char)((reader->bytes + i) % 26));
	if (kept + piece.size < sizeof(reader->text))
		(void)str_copy(reader->text + kept, sizeof(reader->text) - kept, piece);
	reader->bytes += piece.size;
	if (piece.size > reader->longest)
		reader->longest = piece.size;
}

static enum flow_status read_piece(struct flow *flow)
{
	struct reader *reader = flow_context(flow);
	struct reading *reading = flow_state(flow);

	look_at(reader, http_feed_piece(reading->feed));
	reader->over = http_feed_over(reading->feed);
	if (reader->over || (reader->stop_early && reader->bytes > 0))
		return FLOW_END;
	(void)flow_goto(flow, READ_PIECE);
	return await_http_piece(flow, reading->feed, reader->patience_ms);
}

static void read_done(struct flow *flow)
{
	struct reader *reader = flow_context(flow);
	struct reading *reading = flow_state(flow);

	reader->reach = reading->answer.reach;
	reader->error = reading->answer.error;
	reader->ended = true;
	http_feed_free(&reading->feed);
	loop_stop(reader->world->loop);
}

static const struct flow_step read_steps[] = {
	[READ_BEGIN] = {"begin", read_begin},
	[READ_HEAD] = {"head", read_head},
	[READ_PIECE] = {"piece", read_piece},
	{NULL, NULL},
};
static const struct flow_spec read_flow = {
	.name = "read",
	.steps = read_steps,
	.finally = read_done,
	.state_bytes = sizeof(struct reading),
};

static struct reader reader_of(struct http_world *world, const char *path)
{
	return (struct reader){.world = world, .path = path, .patience_ms = 5000, .in_order = true};
}

static void run(struct reader *reader)
{
	(void)flow_start(reader->world->loop, &read_flow, reader, NULL);
	loop_test_run(reader->world->loop);
	assert_true(reader->ended);
}

static void must_fail(const struct reader *reader, const char *words)
{
	assert_true(reader->over);
	assert_int_equal(reader->reach, HTTP_UNKNOWN);
	if (strstr(reader->error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", reader->error.text, words);
}

/* -- what comes ------------------------------------------------------------------------------------ */

static void test_pieces_make_the_whole(void **state)
{
	struct reader reader = reader_of(*state, "/feed-whole");

	run(&reader);
	assert_int_equal(reader.status_at_head, 200); /* and not 103 */
	assert_int_equal(reader.reach, HTTP_ANSWERED);
	assert_string_equal(reader.text, "one two three");
}

static void test_an_error_is_an_answer(void **state)
{
	struct reader reader = reader_of(*state, "/busy");

	run(&reader);
	assert_int_equal(reader.status_at_head, 429);
	assert_string_equal(reader.text, "wait");
}

static void test_a_server_that_stops_in_the_middle(void **state)
{
	struct reader reader = reader_of(*state, "/feed-half");

	run(&reader);
	assert_int_equal(reader.status_at_head, 200);
	assert_string_equal(reader.text, "one two");
	must_fail(&reader, "");
	assert_int_not_equal(reader.error.kind, ERROR_NONE);
}

static void test_a_server_that_stalls_in_the_middle(void **state)
{
	struct reader reader = reader_of(*state, "/feed-stall");

	reader.patience_ms = 50;
	run(&reader);
	assert_string_equal(reader.text, "one two");
	must_fail(&reader, "nothing came for 50 ms");
}

static void test_a_server_without_a_head(void **state)
{
	struct reader reader = reader_of(*state, "/slow");

	reader.timeout_ms = 60;
	run(&reader);
	assert_int_equal(reader.status_at_head, 0);
	must_fail(&reader, "imeout");
}

static void test_a_head_has_a_limit_of_its_own(void **state)
{
	struct reader reader = reader_of(*state, "/slow"), other = reader_of(*state, "/feed-whole");

	reader.head_ms = 60;
	run(&reader);
	must_fail(&reader, "nothing came for 60 ms");
	other.head_ms = 5000; /* kept: what follows is another wait */
	run(&other);
	assert_string_equal(other.text, "one two three");
}

static void test_a_server_that_never_ends(void **state)
{
	struct reader reader = reader_of(*state, "/feed-stall");

	reader.timeout_ms = 60; /* patience is longer: the whole answer has a limit of its own */
	run(&reader);
	assert_string_equal(reader.text, "one two");
	must_fail(&reader, "imeout");
}

static void test_too_long_an_answer(void **state)
{
	struct reader reader = reader_of(*state, "/feed-whole");

	reader.max_bytes = 9;
	run(&reader);
	must_fail(&reader, "longer than 9 bytes");
	assert_true(reader.bytes <= 9);
}

static void test_nobody_listens(void **state)
{
	struct http_world *world = *state;
	struct reader reader = reader_of(world, "/feed-whole");
	int port = world->port;

	world->port = 1;
	run(&reader);
	world->port = port;
	assert_int_equal(reader.reach, HTTP_NOT_SENT);
	assert_true(reader.over);
}

/* -- back-pressure --------------------------------------------------------------------------------- */

static void test_what_is_not_taken_waits_at_the_server(void **state)
{
	struct http_world *world = *state;
	struct reader reader = reader_of(world, "/flood");

	reader.max_bytes = FLOOD_BYTES;
	reader.nap_ms = 150;
	reader.stop_early = true;
	run(&reader);
	/* What both sides' sockets hold is the kernel's; ours is a window. */
	assert_true(reader.longest <= 80 * 1024);
	assert_true(world->paid < FLOOD_BYTES / 2);
}

static void test_a_slow_reader_gets_everything(void **state)
{
	struct reader reader = reader_of(*state, "/flood");

	reader.max_bytes = FLOOD_BYTES;
	reader.nap_ms = 50;
	run(&reader);
	assert_int_equal(reader.reach, HTTP_ANSWERED);
	assert_int_equal(reader.bytes, FLOOD_BYTES);
	assert_true(reader.in_order);
	assert_true(reader.longest <= 80 * 1024);
}

/* -- ends ------------------------------------------------------------------------------------------ */

static void test_a_cancel_at_any_time(void **state)
{
	struct http_world *world = *state;

	for (int64_t wait_ms = 0; wait_ms < 12; wait_ms++) {
		struct reader reader = reader_of(world, "/flood");
		struct flow *flow = flow_start(world->loop, &read_flow, &reader, NULL);

		reader.max_bytes = FLOOD_BYTES;
		reader.nap_ms = 3;
		loop_test_run_for(world->loop, wait_ms);
		if (!reader.ended)
			flow_cancel(flow);
		assert_true(reader.ended);
	}
}

static void test_the_client_goes_first(void **state)
{
	struct http_world *world = *state;
	struct reader reader = reader_of(world, "/feed-stall");
	(void)flow_start(world->loop, &read_flow, &reader, NULL);
	loop_test_run_for(world->loop, 30);
	assert_string_equal(reader.text, "one two");
	http_client_free(&world->client);
	loop_test_run(world->loop);
	must_fail(&reader, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_pieces_make_the_whole),
		TEST(test_an_error_is_an_answer),
		TEST(test_a_server_that_stops_in_the_middle),
		TEST(test_a_server_that_stalls_in_the_middle),
		TEST(test_a_server_without_a_head),
		TEST(test_a_head_has_a_limit_of_its_own),
		TEST(test_a_server_that_never_ends),
		TEST(test_too_long_an_answer),
		TEST(test_nobody_listens),
		TEST(test_what_is_not_taken_waits_at_the_server),
		TEST(test_a_slow_reader_gets_everything),
		TEST(test_a_cancel_at_any_time),
		TEST(test_the_client_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
