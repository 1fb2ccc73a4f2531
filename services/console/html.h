/*
 * html: pieces of a page: escaped texts, two languages, times and numbers as people read them.
 */
#ifndef CONSOLE_HTML_H
#define CONSOLE_HTML_H

#include "buf.h"
#include "call_view.h"

#define HTML_MAX_BYTES (24u << 20)

struct html {
	struct buf to;
	const struct call_view *view;
	const struct clock_zone *zone;
	bool russian;
};

void html_init(struct html *html, bool russian);

void html_add(struct html *html, const char *markup); /* ours: not escaped */
void html_str(struct html *html, struct str text);    /* anybody's: escaped */
void html_text(struct html *html, const char *text);
void html_int(struct html *html, int64_t value);

/* The text in the page's language; not escaped. */
const char *html_pick(const struct html *html, const char *ru, const char *en);
void html_say(struct html *html, const char *ru, const char *en);

void html_date(struct html *html, int64_t at_ms);  /* "21.11.2026" or "2026-11-21" */
void html_clock(struct html *html, int64_t at_ms); /* "12:00:05.123"; "-" when not known */
void html_time(struct html *html, int64_t at_ms);  /* the same as <time datetime=...> */
void html_offset(struct html *html, int64_t offset_ms, bool exact); /* "1:05.123" or "1:05" */
void html_seconds(struct html *html, int64_t took_ms);		    /* "9,3 с", "1:05" */

void html_number(struct html *html, const char *number); /* "+375 (29) 000-00-01" */
/* "Савицкий Игорь (151)", or the number alone. */
void html_person(struct html *html, const char *number);
void html_line(struct html *html, const char *line);
void html_lane(struct html *html, unsigned lane); /* its number, for sentences */

#endif
