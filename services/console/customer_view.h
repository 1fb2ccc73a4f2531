/*
 * customer_view: all that was with one customer, over all channels, newest first.
 */
#ifndef CONSOLE_CUSTOMER_VIEW_H
#define CONSOLE_CUSTOMER_VIEW_H

#include "call_link.h"
#include "markup.h"

enum {
	CUSTOMER_MAX_ITEMS = 200, /* of each kind; beyond it the page says that there is more */
	CUSTOMER_MAX_TURNS = 400,
};

/* What was said in a call with the voice agent, and how long each part of the answer took. */
struct customer_turn {
	struct str call_sid, heard, reply, error;
	int64_t at_ms;
	int64_t recognise_ms, think_ms, speak_ms, total_ms; /* -1: not known */
	bool interrupted;
};

struct customer_call {
	int64_t id, seconds; /* of talk; -1 */
	struct str direction, state, line, url, unique_id;
	bool answered;
	struct call_numbers talkers;
	const char *page; /* a link */
	const struct customer_turn *turns;
	size_t turn_count;
};

struct customer_text {
	struct str channel, direction, body, status, error;
	int64_t media;
};

struct customer_item {
	int64_t at_ms;
	const struct customer_call *call; /* or */
	const struct customer_text *text;
};

struct customer_view {
	struct call_view frame; /* enterprise, zone, names: what markup asks for */
	const char *phone;	/* E.164 */
	struct str name;
	bool black_list, more;
	struct customer_item *items;
	size_t item_count;
};

struct pg_batch *customer_ask(const struct customer_view *view, const struct link *link);
/* False: there is no such enterprise. */
bool customer_take(struct customer_view *view, const struct pg_batch *batch,
	const struct link *link, struct str key);

void customer_page(struct markup *html, const struct customer_view *view, const struct link *link);

#endif
