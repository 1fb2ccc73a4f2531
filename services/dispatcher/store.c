/*
 * store: see store.h.
 */
#include "store.h"

#include "call_row.h"
#include "dispatcher.h"
#include "gateway_told.h"
#include "store_sql.h"

#include <inttypes.h>
#include <stdio.h>

#define STORE_MAX_BYTES ((size_t)32 << 20)

enum { STORE_BUFFERS = 10 };

static struct buf *store_buffer(struct store *store, unsigned i)
{
	struct buf *const all[STORE_BUFFERS] = {&store->positions, &store->calls, &store->legs,
		&store->transfers, &store->memory, &store->merged, &store->outbox,
		&store->recordings, &store->over, &store->gateway};
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

void store_position(struct store *store, unsigned shard, const struct shard *state)
{
	char at[CLOCK_TEXT_BYTES];
	struct str when = call_row_time(state->at.at_ms, at);
	buf_printf(call_row_next(&store->positions, '['),
		"{\"shard\":%u,\"epoch\":%" PRId64 ",\"tx\":\"%" PRId64 "\",\"id\":%" PRId64
		",\"at\":\"%.*s\"}",
		shard, state->epoch, state->at.tx, state->at.id,
		STR_ARG(when.size > 0 ? when : STR("-infinity")));
}

/* -- calls ---------------------------------------------------------------------------------------- */

/* What people ask first of a wrong call: why did it do that? */
static struct str trace_of(const struct change *change, struct arena *arena)
{
	struct buf text;
	buf_init(&text, (size_t)64 << 10);
	for (const struct change_reason *it = change->reasons; it != NULL; it = it->next)
		call_row_add_reason(&text, it->at_ms, it->event_id, it->words);
	if (text.size == 0)
		return STR("[]");
	buf_add_char(&text, ']');
	struct str copy = str_of(arena_strndup(arena, text.data, text.size), text.size);
	bool failed = text.failed;
	buf_free(&text);
	return failed ? STR("[]") : copy;
}

static struct str fallback_extension(const struct dispatcher *d, const char *enterprise)
{
	const struct directory_tenant *tenant = directory_find(&d->directory, str_from(enterprise));
	return tenant != NULL ? str_from(tenant->settings.fallback_extension) : STR("");
}

static void store_call_row(struct store *store, const struct dispatcher *d,
	const struct change *change, const struct call *call)
{
	const struct call_row_about about = {
		.shard = change->of->shard,
		.enterprise = str_from(change->of->number),
		.data_source = str_from(change->data_source),
		.trace_id = str_from(change->trace),
		.trace = trace_of(change, store->arena),
		.fallback_extension = fallback_extension(d, change->of->number),
	};
	call_row_write(call_row_next(&store->calls, '['), call, &about, store->arena);
}

/* -- the fold's memory and the outbox -------------------------------------------------------------- */

struct memory_row {
	int64_t shard, call_id;
	struct str enterprise_id, state, forget_at, keep_until;
};

static const struct json_field memory_fields[] = {
	JSON_FIELD(struct memory_row, shard, JSON_INT64, 0),
	JSON_FIELD(struct memory_row, call_id, JSON_INT64, 0),
	JSON_FIELD(struct memory_row, enterprise_id, JSON_STRING, 0),
	JSON_FIELD(struct memory_row, state, JSON_STRING, 0),
	JSON_FIELD(struct memory_row, forget_at, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct memory_row, keep_until, JSON_STRING, JSON_SKIP_EMPTY),
	{.name = NULL},
};

/* Forgotten by the clock and not by the events: a call in a silent enterprise must go, too. */
static void store_memory(struct store *store, const struct dispatcher *d,
	const struct change *change, const struct call *call, struct str saved)
{
	char forget[CLOCK_TEXT_BYTES], keep[CLOCK_TEXT_BYTES];
	bool over = call->state == CALL_ENDED || call->state == CALL_LOST;
	int64_t now_ms = clock_wall_ms();
	int64_t linger_ms = d->config->linger_seconds * 1000;
	int64_t keep_ms = over ? call_fold_linger_ms(change->of->fold, call->id) : 0;
	struct memory_row row = {
		.shard = change->of->shard,
		.call_id = call->id,
		.enterprise_id = str_from(change->of->number),
		.state = saved,
		.forget_at = over ? call_row_time(now_ms + linger_ms, forget) : STR(""),
		.keep_until = keep_ms > linger_ms ? call_row_time(now_ms + keep_ms, keep) : STR(""),
	};
	json_write(call_row_next(&store->memory, '['), memory_fields, &row);
}

/* How many legs and transfers it has in the end: the fold may have taken back some that are stored. */
static void store_over(struct store *store, const struct call *call)
{
	if (call->state != CALL_ENDED && call->state != CALL_LOST)
		return;
	buf_printf(call_row_next(&store->over, '['),
		"{\"call_id\":%" PRId64 ",\"legs\":%u,\"transfers\":%u}", call->id,
		call->rang.count, call->transfer_count);
}

void store_call(struct store *store, const struct dispatcher *d, const struct change *change,
	const struct call *call, struct str saved)
{
	if (call == NULL) {
		buf_printf(call_row_next(&store->merged, '{'), "%" PRId64, change->call_id);
		return;
	}
	store_call_row(store, d, change, call);
	call_row_add_legs(&store->legs, call);
	call_row_add_transfers(&store->transfers, call);
	store_over(store, call);
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

/* See migrations/0003: {"html", "markup", "recording"} or {"delete"}. */
static void payload_write(const struct plan *plan, const char *markup, struct buf *to)
{
	const struct live_state *state = &plan->state;
	buf_clear(to);
	if (state->remove) {
		buf_add(to, STR("{\"delete\":true}"));
		return;
	}
	buf_add(to, STR("{\"html\":"));
	json_add_string(to, state->html);
	if (markup != NULL && markup[0] != '\0') {
		buf_add(to, STR(",\"markup\":"));
		json_add_string(to, str_from(markup));
	}
	if (state->place.with.size > 0) {
		buf_printf(to, ",\"recording\":{\"at\":%u,\"size\":%u,\"with\":", state->place.at,
			state->place.size);
		json_add_string(to, state->place.with);
		buf_add_char(to, '}');
	}
	buf_add_char(to, '}');
}

void store_plan(struct store *store, const struct plan *plan)
{
	struct buf common, own;
	buf_init(&common, (size_t)64 << 10);
	buf_init(&own, (size_t)64 << 10);
	payload_write(plan, plan->state.markup.data, &common);
	for (unsigned i = 0; i < plan->target_count; i++) {
		const struct plan_target *target = &plan->targets[i];
		char destination[40];
		snprintf(destination, sizeof(destination), "telegram:%" PRId64, target->chat->id);
		if (target->markup != NULL)
			payload_write(plan, target->markup, &own);
		struct outbox_row row = {
			.shard = plan->shard,
			.call_id = plan->call_id,
			.enterprise = str_from(plan->enterprise),
			.destination = str_from(destination),
			.version = plan->state.version,
			.final = plan->state.final,
			.payload = buf_str(target->markup != NULL ? &own : &common),
			.state = str_from(target->state),
			.trace = str_from(plan->state.trace),
		};
		json_write(call_row_next(&store->outbox, '['), outbox_fields, &row);
	}
	buf_free(&common);
	buf_free(&own);
}

void store_recording(struct store *store, const struct recording *recording)
{
	buf_printf(call_row_next(&store->recordings, '['),
		"{\"call_id\":%" PRId64 ",\"changes\":%" PRId64 "}", recording->call_id,
		recording->changes);
}

struct gateway_json {
	int64_t n, shard;
	struct str enterprise;
	int64_t call_id, version;
	struct str payload, trace;
};

static const struct json_field gateway_fields[] = {
	JSON_FIELD(struct gateway_json, n, JSON_INT64, 0),
	JSON_FIELD(struct gateway_json, shard, JSON_INT64, 0),
	JSON_FIELD(struct gateway_json, enterprise, JSON_STRING, 0),
	JSON_FIELD(struct gateway_json, call_id, JSON_INT64, 0),
	JSON_FIELD(struct gateway_json, version, JSON_INT64, 0),
	JSON_FIELD(struct gateway_json, payload, JSON_STRING, 0),
	JSON_FIELD(struct gateway_json, trace, JSON_STRING, 0),
	{.name = NULL},
};

void store_gateway(struct store *store, const struct gateway_plan *plan)
{
	struct gateway_json row = {.n = 0};
	for (const struct gateway_item *it = plan->first; it != NULL; it = it->next) {
		row.shard = it->shard;
		row.enterprise = str_from(it->enterprise);
		row.call_id = it->call_id;
		row.version = it->version;
		row.payload = it->body;
		row.trace = str_from(it->trace);
		json_write(call_row_next(&store->gateway, '['), gateway_fields, &row);
		row.n++;
	}
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
	store_add(store, batch, store_sql_gateway, &store->gateway, NULL);
	store_add(store, batch, store_sql_calls, &store->calls, NULL);
	store_add(store, batch, store_sql_legs, &store->legs, NULL);
	store_add(store, batch, store_sql_transfers, &store->transfers, NULL);
	store_add(store, batch, store_sql_over, &store->over, NULL);
	store_add(store, batch, store_sql_memory, &store->memory, NULL);
	store_add(store, batch, store_sql_outbox, &store->outbox, owner);
	store_add(store, batch, store_sql_merged, &store->merged, NULL);
	store_add(store, batch, store_sql_recordings, &store->recordings, NULL);
	return true;
}
