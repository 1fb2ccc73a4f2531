/*
 * refold: see refold.h.
 *
 * While one chunk is folded, the server already reads the next: the reader is a child flow, and two
 * arenas take turns. The log is read by a held cursor, so no transaction stays open that would hold
 * back the live fold's horizon (ADR 0004).
 */
#include "refold.h"

#include "alloc.h"
#include "call_row.h"
#include "refold_calls.h"
#include "refold_changes.h"

#include <stdio.h>
#include <stdlib.h>

#define CHUNK_ARENA_BYTES ((size_t)512 << 20)
#define STAGE_BYTES	  ((size_t)1 << 20) /* of rows: then they go to the server */
#define STAGE_MAX_BYTES	  ((size_t)512 << 20)
#define DEFAULT_CHUNK	  500

struct refold {
	struct refold_options options;
	struct refold_counts counts;
	struct error error;
	bool done;
	struct arena *arenas[2]; /* of the chunks, in turn */
	struct pg_batch *chunks[2];
	unsigned turn;	     /* of the chunk that is folded */
	struct arena *arena; /* of the other statements */
	struct pg_batch *batch;
	struct refold_window window; /* of events that are read */
	struct refold_calls *calls;
	struct buf rows;	  /* finished calls on their way to the server */
	struct buf spans;	  /* enterprises that were read */
	char enterprise[64];	  /* that is folded now; "" none */
	bool passed_over;	  /* nothing is known of it */
	int64_t low_ms, first_id; /* of its events; the id of live ones */
};

/* -- statements ------------------------------------------------------------------------------------ */

static const char sql_begin[] = "SELECT refold_begin()";
static const char sql_span[] =
	"SELECT (extract(epoch FROM nullif(low, '-infinity')) * 1000)::bigint,"
	" (extract(epoch FROM nullif(high, 'infinity')) * 1000)::bigint"
	" FROM refold_span($1, coalesce($2::timestamptz, '-infinity'), coalesce($3::timestamptz, "
	"'infinity'))";

/* Only what the live fold has seen: what comes after it is not the past yet. Texts and recordings are
 * told and written once, and change no call. */
static const char sql_open[] =
	"DECLARE refold_events SCROLL CURSOR WITH HOLD FOR"
	" SELECT e.enterprise_number, e.shard, e.id,"
	" (extract(epoch FROM e.event_timestamp + coalesce(l.lag, '0')) * 1000)::bigint AS at_ms,"
	" e.event_type, e.data_source, e.trace_id, e.raw_data::text"
	" FROM call_events e JOIN fold_cursors f USING (shard)"
	" LEFT JOIN refold_lags($1, coalesce($2::timestamptz, '-infinity'), "
	"coalesce($3::timestamptz, "
	"'infinity')) l"
	" ON l.enterprise_number = e.enterprise_number AND e.data_source <> 'live'"
	" AND l.day = (e.event_timestamp AT TIME ZONE 'UTC')::date"
	" WHERE ($1::text IS NULL OR e.enterprise_number = $1)"
	" AND ($2::timestamptz IS NULL OR (e.event_timestamp >= $2"
	" AND e.created_at >= $2::timestamptz - interval '1 day'))"
	" AND ($3::timestamptz IS NULL OR e.event_timestamp <= $3)"
	" AND (e.tx, e.id) <= (f.tx, f.id) AND e.event_type NOT IN ('text', 'recording')"
	" ORDER BY e.enterprise_number COLLATE \"C\", at_ms, e.tx, e.id";
static const char sql_count[] = "MOVE FORWARD ALL FROM refold_events";
static const char sql_rewind[] = "MOVE ABSOLUTE 0 FROM refold_events";
static const char sql_read_500[] = "FETCH FORWARD 500 FROM refold_events";
static const char sql_read_4000[] = "FETCH FORWARD 4000 FROM refold_events";
static const char sql_close[] = "CLOSE refold_events";
static const char sql_put[] = "SELECT refold_put($1::jsonb)";
static const char sql_spans[] =
	"INSERT INTO pg_temp.refold_spans SELECT * FROM jsonb_to_recordset($1::jsonb)"
	" AS x (enterprise_id text, low timestamptz, high timestamptz, first_id bigint)";
enum {
	COLUMN_ENTERPRISE,
	COLUMN_SHARD,
	COLUMN_ID,
	COLUMN_AT,
	COLUMN_TYPE,
	COLUMN_SOURCE,
	COLUMN_TRACE,
	COLUMN_BODY
};

/* -- life ------------------------------------------------------------------------------------------ */

