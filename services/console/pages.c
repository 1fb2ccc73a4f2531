/*
 * pages: what console serves beside calls: a page that says what it is, styles, its API's description.
 */
#include "console.h"

#include "console_pages.h"
#include "page.h"

#define ONE_STEP(flow_name, step)                                                                  \
	{                                                                                          \
		.name = (flow_name),                                                               \
		.steps = (const struct flow_step[]){{(flow_name), (step)}, {NULL, NULL}},          \
		.arena_max_bytes = 1u << 20, .deadline_ms = 10000,                                 \
	}

static const struct page_file files[] = {
	{"/", "text/html; charset=utf-8", page_home_html, &page_home_html_size},
	{"/call/static/call.css", "text/css; charset=utf-8", page_call_css, &page_call_css_size},
	{NULL},
};

static enum flow_status send_file(struct flow *flow)
{
	return page_reply(flow, files);
}

static enum flow_status send_openapi(struct flow *flow)
{
	return http_reply(flow, 200, "application/json",
		str_of((const char *)page_console_openapi_json, page_console_openapi_json_size));
}

const struct flow_spec home_flow = ONE_STEP("home", send_file);
const struct flow_spec file_flow = ONE_STEP("file", send_file);
const struct flow_spec openapi_flow = ONE_STEP("openapi", send_openapi);
