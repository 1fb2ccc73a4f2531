/*
 * crm_raw: direction, number, extension and result of one raw event, by the rules of the system
 * that this replaces, mended where they were wrong (facts of the integrations, 2.7).
 */
#include "crm_raw.h"

#include "crm_make.h"
#include "phone.h"

enum { KEY_MAX_BYTES = 200, SHORT_MIN = 2, SHORT_MAX = 5 };
enum { TYPE_NONE = -1, TYPE_IN, TYPE_OUT, TYPE_INTERNAL };
#define LAST_MS INT64_C(253402300799999) /* of the year 9999 */

/* An event as it is on the wire. PBXs write numbers as numbers or as text. */
struct raw {
	struct str CallType, Phone, ExtPhone, CallerIDNum, ConnectedLineNum, InternalCode;
	struct str CallStatus, StartTime, EndTime, TrunkId, Trunk, INCALL, Incall;
	struct json_strings Extensions;
};

#define RAW(member) JSON_FIELD(struct raw, member, JSON_STRING, JSON_LAX)

static const struct json_field raw_fields[] = {
	RAW(CallType),
	RAW(Phone),
	RAW(ExtPhone),
	RAW(CallerIDNum),
	RAW(ConnectedLineNum),
	RAW(InternalCode),
	RAW(CallStatus),
	RAW(StartTime),
	RAW(EndTime),
	RAW(TrunkId),
	RAW(Trunk),
	RAW(INCALL),
	RAW(Incall),
	JSON_FIELD(struct raw, Extensions, JSON_STRINGS, JSON_LAX),
	{0},
};

struct reading {
	const struct crm_raw_source *source;
	struct raw raw;
	struct arena *arena;
	struct crm_call *call;
	int type; /* TYPE_* */
};

static bool is_ours(const struct reading *reading, struct str number)
{
	if (number_is_line(reading->source->numbers, number))
		return false;
	return number_is_internal(reading->source->numbers, number) ||
	       (number.size >= SHORT_MIN && number.size <= SHORT_MAX && str_is_digits(number));
}

/* Somebody who is not ours, also one who hides. A line is nobody. */
static bool is_outside(const struct reading *reading, struct str number)
{
	return number.size > 0 && !is_ours(reading, number) &&
	       !number_is_line(reading->source->numbers, number);
}

static struct str first_extension(const struct reading *reading, bool outside)
{
	for (size_t i = 0; i < reading->raw.Extensions.count; i++) {
		struct str number = reading->raw.Extensions.items[i];

		if (outside ? is_outside(reading, number) : is_ours(reading, number))
			return number;
	}
	return str_of(NULL, 0);
}

static int type_of(struct str text)
{
	int64_t value;

	if (!str_to_int64(str_trim(text), &value) || value < TYPE_IN || value > TYPE_INTERNAL)
		return TYPE_NONE;
	return (int)value;
}

/* Who is meant first depends on whether the PBX told the kind of the call: a callee stands in
 * Extensions when it could not. In the end a short number that the PBX itself calls an outside one
 * (103) counts. */
static struct str other_side(const struct reading *reading)
{
	const struct raw *raw = &reading->raw;
	bool typed = reading->type == TYPE_IN || reading->type == TYPE_OUT;
	struct str party =
		reading->call->outgoing ? first_extension(reading, true) : raw->CallerIDNum;
	const struct str all[] = {typed ? raw->Phone : party, typed ? raw->CallerIDNum : raw->Phone,
		raw->ExtPhone, raw->ConnectedLineNum};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (is_outside(reading, all[i]))
			return all[i];
	}
	return typed ? raw->Phone : str_of(NULL, 0);
}

static bool anybody_outside(const struct reading *reading)
{
	const struct raw *raw = &reading->raw;

	return is_outside(reading, raw->CallerIDNum) || is_outside(reading, raw->Phone) ||
	       is_outside(reading, raw->ExtPhone) || is_outside(reading, raw->ConnectedLineNum) ||
	       first_extension(reading, true).size > 0;
}

/* By CallType where it says so; else whoever is ours and calls, calls out. */
static bool is_outgoing(const struct reading *reading)
{
	if (reading->type == TYPE_IN || reading->type == TYPE_OUT)
		return reading->type == TYPE_OUT;
	return is_ours(reading, reading->raw.CallerIDNum);
}

/* -- members of the call ------------------------------------------------------------------------- */

static struct str copy(const struct reading *reading, const char *text)
{
	return str_from(arena_strdup(reading->arena, text));
}

static void put_line(struct reading *reading)
{
	const struct raw *raw = &reading->raw;
	const struct str all[] = {raw->TrunkId, raw->Trunk, raw->INCALL, raw->Incall};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && reading->call->line.size == 0; i++) {
		struct str id = phone_line_id(all[i]);

		reading->call->line = id.size > 0 ? id : all[i];
	}
}

/* The line's own rule, where it has one and the number comes from there; else the country's. */
static void put_phone(struct reading *reading)
{
	const struct crm_raw_source *source = reading->source;
	const struct number_transform *rule = number_rule_of(source->numbers, reading->call->line);
	struct str number = str_trim(other_side(reading));
	char spelled[PHONE_TEXT_BYTES], digits[PHONE_TEXT_BYTES];

	reading->call->hidden = phone_is_hidden(number) || !phone_digits(number, digits);
	if (reading->call->hidden)
		return;
	if (!reading->call->outgoing && rule != NULL && !is_ours(reading, number) &&
		number_transform_apply(rule, number, spelled))
		number = copy(reading, spelled);
	if (phone_e164(number, source->country, spelled))
		reading->call->phone = copy(reading, spelled);
	else
		reading->call->phone = copy(reading, digits);
}

