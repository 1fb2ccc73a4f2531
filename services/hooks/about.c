/*
 * about: what hooks says of itself: its page, its API's description, prompts, a path to try.
 */
#include "hooks.h"
#include "prompts.h"
#include "selfcheck.h"

#include "hooks_pages.h"
#include "page.h"

#define ONE_STEP(flow_name, step)                                                                  \
	{                                                                                          \
		.name = (flow_name),                                                               \
		.steps = (const struct flow_step[]){{(flow_name), (step)}, {NULL, NULL}},          \
		.arena_max_bytes = 1u << 20, .deadline_ms = 10000,                                 \
	}

static const struct page_file files[] = {
	{"/", "text/html; charset=utf-8", page_home_html, &page_home_html_size},
	{"/home", "text/html; charset=utf-8", page_home_html, &page_home_html_size},
	{"/static/bootstrap.min.css", "text/css; charset=utf-8", page_bootstrap_min_css,
		&page_bootstrap_min_css_size},
	{NULL},
};

static enum flow_status send_file(struct flow *flow)
{
	return page_reply(flow, files);
}

static enum flow_status send_openapi(struct flow *flow)
{
	return http_reply(flow, 200, "application/json",
		str_of((const char *)page_hooks_openapi_json, page_hooks_openapi_json_size));
}

/* For who sets a proxy up: does anything arrive here? */
static enum flow_status send_test(struct flow *flow)
{
	return http_reply(flow, 200, "text/plain; charset=utf-8", STR("TEST OK"));
}

static const struct flow_spec file_flow = ONE_STEP("page", send_file);
static const struct flow_spec openapi_flow = ONE_STEP("openapi", send_openapi);
static const struct flow_spec test_flow = ONE_STEP("test", send_test);

const struct http_route about_routes[] = {
	{"GET", "/", &file_flow, 0},
	{"GET", "/home", &file_flow, 0},
	{"GET", "/static/bootstrap.min.css", &file_flow, 0},
	{"GET", "/static/tts/*", &prompt_file_flow, 0},
	{"GET", "/selfcheck", &selfcheck_flow, 0},
	{"GET", "/openapi.json", &openapi_flow, ROUTE_CORS},
	{"GET", "/webhook/test", &test_flow, 0},
	{"POST", "/webhook/test", &test_flow, 0},
	{NULL},
};
