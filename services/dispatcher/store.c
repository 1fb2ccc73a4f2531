/*
 * store: see store.h.
 */
#include "store.h"

#include "dispatcher.h"
#include "store_sql.h"

#include <inttypes.h>
#include <stdio.h>

#define STORE_MAX_BYTES ((size_t)32 << 20)

enum { STORE_BUFFERS = 7 };

static struct buf *store_buffer(struct store *store, unsigned i)
{
	struct buf *const all[STORE_BUFFERS] = {&store->positions, &store->calls, &store->legs,
		&store->transfers, &store->memory, &store->merged, &store->outbox};
	return all[i];
}

void store_begin(struct store *store, struct arena *arena)
{
	store->arena = arena;
	for (unsigned i = 0; i < STORE_BUFFERS; i++)
		buf_init(store_buffer(store, i), STORE_MAX_BYTES);
}

void store_end(struct store *store)
{
	for (unsigned i = 0; i < STORE_BUFFERS; i++)
		buf_free(store_buffer(store, i));
}

/* Rows of a JSON array, or of PostgreSQL's text form of one: closed by store_batch(). */
static struct buf *next_row(struct buf *rows, char open)
{
	buf_add_char(rows, rows->size == 0 ? open : ',');
	return rows;
}

/* A wall time for a table of fields: empty (NULL) when unknown. */
static struct str time_text(int64_t wall_ms, char to[CLOCK_TEXT_BYTES])
{
	if (wall_ms == CALL_NO_TIME)
		return STR("");
	clock_format_rfc3339(wall_ms, to);
	return str_from(to);
}

void store_position(struct store *store, unsigned shard, const struct shard *state)
{
	char at[CLOCK_TEXT_BYTES];
	struct str when = time_text(state->at.at_ms, at);
	buf_printf(next_row(&store->positions, '['),
		"{\"shard\":%u,\"epoch\":%" PRId64 ",\"tx\":\"%" PRId64 "\",\"id\":%" PRId64
		",\"at\":\"%.*s\"}",
		shard, state->epoch, state->at.tx, state->at.id,
		STR_ARG(when.size > 0 ? when : STR("-infinity")));
}

/* -- calls ---------------------------------------------------------------------------------------- */

struct call_row {
	int64_t id, shard;
	struct str enterprise_id, unique_id;
	struct json_strings unique_ids;
	struct str direction, state;
	bool answered;
	struct str phone_number, caller, callee, main_extension;
	struct json_strings talkers, rang;
	struct str trunk, call_type, call_status, start_time, answer_time, end_time;
	int64_t ring_seconds, duration;
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
	JSON_FIELD(struct call_row, ring_seconds, JSON_INT64, 0),
	JSON_FIELD(struct call_row, duration, JSON_INT64, 0),
	JSON_FIELD(struct call_row, data_source, JSON_STRING, 0),
	JSON_FIELD(struct call_row, version, JSON_INT64, 0),
	JSON_FIELD(struct call_row, trace_id, JSON_STRING, 0),
	JSON_FIELD(struct call_row, trace, JSON_STRING, 0),
	{.name = NULL},
};

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

/* Who talked last, else who rang first. */
static struct str main_extension(const struct call *call)
{
	if (call->talkers.count > 0)
		return str_from(call->talkers.items[call->talkers.count - 1]);
	return call->rang.count > 0 ? str_from(call->rang.items[0]) : STR("");
}

/* What people ask first of a wrong call: why did it do that? */
static struct str trace_of(const struct change *change, struct arena *arena)
{
	struct buf text;
	struct json_writer writer;
	buf_init(&text, (size_t)64 << 10);
	json_begin(&writer, &text);
	json_open_array(&writer);
	for (const struct change_reason *it = change->reasons; it != NULL; it = it->next) {
		char at[CLOCK_TEXT_BYTES];
		clock_format_rfc3339(it->at_ms, at);
		json_open_object(&writer);
		json_put_name(&writer, "at");
		json_put_str(&writer, str_from(at));
		json_put_name(&writer, "event");
		json_put_int(&writer, it->event_id);
		json_put_name(&writer, "why");
		json_put_str(&writer, str_from(it->words));
		json_close_object(&writer);
	}
	json_close_array(&writer);
	struct str copy = str_of(arena_strndup(arena, text.data, text.size), text.size);
	bool failed = text.failed;
	buf_free(&text);
	return failed ? STR("[]") : copy;
}