static void put_people(struct reading *reading)
{
	struct json_strings *rang = &reading->call->rang;

	if (reading->call->outgoing)
		return;
	rang->items =
		arena_array(reading->arena, reading->raw.Extensions.count + 1, sizeof(struct str));
	for (size_t i = 0; i < reading->raw.Extensions.count; i++) {
		if (is_ours(reading, reading->raw.Extensions.items[i]))
			rang->items[rang->count++] = reading->raw.Extensions.items[i];
	}
	if (!reading->source->over)
		reading->call->ringing = *rang;
}

/* Who called out. */
static struct str caller(const struct reading *reading)
{
	const struct raw *raw = &reading->raw;

	if (is_ours(reading, raw->CallerIDNum))
		return raw->CallerIDNum;
	if (first_extension(reading, false).size > 0)
		return first_extension(reading, false);
	if (is_ours(reading, raw->ConnectedLineNum))
		return raw->ConnectedLineNum;
	return is_ours(reading, raw->InternalCode) ? raw->InternalCode : str_of(NULL, 0);
}

/* Who answered: where several rang and the event does not say, nobody knows. */
static struct str answerer(const struct reading *reading)
{
	const struct raw *raw = &reading->raw;

	if (is_ours(reading, raw->ConnectedLineNum))
		return raw->ConnectedLineNum;
	if (is_ours(reading, raw->InternalCode))
		return raw->InternalCode;
	return reading->call->rang.count == 1 ? reading->call->rang.items[0] : str_of(NULL, 0);
}

static void put_talkers(struct reading *reading)
{
	struct crm_call *call = reading->call;
	bool talked = call->result == CRM_TALKED;

	if (call->outgoing)
		call->extension = caller(reading);
	else if (talked)
		call->extension = answerer(reading);
	if (!talked || call->extension.size == 0)
		return;
	call->talkers.items = arena_array(reading->arena, 1, sizeof(struct str));
	call->talkers.items[0] = call->extension;
	call->talkers.count = 1;
}

static enum crm_result result_of(const struct reading *reading)
{
	int64_t status;

	if (!reading->source->over)
		return CRM_OPEN;
	if (!str_to_int64(str_trim(reading->raw.CallStatus), &status))
		return CRM_UNCLEAR;
	switch (status) {
	case 0:
		return CRM_NO_ANSWER;
	case 1:
		return CRM_BUSY;
	case 2:
		return CRM_TALKED;
	case 4:
		return CRM_CANCELLED;
	case 5:
		return CRM_BLOCKED;
	default:
		return CRM_UNCLEAR;
	}
}

static int64_t time_of(const struct reading *reading, struct str text)
{
	int64_t ms;

	if (!clock_parse(str_trim(text), reading->source->zone, &ms) || ms < 0 || ms > LAST_MS)
		return CRM_NO_TIME;
	return ms;
}

/* Of an answered call the event holds no time of the answer: how long they waited and talked, apart,
 * nobody knows. */
static void put_times(struct reading *reading)
{
	struct crm_call *call = reading->call;

	call->started_ms = time_of(reading, reading->raw.StartTime);
	call->ended_ms =
		reading->source->over ? time_of(reading, reading->raw.EndTime) : CRM_NO_TIME;
	if (call->ended_ms < call->started_ms)
		call->ended_ms = CRM_NO_TIME;
	if (call->result == CRM_OPEN || call->result == CRM_TALKED || call->result == CRM_UNCLEAR)
		return;
	call->talk_seconds = 0;
	if (call->started_ms != CRM_NO_TIME && call->ended_ms != CRM_NO_TIME)
		call->wait_seconds = (call->ended_ms - call->started_ms) / 1000;
}

enum crm_raw_is crm_raw_read(const struct crm_raw_source *source, struct arena *arena,
	struct crm_call *to, struct error *error)
{
	struct reading reading = {.source = source, .arena = arena, .call = to};

	*to = (struct crm_call){.key = source->unique_id, .wait_seconds = -1, .talk_seconds = -1};
	if (source->unique_id.size == 0 || source->unique_id.size > KEY_MAX_BYTES) {
		error_set(error, ERROR_INPUT, "uniqueId: missing or too long");
		return CRM_RAW_WRONG;
	}
	if (json_kind(source->raw) != JSON_OBJECT) {
		error_set(error, ERROR_INPUT, "raw: not an object");
		return CRM_RAW_WRONG;
	}
	if (!json_read(source->raw, raw_fields, &reading.raw, arena, error)) {
		error_prefix(error, "raw: ");
		return CRM_RAW_WRONG;
	}
	reading.type = type_of(reading.raw.CallType);
	if (reading.type == TYPE_INTERNAL && !anybody_outside(&reading))
		return CRM_RAW_INTERNAL;
	if (reading.type == TYPE_NONE && !anybody_outside(&reading) &&
		(is_ours(&reading, reading.raw.CallerIDNum) ||
			is_ours(&reading, reading.raw.Phone)))
		return CRM_RAW_INTERNAL;
	to->outgoing = is_outgoing(&reading);
	to->record_url = source->record_url;
	to->result = result_of(&reading);
	put_line(&reading);
	put_phone(&reading);
	put_people(&reading);
	put_talkers(&reading);
	put_times(&reading);
	return CRM_RAW_CALL;
}
