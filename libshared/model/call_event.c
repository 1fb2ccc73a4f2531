/*
 * call_event: the body of one event, read by a table and then made of use.
 *
 * Hosts differ: numbers come as text, lists as one text with &, placeholders instead of nothing.
 * What can be understood is; what cannot is an error that names the field.
 */
#include "call_event.h"

#include "call.h"

#define EVENT_MAX_BYTES ((size_t)1 << 20) /* as jsonb prints it */

static const char *const type_names[EVENT_TYPES] = {
	[EVENT_START] = "start",
	[EVENT_DIAL] = "dial",
	[EVENT_BRIDGE] = "bridge",
	[EVENT_HANGUP] = "hangup",
	[EVENT_BRIDGE_CREATE] = "bridge_create",
	[EVENT_BRIDGE_LEAVE] = "bridge_leave",
	[EVENT_BRIDGE_DESTROY] = "bridge_destroy",
	[EVENT_NEW_CALLERID] = "new_callerid",
};

bool call_event_type_from(struct str name, enum call_event_type *type)
{
	for (int i = 0; i < EVENT_TYPES; i++) {
		if (str_equal(name, str_from(type_names[i]))) {
			*type = (enum call_event_type)i;
			return true;
		}
	}
	return false;
}

const char *call_event_type_name(enum call_event_type type)
{
	return type_names[type];
}

/* The body as it is on the wire. */
struct wire {
	struct str token, unique_id, phone, trunk;
	struct str call_type, call_status, external_initiated;
	struct str bridge_id, bridge_channels, channel, exten, context;
	struct str caller_id_num, caller_id_name, connected_num, connected_name;
	struct str start_time, received, end_time;
	const struct json *extensions;
};

#define WIRE(member, name) JSON_FIELD_AS(struct wire, member, name, JSON_STRING, JSON_LAX)

static const struct json_field wire_fields[] = {
	WIRE(token, "Token"),
	WIRE(unique_id, "UniqueId"),
	WIRE(phone, "Phone"),
	WIRE(trunk, "Trunk"),
	WIRE(call_type, "CallType"),
	WIRE(call_status, "CallStatus"),
	WIRE(external_initiated, "ExternalInitiated"),
	WIRE(bridge_id, "BridgeUniqueid"),
	WIRE(bridge_channels, "BridgeNumChannels"),
	WIRE(channel, "Channel"),
	WIRE(exten, "Exten"),
	WIRE(context, "Context"),
	WIRE(caller_id_num, "CallerIDNum"),
	WIRE(caller_id_name, "CallerIDName"),
	WIRE(connected_num, "ConnectedLineNum"),
	WIRE(connected_name, "ConnectedLineName"),
	WIRE(start_time, "StartTime"),
	WIRE(received, "DateReceived"),
	WIRE(end_time, "EndTime"),
	JSON_FIELD_AS(struct wire, extensions, "Extensions", JSON_RAW, 0),
	{0},
};

static struct str known(struct str text)
{
	struct str trimmed = str_trim(text);

	if (str_equal_nocase(trimmed, STR("<unknown>")) ||
		str_equal_nocase(trimmed, STR("unknown")))
		return str_of(NULL, 0);
	return trimmed;
}

/* Nothing, and what no host means, is -1: only digits of a wrong shape are worth an error. */
static bool read_int(struct str text, const char *name, int *value, struct error *error)
{
	int64_t number = -1;
	struct str trimmed = str_trim(text);

	if (trimmed.size > 0 && !str_to_int64(trimmed, &number))
		return error_set(error, ERROR_INPUT, "%s: not a number", name);
	*value = number >= 0 && number < 1000 ? (int)number : -1;
	return true;
}

/* An id is a key: cutting it could make two of one. */
static bool read_id(struct str text, const char *name, struct str *id, struct error *error)
{
	*id = known(text);
	if (id->size >= CALL_ID_BYTES)
		return error_set(
			error, ERROR_INPUT, "%s: longer than %d bytes", name, CALL_ID_BYTES - 1);
	return true;
}

/* "152&151" is two extensions. What is over the limit is not kept. */
static void add_extensions(struct json_strings *to, struct str text)
{
	while (text.size > 0) {
		struct str one = known(str_cut(&text, '&'));

		if (one.size > 0 && to->count < CALL_EVENT_MAX_EXTENSIONS)
			to->items[to->count++] = one;
	}
}

/* A number where a text should be is a mistake that old templates make. */
static struct str text_of(const struct json *value, struct arena *arena)
{
	struct str text = json_text(value);
	struct buf printed;

