/*
 * call_event: one raw event of a PBX, as the eight POST paths carry it.
 *
 * Source: the hosts' wire, docs/protocol/pbx-events.md. Values are kept as sent; what they mean is
 * the fold's business.
 */
#ifndef CALLWEAVE_CALL_EVENT_H
#define CALLWEAVE_CALL_EVENT_H

#include "clock.h"
#include "json.h"

enum call_event_type {
	EVENT_START,
	EVENT_DIAL,
	EVENT_BRIDGE,
	EVENT_HANGUP,
	EVENT_BRIDGE_CREATE,
	EVENT_BRIDGE_LEAVE,
	EVENT_BRIDGE_DESTROY,
	EVENT_NEW_CALLERID,
	EVENT_TYPES
};

bool call_event_type_from(struct str name, enum call_event_type *type); /* "bridge_create" */
const char *call_event_type_name(enum call_event_type type);

#define CALL_NO_TIME		  INT64_MIN
#define CALL_EVENT_MAX_EXTENSIONS 64
#define CALL_EVENT_JSON_DEPTH	  8

struct call_event {
	int64_t id;    /* in the log; grows */
	int64_t at_ms; /* wall time at which it was received */
	enum call_event_type type;
	struct str token;
	struct str unique_id; /* "" for bridge_create, bridge_destroy */
	struct str phone;
	struct str trunk;
	struct json_strings extensions; /* empty strings dropped, "152&151" split */
	int call_type;			/* 0 incoming, 1 outgoing, 2 internal, -1 absent */
	int call_status;		/* 2 is answered; -1 absent */
	bool external_initiated;
	struct str bridge_id;
	struct str channel;
	struct str exten;
	struct str caller_id_num, caller_id_name;
	struct str connected_num, connected_name;
	struct str context;
	int bridge_channels;		       /* left in the bridge; -1 absent */
	int64_t start_ms, received_ms, end_ms; /* of a hangup; CALL_NO_TIME */
};

/* Read a body. Wrong types are ERROR_INPUT with the field's name ("Extensions: not a list"), absent
 * fields are not (hosts leave many out). "<unknown>" and "unknown" become "". `zone` is the host's.
 * Slices live in the arena. */
bool call_event_read(enum call_event_type type, const struct json *body,
	const struct clock_zone *zone, struct arena *arena, struct call_event *event,
	struct error *error);

/* The same from what the log has: the type's name and the body as text. The caller still has to set
 * `id` and `at_ms`, which are not of the body. */
struct call_event_text {
	struct str type, body;
	const struct clock_zone *zone;
};
bool call_event_from_text(const struct call_event_text *text, struct arena *arena,
	struct call_event *event, struct error *error);

#endif
