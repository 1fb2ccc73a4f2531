/*
 * call_row: see call_row.h. The names of the fields are those of the columns.
 */
#include "call_row.h"

#include <inttypes.h>
#include <stdio.h>

struct call_row {
	int64_t id, shard;
	struct str enterprise_id, unique_id;
	struct json_strings unique_ids;
	struct str direction, state;
	bool answered;
	struct str phone_number, caller, callee, main_extension;
	struct json_strings talkers, rang;
	struct str trunk, call_type, call_status, start_time, answer_time, end_time;
	struct str ring_seconds, duration;
	struct str data_source;
	int64_t version;
	struct str trace_id, trace;
};

static const struct json_field call_fields[] = {
	JSON_FIELD(struct call_row, id, JSON_INT64, 0),
	JSON_FIELD(struct call_row, shard, JSON_INT64, 0),
	JSON_FIELD(struct call_row, enterprise_id, JSON_STRING, 0),
	JSON_FIELD(struct call_row, unique_id, JSON_STRING, 0),
	JSON_FIELD(struct call_row, unique_ids, JSON_STRINGS, 0),
	JSON_FIELD(struct call_row, direction, JSON_STRING, 0),
	JSON_FIELD(struct call_row, state, JSON_STRING, 0),
	JSON_FIELD(struct call_row, answered, JSON_BOOL, 0),
	JSON_FIELD(struct call_row, phone_number, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, caller, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, callee, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, main_extension, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, talkers, JSON_STRINGS, 0),
	JSON_FIELD(struct call_row, rang, JSON_STRINGS, 0),
	JSON_FIELD(struct call_row, trunk, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, call_type, JSON_STRING, 0),
	JSON_FIELD(struct call_row, call_status, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, start_time, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, answer_time, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, end_time, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, ring_seconds, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, duration, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct call_row, data_source, JSON_STRING, 0),
	JSON_FIELD(struct call_row, version, JSON_INT64, 0),
	JSON_FIELD(struct call_row, trace_id, JSON_STRING, 0),
	JSON_FIELD(struct call_row, trace, JSON_STRING, 0),
	{.name = NULL},
};

const char *const call_row_columns[] = {"unique_id", "unique_ids", "direction", "state", "answered",
	"phone_number", "caller", "callee", "main_extension", "talkers", "rang", "trunk",
	"call_type", "call_status", "start_time", "answer_time", "end_time", "ring_seconds",
	"duration", NULL};

struct buf *call_row_next(struct buf *rows, char open)
{
	buf_add_char(rows, rows->size == 0 ? open : ',');
	return rows;
}

struct str call_row_time(int64_t wall_ms, char to[CLOCK_TEXT_BYTES])
{
	if (wall_ms == CALL_NO_TIME)
		return STR("");
	clock_format_rfc3339(wall_ms, to);
	return str_from(to);
}

/* -- the call ------------------------------------------------------------------------------------- */

/* Views of the fold's own arrays: written out before the fold goes on. */
static struct json_strings numbers_of(struct arena *arena, const struct call_numbers *numbers)
{
	struct json_strings list = {
		.items = arena_array(arena, numbers->count + 1, sizeof(struct str)),
		.count = numbers->count};
	for (unsigned i = 0; i < numbers->count; i++)
		list.items[i] = str_from(numbers->items[i]);
	return list;
}

static struct json_strings unique_ids_of(struct arena *arena, const struct call *call)
{
	struct json_strings list = {
		.items = arena_array(arena, call->unique_id_count + 1, sizeof(struct str)),
		.count = call->unique_id_count};
	for (unsigned i = 0; i < call->unique_id_count; i++)
		list.items[i] = str_from(call->unique_ids[i]);
	return list;
}

/* Who talked last, else who rang first or called, else who is said to stand for such calls. */
static struct str main_extension(const struct call *call, struct str fallback)
{
	if (call->talkers.count > 0)
		return str_from(call->talkers.items[call->talkers.count - 1]);
	if (call->rang.count > 0)
		return str_from(call->rang.items[0]);
	return call->caller[0] != '\0' ? str_from(call->caller) : fallback;
}

/* Room for an int64_t; empty (NULL) below zero: not known. */
enum { NUMBER_BYTES = 24 };
static struct str number_text(int64_t value, char to[NUMBER_BYTES])
{
	if (value < 0)
		return STR("");
	return str_of(to, (size_t)snprintf(to, NUMBER_BYTES, "%" PRId64, value));
}

void call_row_write(struct buf *to, const struct call *call, const struct call_row_about *about,
	struct arena *arena)
{
	static const char *const types[] = {[CALL_UNKNOWN] = "",
		[CALL_INCOMING] = "0",
		[CALL_OUTGOING] = "1",
		[CALL_INTERNAL] = "2"};
	char times[3][CLOCK_TEXT_BYTES], numbers[3][NUMBER_BYTES];
	const struct call_row row = {
		.id = call->id,
		.shard = about->shard,
		.enterprise_id = about->enterprise,
		.unique_id = call->unique_id_count > 0 ? str_from(call->unique_ids[0]) : STR(""),
		.unique_ids = unique_ids_of(arena, call),
		.direction = str_from(call_direction_name(call->direction)),
		.state = str_from(call_state_name(call->state)),
		.answered = call->answered,
		.phone_number = str_from(call->external),
		.caller = str_from(call->caller),
		.callee = str_from(call->callee),
		.main_extension = main_extension(call, about->fallback_extension),
		.talkers = numbers_of(arena, &call->talkers),
		.rang = numbers_of(arena, &call->rang),
		.trunk = str_from(call->line),
		.call_type = str_from(types[call->direction]),
		.call_status = number_text(call->call_status, numbers[0]),
		.start_time = call_row_time(call->started_ms, times[0]),
		.answer_time = call_row_time(call->answered_ms, times[1]),
		.end_time = call_row_time(call->ended_ms, times[2]),
		.ring_seconds = number_text(call_ring_seconds(call), numbers[1]),
		.duration = number_text(call_talk_seconds(call), numbers[2]),
		.data_source = about->data_source,
		.version = call->version,
		.trace_id = about->trace_id,
		.trace = about->trace,
	};
	json_write(to, call_fields, &row);
}