	if (json_kind(value) == JSON_NUMBER) {
		buf_init(&printed, 64);
		json_print(&printed, value, false);
		text = str_from(arena_strndup(
			arena, printed.data != NULL ? printed.data : "", printed.size));
		buf_free(&printed);
		return text;
	}
	return str_of(
		arena_strndup(arena, text.data != NULL ? text.data : "", text.size), text.size);
}

/* null stands for "not sent"; what is neither list nor text is an error that names the place. */
static bool read_extensions(const struct json *value, struct arena *arena,
	struct json_strings *extensions, struct error *error)
{
	size_t index = 0;

	*extensions = (struct json_strings){0};
	if (value == NULL || json_kind(value) == JSON_NULL)
		return true;
	extensions->items = arena_array(arena, CALL_EVENT_MAX_EXTENSIONS, sizeof(struct str));
	if (json_kind(value) == JSON_TEXT) {
		add_extensions(extensions, text_of(value, arena));
		return true;
	}
	if (json_kind(value) != JSON_ARRAY)
		return error_set(error, ERROR_INPUT, "Extensions: not a list");
	for (const struct json *item = json_first(value); item != NULL; item = json_next(item)) {
		index++;
		if (json_kind(item) == JSON_NULL)
			continue;
		if (json_kind(item) != JSON_TEXT && json_kind(item) != JSON_NUMBER)
			return error_set(
				error, ERROR_INPUT, "Extensions[%zu]: not a string", index - 1);
		add_extensions(extensions, text_of(item, arena));
	}
	return true;
}

/* Hosts send "" for times that they do not know, and once in a while garbage: both are no time. */
static int64_t read_time(struct str text, const struct clock_zone *zone)
{
	int64_t wall_ms;

	return clock_parse(str_trim(text), zone, &wall_ms) ? wall_ms : CALL_NO_TIME;
}

/* All fields where "<unknown>" stands for nothing. The token is kept as it is: it is a secret to be
 * compared, not a number to be understood. */
static void take_texts(struct call_event *event, const struct wire *wire)
{
	event->token = str_trim(wire->token);
	event->phone = known(wire->phone);
	event->trunk = known(wire->trunk);
	event->channel = known(wire->channel);
	event->exten = known(wire->exten);
	event->context = known(wire->context);
	event->caller_id_num = known(wire->caller_id_num);
	event->caller_id_name = known(wire->caller_id_name);
	event->connected_num = known(wire->connected_num);
	event->connected_name = known(wire->connected_name);
	event->external_initiated = str_equal_nocase(wire->external_initiated, STR("true")) ||
				    str_equal(wire->external_initiated, STR("1"));
}

bool call_event_read(enum call_event_type type, const struct json *body,
	const struct clock_zone *zone, struct arena *arena, struct call_event *event,
	struct error *error)
{
	struct wire wire = {0};

	*event = (struct call_event){.type = type};
	if (body == NULL || json_kind(body) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "body: not an object");
	if (!json_read(body, wire_fields, &wire, arena, error))
		return false;
	take_texts(event, &wire);
	event->start_ms = read_time(wire.start_time, zone);
	event->received_ms = read_time(wire.received, zone);
	event->end_ms = read_time(wire.end_time, zone);
	return read_id(wire.unique_id, "UniqueId", &event->unique_id, error) &&
	       read_id(wire.bridge_id, "BridgeUniqueid", &event->bridge_id, error) &&
	       read_int(wire.call_type, "CallType", &event->call_type, error) &&
	       read_int(wire.call_status, "CallStatus", &event->call_status, error) &&
	       read_int(
		       wire.bridge_channels, "BridgeNumChannels", &event->bridge_channels, error) &&
	       read_extensions(wire.extensions, arena, &event->extensions, error);
}

bool call_event_from_text(const struct call_event_text *text, struct arena *arena,
	struct call_event *event, struct error *error)
{
	const struct json_limits limits = {
		.max_bytes = EVENT_MAX_BYTES, .max_depth = CALL_EVENT_JSON_DEPTH + 1};
	enum call_event_type type;
	struct json *body;
	bool ok;

	if (!call_event_type_from(text->type, &type))
		return error_set(
			error, ERROR_INPUT, "event type \"%.*s\": not known", STR_ARG(text->type));
	body = json_parse(text->body, limits, error);
	if (body == NULL)
		return false;
	ok = call_event_read(type, body, text->zone, arena, event, error);
	json_free(&body);
	return ok;
}
