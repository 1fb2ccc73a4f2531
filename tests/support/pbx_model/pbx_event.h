/*
 * pbx_event: an event as a host says it, before it is text.
 *
 * It can be written as the JSON body that a host posts, and be read as the call_event that such a
 * body is parsed to; a test holds the two together. NULL is a field that is not sent.
 */
#ifndef PBX_EVENT_H
#define PBX_EVENT_H

#include "arena.h"
#include "buf.h"
#include "call_event.h"

#define PBX_MAX_EXTENSIONS 8
#define PBX_UNKNOWN	   "<unknown>" /* the host's placeholder */

struct pbx_event {
	int64_t at_ms;	   /* when it happened */
	int64_t posted_ms; /* when the host's queue came to it: what a receiver sees */
	unsigned call;	   /* ordinal of the call in its stream */
	enum call_event_type type;
	const char *unique_id; /* "" of bridges themselves */
	const char *phone, *trunk;
	const char *extensions[PBX_MAX_EXTENSIONS];
	unsigned extension_count;
	int call_type, call_status; /* -1: not sent */
	const char *bridge_id, *channel, *exten, *context;
	const char *number, *number_name, *peer, *peer_name; /* caller id and connected line */
	int bridge_channels;				     /* -1: not sent */
	int64_t start_ms, received_ms, end_ms; /* of a hangup; CALL_NO_TIME is sent as "" */
	bool external_initiated;
	bool old_style; /* a host of 2024: Extensions joined by &, CallType as text */
};

/* Only the four kinds that every host sends. */
bool pbx_event_is_classic(enum call_event_type type);

/* Append the body. The order of the members differs from event to event, as with real hosts. */
void pbx_event_write(const struct pbx_event *event, const char *token, struct buf *to);

/* What the body is read as; slices point into the event and `items`. */
struct pbx_event_items {
	struct str items[PBX_MAX_EXTENSIONS];
};
struct call_event pbx_event_view(const struct pbx_event *event, struct pbx_event_items *items);

#endif
