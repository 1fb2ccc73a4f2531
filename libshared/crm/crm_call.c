/*
 * crm_call: the JSON of a call as CRMs are told of it.
 *
 * What is read here came from our own processes, yet each member is checked: a time of the year
 * 300000 or an unknown result would otherwise only be noticed in some CRM.
 */
#include "crm_call.h"

enum { KEY_MAX_BYTES = 200, TEXT_MAX_BYTES = 4096 };
/* The last moment of the year 9999; a year of seconds. */
#define LAST_MS	    INT64_C(253402300799999)
#define MAX_SECONDS INT64_C(31536000)

static const char *const kind_names[CRM_KINDS] = {
	[CRM_RINGING] = "ringing",
	[CRM_ANSWERED] = "answered",
	[CRM_HANGUP] = "hangup",
	[CRM_RECORDING] = "recording",
	[CRM_RECOVERED] = "recovered",
};

static const char *const result_names[CRM_RESULTS] = {
	[CRM_OPEN] = "open",
	[CRM_TALKED] = "talked",
	[CRM_NO_ANSWER] = "no_answer",
	[CRM_BUSY] = "busy",
	[CRM_CANCELLED] = "cancelled",
	[CRM_FAILED] = "failed",
	[CRM_BLOCKED] = "blocked",
	[CRM_UNCLEAR] = "unclear",
};

static const char *name_of(const char *const *names, unsigned count, unsigned value)
{
	return value < count ? names[value] : "?";
}

static bool find_name(const char *const *names, unsigned count, struct str name, unsigned *value)
{
	for (*value = 0; *value < count; (*value)++) {
		if (str_equal(str_from(names[*value]), name))
			return true;
	}
	return false;
}

const char *crm_kind_name(enum crm_kind kind)
{
	return name_of(kind_names, CRM_KINDS, kind);
}

bool crm_kind_read(struct str name, enum crm_kind *kind)
{
	unsigned value;

	if (!find_name(kind_names, CRM_KINDS, name, &value))
		return false;
	*kind = (enum crm_kind)value;
	return true;
}

const char *crm_result_name(enum crm_result result)
{
	return name_of(result_names, CRM_RESULTS, result);
}

bool crm_result_read(struct str name, enum crm_result *result)
{
	unsigned value;

	if (!find_name(result_names, CRM_RESULTS, name, &value))
		return false;
	*result = (enum crm_result)value;
	return true;
}

/* A call as it is on the wire: the result as a word. */
struct wire {
	struct crm_call call;
	struct str result;
};

#define TEXT(member) JSON_FIELD_AS(struct wire, call.member, #member, JSON_STRING, JSON_SKIP_EMPTY)
#define EXTENSIONS(member)                                                                         \
	JSON_FIELD_AS(struct wire, call.member, #member, JSON_STRINGS, JSON_SKIP_EMPTY)
#define TIME(member, name)                                                                         \
	JSON_FIELD_AS(struct wire, call.member, name, JSON_INT64, JSON_SKIP_EMPTY)
#define SECONDS(member) JSON_FIELD_AS(struct wire, call.member, #member, JSON_INT64, 0)
#define YES(member)	JSON_FIELD_AS(struct wire, call.member, #member, JSON_BOOL, JSON_SKIP_EMPTY)

static const struct json_field wire_fields[] = {
	JSON_FIELD_AS(struct wire, call.key, "key", JSON_STRING, JSON_REQUIRED),
	JSON_FIELD_AS(struct wire, call.call_id, "call_id", JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD_AS(struct wire, call.outgoing, "outgoing", JSON_BOOL, 0),
	TEXT(phone),
	YES(hidden),
	TEXT(line),
	TEXT(line_name),
	EXTENSIONS(rang),
	EXTENSIONS(ringing),
	EXTENSIONS(talkers),
	TEXT(extension),
	TEXT(customer_name),
	JSON_FIELD(struct wire, result, JSON_STRING, 0),
	TIME(started_ms, "started_at"),
	TIME(answered_ms, "answered_at"),
	TIME(ended_ms, "ended_at"),
	SECONDS(wait_seconds),
	SECONDS(talk_seconds),
	TEXT(record_url),
	TEXT(origin_crm),
	TEXT(origin_call),
	{0},
};

static bool check_texts(const struct wire *wire, struct error *error)
{
	for (const struct json_field *field = wire_fields; field->name != NULL; field++) {
		const struct str *text = (const void *)((const char *)wire + field->offset);

		if (field->type == JSON_STRING && text->size > TEXT_MAX_BYTES)
			return error_set(error, ERROR_INPUT, "%s: longer than %d bytes",
				field->name, TEXT_MAX_BYTES);
	}
	if (wire->call.key.size == 0 || wire->call.key.size > KEY_MAX_BYTES)
		return error_set(
			error, ERROR_INPUT, "key: empty, or longer than %d bytes", KEY_MAX_BYTES);
	return true;
}

static bool check_numbers(const struct crm_call *call, struct error *error)
{
	const int64_t times[] = {call->started_ms, call->answered_ms, call->ended_ms};
	const int64_t seconds[] = {call->wait_seconds, call->talk_seconds};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (times[i] < 0 || times[i] > LAST_MS)
			return error_set(error, ERROR_INPUT, "a time out of range");
	}
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		if (seconds[i] < -1 || seconds[i] > MAX_SECONDS)
			return error_set(error, ERROR_INPUT, "a duration out of range");
	}
	if (call->call_id < 0)
		return error_set(error, ERROR_INPUT, "call_id: negative");
	return true;
}

bool crm_call_read(
	const struct json *json, struct arena *arena, struct crm_call *to, struct error *error)
{
	struct wire wire = {.call = {.wait_seconds = -1, .talk_seconds = -1}};

	*to = wire.call;
	if (json_kind(json) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "call: not an object");
	if (!json_read(json, wire_fields, &wire, arena, error) || !check_texts(&wire, error) ||
		!check_numbers(&wire.call, error))
		return error_prefix(error, "call: ");
	if (wire.result.size > 0 && !crm_result_read(wire.result, &wire.call.result))
		return error_set(error, ERROR_INPUT, "call: result: not known");
	*to = wire.call;
	return true;
}

void crm_call_write(struct buf *to, const struct crm_call *call)
{
	struct wire wire = {.call = *call, .result = str_from(crm_result_name(call->result))};

	json_write(to, wire_fields, &wire);
}
