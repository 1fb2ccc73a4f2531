/*
 * http_routes: the flows that the tests of http_server ask for things.
 */
#ifndef CALLWEAVE_TESTS_HTTP_ROUTES_H
#define CALLWEAVE_TESTS_HTTP_ROUTES_H

#include "http_fixture.h"

static inline enum flow_status echo(struct flow *flow)
{
	return http_reply(flow, 200, "text/plain", http_request(flow)->body);
}

static inline enum flow_status who(struct flow *flow)
{
	const struct http_request *request = http_request(flow);
	char *text = arena_printf(flow_arena(flow), "%.*s|%.*s|%.*s|%.*s|%s|%s|%.*s",
		STR_ARG(request->method), STR_ARG(request->path), STR_ARG(request->tail),
		STR_ARG(request->query), request->peer, request->trace,
		STR_ARG(http_request_header(flow, "x-test")));

	return http_reply(flow, 200, "text/plain", str_from(text));
}

/* /fail/input and so on: ends as a flow does that fails so. */
static inline enum flow_status fail_as_asked(struct flow *flow)
{
	struct str tail = http_request(flow)->tail;

	for (enum error_kind kind = ERROR_INPUT; kind <= ERROR_INTERNAL; kind++) {
		if (str_equal(tail, str_from(error_kind_name(kind))))
			return flow_fail(
				flow, kind, "phone: \"%s\" is wrong", error_kind_name(kind));
	}
	return FLOW_END; /* without an answer */
}

static inline enum flow_status wait_at_gate(struct flow *flow)
{
	struct web *web = flow_context(flow);

	return await_queue(flow, &web->gate);
}

static inline enum flow_status say_woke(struct flow *flow)
{
	return http_reply(flow, 200, "text/plain", STR("woke"));
}

static inline void note_end(struct flow *flow)
{
	struct web *web = flow_context(flow);
	const struct error *error = flow_error(flow);

	web->finals++;
	snprintf(web->last_error, sizeof(web->last_error), "%s", error != NULL ? error->text : "");
	flow_queue_wake_all(&web->gate);
}

static inline enum flow_status own_headers(struct flow *flow)
{
	http_reply_header(flow, "X-One", "1");
	http_reply_header(flow, "X-Bad", "a\r\nSet-Cookie: b");
	for (int i = 0; i < 9; i++)
		http_reply_header(flow, "X-Many", "m");
	return http_reply_detail(flow, 409, "phone: \"%s\" clashes", "1\n2");
}

static inline enum flow_status twice(struct flow *flow)
{
	http_reply(flow, 200, "text/plain", STR("first"));
	return http_reply(flow, 200, "text/plain", STR("second"));
}

static inline enum flow_status drop(struct flow *flow)
{
	return http_drop(flow);
}

enum { BIG_BYTES = 8 << 20 };

static inline enum flow_status big(struct flow *flow)
{
	static char bytes[BIG_BYTES];

	memset(bytes, 'b', sizeof(bytes));
	return http_reply(flow, 200, "text/plain", str_of(bytes, sizeof(bytes)));
}

static inline enum flow_status too_big(struct flow *flow)
{
	static char bytes[17 << 20];

	return http_reply(flow, 200, "text/plain", str_of(bytes, sizeof(bytes)));
}

static inline enum flow_status stream_begin(struct flow *flow)
{
	http_stream_begin(flow, "text/event-stream");
	return await_http_stream(flow, STR("data: 1\n\n"));
}

static inline enum flow_status stream_second(struct flow *flow)
{
	return await_http_stream(flow, STR("data: 2\n\n"));
}

static inline enum flow_status stream_break(struct flow *flow)
{
	return flow_fail(flow, ERROR_UPSTREAM, "the source ran dry");
}

/* Endless, in pieces of 64 KiB; counts them. */
static inline enum flow_status flood(struct flow *flow)
{
	static char bytes[65536];
	unsigned *pieces = flow_state(flow);

	(*pieces)++;
	flow_goto(flow, 1);
	return await_http_stream(flow, str_of(bytes, sizeof(bytes)));
}

