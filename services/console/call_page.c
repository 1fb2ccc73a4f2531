/*
 * call_page: the document around the parts.
 *
 * It works without JavaScript and without anything from elsewhere. Its title says nothing about the
 * call: messengers show titles of linked pages to everybody in a chat.
 */
#include "call_page.h"

/* Ten minutes fast, then slowly: a call that nobody ended is looked at for hours. */
enum { REFRESH_FAST_S = 5, REFRESH_SLOW_S = 30, FAST_MS = 10 * 60 * 1000 };

static void add_head(struct html *html, const char *title, int refresh_s)
{
	html_add(html, "<!doctype html>\n<html lang=\"");
	html_say(html, "ru", "en");
	html_add(html, "\"><head><meta charset=\"utf-8\">"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		       "<meta name=\"robots\" content=\"noindex, nofollow, noarchive, nosnippet\">"
		       "<meta name=\"color-scheme\" content=\"light dark\">");
	if (refresh_s > 0)
		buf_printf(&html->to, "<meta http-equiv=\"refresh\" content=\"%d\">", refresh_s);
	html_add(html, "<title>");
	html_text(html, title);
	html_add(html, " · callweave</title>"
		       "<link rel=\"icon\" href=\"data:,\">"
		       "<link rel=\"stylesheet\" href=\"../static/call.css\"></head><body>");
}

static void add_link_to_self(
	struct html *html, const struct call_page *page, bool live, bool russian)
{
	html_add(html, "?until=");
	html_str(html, page->link->until);
	html_add(html, "&amp;sign=");
	html_str(html, page->link->sign);
	html_add(html, russian ? "&amp;lang=ru" : "&amp;lang=en");
	html_add(html, live ? "" : "&amp;live=0");
}

static void add_language(
	struct html *html, const struct call_page *page, bool russian, const char *name)
{
	if (russian == html->russian) {
		html_add(html, "<span aria-current=\"true\">");
		html_add(html, name);
		html_add(html, "</span>");
		return;
	}
	html_add(html, "<a href=\"");
	add_link_to_self(html, page, page->live, russian);
	html_add(html,
		russian ? "\" hreflang=\"ru\" lang=\"ru\">" : "\" hreflang=\"en\" lang=\"en\">");
	html_add(html, name);
	html_add(html, "</a>");
}

static void add_top(struct html *html, const struct call_page *page)
{
	html_add(html, "<a class=\"skip\" href=\"#main\">");
	html_say(html, "К содержанию", "Skip to content");
	html_add(html, "</a><header class=\"top\"><p class=\"brand\">callweave <span>");
	html_str(html, html->view->enterprise_name);
	html_add(html, " · ");
	html_str(html, html->view->enterprise);
	html_add(html, "</span></p><nav aria-label=\"");
	html_say(html, "Язык", "Language");
	html_add(html, "\">");
	add_language(html, page, true, "Русский");
	html_add(html, " · ");
	add_language(html, page, false, "English");
	html_add(html, "</nav></header>");
}

static bool is_open(const struct call_view *view)
{
	return view->call.state != CALL_ENDED && view->call.state != CALL_LOST;
}

static int refresh_seconds(const struct call_view *view)
{
	return view->now_ms - view->created_ms < FAST_MS ? REFRESH_FAST_S : REFRESH_SLOW_S;
}

static void add_live(struct html *html, const struct call_page *page)
{
	if (!is_open(html->view))
		return;
	html_add(html, "<p class=\"live\"><span class=\"dot\" aria-hidden=\"true\"></span>");
	if (page->live)
		html_say(html, "Звонок идёт, страница обновляется сама. ",
			"The call goes on; this page keeps itself up to date. ");
	else
		html_say(html, "Звонок идёт, обновление остановлено. ",
			"The call goes on; this page stands still. ");
	html_add(html, "<a href=\"");
	add_link_to_self(html, page, !page->live, html->russian);
	html_add(html, "\">");
	if (page->live)
		html_say(html, "Остановить обновление", "Stand still");
	else
		html_say(html, "Обновлять", "Keep it up to date");
	html_add(html, "</a></p>");
}

static void add_figure(struct html *html)
{
	html_add(html, "<section aria-labelledby=\"h-line\"><h2 id=\"h-line\">");
	html_say(html, "Ход звонка", "How the call went");
	html_add(html, "</h2>");
	call_drawing(html);
	call_story(html);
	html_add(html, "</section>");
}

static void add_foot(struct html *html, const struct call_page *page)
{
	int64_t until_s = 0;

	html_add(html, "<footer><p>");
	html_say(html, "Время: ", "Times: ");
	html_say(html, "в поясе предприятия, с миллисекундами. Страница составлена ",
		"in the enterprise's zone, to the millisecond. Made at ");
	html_time(html, html->view->now_ms);
	if (str_to_int64(page->link->until, &until_s)) {
		html_say(html, ", ссылка действует до ", ", the link works until ");
		html_date(html, until_s * 1000);
	}
	html_add(html, ".</p></footer></main></body></html>\n");
}

void call_page(struct html *html, const struct call_page *page)
{
	bool refresh = page->live && is_open(html->view);

	add_head(
		html, html_pick(html, "Звонок", "Call"), refresh ? refresh_seconds(html->view) : 0);
	add_top(html, page);
	html_add(html, "<main id=\"main\">");
	call_summary(html);
	add_live(html, page);
	add_figure(html);
	call_reasons(html);
	call_events(html);
	call_deliveries(html);
	add_foot(html, page);
}

void call_notice(struct html *html, const char *title, const char *words)
{
	add_head(html, title, 0);
	html_add(html, "<main id=\"main\" class=\"notice\"><p class=\"brand\">callweave</p><h1>");
	html_text(html, title);
	html_add(html, "</h1><p>");
	html_text(html, words);
	html_add(html, "</p></main></body></html>\n");
}
