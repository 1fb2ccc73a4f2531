/*
 * customer_flow: the story of GET /customer/<enterprise>/<phone>: check the link, read, show. As with calls,
 * whoever has no valid link learns nothing, and looking changes nothing.
 */
#include "answer.h"
#include "customer_view.h"

enum { ARENA_MAX_BYTES = 48 << 20, DEADLINE_MS = 15000 };

struct story {
	struct link link;
	struct customer_view view;
	struct pg_batch *batch;
};

static enum flow_status check_link(struct flow *flow)
{
	const struct console *console = flow_context(flow);
	const struct http_request *request = http_request(flow);
	struct story *story = flow_state(flow);
	struct str key = service_link_key(console->service);

	story->view.frame.arena = flow_arena(flow);
	story->view.frame.now_ms = clock_wall_ms();
	if (!link_read_customer(&story->link, request->tail, request->query, flow_arena(flow)))
		return answer_notice(flow, ABOUT_CUSTOMER, 403);
	switch (link_check(&story->link, key, story->view.frame.now_ms)) {
	case LINK_WRONG:
		return answer_notice(flow, ABOUT_CUSTOMER, 403);
	case LINK_OVER:
		return answer_notice(flow, ABOUT_CUSTOMER, 410);
	case LINK_GOOD:
		break;
	}
	flow_set_enterprise(flow, story->link.enterprise);
	story->view.phone = arena_printf(flow_arena(flow), "+%s", story->link.phone);
	if (!pg_ready(console->pg) || schema_why_not(console->schema) != NULL)
		return answer_notice(flow, ABOUT_CUSTOMER, 503);
	return FLOW_NEXT;
}

static enum flow_status ask(struct flow *flow)
{
	const struct console *console = flow_context(flow);
	struct story *story = flow_state(flow);

	story->batch = customer_ask(&story->view, &story->link);
	return await_pg(flow, console->pg, story->batch);
}

static enum flow_status show(struct flow *flow)
{
	const struct console *console = flow_context(flow);
	struct story *story = flow_state(flow);
	struct error error;
	struct markup html;

	if (!pg_batch_ok(story->batch, &error)) {
		log_warn(flow_log(flow), "the customer cannot be read: %s", error.text);
		return answer_notice(flow, ABOUT_CUSTOMER, 503);
	}
	if (!customer_take(
		    &story->view, story->batch, &story->link, service_link_key(console->service)))
		return answer_notice(flow, ABOUT_CUSTOMER, 404);
	markup_init(&html, answer_in_russian(flow, story->view.frame.locale));
	html.view = &story->view.frame;
	html.zone = story->view.frame.zone;
	customer_page(&html, &story->view, &story->link);
	return answer_page(flow, 200, &html);
}

static void finish(struct flow *flow)
{
	struct story *story = flow_state(flow);

	call_view_free(&story->view.frame);
}

static const struct flow_step customer_steps[] = {
	{"check_link", check_link},
	{"ask", ask},
	{"show", show},
	{NULL, NULL},
};

const struct flow_spec customer_flow = {
	.name = "customer",
	.steps = customer_steps,
	.finally = finish,
	.state_bytes = sizeof(struct story),
	.arena_max_bytes = ARENA_MAX_BYTES,
	.deadline_ms = DEADLINE_MS,
};
