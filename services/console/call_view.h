/*
 * call_view: all that the page of a call shows, as the database has it.
 */
#ifndef CONSOLE_CALL_VIEW_H
#define CONSOLE_CALL_VIEW_H

#include "call.h"
#include "pg.h"
#include "table.h"
#include "timeline.h"

/* What a page shows at most; beyond it the page says that there is more. */
enum {
	VIEW_MAX_EVENTS = 1000,
	VIEW_MAX_EVENT_BYTES = 8192,
	VIEW_MAX_ROWS = 200, /* of each other list */
};

struct view_event {
	struct call_event event;
	struct str type, source, trace;
	struct str json;  /* without its token; empty when it is too long to show */
	size_t raw_bytes; /* of the JSON as it is stored */
};

struct view_reason {
	int64_t at_ms, event_id;
	struct str why;
};

/* What stands in a chat, and what waits to be told. */
struct view_chat {
	struct str destination, state, last_error;
	int64_t version, sent_version, message_id, attempts, http_status, updated_ms, next_ms;
};

/* One attempt to tell somebody. */
struct view_delivery {
	int64_t at_ms, version, http_status, took_ms;
	struct str destination, what, outcome, words, trace;
};

struct view_crm {
	int64_t at_ms;
	struct str crm, event, status, words, request, response;
};

struct call_view {
	struct arena *arena;
	int64_t now_ms;
	struct str enterprise, enterprise_name, locale, country;
	struct clock_zone *zone; /* owned; NULL: UTC */
	struct call call;
	struct str unique_id, source, trace;
	struct str customer;	   /* the other side's name; "" */
	const char *customer_page; /* a link to all that was with him; "" or NULL: none */
	int64_t created_ms, updated_ms;
	struct table *names; /* owned: number, or "line:" and a line's id -> const char * */
	struct view_event *events;
	struct view_reason *reasons;
	struct view_chat *chats;
	struct view_delivery *deliveries;
	struct view_crm *crm;
	size_t event_count, reason_count, chat_count, delivery_count, crm_count;
	bool events_cut;
	struct timeline drawing;
};

void call_view_free(struct call_view *view);

/* The name of a number, or of a line; "" when it has none. */
const char *view_name(const struct call_view *view, const char *number);
const char *view_line_name(const struct call_view *view, const char *line);

#endif
