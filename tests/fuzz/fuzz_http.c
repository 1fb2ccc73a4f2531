/*
 * fuzz_http: any bytes on an HTTP connection, in any pieces.
 *
 * The parser: whatever the pieces, the same requests come out, within their limits. The server: a
 * connection over a socket pair takes the same bytes, answers what it took in HTTP, and leaves
 * nothing behind when the client is gone.
 */
#include "http_conn_private.h"
#include "http_private.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER_MAX = 512, BODY_MAX = 256, INPUT_MAX = 8192, TEXT_MAX = 1 << 20 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* The next of a row of numbers that depends on the input alone. */
static size_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

static uint32_t seed_of(const uint8_t *data, size_t size)
{
	uint32_t seed = 2166136261u;

	for (size_t i = 0; i < size; i++)
		seed = (seed ^ data[i]) * 16777619u;
	return seed;
}

/* -- the parser -------------------------------------------------------------------------------------- */

static void add_span(struct buf *to, const struct http_parse *parse, struct http_span span)
{
	require(span.at + span.size <= parse->parsed);
	buf_add(to, http_parse_str(parse, span));
	buf_add_char(to, '\n');
}

static void add_request(struct buf *to, const struct http_parse *parse)
{
	require(parse->head_size <= HEADER_MAX && parse->body.size <= BODY_MAX);
	require(parse->header_count <= HTTP_HEADERS_MAX);
	require(http_parse_header(parse, "Content-Length").size == 0 ||
		http_parse_header(parse, "Transfer-Encoding").size == 0);
	buf_add(to, http_parse_method(parse));
	buf_add_char(to, parse->keep_alive ? '+' : '-');
	add_span(to, parse, parse->target);
	for (unsigned i = 0; i < parse->header_count; i++) {
		struct str value = http_parse_str(parse, parse->headers[i].value);

		require(value.size == 0 || memchr(value.data, '\n', value.size) == NULL);
		add_span(to, parse, parse->headers[i].name);
		add_span(to, parse, parse->headers[i].value);
	}
	add_span(to, parse, parse->body);
}

static bool take_all(struct http_parse *parse, struct buf *to)
{
	enum http_parse_result result;

	while ((result = http_parse_run(parse)) == HTTP_PARSE_DONE) {
		add_request(to, parse);
		http_parse_next(parse);
	}
	require(parse->in.size <= HEADER_MAX + BODY_MAX || result == HTTP_PARSE_BAD);
	require((result == HTTP_PARSE_BAD) == (parse->status >= 400 && parse->detail[0] != '\0'));
	return result != HTTP_PARSE_BAD;
}

/* What came out, as text; "!" in the end when the connection was refused. Which of two faults is seen
 * first may depend on the pieces. */
static void outcome(struct buf *to, struct str input, size_t piece_max, uint32_t seed)
{
	struct http_parse parse;
	bool good = true;

	buf_init(to, TEXT_MAX);
	http_parse_init(&parse, HEADER_MAX, BODY_MAX);
	while (input.size > 0 && good) {
		size_t size = 1 + next(&seed) % piece_max;

		size = size < input.size ? size : input.size;
		require(buf_append(&parse.in, input.data, size));
		input = str_of(input.data + size, input.size - size);
		good = take_all(&parse, to);
	}
	buf_add(to, good ? STR(".") : STR("!"));
	require(!to->failed);
	http_parse_free(&parse);
}

static void check_parser(struct str input, uint32_t seed)
{
	static const size_t pieces[] = {1, 3, 40, 600};
	struct buf whole;

	outcome(&whole, input, INPUT_MAX, seed);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct buf other;

		outcome(&other, input, pieces[i], seed);
		require(str_equal(buf_str(&whole), buf_str(&other)));
		buf_free(&other);
	}
	buf_free(&whole);
}

/* -- the server -------------------------------------------------------------------------------------- */

struct world {
	struct loop *loop;
	struct http_server *server;
	struct loop_task ticker;
	unsigned turns_left;
};

