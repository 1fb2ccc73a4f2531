/*
 * http_routes: the table of routes that the tests of http_server ask.
 */
#ifndef CALLWEAVE_TESTS_HTTP_ROUTES_H
#define CALLWEAVE_TESTS_HTTP_ROUTES_H

#include "http_flows.h"

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

static inline struct web *web_with(struct http_server_options options)
{
	options.routes = test_routes;
	return web_new(options);
}

static inline struct client *client_waiting(struct web *web, const char *request)
{
	struct client *client = client_open(web);

	client_send(client, str_from(request));
	while (flow_queue_empty(&web->gate))
		web_turns(web, 1);
	return client;
}

static inline struct web *web_default(void)
{
	return web_new((struct http_server_options){.routes = test_routes});
}

#endif