/* -- legs and transfers --------------------------------------------------------------------------- */

struct leg_row {
	int64_t call_id, leg;
	struct str extension, participant_status;
	int64_t ring_order;
	struct str answer_time, hangup_time;
};

static const struct json_field leg_fields[] = {
	JSON_FIELD(struct leg_row, call_id, JSON_INT64, 0),
	JSON_FIELD(struct leg_row, leg, JSON_INT64, 0),
	JSON_FIELD(struct leg_row, extension, JSON_STRING, 0),
	JSON_FIELD(struct leg_row, participant_status, JSON_STRING, 0),
	JSON_FIELD(struct leg_row, ring_order, JSON_INT64, 0),
	JSON_FIELD(struct leg_row, answer_time, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct leg_row, hangup_time, JSON_STRING, JSON_SKIP_EMPTY),
	{.name = NULL},
};

static bool has_number(const struct call_numbers *numbers, const char *number)
{
	for (unsigned i = 0; i < numbers->count; i++) {
		if (strcmp(numbers->items[i], number) == 0)
			return true;
	}
	return false;
}

static const struct call_leg *leg_of(const struct call *call, const char *number)
{
	for (unsigned i = 0; i < call->leg_count; i++) {
		if (strcmp(call->legs[i].number, number) == 0)
			return &call->legs[i];
	}
	return NULL;
}

/* Who rang, in order. */
void call_row_add_legs(struct buf *rows, const struct call *call)
{
	bool over = call->state == CALL_ENDED || call->state == CALL_LOST;

	for (unsigned i = 0; i < call->rang.count; i++) {
		const struct call_leg *leg = leg_of(call, call->rang.items[i]);
		int64_t end_ms = leg != NULL ? leg->ended_ms : CALL_NO_TIME;
		bool talked = has_number(&call->talkers, call->rang.items[i]);
		char answer[CLOCK_TEXT_BYTES], end[CLOCK_TEXT_BYTES];
		struct leg_row row = {
			.call_id = call->id,
			.leg = i,
			.extension = str_from(call->rang.items[i]),
			.participant_status = talked ? STR("answered")
					      : over ? STR("no_answer")
						     : STR("dialing"),
			.ring_order = i,
			.answer_time = call_row_time(
				leg != NULL ? leg->answered_ms : CALL_NO_TIME, answer),
		};
		if (end_ms == CALL_NO_TIME && over)
			end_ms = call->ended_ms;
		row.hangup_time = call_row_time(end_ms, end);
		json_write(call_row_next(rows, '['), leg_fields, &row);
	}
}

struct transfer_row {
	int64_t call_id, transfer;
	struct str from_extension, to_extension, kind, result, started_at;
};

static const struct json_field transfer_fields[] = {
	JSON_FIELD(struct transfer_row, call_id, JSON_INT64, 0),
	JSON_FIELD(struct transfer_row, transfer, JSON_INT64, 0),
	JSON_FIELD(struct transfer_row, from_extension, JSON_STRING, 0),
	JSON_FIELD(struct transfer_row, to_extension, JSON_STRING, 0),
	JSON_FIELD(struct transfer_row, kind, JSON_STRING, 0),
	JSON_FIELD(struct transfer_row, result, JSON_STRING, 0),
	JSON_FIELD(struct transfer_row, started_at, JSON_STRING, JSON_SKIP_EMPTY),
	{.name = NULL},
};

void call_row_add_transfers(struct buf *rows, const struct call *call)
{
	for (unsigned i = 0; i < call->transfer_count; i++) {
		const struct call_transfer *transfer = &call->transfers[i];
		char at[CLOCK_TEXT_BYTES];
		struct transfer_row row = {
			.call_id = call->id,
			.transfer = i,
			.from_extension = str_from(transfer->from),
			.to_extension = str_from(transfer->to),
			.kind = str_from(call_transfer_kind_name(transfer->kind)),
			.result = str_from(call_transfer_result_name(transfer->result)),
			.started_at = call_row_time(transfer->at_ms, at),
		};
		json_write(call_row_next(rows, '['), transfer_fields, &row);
	}
}

/* -- why ------------------------------------------------------------------------------------------ */

struct reason_row {
	struct str at;
	int64_t event;
	struct str why;
};

static const struct json_field reason_fields[] = {
	JSON_FIELD(struct reason_row, at, JSON_STRING, 0),
	JSON_FIELD(struct reason_row, event, JSON_INT64, 0),
	JSON_FIELD(struct reason_row, why, JSON_STRING, 0),
	{.name = NULL},
};

void call_row_add_reason(struct buf *reasons, int64_t at_ms, int64_t event_id, const char *words)
{
	char at[CLOCK_TEXT_BYTES];
	const struct reason_row row = {
		.at = call_row_time(at_ms, at), .event = event_id, .why = str_from(words)};

	json_write(call_row_next(reasons, '['), reason_fields, &row);
}
