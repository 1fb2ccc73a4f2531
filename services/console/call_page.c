/*
 * call_page: the parts of a call's page, in their order.
 *
 * It works without JavaScript and without anything from elsewhere. Its title says nothing about the
 * call: messengers show titles of linked pages to everybody in a chat.
 */
#include "call_page.h"

#include "frame.h"

/* Ten minutes fast, then slowly: a call that nobody ended is looked at for hours. */
enum { REFRESH_FAST_S = 5, REFRESH_SLOW_S = 30, FAST_MS = 10 * 60 * 1000 };

static bool is_open(const struct call_view *view)
{
	return view->call.state != CALL_ENDED && view->call.state != CALL_LOST;
}

static int refresh_seconds(const struct call_view *view)
{
	return view->now_ms - view->created_ms < FAST_MS ? REFRESH_FAST_S : REFRESH_SLOW_S;
}

static void add_live(struct markup *html, const struct call_page *page)
{
	if (!is_open(html->view))
		return;
	markup_add(html, "<p class=\"live\"><span class=\"dot\" aria-hidden=\"true\"></span>");
	if (page->live)
		markup_say(html, "Звонок идёт, страница обновляется сама. ",
			"The call goes on; this page keeps itself up to date. ");
	else
		markup_say(html, "Звонок идёт, обновление остановлено. ",
			"The call goes on; this page stands still. ");
	markup_add(html, "<a href=\"");
	frame_link(html, page->link, html->russian, page->live ? "&amp;live=0" : "");
	markup_add(html, "\">");
	if (page->live)
		markup_say(html, "Остановить обновление", "Stand still");
	else
		markup_say(html, "Обновлять", "Keep it up to date");
	markup_add(html, "</a></p>");
}

static void add_figure(struct markup *html)
{
	markup_add(html, "<section aria-labelledby=\"h-line\"><h2 id=\"h-line\">");
	markup_say(html, "Ход звонка", "How the call went");
	markup_add(html, "</h2>");
	call_drawing(html);
	call_story(html);
	markup_add(html, "</section>");
}

void call_page(struct markup *html, const struct call_page *page)
{
	bool refresh = page->live && is_open(html->view);
	const struct frame frame = {.title = markup_pick(html, "Звонок", "Call"),
		.refresh_s = refresh ? refresh_seconds(html->view) : 0,
		.link = page->link,
		.more = page->live ? "" : "&amp;live=0"};

	frame_open(html, &frame);
	call_summary(html);
	add_live(html, page);
	add_figure(html);
	call_reasons(html);
	call_events(html);
	call_deliveries(html);
	frame_close(html, &frame);
}