static enum flow_status echo(struct flow *flow)
{
	return http_reply(flow, 200, "text/plain", http_request(flow)->body);
}

static enum flow_status rest(struct flow *flow)
{
	return await_turn(flow);
}

static enum flow_status open_stream(struct flow *flow)
{
	http_stream_begin(flow, "text/event-stream");
	return await_http_stream(flow, http_request(flow)->tail);
}

static enum flow_status refuse(struct flow *flow)
{
	return flow_fail(flow, ERROR_INPUT, "%.*s", STR_ARG(http_request(flow)->query));
}

static const struct flow_step echo_steps[] = {{"rest", rest}, {"echo", echo}, {NULL, NULL}};
static const struct flow_step stream_steps[] = {{"open", open_stream}, {NULL, NULL}};
static const struct flow_step refuse_steps[] = {{"refuse", refuse}, {NULL, NULL}};
static const struct flow_spec echo_flow = {.name = "echo", .steps = echo_steps};
static const struct flow_spec stream_flow = {.name = "stream", .steps = stream_steps};
static const struct flow_spec refuse_flow = {.name = "refuse", .steps = refuse_steps};

static const struct http_route routes[] = {
	{"POST", "/dial", &echo_flow, ROUTE_CORS},
	{"GET", "/d", &echo_flow, ROUTE_DETACHED},
	{"GET", "/s*", &stream_flow, 0},
	{"GET", "/r", &refuse_flow, 0},
	{NULL, NULL, NULL, 0},
};

static void tick(void *owner)
{
	struct world *world = owner;

	if (world->turns_left-- > 0)
		loop_defer(world->loop, &world->ticker);
	else
		loop_stop(world->loop);
}

static void run_turns(struct world *world, unsigned turns)
{
	world->turns_left = turns;
	loop_defer(world->loop, &world->ticker);
	loop_run(world->loop);
}

static void new_world(struct world *world)
{
	struct http_server_options options = {.routes = routes, .max_header_bytes = HEADER_MAX};

	options.max_body_bytes = BODY_MAX;
	world->loop = loop_new();
	world->ticker = (struct loop_task){.run = tick, .owner = world};
	world->server = http_server_new(world->loop, &options, NULL);
	require(world->server != NULL);
}

/* Answers are read away; the first bytes of them must be HTTP. */
static void read_answers(int fd, bool *any)
{
	char answers[4096];
	ssize_t got;

	while ((got = recv(fd, answers, sizeof(answers), MSG_DONTWAIT)) > 0) {
		require(*any || memcmp(answers, "HTTP/1.1 ", got < 9 ? (size_t)got : 9) == 0);
		*any = true;
	}
}

static void check_server(struct world *world, struct str input, uint32_t seed)
{
	bool any = false;
	int pair[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	http_conn_new(world->server, pair[0], "192.0.2.1");
	while (input.size > 0) {
		size_t size = 1 + next(&seed) % (next(&seed) % 4 == 0 ? 8 : 2000);
		ssize_t sent = send(
			pair[1], input.data, size < input.size ? size : input.size, MSG_NOSIGNAL);

		if (sent < 0)
			break;
		input = str_of(input.data + sent, input.size - (size_t)sent);
		run_turns(world, next(&seed) % 3);
		if (next(&seed) % 8 != 0)
			read_answers(pair[1], &any);
	}
	run_turns(world, next(&seed) % 6);
	read_answers(pair[1], &any);
	close(pair[1]);
	run_turns(world, 6);
	require(world->server->conns == NULL && world->server->open_count == 0);
	require(http_server_busy(world->server) == 0 && world->loop->flows == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world; /* made once: a process has one server, too */
	struct str input = str_of((const char *)data, size < INPUT_MAX ? size : INPUT_MAX);
	uint32_t seed = seed_of(data, input.size);

	if (world.loop == NULL)
		new_world(&world);
	check_parser(input, seed);
	check_server(&world, input, seed);
	return 0;
}