struct refold *refold_new(const struct refold_options *options)
{
	struct refold *refold = alloc_zeroed(1, sizeof(*refold));

	refold->options = *options;
	refold->arena = arena_new(CHUNK_ARENA_BYTES);
	for (unsigned i = 0; i < 2; i++)
		refold->arenas[i] = arena_new(CHUNK_ARENA_BYTES);
	buf_init(&refold->rows, STAGE_MAX_BYTES);
	buf_init(&refold->spans, STAGE_MAX_BYTES);
	refold->calls = refold_calls_new(
		options->linger_ms, (struct refold_window){options->from_ms, options->to_ms});
	return refold;
}

void refold_free(struct refold **refold)
{
	if (*refold == NULL)
		return;
	refold_calls_free(&(*refold)->calls);
	buf_free(&(*refold)->rows);
	buf_free(&(*refold)->spans);
	for (unsigned i = 0; i < 2; i++)
		arena_free(&(*refold)->arenas[i]);
	arena_free(&(*refold)->arena);
	free(*refold);
	*refold = NULL;
}

bool refold_ok(const struct refold *refold, struct error *error)
{
	if (!refold->done)
		*error = refold->error;
	return refold->done;
}

const struct refold_counts *refold_counts(const struct refold *refold)
{
	return &refold->counts;
}

int64_t refold_changes_count(const struct refold *refold)
{
	return refold->counts.fresh + refold->counts.changed + refold->counts.gone;
}

/* -- the reader: a child that fetches one chunk ------------------------------------------------------ */

struct reader_state {
	struct refold *refold;
	unsigned turn;
};

static enum flow_status reader_fetch(struct flow *flow)
{
	struct reader_state *reader = flow_state(flow);
	struct refold *refold = reader->refold;
	struct arena *arena = refold->arenas[reader->turn];
	bool large = refold->options.chunk_events > DEFAULT_CHUNK;
	struct pg_params none = {0};

	arena_reset(arena);
	refold->chunks[reader->turn] = pg_batch_new(arena);
	pg_batch_add(refold->chunks[reader->turn], large ? sql_read_4000 : sql_read_500, &none);
	return await_pg(flow, refold->options.pg, refold->chunks[reader->turn]);
}

static enum flow_status reader_done(struct flow *flow)
{
	return FLOW_END;
}

static const struct flow_step reader_steps[] = {
	{"fetch", reader_fetch},
	{"done", reader_done},
	{NULL, NULL},
};

static const struct flow_spec reader_flow = {
	.name = "refold reader",
	.steps = reader_steps,
	.state_bytes = sizeof(struct reader_state),
	.deadline_ms = FLOW_FOREVER, /* the statement's timeout ends it */
};

static void reader_spawn(struct flow *flow, struct refold *refold, unsigned turn)
{
	struct reader_state *reader = flow_state(flow_spawn(flow, &reader_flow));

	reader->refold = refold;
	reader->turn = turn;
}

/* -- one run ----------------------------------------------------------------------------------------- */

enum {
	RUN_BEGIN,
	RUN_SPAN,
	RUN_OPEN,
	RUN_OPENED,
	RUN_FIRST,
	RUN_AHEAD,
	RUN_FOLD,
	RUN_STAGE,
	RUN_STAGED,
	RUN_LAST,
	RUN_COMPARE,
	RUN_COUNT
};

static struct refold *run_of(struct flow *flow)
{
	return *(struct refold **)flow_state(flow);
}

static enum flow_status run_send(struct flow *flow, const char *sql, const struct pg_params *params)
{
	struct refold *refold = run_of(flow);

	refold->batch = pg_batch_new(refold->arena);
	pg_batch_add(refold->batch, sql, params);
	return await_pg(flow, refold->options.pg, refold->batch);
}

static void put_window(struct refold *refold, struct pg_params *params, struct refold_window window)
{
	pg_put_text(params, refold->options.enterprise);
	pg_put_time(params, refold->arena, window.from_ms);
	pg_put_time(params, refold->arena, window.to_ms);
}

/* Tables first, in a transaction of their own: with them it has an id, and while the log is read
 * nothing may hold back the horizon. */
static enum flow_status run_begin(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct pg_params none = {0};

	arena_reset(refold->arena);
	refold->window = (struct refold_window){refold->options.from_ms, refold->options.to_ms};
	return run_send(flow, sql_begin, &none);
}

