/*
 * frame: the document around a page's parts. It works without JavaScript and without anything from elsewhere,
 * and its title says nothing of whom it shows: messengers show titles of linked pages to everybody in a chat.
 */
#ifndef CONSOLE_FRAME_H
#define CONSOLE_FRAME_H

#include "call_link.h"
#include "markup.h"

struct frame {
	const char *title;
	int refresh_s; /* 0: it stands still */
	const struct link *link;
	const char *more; /* of its own address, escaped: "&amp;live=0"; "" */
};

/* html->view has the enterprise. */
void frame_open(struct markup *html, const struct frame *frame);
void frame_close(struct markup *html, const struct frame *frame);

/* "?until=..&sign=..&lang=..": the page itself in that language. */
void frame_link(struct markup *html, const struct link *link, bool russian, const char *more);

/* A whole page that only says something. */
void frame_notice(struct markup *html, const char *title, const char *words);

#endif
