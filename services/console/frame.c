/*
 * frame: see frame.h.
 */
#include "frame.h"

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
	markup_add(html,
		" · callweave</title>"
		"<link rel=\"icon\" href=\"data:,\">"
		"<link rel=\"stylesheet\" href=\"../../call/static/call.css\"></head><body>");
}

void frame_link(struct markup *html, const struct link *link, bool russian, const char *more)
{
	markup_add(html, "?until=");
	markup_str(html, link->until);
	markup_add(html, "&amp;sign=");
	markup_str(html, link->sign);
	markup_add(html, russian ? "&amp;lang=ru" : "&amp;lang=en");
	markup_add(html, more);
}

static void add_language(
	struct markup *html, const struct frame *frame, bool russian, const char *name)
{
	if (russian == html->russian) {
		markup_add(html, "<span aria-current=\"true\">");
		markup_add(html, name);
		markup_add(html, "</span>");
		return;
	}
	markup_add(html, "<a href=\"");
	frame_link(html, frame->link, russian, frame->more);
	markup_add(html,
		russian ? "\" hreflang=\"ru\" lang=\"ru\">" : "\" hreflang=\"en\" lang=\"en\">");
	markup_add(html, name);
	markup_add(html, "</a>");
}

static void add_top(struct markup *html, const struct frame *frame)
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
	add_language(html, frame, true, "Русский");
	markup_add(html, " · ");
	add_language(html, frame, false, "English");
	markup_add(html, "</nav></header>");
}

void frame_open(struct markup *html, const struct frame *frame)
{
	add_head(html, frame->title, frame->refresh_s);
	add_top(html, frame);
	markup_add(html, "<main id=\"main\">");
}

void frame_close(struct markup *html, const struct frame *frame)
{
	int64_t until_s = 0;

	markup_add(html, "<footer><p>");
	markup_say(html, "Время: ", "Times: ");
	markup_say(html, "в поясе предприятия, с миллисекундами. Страница составлена ",
		"in the enterprise's zone, to the millisecond. Made at ");
	markup_time(html, html->view->now_ms);
	if (str_to_int64(frame->link->until, &until_s)) {
		markup_say(html, ", ссылка действует до ", ", the link works until ");
		markup_date(html, until_s * 1000);
	}
	markup_add(html, ".</p></footer></main></body></html>\n");
}

void frame_notice(struct markup *html, const char *title, const char *words)
{
	add_head(html, title, 0);
	markup_add(html, "<main id=\"main\" class=\"notice\"><p class=\"brand\">callweave</p><h1>");
	markup_text(html, title);
	markup_add(html, "</h1><p>");
	markup_text(html, words);
	markup_add(html, "</p></main></body></html>\n");
}
