/*
 * call_flow: the story of GET /call/<enterprise>/<call>: check the link, look the call up, show it.
 *
 * Whoever has no valid link learns nothing: the database is not even asked. Looking changes nothing,
 * so messengers and scanners may fetch the page as often as they like.
 */
#include "console.h"

#include "call_load.h"
#include "call_page.h"
#include "page.h"
#include "uri.h"

enum { ARENA_MAX_BYTES = 96 << 20, DEADLINE_MS = 15000 };

struct story {
	struct link link;
	struct call_view view;
	struct pg_batch *batch;
};

/* -- answers ------------------------------------------------------------------------------------------ */

static void add_headers(struct flow *flow)
{
	http_reply_header(flow, "Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
		"form-action 'none'; frame-ancestors 'none'");
	http_reply_header(flow, "X-Content-Type-Options", "nosniff");
	http_reply_header(flow, "Referrer-Policy", "no-referrer");
	http_reply_header(flow, "Cache-Control", "private, no-store");
	http_reply_header(flow, "X-Robots-Tag", "noindex, nofollow, noarchive");
	http_reply_header(flow, "Vary", "Accept-Language");
}

static enum flow_status reply(struct flow *flow, int status, struct markup *html)
{
	enum flow_status next;

	add_headers(flow);
	if (html->to.failed)
		next = http_reply_detail(flow, 500, "the page is too long");
	else
		next = http_reply(flow, status, "text/html; charset=utf-8", buf_str(&html->to));
	buf_free(&html->to);
	return next;
}

/* ?lang=, else the enterprise's language, else the browser's. */
static bool is_russian(struct flow *flow, struct str locale)
{
	const struct http_request *request = http_request(flow);
	struct str given;
	const char *language;

	if (locale.size > 0 && !uri_query_value(request->query, "lang", flow_arena(flow), &given))
		return str_equal(locale, STR("ru"));
	language = page_language(
		request->query, http_request_header(flow, "Accept-Language"), flow_arena(flow));
	return strcmp(language, "ru") == 0;
}

static enum flow_status notice(struct flow *flow, int status)
{
	static const struct {
		int status;
		const char *ru_title, *ru, *en_title, *en;
	} texts[] = {
		{403, "Ссылка не подходит",
			"Страница звонка открывается только по полной подписанной ссылке. "
			"Нажмите «Детали звонка» в чате ещё раз.",
			"This link does not fit",
			"The page of a call opens by its complete signed link only. Press “Call "
			"details” in the chat again."},
		{410, "Ссылка устарела",
			"Срок этой ссылки истёк. Нажмите «Детали звонка» в чате ещё раз.",
			"This link is over",
			"Its time has run out. Press “Call details” in the chat again."},
		{404, "Звонка нет",
			"Ссылка верна, но такого звонка больше нет: он удалён или оказался частью "
			"другого.",
			"No such call",
			"The link is right, but the call is not there any more: it was deleted, or "
			"turned out to be part of another."},
		{503, "Сейчас не получается", "База данных не отвечает. Попробуйте через минуту.",
			"Not just now", "The database does not answer. Try again in a minute."},
	};
	struct markup html;
	size_t i = 0;

	while (texts[i].status != status)
		i++;
	markup_init(&html, is_russian(flow, STR("")));
	call_notice(&html, markup_pick(&html, texts[i].ru_title, texts[i].en_title),
		markup_pick(&html, texts[i].ru, texts[i].en));
	if (status == 503)
		http_reply_header(flow, "Retry-After", "30");
	return reply(flow, status, &html);
}

static enum flow_status unavailable(struct flow *flow, const struct error *error)
{
	log_warn(flow_log(flow), "the call cannot be read: %s", error->text);
	return notice(flow, 503);
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
		return notice(flow, 403);
	switch (link_check(&story->link, service_link_key(console->service), story->view.now_ms)) {
	case LINK_WRONG:
		return notice(flow, 403);
	case LINK_OVER:
		return notice(flow, 410);
	case LINK_GOOD:
		break;
	}
	flow_set_enterprise(flow, story->link.enterprise);
	if (!pg_ready(console->pg) || schema_why_not(console->schema) != NULL)
		return notice(flow, 503);
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
		return notice(flow, 404);
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
	(void)uri_query_value(http_request(flow)->query, "live", flow_arena(flow), &live);
	markup_init(&html, is_russian(flow, story->view.locale));
	html.view = &story->view;
	html.zone = story->view.zone;
	call_page(&html,
		&(struct call_page){.link = &story->link, .live = !str_equal(live, STR("0"))});
	return reply(flow, 200, &html);
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