static enum flow_status run_span(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct pg_params params = {0};
	struct error error;
	bool open =
		refold->window.from_ms == REFOLD_NO_TIME && refold->window.to_ms == REFOLD_NO_TIME;

	if (!pg_batch_ok(refold->batch, &error))
		return flow_fail_error(flow, &error);
	if (open)
		return flow_goto(flow, RUN_OPEN);
	put_window(refold, &params, refold->window);
	return run_send(flow, sql_span, &params);
}

static enum flow_status run_open(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct pg_params params = {0}, none = {0};
	struct error error;

	if (!pg_batch_ok(refold->batch, &error))
		return flow_fail_error(flow, &error);
	if (refold->window.from_ms != REFOLD_NO_TIME)
		refold->window.from_ms = pg_int(refold->batch, 0, 0, 0);
	if (refold->window.to_ms != REFOLD_NO_TIME)
		refold->window.to_ms = pg_int(refold->batch, 0, 0, 1);
	put_window(refold, &params, refold->window);
	refold->batch = pg_batch_new(refold->arena);
	pg_batch_add(refold->batch, sql_open, &params);
	pg_batch_add(refold->batch, sql_count, &none);
	pg_batch_add(refold->batch, sql_rewind, &none);
	return await_pg(flow, refold->options.pg, refold->batch);
}

static enum flow_status run_opened(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct error error;

	if (!pg_batch_ok(refold->batch, &error))
		return flow_fail_error(flow, &error);
	refold->counts.total = pg_affected(refold->batch, 1);
	reader_spawn(flow, refold, refold->turn);
	return await_children(flow);
}

static enum flow_status run_first(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct error error;

	return pg_batch_ok(refold->chunks[refold->turn], &error) ? FLOW_NEXT
								 : flow_fail_error(flow, &error);
}

/* The reader sends its request in the next turn of the loop, so let that come before folding. */
static enum flow_status run_ahead(struct flow *flow)
{
	struct refold *refold = run_of(flow);

	if (pg_rows(refold->chunks[refold->turn], 0) == 0)
		return flow_goto(flow, RUN_LAST);
	reader_spawn(flow, refold, !refold->turn);
	return await_turn(flow);
}

/* -- events ------------------------------------------------------------------------------------------ */

static void end_enterprise(struct refold *refold)
{
	int64_t now_ms = clock_wall_ms(), until_ms = refold->window.to_ms;
	char low[CLOCK_TEXT_BYTES], high[CLOCK_TEXT_BYTES];

	if (until_ms == REFOLD_NO_TIME || until_ms > now_ms)
		until_ms = now_ms;
	if (refold->enterprise[0] == '\0' || refold->passed_over)
		return;
	refold_calls_end(refold->calls, until_ms, &refold->rows);
	clock_format_rfc3339(refold->low_ms, low);
	clock_format_rfc3339(until_ms, high);
	buf_printf(call_row_next(&refold->spans, '['),
		"{\"enterprise_id\":\"%s\",\"low\":\"%s\",\"high\":\"%s\",\"first_id\":%lld}",
		refold->enterprise, low, high, (long long)refold->first_id);
}

/* Enterprises' numbers are letters, digits, _ and - only. */
static void begin_enterprise(struct refold *refold, const struct refold_event *event)
{
	const struct refold_tenant *tenant = table_get(refold->options.tenants, event->enterprise);

	end_enterprise(refold);
	(void)str_copy(refold->enterprise, sizeof(refold->enterprise), event->enterprise);
	refold->low_ms =
		refold->window.from_ms != REFOLD_NO_TIME ? refold->window.from_ms : event->at_ms;
	refold->first_id = INT64_MAX;
	refold->passed_over = tenant == NULL;
	if (tenant != NULL)
		refold_calls_begin(refold->calls, event->enterprise, tenant);
}

static void fold_row(
	struct flow *flow, struct refold *refold, const struct pg_batch *batch, int row)
{
	const struct refold_event event = {
		.id = pg_int(batch, 0, row, COLUMN_ID),
		.shard = pg_int(batch, 0, row, COLUMN_SHARD),
		.at_ms = pg_int(batch, 0, row, COLUMN_AT),
		.enterprise = pg_text(batch, 0, row, COLUMN_ENTERPRISE),
		.type = pg_text(batch, 0, row, COLUMN_TYPE),
		.data_source = pg_text(batch, 0, row, COLUMN_SOURCE),
		.trace_id = pg_text(batch, 0, row, COLUMN_TRACE),
		.body = pg_text(batch, 0, row, COLUMN_BODY),
	};
	struct error error;