static void call_times(
	const struct call *call, struct call_row *row, char texts[3][CLOCK_TEXT_BYTES])
{
	row->start_time = time_text(call->started_ms, texts[0]);
	row->answer_time = time_text(call->answered_ms, texts[1]);
	row->end_time = time_text(call->ended_ms, texts[2]);
	row->ring_seconds = call_ring_seconds(call);
	row->duration = call_talk_seconds(call);
}

static void store_call_row(
	struct store *store, const struct change *change, const struct call *call)
{
	static const char *const types[] = {[CALL_UNKNOWN] = "",
		[CALL_INCOMING] = "0",
		[CALL_OUTGOING] = "1",
		[CALL_INTERNAL] = "2"};
	char times[3][CLOCK_TEXT_BYTES], status[16] = "";
	if (call->call_status >= 0)
		snprintf(status, sizeof(status), "%d", call->call_status);
	struct call_row row = {
		.id = call->id,
		.shard = change->of->shard,
		.enterprise_id = str_from(change->of->number),
		.unique_id = call->unique_id_count > 0 ? str_from(call->unique_ids[0]) : STR(""),
		.unique_ids = unique_ids_of(store->arena, call),
		.direction = str_from(call_direction_name(call->direction)),
		.state = str_from(call_state_name(call->state)),
		.answered = call->answered,
		.phone_number = str_from(call->external),
		.caller = str_from(call->caller),
		.callee = str_from(call->callee),
		.main_extension = main_extension(call),
		.talkers = numbers_of(store->arena, &call->talkers),
		.rang = numbers_of(store->arena, &call->rang),
		.trunk = str_from(call->line),
		.call_type = str_from(types[call->direction]),
		.call_status = str_from(status),
		.data_source = str_from(change->data_source),
		.version = call->version,
		.trace_id = str_from(change->trace),
		.trace = trace_of(change, store->arena),
	};
	call_times(call, &row, times);
	json_write(next_row(&store->calls, '['), call_fields, &row);
}

/* -- legs and transfers --------------------------------------------------------------------------- */

struct leg_row {
	int64_t call_id, leg;
	struct str extension, participant_status, hangup_time;
};

static const struct json_field leg_fields[] = {
	JSON_FIELD(struct leg_row, call_id, JSON_INT64, 0),
	JSON_FIELD(struct leg_row, leg, JSON_INT64, 0),
	JSON_FIELD(struct leg_row, extension, JSON_STRING, 0),
	JSON_FIELD(struct leg_row, participant_status, JSON_STRING, 0),
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

/* Who rang, in order; a leg's own times are not known to the fold yet. */
static void store_legs(struct store *store, const struct call *call)
{
	char end[CLOCK_TEXT_BYTES];
	struct str ended = time_text(call->ended_ms, end);
	bool over = call->state == CALL_ENDED || call->state == CALL_LOST;
	for (unsigned i = 0; i < call->rang.count; i++) {
		bool talked = has_number(&call->talkers, call->rang.items[i]);
		struct leg_row row = {
			.call_id = call->id,
			.leg = i,
			.extension = str_from(call->rang.items[i]),
			.participant_status = talked ? STR("answered")
					      : over ? STR("no_answer")
						     : STR("dialing"),
			.hangup_time = over ? ended : STR(""),
		};
		json_write(next_row(&store->legs, '['), leg_fields, &row);
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

static void store_transfers(struct store *store, const struct call *call)
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
			.started_at = time_text(transfer->at_ms, at),
		};
		json_write(next_row(&store->transfers, '['), transfer_fields, &row);
	}
}

/* -- the fold's memory and the outbox -------------------------------------------------------------- */

struct memory_row {
	int64_t shard, call_id;
	struct str enterprise_id, state, forget_at;
};

static const struct json_field memory_fields[] = {
	JSON_FIELD(struct memory_row, shard, JSON_INT64, 0),
	JSON_FIELD(struct memory_row, call_id, JSON_INT64, 0),
	JSON_FIELD(struct memory_row, enterprise_id, JSON_STRING, 0),
	JSON_FIELD(struct memory_row, state, JSON_STRING, 0),
	JSON_FIELD(struct memory_row, forget_at, JSON_STRING, JSON_SKIP_EMPTY),
	{.name = NULL},
};

