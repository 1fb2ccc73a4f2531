/*
 * markup: pieces of a page: escaped texts, two languages, times and numbers as people read them.
 */
#ifndef CONSOLE_MARKUP_H
#define CONSOLE_MARKUP_H

#include "buf.h"
#include "call_view.h"

#define MARKUP_MAX_BYTES (24u << 20)

struct markup {
	struct buf to;
	const struct call_view *view;
	const struct clock_zone *zone;
	bool russian;
};

void markup_init(struct markup *html, bool russian);

void markup_add(struct markup *html, const char *markup); /* ours: not escaped */
void markup_str(struct markup *html, struct str text);	  /* anybody's: escaped */
void markup_text(struct markup *html, const char *text);
void markup_int(struct markup *html, int64_t value);

/* The text in the page's language; not escaped. */
const char *markup_pick(const struct markup *html, const char *ru, const char *en);
void markup_say(struct markup *html, const char *ru, const char *en);

void markup_date(struct markup *html, int64_t at_ms);  /* "21.11.2026" or "2026-11-21" */
void markup_clock(struct markup *html, int64_t at_ms); /* "12:00:05.123"; "-" when not known */
void markup_time(struct markup *html, int64_t at_ms);  /* the same as <time datetime=...> */
void markup_offset(struct markup *html, int64_t offset_ms, bool exact); /* "1:05.123" or "1:05" */
void markup_seconds(struct markup *html, int64_t took_ms);		/* "9,3 с", "1:05" */

void markup_number(struct markup *html, const char *number); /* "+375 (29) 000-00-01" */
/* "Савицкий Игорь (151)", or the number alone. */
void markup_person(struct markup *html, const char *number);
void markup_line(struct markup *html, const char *line);
void markup_lane(struct markup *html, unsigned lane); /* its number, for sentences */

#endif
