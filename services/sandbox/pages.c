/*
 * pages: the messenger that shows the sandbox's chats, the CRMs with their calls and customers, and a
 * telephone to try Twilio's side with: how people see them can be looked at, photographed and tested by
 * a browser without any account.
 */
#include "sandbox.h"

#include "page.h"
#include "sandbox_pages.h"

static const struct page_file files[] = {
	{"/", "text/html; charset=utf-8", page_chats_html, &page_chats_html_size},
	{"/_sandbox/", "text/html; charset=utf-8", page_chats_html, &page_chats_html_size},
	{"/static/chats.js", "text/javascript; charset=utf-8", page_chats_js, &page_chats_js_size},
	{"/static/entities.js", "text/javascript; charset=utf-8", page_entities_js,
		&page_entities_js_size},
	{"/static/chats.css", "text/css; charset=utf-8", page_chats_css, &page_chats_css_size},
	{"/_sandbox/crm/", "text/html; charset=utf-8", page_crm_html, &page_crm_html_size},
	{"/static/crm.js", "text/javascript; charset=utf-8", page_crm_js, &page_crm_js_size},
	{"/static/crm.css", "text/css; charset=utf-8", page_crm_css, &page_crm_css_size},
	{"/_sandbox/twilio/", "text/html; charset=utf-8", page_telephone_html,
		&page_telephone_html_size},
	{"/static/telephone.js", "text/javascript; charset=utf-8", page_telephone_js,
		&page_telephone_js_size},
	{"/static/telephone-audio.js", "text/javascript; charset=utf-8", page_telephone_audio_js,
		&page_telephone_audio_js_size},
	{"/static/telephone-worklet.js", "text/javascript; charset=utf-8",
		page_telephone_worklet_js, &page_telephone_worklet_js_size},
	{"/static/telephone.css", "text/css; charset=utf-8", page_telephone_css,
		&page_telephone_css_size},
	{"/_sandbox/engine/", "text/html; charset=utf-8", page_engine_html, &page_engine_html_size},
	{"/static/engine.js", "text/javascript; charset=utf-8", page_engine_js,
		&page_engine_js_size},
	{"/static/bootstrap.min.css", "text/css; charset=utf-8", page_bootstrap_min_css,
		&page_bootstrap_min_css_size},
	{NULL},
};

static enum flow_status show(struct flow *flow)
{
	return page_reply(flow, files);
}

static const struct flow_step pages_steps[] = {{"show", show}, {NULL, NULL}};

const struct flow_spec pages_flow = {
	.name = "pages",
	.steps = pages_steps,
	.arena_max_bytes = 4u << 20,
	.deadline_ms = 30000,
};