/* Forgotten by the clock and not by the events: a call in a silent enterprise must go, too. */
static void store_memory(struct store *store, const struct dispatcher *d,
	const struct change *change, const struct call *call, struct str saved)
{
	char at[CLOCK_TEXT_BYTES];
	bool over = call->state == CALL_ENDED || call->state == CALL_LOST;
	int64_t forget_ms = clock_wall_ms() + d->config->linger_seconds * 1000;
	struct memory_row row = {
		.shard = change->of->shard,
		.call_id = call->id,
		.enterprise_id = str_from(change->of->number),
		.state = saved,
		.forget_at = over ? time_text(forget_ms, at) : STR(""),
	};
	json_write(next_row(&store->memory, '['), memory_fields, &row);
}

void store_call(struct store *store, const struct dispatcher *d, const struct change *change,
	const struct call *call, struct str saved)
{
	if (call == NULL) {
		buf_printf(next_row(&store->merged, '{'), "%" PRId64, change->call_id);
		return;
	}
	store_call_row(store, change, call);
	store_legs(store, call);
	store_transfers(store, call);
	store_memory(store, d, change, call, saved);
}

struct outbox_row {
	int64_t shard, call_id;
	struct str enterprise, destination;
	int64_t version;
	bool final;
	struct str payload, state, trace;
};

static const struct json_field outbox_fields[] = {
	JSON_FIELD(struct outbox_row, shard, JSON_INT64, 0),
	JSON_FIELD(struct outbox_row, call_id, JSON_INT64, 0),
	JSON_FIELD(struct outbox_row, enterprise, JSON_STRING, 0),
	JSON_FIELD(struct outbox_row, destination, JSON_STRING, 0),
	JSON_FIELD(struct outbox_row, version, JSON_INT64, 0),
	JSON_FIELD(struct outbox_row, final, JSON_BOOL, 0),
	JSON_FIELD(struct outbox_row, payload, JSON_STRING, 0),
	JSON_FIELD(struct outbox_row, state, JSON_STRING, 0),
	JSON_FIELD(struct outbox_row, trace, JSON_STRING, 0),
	{.name = NULL},
};

void store_plan(struct store *store, const struct plan *plan)
{
	struct buf payload;
	buf_init(&payload, (size_t)64 << 10);
	buf_add(&payload, plan->state.remove ? STR("{\"delete\":true") : STR("{\"html\":"));
	if (!plan->state.remove)
		json_add_string(&payload, plan->state.html);
	buf_add_char(&payload, '}');
	for (unsigned i = 0; i < plan->target_count; i++) {
		char destination[40];
		snprintf(destination, sizeof(destination), "telegram:%" PRId64,
			plan->targets[i].chat->id);
		struct outbox_row row = {
			.shard = plan->shard,
			.call_id = plan->call_id,
			.enterprise = str_from(plan->enterprise),
			.destination = str_from(destination),
			.version = plan->state.version,
			.final = plan->state.final,
			.payload = buf_str(&payload),
			.state = str_from(plan->targets[i].state),
			.trace = str_from(plan->state.trace),
		};
		json_write(next_row(&store->outbox, '['), outbox_fields, &row);
	}
	buf_free(&payload);
}

/* -- the transaction ------------------------------------------------------------------------------- */

static void store_add(struct store *store, struct pg_batch *batch, const char *sql,
	struct buf *rows, const char *second)
{
	struct pg_params params = {0};
	if (rows->size == 0)
		return;
	buf_add_char(rows, rows->data[0] == '[' ? ']' : '}');
	pg_put_str(&params, store->arena, buf_str(rows));
	if (second != NULL)
		pg_put_text(&params, second);
	pg_batch_add(batch, sql, &params);
}

bool store_batch(
	struct store *store, const char *owner, struct pg_batch *batch, struct error *error)
{
	struct pg_params advance = {0};
	for (unsigned i = 0; i < STORE_BUFFERS; i++) {
		if (store_buffer(store, i)->failed)
			return error_set(error, ERROR_INTERNAL, "a round of more than %zu bytes",
				STORE_MAX_BYTES);
	}
	buf_add_char(&store->positions, ']');
	pg_put_text(&advance, owner);
	pg_put_str(&advance, store->arena, buf_str(&store->positions));
	pg_batch_add(batch, store_sql_advance, &advance);
	store_add(store, batch, store_sql_calls, &store->calls, NULL);
	store_add(store, batch, store_sql_legs, &store->legs, NULL);
	store_add(store, batch, store_sql_transfers, &store->transfers, NULL);
	store_add(store, batch, store_sql_memory, &store->memory, NULL);
	store_add(store, batch, store_sql_outbox, &store->outbox, owner);
	store_add(store, batch, store_sql_merged, &store->merged, NULL);
	return true;
}
