/*
 * pbx_event: which fields each kind of event has (as captured: docs/protocol/pbx-events.md), and
 * how hosts spell them.
 */
#include "pbx_event.h"

#include "json_put.h"

#include <stdio.h>

enum { MAX_FIELDS = 16, VALUE_BYTES = 192, HOST_ZONE_MS = 3 * 60 * 60 * 1000 };

struct fields {
	struct {
		const char *name;
		char value[VALUE_BYTES]; /* JSON text */
	} items[MAX_FIELDS];
	unsigned count;
};

bool pbx_event_is_classic(enum call_event_type type)
{
	return type == EVENT_START || type == EVENT_DIAL || type == EVENT_BRIDGE ||
	       type == EVENT_HANGUP;
}

/* What the model says needs no escaping: digits, names of channels, "<unknown>". */
static void add_text(struct fields *fields, const char *name, const char *value)
{
	if (value == NULL)
		return;
	fields->items[fields->count].name = name;
	snprintf(fields->items[fields->count].value, VALUE_BYTES, "\"%s\"", value);
	fields->count++;
}

static void add_int(struct fields *fields, const char *name, int value, bool as_text)
{
	fields->items[fields->count].name = name;
	snprintf(fields->items[fields->count].value, VALUE_BYTES, as_text ? "\"%d\"" : "%d", value);
	fields->count++;
}

static void add_extensions(struct fields *fields, const struct pbx_event *event)
{
	char *value = fields->items[fields->count].value;
	const char *between = event->old_style ? "&" : "\",\"";
	size_t size = (size_t)snprintf(value, VALUE_BYTES, event->old_style ? "\"" : "[\"");

	for (unsigned i = 0; i < event->extension_count && size < VALUE_BYTES; i++)
		size += (size_t)snprintf(value + size, VALUE_BYTES - size, "%s%s",
			i > 0 ? between : "", event->extensions[i]);
	snprintf(value + size, VALUE_BYTES - size, event->old_style ? "\"" : "\"]");
	fields->items[fields->count++].name = "Extensions";
}

/* Hosts say their local time, GMT+3, without a zone. */
static void add_time(struct fields *fields, const char *name, int64_t wall_ms)
{
	struct clock_civil civil;
	char text[96] = "";

	if (wall_ms != CALL_NO_TIME) {
		civil = clock_to_civil(wall_ms + HOST_ZONE_MS, NULL);
		snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d", civil.year,
			civil.month, civil.day, civil.hour, civil.minute, civil.second);
	}
	add_text(fields, name, text);
}

static void add_sides(struct fields *fields, const struct pbx_event *event)
{
	add_text(fields, "Channel", event->channel);
	add_text(fields, "Exten", event->exten);
	add_text(fields, "Context", event->context);
	add_text(fields, "CallerIDNum", event->number);
	add_text(fields, "CallerIDName", event->number_name);
	add_text(fields, "ConnectedLineNum", event->peer);
	add_text(fields, "ConnectedLineName", event->peer_name);
}

static void add_of_bridge(struct fields *fields)
{
	add_text(fields, "BridgeType", "");
	add_text(fields, "BridgeTechnology", "simple_bridge");
	add_text(fields, "BridgeCreator", PBX_UNKNOWN);
	add_text(fields, "BridgeName", PBX_UNKNOWN);
}

static void add_of_kind(struct fields *fields, const struct pbx_event *event)
{
	switch (event->type) {
	case EVENT_DIAL:
		add_text(fields, "ExtTrunk", "");
		add_text(fields, "ExtPhone", event->call_type == 0 ? event->phone : "");
		add_extensions(fields, event);
		break;
	case EVENT_HANGUP:
		add_extensions(fields, event);
		add_int(fields, "CallStatus", event->call_status, true);
		add_time(fields, "StartTime", event->start_ms);
		add_time(fields, "DateReceived", event->received_ms);
		add_time(fields, "EndTime", event->end_ms);
		break;
	case EVENT_BRIDGE_CREATE:
	case EVENT_BRIDGE_DESTROY:
		add_of_bridge(fields);
		break;
	default:
		break;
	}
}

void pbx_event_write(const struct pbx_event *event, const char *token, struct buf *to)
{
	struct fields fields = {.count = 0};
	struct json_writer writer;
	unsigned first;

	add_text(&fields, "Token", token);
	add_text(&fields, "UniqueId", event->unique_id);
	add_text(&fields, "BridgeUniqueid", event->bridge_id);
	add_text(&fields, "Phone", event->phone);
	add_text(&fields, "Trunk", event->trunk);
	if (event->call_type >= 0)
		add_int(&fields, "CallType", event->call_type, event->old_style);
	add_sides(&fields, event);
	if (event->bridge_channels >= 0)
		add_int(&fields, "BridgeNumChannels", event->bridge_channels, true);
	add_of_kind(&fields, event);
	first = (unsigned)((uint64_t)event->at_ms % fields.count);
	json_begin(&writer, to);
	json_open_object(&writer);
	for (unsigned i = 0; i < fields.count; i++) {
		unsigned at = (first + i) % fields.count;

		json_put_member_raw(
			&writer, fields.items[at].name, str_from(fields.items[at].value));
	}
	if (event->external_initiated)
		json_put_member_bool(&writer, "ExternalInitiated", true);
	json_close_object(&writer);
}

static struct str seen(const char *text)
{
	return text == NULL || strcmp(text, PBX_UNKNOWN) == 0 ? str_of(NULL, 0) : str_from(text);
}

struct call_event pbx_event_view(const struct pbx_event *event, struct pbx_event_items *items)
{
	struct call_event view = {.at_ms = event->posted_ms,
		.type = event->type,
		.unique_id = seen(event->unique_id),
		.phone = seen(event->phone),
		.trunk = seen(event->trunk),
		.call_type = event->call_type,
		.call_status = event->call_status,
		.external_initiated = event->external_initiated,
		.bridge_id = seen(event->bridge_id),
		.channel = seen(event->channel),
		.exten = seen(event->exten),
		.caller_id_num = seen(event->number),
		.caller_id_name = seen(event->number_name),
		.connected_num = seen(event->peer),
		.connected_name = seen(event->peer_name),
		.context = seen(event->context),
		.bridge_channels = event->bridge_channels,
		.start_ms = event->start_ms,
		.received_ms = event->received_ms,
		.end_ms = event->end_ms};

	view.extensions.items = items->items;
	for (unsigned i = 0; i < event->extension_count; i++) {
		if (event->extensions[i][0] != '\0')
			items->items[view.extensions.count++] = str_from(event->extensions[i]);
	}
	return view;
}
