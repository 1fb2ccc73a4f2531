/*
 * crm_event: an event of a call as the dispatcher keeps it in its outbox and posts it to 8020:
 * docs/protocol/integrations.md, POST /dispatch/call-event.
 */
#include "crm_turns.h"

#define EVENT_MAX_BYTES ((size_t)256 << 10)
#define EVENT_MAX_DEPTH 8

static const char *const type_names[CRM_KINDS] = {
	[CRM_RINGING] = "dial",
	[CRM_ANSWERED] = "answer",
	[CRM_HANGUP] = "hangup",
	[CRM_RECORDING] = "recording",
	[CRM_RECOVERED] = "hangup", /* and its origin says so */
};

void crm_event_write(struct buf *to, const struct crm_event *event, struct str trace)
{
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_name(&writer, "uniqueId");
	json_put_str(&writer, event->call.key);
	json_put_name(&writer, "event_type");
	json_put_str(&writer, str_from(type_names[event->kind]));
	json_put_name(&writer, "turn");
	json_put_int(&writer, event->turn);
	if (event->kind == CRM_RECOVERED) {
		json_put_name(&writer, "origin");
		json_put_str(&writer, STR("download"));
	}
	if (event->call.record_url.size > 0) {
		json_put_name(&writer, "record_url");
		json_put_str(&writer, event->call.record_url);
	}
	json_put_name(&writer, "trace");
	json_put_str(&writer, trace);
	json_put_name(&writer, "call");
	json_put_raw(&writer, STR("")); /* written by its own table: */
	crm_call_write(to, &event->call);
	json_close_object(&writer);
}

struct wire {
	struct str event_type, origin;
	int64_t turn;
	const struct json *call;
};

static const struct json_field wire_fields[] = {
	JSON_FIELD(struct wire, event_type, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct wire, origin, JSON_STRING, 0),
	JSON_FIELD(struct wire, turn, JSON_INT64, 0),
	JSON_FIELD(struct wire, call, JSON_RAW, JSON_REQUIRED),
	{.name = NULL},
};

static bool kind_of(const struct wire *wire, enum crm_kind *kind)
{
	for (unsigned i = 0; i < CRM_RECOVERED; i++) {
		if (!str_equal(wire->event_type, str_from(type_names[i])))
			continue;
		*kind = (enum crm_kind)i;
		if (*kind == CRM_HANGUP && str_equal(wire->origin, STR("download")))
			*kind = CRM_RECOVERED;
		return true;
	}
	return false;
}

bool crm_event_read(
	struct str text, struct arena *arena, struct crm_event *event, struct error *error)
{
	const struct json_limits limits = {EVENT_MAX_BYTES, EVENT_MAX_DEPTH};
	struct wire wire = {.turn = 0};
	struct json *json = json_parse(text, limits, error);

	*event = (struct crm_event){.turn = 0};
	if (json == NULL)
		return false;
	bool ok = json_read(json, wire_fields, &wire, arena, error) &&
		  crm_call_read(wire.call, arena, &event->call, error);
	json_free(&json);
	if (ok && !kind_of(&wire, &event->kind))
		return error_set(error, ERROR_INPUT, "event_type: not known");
	event->turn = wire.turn > 0 ? (unsigned)wire.turn : 0;
	return ok;
}
