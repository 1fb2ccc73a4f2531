/*
 * service_routes: how a service answers those who watch over it.
 *
 * /livez asks "shall I be restarted?", /readyz "may traffic come?": a service that drains, or has
 * lost its database, is alive but not ready.
 */
#include "json.h"
#include "service_private.h"

#include <stdio.h>

enum { ANSWER_MAX_BYTES = 16 * 1024, METRICS_MAX_BYTES = 4 << 20, DEADLINE_MS = 10000 };

static enum flow_status send_json(struct flow *flow, int status, struct buf *text)
{
	enum flow_status end;

	http_reply_header(flow, "Cache-Control", "no-store");
	end = http_reply_json(flow, status, text);
	buf_free(text);
	return end;
}

/* -- /livez ---------------------------------------------------------------------------------- */

static enum flow_status tell_alive(struct flow *flow)
{
	struct buf text;

	buf_init(&text, ANSWER_MAX_BYTES);
	(void)buf_add(&text, STR("{\"status\":\"ok\"}"));
	return send_json(flow, 200, &text);
}

/* -- /readyz --------------------------------------------------------------------------------- */

const char *service_why_not(const struct service *service, char *words, size_t capacity)
{
	for (const struct service_check *check = service->spec->checks;
		check != NULL && check->name != NULL; check++) {
		const char *why = check->why_not(service->context);

		if (why == NULL)
			continue;
		(void)snprintf(words, capacity, "%s: %s", check->name, why);
		return words;
	}
	return NULL;
}

static bool put_checks(struct json_writer *json, const struct service *service)
{
	bool is_ready = true;

	json_open_object(json);
	for (const struct service_check *check = service->spec->checks;
		check != NULL && check->name != NULL; check++) {
		const char *why = check->why_not(service->context);

		json_put_name(json, check->name);
		json_put_str(json, str_from(why != NULL ? why : "ok"));
		is_ready = is_ready && why == NULL;
	}
	json_close_object(json);
	return is_ready;
}

static enum flow_status tell_ready(struct flow *flow)
{
	const struct service *service = flow_context(flow);
	struct json_writer json;
	struct buf text;
	bool is_ready;

	buf_init(&text, ANSWER_MAX_BYTES);
	json_begin(&json, &text);
	json_open_object(&json);
	json_put_name(&json, "checks");
	is_ready = put_checks(&json, service);
	json_put_name(&json, "status");
	if (service->draining)
		json_put_str(&json, STR("draining"));
	else
		json_put_str(&json, is_ready ? STR("ready") : STR("not ready"));
	json_close_object(&json);
	return send_json(flow, is_ready && !service->draining ? 200 : 503, &text);
}

/* -- /version, /metrics ---------------------------------------------------------------------- */

static enum flow_status tell_version(struct flow *flow)
{
	const struct service *service = flow_context(flow);
	struct json_writer json;
	struct buf text;

	buf_init(&text, ANSWER_MAX_BYTES);
	json_begin(&json, &text);
	json_open_object(&json);
	json_put_name(&json, "service");
	json_put_str(&json, str_from(service->spec->name));
	json_put_name(&json, "version");
	json_put_str(&json, STR(CALLWEAVE_VERSION));
	json_close_object(&json);
	return send_json(flow, 200, &text);
}

static enum flow_status tell_metrics(struct flow *flow)
{
	struct service *service = flow_context(flow);
	enum flow_status end;
	struct buf text;

	service_process_measure(&service->process);
	buf_init(&text, METRICS_MAX_BYTES);
	metrics_print(&text, service->metrics);
	end = http_reply(flow, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&text));
	buf_free(&text);
	return end;
}

/* -- the tables ------------------------------------------------------------------------------ */

#define ONE_STEP(spec, text, function)                                                             \
	static const struct flow_step spec##_steps[] = {{(text), (function)}, {NULL, NULL}};       \
	static const struct flow_spec spec = {                                                     \
		.name = (text), .steps = spec##_steps, .deadline_ms = DEADLINE_MS}

ONE_STEP(livez, "livez", tell_alive);
ONE_STEP(readyz, "readyz", tell_ready);
ONE_STEP(version, "version", tell_version);
ONE_STEP(metrics, "metrics", tell_metrics);

const struct http_route service_routes[] = {
	{"GET", "/livez", &livez, 0},
	{"GET", "/readyz", &readyz, 0},
	{"GET", "/healthz", &readyz, 0}, /* the older name, which people type */
	{"GET", "/version", &version, 0},
	{"GET", "/metrics", &metrics, 0},
	{NULL, NULL, NULL, 0},
};

bool service_has_path(struct str path)
{
	for (const struct http_route *route = service_routes; route->method != NULL; route++) {
		if (str_equal(path, str_from(route->path)))
			return true;
	}
	return false;
}
