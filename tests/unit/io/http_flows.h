/*
 * http_flows: what the flows of the tests of http_server do.
 */
#ifndef CALLWEAVE_TESTS_HTTP_FLOWS_H
#define CALLWEAVE_TESTS_HTTP_FLOWS_H

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

#endif
