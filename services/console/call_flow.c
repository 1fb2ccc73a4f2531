/*
 * call_flow: the story of GET /call/<enterprise>/<call>: check the link, look the call up, show it.
 *
 * Whoever has no valid link learns nothing: the database is not even asked. Looking changes nothing,
 * so messengers and scanners may fetch the page as often as they like.
 */
#include "answer.h"
#include "call_load.h"
#include "call_page.h"
#include "uri.h"

enum { ARENA_MAX_BYTES = 96 << 20, DEADLINE_MS = 15000 };

struct story {
	struct link link;
	struct call_view view;
	struct pg_batch *batch;
};

static enum flow_status unavailable(struct flow *flow, const struct error *error)
{
	log_warn(flow_log(flow), "the call cannot be read: %s", error->text);
	return answer_notice(flow, ABOUT_CALL, 503);
}

/* -- the steps ------------------------------------------------------------------------------------------ */

static enum flow_status check_link(struct flow *flow)
{
	const struct console *console = flow_context(flow);
	const struct http_request *request = http_request(flow);
	struct story *story = flow_state(flow);

	story->view.arena = flow_arena(flow);
	story->view.now_ms = clock_wall_ms();
	if (!link_read(&story->link, request->tail, request->query, flow_arena(flow)))
		return answer_notice(flow, ABOUT_CALL, 403);
	switch (link_check(&story->link, service_link_key(console->service), story->view.now_ms)) {
	case LINK_WRONG:
		return answer_notice(flow, ABOUT_CALL, 403);
	case LINK_OVER:
		return answer_notice(flow, ABOUT_CALL, 410);
	case LINK_GOOD:
		break;
	}
	flow_set_enterprise(flow, story->link.enterprise);
	if (!pg_ready(console->pg) || schema_why_not(console->schema) != NULL)
		return answer_notice(flow, ABOUT_CALL, 503);
	return FLOW_NEXT;
}

static enum flow_status ask_call(struct flow *flow)
{
	const struct console *console = flow_context(flow);
	struct story *story = flow_state(flow);

	story->batch = call_load_ask(&story->link, flow_arena(flow));
	return await_pg(flow, console->pg, story->batch);
}

static enum flow_status ask_events(struct flow *flow)
{
	const struct console *console = flow_context(flow);
	struct story *story = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(story->batch, &error))
		return unavailable(flow, &error);
	if (!call_load_take(&story->view, story->batch))
		return answer_notice(flow, ABOUT_CALL, 404);
	story->batch = call_load_ask_events(&story->view);
	return await_pg(flow, console->pg, story->batch);
}

static enum flow_status ask_bridges(struct flow *flow)
{
	const struct console *console = flow_context(flow);
	struct story *story = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(story->batch, &error))
		return unavailable(flow, &error);
	call_load_take_events(&story->view, story->batch);
	story->batch = call_load_ask_bridges(&story->view);
	return story->batch == NULL ? FLOW_NEXT : await_pg(flow, console->pg, story->batch);
}

static enum flow_status show(struct flow *flow)
{
	struct story *story = flow_state(flow);
	struct str live = {0};
	struct error error;
	struct markup html;

	if (story->batch != NULL && !pg_batch_ok(story->batch, &error))
		return unavailable(flow, &error);
	if (story->batch != NULL)
		call_load_take_events(&story->view, story->batch);
	call_load_finish(&story->view);
	story->view.customer_page = link_to_customer(&story->link,
		service_link_key(((const struct console *)flow_context(flow))->service),
		story->view.call.external, flow_arena(flow));
	(void)uri_query_value(http_request(flow)->query, "live", flow_arena(flow), &live);
	markup_init(&html, answer_in_russian(flow, story->view.locale));
	html.view = &story->view;
	html.zone = story->view.zone;
	call_page(&html,
		&(struct call_page){.link = &story->link, .live = !str_equal(live, STR("0"))});
	return answer_page(flow, 200, &html);
}

static void finish(struct flow *flow)
{
	struct story *story = flow_state(flow);

	call_view_free(&story->view);
}

static const struct flow_step call_steps[] = {
	{"check_link", check_link},
	{"ask_call", ask_call},
	{"ask_events", ask_events},
	{"ask_bridges", ask_bridges},
	{"show", show},
	{NULL, NULL},
};

const struct flow_spec call_flow = {
	.name = "call",
	.steps = call_steps,
	.finally = finish,
	.state_bytes = sizeof(struct story),
	.arena_max_bytes = ARENA_MAX_BYTES,
	.deadline_ms = DEADLINE_MS,
};