	if (!str_equal(event.enterprise, str_from(refold->enterprise)))
		begin_enterprise(refold, &event);
	if (event.id < refold->first_id && str_equal(event.data_source, STR("live")))
		refold->first_id = event.id;
	refold->counts.events++;
	if (refold->passed_over || refold_calls_event(refold->calls, &event, &refold->rows, &error))
		return;
	refold->counts.unreadable++;
	log_debug(flow_log(flow), "refold: event %lld is passed over: %s", (long long)event.id,
		error.text);
}

static enum flow_status run_fold(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	const struct pg_batch *batch = refold->chunks[refold->turn];

	for (int row = 0; row < pg_rows(batch, 0); row++)
		fold_row(flow, refold, batch, row);
	return await_children(flow);
}

static enum flow_status run_stage(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct pg_params params = {0};
	struct error error;
	bool last = pg_rows(refold->chunks[!refold->turn], 0) == 0;

	refold->turn = !refold->turn;
	if (!pg_batch_ok(refold->chunks[refold->turn], &error))
		return flow_fail_error(flow, &error);
	if (refold->rows.failed)
		return flow_fail(
			flow, ERROR_INTERNAL, "refold: more calls at once than memory holds");
	if (refold->rows.size < STAGE_BYTES || last)
		return flow_goto(flow, RUN_AHEAD);
	arena_reset(refold->arena);
	buf_add_char(&refold->rows, ']');
	pg_put_text(&params, refold->rows.data); /* is there until the answer comes */
	return run_send(flow, sql_put, &params);
}

static enum flow_status run_staged(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct error error;

	if (!pg_batch_ok(refold->batch, &error))
		return flow_fail_error(flow, &error);
	buf_clear(&refold->rows);
	return flow_goto(flow, RUN_AHEAD);
}

static void add_list(struct pg_batch *batch, const char *sql, struct buf *rows)
{
	struct pg_params params = {0};

	if (rows->size == 0)
		return;
	buf_add_char(rows, ']');
	pg_put_text(&params, rows->data);
	pg_batch_add(batch, sql, &params);
}

static enum flow_status run_last(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct pg_params none = {0};

	end_enterprise(refold);
	if (refold->rows.failed || refold->spans.failed)
		return flow_fail(
			flow, ERROR_INTERNAL, "refold: more calls at once than memory holds");
	arena_reset(refold->arena);
	refold->batch = pg_batch_new(refold->arena);
	pg_batch_add(refold->batch, sql_close, &none);
	add_list(refold->batch, sql_put, &refold->rows);
	add_list(refold->batch, sql_spans, &refold->spans);
	return await_pg(flow, refold->options.pg, refold->batch);
}

static enum flow_status run_compare(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct error error;

	if (!pg_batch_ok(refold->batch, &error))
		return flow_fail_error(flow, &error);
	refold->batch = pg_batch_new(refold->arena);
	refold_add_compare(refold->batch, refold->arena);
	return await_pg(flow, refold->options.pg, refold->batch);
}

static enum flow_status run_count(struct flow *flow)
{
	struct refold *refold = run_of(flow);
	struct error error;

	if (!pg_batch_ok(refold->batch, &error))
		return flow_fail_error(flow, &error);
	refold_take_counts(refold->batch, &refold->counts);
	refold->done = true;
	return FLOW_END;
}

static const struct flow_step run_steps[] = {
	[RUN_BEGIN] = {"begin", run_begin},
	[RUN_SPAN] = {"span", run_span},
	[RUN_OPEN] = {"open", run_open},
	[RUN_OPENED] = {"opened", run_opened},
	[RUN_FIRST] = {"first", run_first},
	[RUN_AHEAD] = {"ahead", run_ahead},
	[RUN_FOLD] = {"fold", run_fold},
	[RUN_STAGE] = {"stage", run_stage},
	[RUN_STAGED] = {"staged", run_staged},
	[RUN_LAST] = {"last", run_last},
	[RUN_COMPARE] = {"compare", run_compare},
	[RUN_COUNT] = {"count", run_count},
	{NULL, NULL},
};

/* Whatever ended it early, the caller learns of it. */
static void run_finally(struct flow *flow)
{
	struct refold *refold = run_of(flow);

	if (refold != NULL && !refold->done && flow_error(flow) != NULL)
		refold->error = *flow_error(flow);
}

static const struct flow_spec run_flow = {
	.name = "refold",
	.steps = run_steps,
	.finally = run_finally,
	.state_bytes = sizeof(struct refold *),
	.deadline_ms = FLOW_FOREVER,
};

void refold_spawn(struct flow *parent, struct refold *refold)
{
	*(struct refold **)flow_state(flow_spawn(parent, &run_flow)) = refold;
}
