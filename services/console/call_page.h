/*
 * call_page: the page of a call, in parts. Each part appends itself.
 */
#ifndef CONSOLE_CALL_PAGE_H
#define CONSOLE_CALL_PAGE_H

#include "call_link.h"
#include "markup.h"

struct call_page {
	const struct link *link;
	bool live; /* an open call's page loads itself anew */
};

void call_page(struct markup *html, const struct call_page *page); /* the whole document */

void call_summary(struct markup *html);	   /* call_summary.c */
void call_drawing(struct markup *html);	   /* call_drawing.c: the picture */
void call_story(struct markup *html);	   /* call_story.c: the same in sentences */
void call_events(struct markup *html);	   /* call_events.c: what the PBX sent */
void call_reasons(struct markup *html);	   /* call_records.c: why the call is as it is */
void call_deliveries(struct markup *html); /* call_records.c: who was told, and how that went */

/* For drawing and story alike. */
void call_bar_words(struct markup *html, const struct timeline_bar *bar); /* "talks with 151" */
void call_arrow_words(struct markup *html, const struct timeline_arrow *arrow);
void call_mark_words(struct markup *html, const struct timeline_mark *mark);
const char *call_result_words(const struct markup *html, enum call_transfer_result result);
const char *call_kind_words(const struct markup *html, enum call_transfer_kind kind);

#endif
