/*
 * routing_admin: the second port's table of routes, and what people ask there.
 */
#include "pbx_api.h"

#include "json_put.h"

enum { ANSWER_MAX_BYTES = 4096, DEADLINE_MS = 5000 };

static enum flow_status send(struct flow *flow, int status, struct buf *body)
{
	enum flow_status end = http_reply_json(flow, status, body);

	buf_free(body);
	return end;
}

static enum flow_status tell_stats(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	struct buf body;

	buf_init(&body, ANSWER_MAX_BYTES);
	routing_stats_write(&body, api->stats);
	return send(flow, 200, &body);
}

static enum flow_status clear_cache(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	struct json_writer json;
	struct buf body;

	buf_init(&body, ANSWER_MAX_BYTES);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_str(&json, "status", STR("ok"));
	json_put_member_int(&json, "cleared", (int64_t)routing_cache_clear(api->cache));
	json_close_object(&json);
	return send(flow, 200, &body);
}

static enum flow_status tell_ready(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	const char *why_not = accounts_why_not(api->accounts);
	struct json_writer json;
	struct buf body;

	buf_init(&body, ANSWER_MAX_BYTES);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_str(&json, "status", str_from(why_not != NULL ? why_not : "ready"));
	json_close_object(&json);
	return send(flow, why_not != NULL ? 503 : 200, &body);
}

#define ONE_STEP(spec, text, function)                                                             \
	static const struct flow_step spec##_steps[] = {{(text), (function)}, {NULL, NULL}};       \
	static const struct flow_spec spec = {                                                     \
		.name = (text), .steps = spec##_steps, .deadline_ms = DEADLINE_MS}

ONE_STEP(stats_flow, "stats", tell_stats);
ONE_STEP(clear_flow, "clear", clear_cache);
ONE_STEP(ready_flow, "ready", tell_ready);

const struct http_route routing_routes[] = {
	{"POST", "/api/callevent/getcustomerdata", &routing_flow, 0},
	{"GET", "/metrics", &stats_flow, 0},
	{"POST", "/cache/clear", &clear_flow, 0},
	{"GET", "/readyz", &ready_flow, 0},
	{"GET", "/healthz", &ready_flow, 0},
	{"GET", "/health", &ready_flow, 0},
	{NULL},
};
