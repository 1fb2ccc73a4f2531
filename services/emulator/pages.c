/*
 * pages: the form that plays calls, under the addresses that people know. One page for all kinds
 * of calls: its fields come from /api/patterns.
 */
#include "emulator.h"

#include "emulator_pages.h"
#include "page.h"
#include "uri.h"

#define HTML   "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE  "text/css; charset=utf-8"

static const struct page_file files[] = {
	{"/", HTML, page_tester_html, &page_tester_html_size},
	{"/test-interface", HTML, page_tester_html, &page_tester_html_size},
	{"/call-tester/", HTML, page_tester_html, &page_tester_html_size},
	{"/call-tester", HTML, page_tester_html, &page_tester_html_size},
	{"/static/tester.js", SCRIPT, page_tester_js, &page_tester_js_size},
	{"/static/entities.js", SCRIPT, page_entities_js, &page_entities_js_size},
	{"/static/tester.css", STYLE, page_tester_css, &page_tester_css_size},
	{"/static/bootstrap.min.css", STYLE, page_bootstrap_min_css, &page_bootstrap_min_css_size},
	{NULL},
};

static enum flow_status show(struct flow *flow)
{
	struct str number = {0};

	/* A bookmark of an enterprise that is gone says so, instead of showing another one's
	 * form. */
	if (uri_query_value(http_request(flow)->query, "enterprise", flow_arena(flow), &number) &&
		number.size > 0 && emulator_enterprise(flow) == NULL)
		return FLOW_END;
	return page_reply(flow, files);
}

const struct flow_spec pages_flow = ONE_STEP("pages", show);
