/*
 * call_row_read: a call out of its rows, for who has to tell of a call that no fold remembers.
 */
#include "call_row.h"

#include <stddef.h>

enum { ROW_MAX_BYTES = 1 << 20, ROW_MAX_DEPTH = 4 };

struct leg_in {
	struct str extension, answer_time, hangup_time;
};

static const struct json_field leg_fields[] = {
	JSON_FIELD(struct leg_in, extension, JSON_STRING, 0),
	JSON_FIELD(struct leg_in, answer_time, JSON_STRING, 0),
	JSON_FIELD(struct leg_in, hangup_time, JSON_STRING, 0),
	{.name = NULL},
};

struct transfer_in {
	struct str from_extension, to_extension, kind, result, started_at;
};

static const struct json_field transfer_fields[] = {
	JSON_FIELD(struct transfer_in, from_extension, JSON_STRING, 0),
	JSON_FIELD(struct transfer_in, to_extension, JSON_STRING, 0),
	JSON_FIELD(struct transfer_in, kind, JSON_STRING, 0),
	JSON_FIELD(struct transfer_in, result, JSON_STRING, 0),
	JSON_FIELD(struct transfer_in, started_at, JSON_STRING, 0),
	{.name = NULL},
};

struct call_in {
	int64_t id, version;
	struct json_strings unique_ids, talkers, rang;
	struct str direction, state;
	bool answered;
	struct str phone_number, caller, callee, trunk, call_status;
	struct str start_time, answer_time, end_time;
	struct json_list legs, transfers;
};

static const struct json_field call_fields[] = {
	JSON_FIELD(struct call_in, id, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct call_in, version, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct call_in, unique_ids, JSON_STRINGS, 0),
	JSON_FIELD(struct call_in, talkers, JSON_STRINGS, 0),
	JSON_FIELD(struct call_in, rang, JSON_STRINGS, 0),
	JSON_FIELD(struct call_in, direction, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct call_in, state, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct call_in, answered, JSON_BOOL, 0),
	JSON_FIELD(struct call_in, phone_number, JSON_STRING, 0),
	JSON_FIELD(struct call_in, caller, JSON_STRING, 0),
	JSON_FIELD(struct call_in, callee, JSON_STRING, 0),
	JSON_FIELD(struct call_in, trunk, JSON_STRING, 0),
	JSON_FIELD(struct call_in, call_status, JSON_STRING, 0),
	JSON_FIELD(struct call_in, start_time, JSON_STRING, 0),
	JSON_FIELD(struct call_in, answer_time, JSON_STRING, 0),
	JSON_FIELD(struct call_in, end_time, JSON_STRING, 0),
	{.name = "legs",
		.type = JSON_LIST,
		.offset = offsetof(struct call_in, legs),
		.fields = leg_fields,
		.size_bytes = sizeof(struct leg_in)},
	{.name = "transfers",
		.type = JSON_LIST,
		.offset = offsetof(struct call_in, transfers),
		.fields = transfer_fields,
		.size_bytes = sizeof(struct transfer_in)},
	{.name = NULL},
};

static int64_t time_of(struct str text)
{
	int64_t wall_ms;

	return clock_parse(text, NULL, &wall_ms) ? wall_ms : CALL_NO_TIME;
}

/* Index of the name in an enum's names; `fallback` when it is none of them. */
static int value_of(struct str name, const char *(*name_of)(int), int count, int fallback)
{
	for (int i = 0; i < count; i++) {
		if (str_equal(name, str_from(name_of(i))))
			return i;
	}
	return fallback;
}

static const char *direction_name(int i)
{
	return call_direction_name((enum call_direction)i);
}

static const char *state_name(int i)
{
	return call_state_name((enum call_state)i);
}

static const char *result_name(int i)
{
	return call_transfer_result_name((enum call_transfer_result)i);
}

static struct call_numbers numbers_from(const struct json_strings *list, struct arena *arena)
{
	struct call_numbers numbers = {
		.items = arena_array(arena, list->count + 1, sizeof(*numbers.items))};

