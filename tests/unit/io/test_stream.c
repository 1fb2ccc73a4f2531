/* stream: bytes to and from a peer, in any pieces; its bounds; how connections end. */
#include "stream.h"

#include "loop_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct world {
	struct loop *loop;
	int listen_fd, port;
	int peer_fd;
	struct stream *stream;
	size_t want; /* bytes of input to wait for */
	bool until_lost;
	char got[256];
	struct error error;
	bool lost;
};

static int set_up(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	world->loop = loop_new();
	world->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(world->listen_fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(world->listen_fd, 4), 0);
	assert_int_equal(getsockname(world->listen_fd, (struct sockaddr *)&address, &size), 0);
	world->port = ntohs(address.sin_port);
	world->peer_fd = -1;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	flow_cancel_all(world->loop);
	stream_close(&world->stream);
	if (world->peer_fd >= 0)
		close(world->peer_fd);
	close(world->listen_fd);
	loop_free(&world->loop);
	test_free(world);
	return 0;
}

static void open_to(struct world *world, int port, size_t max_bytes)
{
	const struct stream_options options = {.address = "127.0.0.1",
		.port = port,
		.max_input_bytes = max_bytes,
		.max_output_bytes = max_bytes};

	world->stream = stream_open(world->loop, &options, &world->error);
	assert_non_null(world->stream);
}

static void open_and_accept(struct world *world, size_t max_bytes)
{
	open_to(world, world->port, max_bytes);
	world->peer_fd = accept4(world->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(world->peer_fd >= 0);
}

static void peer_says(struct world *world, const char *text)
{
	assert_int_equal(send(world->peer_fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* -- a flow that reads ----------------------------------------------------------------------------- */

static enum flow_status read_more(struct flow *flow)
{
	struct world *world = flow_context(flow);

	world->lost = stream_lost(world->stream, &world->error);
	str_copy(world->got, sizeof(world->got), stream_input(world->stream));
	if (world->lost || (!world->until_lost && stream_input(world->stream).size >= world->want))
		return FLOW_END;
	flow_goto(flow, 0);
	return await_stream(flow, world->stream);
}

static void read_over(struct flow *flow)
{
	struct world *world = flow_context(flow);

	loop_stop(world->loop);
}

static const struct flow_step steps[] = {{"read", read_more}, {NULL, NULL}};
static const struct flow_spec reader = {
	.name = "reader", .steps = steps, .finally = read_over, .deadline_ms = 20000};

static void read_until(struct world *world, size_t want)
{
	world->want = want;
	flow_start(world->loop, &reader, world, NULL);
	loop_test_run(world->loop);
}

static void read_to_the_end(struct world *world)
{
	world->until_lost = true;
	read_until(world, 0);
	assert_true(world->lost);
}

/* -- the tests -------------------------------------------------------------------------------------- */

static void bytes_go_both_ways(void **state)
{
	struct world *world = *state;
	char text[64] = "";

	open_to(world, world->port, 0);
	assert_false(stream_connected(world->stream));
	assert_true(stream_send(world->stream, STR("before it is connected "), NULL));
	world->peer_fd = accept4(world->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	peer_says(world, "hello");
	read_until(world, 5);
	assert_true(stream_connected(world->stream));
	assert_string_equal(world->got, "hello");
	assert_true(stream_send(world->stream, STR("and after"), NULL));
	loop_test_run_for(world->loop, 20);
	assert_int_equal(recv(world->peer_fd, text, sizeof(text) - 1, 0), 32);
	assert_string_equal(text, "before it is connected and after");
}

static void what_is_consumed_is_gone(void **state)
{
	struct world *world = *state;

	open_and_accept(world, 0);
	peer_says(world, "one two");
	read_until(world, 7);
	stream_consume(world->stream, 4);
	peer_says(world, "!");
	read_until(world, 4);
	assert_string_equal(world->got, "two!");
}

/* Nothing that came before the end is lost with it. */
static void the_end_comes_after_the_bytes(void **state)
{
	struct world *world = *state;

	open_and_accept(world, 0);
	peer_says(world, "last words");
	close(world->peer_fd);
	world->peer_fd = -1;
	read_to_the_end(world);
	assert_string_equal(world->got, "last words");
	assert_string_equal(world->error.text, "the connection was closed");
	assert_false(stream_send(world->stream, STR("x"), &world->error));
	assert_string_equal(world->error.text, "the connection was closed");
}

static void a_refused_connection_says_so(void **state)
{
	struct world *world = *state;

	close(world->listen_fd); /* nobody listens there now */
	open_to(world, world->port, 0);
	read_to_the_end(world);
	assert_false(stream_connected(world->stream));
	assert_string_equal(world->error.text, "Connection refused");
	world->listen_fd = dup(0);
}

static void no_name_is_resolved(void **state)
{
	struct world *world = *state;
	const struct stream_options name = {.address = "localhost", .port = 5038};
	const struct stream_options nothing = {.address = "", .port = 5038};
	const struct stream_options no_port = {.address = "127.0.0.1", .port = 70000};

	assert_null(stream_open(world->loop, &name, &world->error));
	assert_string_equal(world->error.text, "localhost is not a numeric address");
	assert_null(stream_open(world->loop, &nothing, &world->error));
	assert_null(stream_open(world->loop, &no_port, &world->error));
	assert_string_equal(world->error.text, "70000 is no port");
}

/* A peer that floods gets no further than the bound; room that is made is filled again. */
static void input_is_bounded(void **state)
{
	struct world *world = *state;

	open_and_accept(world, 16);
	peer_says(world, "0123456789abcdefghij");
	read_until(world, 16);
	loop_test_run_for(world->loop, 30);
	assert_int_equal(stream_input(world->stream).size, 16);
	stream_consume(world->stream, 16);
	read_until(world, 4);
	assert_string_equal(world->got, "ghij");
}

static void output_is_bounded(void **state)
{
	struct world *world = *state;

	open_to(world, world->port, 16);
	assert_true(stream_send(world->stream, STR("0123456789"), &world->error));
	assert_false(stream_send(world->stream, STR("0123456789"), &world->error));
	assert_string_equal(world->error.text, "it does not take what is sent");
}

/* A flow that is cancelled while it waits leaves a stream that can go on. */
static void a_cancelled_wait_is_forgotten(void **state)
{
	struct world *world = *state;
	struct flow *flow;

	open_and_accept(world, 0);
	world->want = 5;
	flow = flow_start(world->loop, &reader, world, NULL);
	loop_test_run_for(world->loop, 20);
	flow_cancel(flow);
	peer_says(world, "later");
	loop_test_run_for(world->loop, 20);
	read_until(world, 5);
	assert_string_equal(world->got, "later");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_go_both_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_consumed_is_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_end_comes_after_the_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_connection_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_name_is_resolved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(input_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(output_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cancelled_wait_is_forgotten, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
