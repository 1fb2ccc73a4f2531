/*
 * call_page: the document around the parts.
 *
 * It works without JavaScript and without anything from elsewhere. Its title says nothing about the
 * call: messengers show titles of linked pages to everybody in a chat.
 */
#include "call_page.h"

/* Ten minutes fast, then slowly: a call that nobody ended is looked at for hours. */
enum { REFRESH_FAST_S = 5, REFRESH_SLOW_S = 30, FAST_MS = 10 * 60 * 1000 };

static void add_head(struct markup *html, const char *title, int refresh_s)
{
	markup_add(html, "<!doctype html>\n<html lang=\"");
	markup_say(html, "ru", "en");
	markup_add(html,
		"\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		"<meta name=\"robots\" content=\"noindex, nofollow, noarchive, nosnippet\">"
		"<meta name=\"color-scheme\" content=\"light dark\">");
	if (refresh_s > 0)
		buf_printf(&html->to, "<meta http-equiv=\"refresh\" content=\"%d\">", refresh_s);
	markup_add(html, "<title>");
	markup_text(html, title);
	markup_add(html, " · callweave</title>"
			 "<link rel=\"icon\" href=\"data:,\">"
			 "<link rel=\"stylesheet\" href=\"../static/call.css\"></head><body>");
}

static void add_link_to_self(
	struct markup *html, const struct call_page *page, bool live, bool russian)
{
	markup_add(html, "?until=");
	markup_str(html, page->link->until);
	markup_add(html, "&amp;sign=");
	markup_str(html, page->link->sign);
	markup_add(html, russian ? "&amp;lang=ru" : "&amp;lang=en");
	markup_add(html, live ? "" : "&amp;live=0");
}

static void add_language(
	struct markup *html, const struct call_page *page, bool russian, const char *name)
{
	if (russian == html->russian) {
		markup_add(html, "<span aria-current=\"true\">");
		markup_add(html, name);
		markup_add(html, "</span>");
		return;
	}
	markup_add(html, "<a href=\"");
	add_link_to_self(html, page, page->live, russian);
	markup_add(html,
		russian ? "\" hreflang=\"ru\" lang=\"ru\">" : "\" hreflang=\"en\" lang=\"en\">");
	markup_add(html, name);
	markup_add(html, "</a>");
}

static void add_top(struct markup *html, const struct call_page *page)
{
	markup_add(html, "<a class=\"skip\" href=\"#main\">");
	markup_say(html, "К содержанию", "Skip to content");
	markup_add(html, "</a><header class=\"top\"><p class=\"brand\">callweave <span>");
	markup_str(html, html->view->enterprise_name);
	markup_add(html, " · ");
	markup_str(html, html->view->enterprise);
	markup_add(html, "</span></p><nav aria-label=\"");
	markup_say(html, "Язык", "Language");
	markup_add(html, "\">");
	add_language(html, page, true, "Русский");
	markup_add(html, " · ");
	add_language(html, page, false, "English");
	markup_add(html, "</nav></header>");
}

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
	add_link_to_self(html, page, !page->live, html->russian);
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

static void add_foot(struct markup *html, const struct call_page *page)
{
	int64_t until_s = 0;

	markup_add(html, "<footer><p>");
	markup_say(html, "Время: ", "Times: ");
	markup_say(html, "в поясе предприятия, с миллисекундами. Страница составлена ",
		"in the enterprise's zone, to the millisecond. Made at ");
	markup_time(html, html->view->now_ms);
	if (str_to_int64(page->link->until, &until_s)) {
		markup_say(html, ", ссылка действует до ", ", the link works until ");
		markup_date(html, until_s * 1000);
	}
	markup_add(html, ".</p></footer></main></body></html>\n");
}

void call_page(struct markup *html, const struct call_page *page)
{
	bool refresh = page->live && is_open(html->view);

	add_head(html, markup_pick(html, "Звонок", "Call"),
		refresh ? refresh_seconds(html->view) : 0);
	add_top(html, page);
	markup_add(html, "<main id=\"main\">");
	call_summary(html);
	add_live(html, page);
	add_figure(html);
	call_reasons(html);
	call_events(html);
	call_deliveries(html);
	add_foot(html, page);
}

void call_notice(struct markup *html, const char *title, const char *words)
{
	add_head(html, title, 0);
	markup_add(html, "<main id=\"main\" class=\"notice\"><p class=\"brand\">callweave</p><h1>");
	markup_text(html, title);
	markup_add(html, "</h1><p>");
	markup_text(html, words);
	markup_add(html, "</p></main></body></html>\n");
}