static inline enum flow_status flood_begin(struct flow *flow)
{
	http_stream_begin(flow, "text/plain");
	return FLOW_NEXT;
}

static inline enum flow_status child_answers(struct flow *flow)
{
	return http_reply(flow, 200, "text/plain", http_request(flow)->path);
}

static const struct flow_step child_steps[] = {{"answer", child_answers}, {NULL, NULL}};
static const struct flow_spec child_flow = {.name = "child", .steps = child_steps};

static inline enum flow_status spawn(struct flow *flow)
{
	flow_spawn(flow, &child_flow);
	return await_children(flow);
}

#define TEST_FLOW(flow_name, ...)                                                                  \
	static const struct flow_step flow_name##_steps[] = {__VA_ARGS__, {NULL, NULL}};           \
	static const struct flow_spec flow_name##_flow = {.name = #flow_name,                      \
		.steps = flow_name##_steps,                                                        \
		.deadline_ms = 5000,                                                               \
		.state_bytes = 16}

TEST_FLOW(echo, {"echo", echo});
TEST_FLOW(who, {"who", who});
TEST_FLOW(fail, {"fail", fail_as_asked});
TEST_FLOW(own_headers, {"headers", own_headers});
TEST_FLOW(twice, {"twice", twice});
TEST_FLOW(drop, {"drop", drop});
TEST_FLOW(big, {"big", big});
TEST_FLOW(too_big, {"too_big", too_big});
TEST_FLOW(spawn, {"spawn", spawn});
TEST_FLOW(broken, {"begin", stream_begin}, {"break", stream_break});
static const struct flow_step wait_steps[] = {
	{"wait", wait_at_gate}, {"woke", say_woke}, {NULL, NULL}};
static const struct flow_spec wait_flow = {
	.name = "wait", .steps = wait_steps, .finally = note_end, .deadline_ms = 5000};
static const struct flow_spec hasty_flow = {
	.name = "hasty", .steps = wait_steps, .finally = note_end, .deadline_ms = 20};
static const struct flow_step stream_steps[] = {
	{"begin", stream_begin}, {"wait", wait_at_gate}, {"second", stream_second}, {NULL, NULL}};
static const struct flow_spec stream_flow = {
	.name = "stream", .steps = stream_steps, .finally = note_end};
static const struct flow_step flood_steps[] = {
	{"begin", flood_begin}, {"flood", flood}, {NULL, NULL}};
static const struct flow_spec flood_flow = {.name = "flood",
	.steps = flood_steps,
	.finally = note_end,
	.state_bytes = sizeof(unsigned)};

static const struct http_route test_routes[] = {
	{"POST", "/echo", &echo_flow, 0},
	{"GET", "/who", &who_flow, 0},
	{"PUT", "/who", &who_flow, 0},
	{"GET", "/call/*", &who_flow, 0},
	{"GET", "/call/exact", &echo_flow, 0},
	{"GET", "/fail/*", &fail_flow, 0},
	{"GET", "/wait", &wait_flow, 0},
	{"GET", "/hasty", &hasty_flow, 0},
	{"GET", "/detached", &wait_flow, ROUTE_DETACHED},
	{"POST", "/cors", &echo_flow, ROUTE_CORS},
	{"GET", "/headers", &own_headers_flow, 0},
	{"GET", "/twice", &twice_flow, 0},
	{"GET", "/drop", &drop_flow, 0},
	{"GET", "/big", &big_flow, 0},
	{"GET", "/too-big", &too_big_flow, 0},
	{"GET", "/stream", &stream_flow, 0},
	{"GET", "/broken", &broken_flow, 0},
	{"GET", "/flood", &flood_flow, 0},
	{"GET", "/spawn", &spawn_flow, 0},
	{NULL, NULL, NULL, 0},
};

static inline struct web *web_default(void)
{
	return web_new((struct http_server_options){.routes = test_routes});
}

#endif