	for (size_t i = 0; i < list->count && i < CALL_MAX_NUMBERS; i++)
		(void)str_copy(numbers.items[numbers.count++], CALL_NUMBER_BYTES, list->items[i]);
	return numbers;
}

static void read_unique_ids(const struct json_strings *list, struct arena *arena, struct call *call)
{
	call->unique_ids = arena_array(arena, list->count + 1, sizeof(*call->unique_ids));
	for (size_t i = 0; i < list->count && i < CALL_MAX_NUMBERS; i++)
		(void)str_copy(
			call->unique_ids[call->unique_id_count++], CALL_ID_BYTES, list->items[i]);
}

static void read_legs(const struct json_list *list, struct arena *arena, struct call *call)
{
	const struct leg_in *rows = list->items;

	call->legs = arena_array(arena, list->count + 1, sizeof(*call->legs));
	for (size_t i = 0; i < list->count; i++) {
		struct call_leg *leg = &call->legs[call->leg_count++];

		(void)str_copy(leg->number, sizeof(leg->number), rows[i].extension);
		leg->ringing_ms = CALL_NO_TIME;
		leg->answered_ms = time_of(rows[i].answer_time);
		leg->ended_ms = time_of(rows[i].hangup_time);
	}
}

static void read_transfers(const struct json_list *list, struct arena *arena, struct call *call)
{
	const struct transfer_in *rows = list->items;

	call->transfers = arena_array(arena, list->count + 1, sizeof(*call->transfers));
	for (size_t i = 0; i < list->count && i < CALL_MAX_TRANSFERS; i++) {
		struct call_transfer *to = &call->transfers[call->transfer_count++];

		(void)str_copy(to->from, sizeof(to->from), rows[i].from_extension);
		(void)str_copy(to->to, sizeof(to->to), rows[i].to_extension);
		to->kind =
			str_equal(rows[i].kind, STR("blind")) ? TRANSFER_BLIND : TRANSFER_ATTENDED;
		to->result = (enum call_transfer_result)value_of(
			rows[i].result, result_name, TRANSFER_UNANSWERED + 1, TRANSFER_PENDING);
		to->at_ms = time_of(rows[i].started_at);
	}
}

static void call_from(const struct call_in *row, struct arena *arena, struct call *call)
{
	int64_t status;

	*call = (struct call){.id = row->id, .version = (unsigned)row->version};
	call->direction = (enum call_direction)value_of(
		row->direction, direction_name, CALL_INTERNAL + 1, CALL_UNKNOWN);
	call->state = (enum call_state)value_of(row->state, state_name, CALL_LOST + 1, CALL_LOST);
	call->answered = row->answered;
	(void)str_copy(call->external, sizeof(call->external), row->phone_number);
	(void)str_copy(call->caller, sizeof(call->caller), row->caller);
	(void)str_copy(call->callee, sizeof(call->callee), row->callee);
	(void)str_copy(call->line, sizeof(call->line), row->trunk);
	call->rang = numbers_from(&row->rang, arena);
	call->talkers = numbers_from(&row->talkers, arena);
	call->started_ms = time_of(row->start_time);
	call->answered_ms = time_of(row->answer_time);
	call->ended_ms = time_of(row->end_time);
	call->call_status = str_to_int64(row->call_status, &status) ? (int)status : -1;
	read_unique_ids(&row->unique_ids, arena, call);
	read_legs(&row->legs, arena, call);
	read_transfers(&row->transfers, arena, call);
}

bool call_row_read(struct str row, struct arena *arena, struct call *call, struct error *error)
{
	const struct json_limits limits = {.max_bytes = ROW_MAX_BYTES, .max_depth = ROW_MAX_DEPTH};
	struct json *json = json_parse(row, limits, error);
	struct call_in in = {.id = 0};
	bool ok;

	if (json == NULL)
		return false;
	ok = json_read(json, call_fields, &in, arena, error);
	json_free(&json);
	if (ok)
		call_from(&in, arena, call);
	return ok;
}
