/*
 * commit: one batch (or a part of one) to PostgreSQL, as one statement with its own number.
 *
 * The number goes into ingest_batches in the same transaction. So a commit whose answer was lost can
 * be repeated: the second time it finds its number and stores nothing.
 */
#include "ingest.h"

enum {
	COLUMN_SHARD,
	COLUMN_ENTERPRISE,
	COLUMN_UNIQUE_ID,
	COLUMN_TYPE,
	COLUMN_AT,
	COLUMN_TRACE,
	COLUMN_BODY,
	COLUMN_KEY,
};

#define COMMIT_INTO                                                                                \
	"INSERT INTO call_events (shard, enterprise_number, unique_id, event_type, "               \
	"event_timestamp, trace_id, raw_data) "                                                    \
	"SELECT e.shard::smallint, e.enterprise, e.unique_id, e.type, "                            \
	"to_timestamp(e.at_ms / 1000.0::float8), e.trace, e.body::jsonb "

/* ORDER BY: ids grow in the order in which the events were accepted. */
static const char sql_commit[] =
	"WITH b AS (INSERT INTO ingest_batches (writer, batch) VALUES ($1::uuid, $2::bigint) "
	"ON CONFLICT DO NOTHING RETURNING 1) " COMMIT_INTO
	"FROM unnest($3::int8[], $4::text[], $5::text[], $6::text[], $7::int8[], $8::text[], "
	"$9::text[]) WITH ORDINALITY AS e (shard, enterprise, unique_id, type, at_ms, trace, body, "
	"ord) "
	"WHERE EXISTS (SELECT 1 FROM b) ORDER BY e.ord";

/* The same where some events have an Idempotency-Key: those whose key is known stay out. Keys are
 * inserted in one order everywhere, so two instances cannot lock each other out. */
static const char sql_commit_keys[] =
	"WITH b AS (INSERT INTO ingest_batches (writer, batch) VALUES ($1::uuid, $2::bigint) "
	"ON CONFLICT DO NOTHING RETURNING 1), "
	"e AS MATERIALIZED (SELECT *, "
	"row_number() OVER (PARTITION BY enterprise, key ORDER BY ord) AS nth "
	"FROM unnest($3::int8[], $4::text[], $5::text[], $6::text[], $7::int8[], $8::text[], "
	"$9::text[], $10::text[]) WITH ORDINALITY "
	"AS e (shard, enterprise, unique_id, type, at_ms, trace, body, key, ord) "
	"WHERE EXISTS (SELECT 1 FROM b)), "
	"k AS (INSERT INTO event_keys (enterprise_number, key) "
	"SELECT enterprise, key FROM e WHERE key <> '' AND nth = 1 ORDER BY enterprise, key "
	"ON CONFLICT DO NOTHING RETURNING enterprise_number, key) " COMMIT_INTO
	"FROM e WHERE e.key = '' OR (e.nth = 1 AND EXISTS (SELECT 1 FROM k "
	"WHERE k.enterprise_number = e.enterprise AND k.key = e.key)) ORDER BY e.ord";

/* For an event that call_events refuses. */
static const char sql_quarantine[] =
	"WITH b AS (INSERT INTO ingest_batches (writer, batch) VALUES ($1::uuid, $2::bigint) "
	"ON CONFLICT DO NOTHING RETURNING 1) "
	"INSERT INTO event_quarantine (event_type, token, reason, peer, trace_id, body) "
	"SELECT $3, $4, $5, '', $6, $7 WHERE EXISTS (SELECT 1 FROM b)";

struct commit_state {
	unsigned node;
	int64_t began_us;
	struct pg_batch *batch;
	bool done;
};

/* One array a column. The casts are PostgreSQL's work: libpq sends two types of arrays only. */
static void fill_columns(
	const struct batch *batch, struct batch_part part, struct pg_array columns[WORK_COLUMNS])
{
	for (int i = 0; i < WORK_COLUMNS; i++)
		pg_array_clear(&columns[i]);
	for (unsigned i = part.from; i < part.to; i++) {
		struct event_row row = batch_row(batch, i);

		pg_array_add_int8(&columns[COLUMN_SHARD], row.shard);
		pg_array_add_str(&columns[COLUMN_ENTERPRISE], row.enterprise);
		pg_array_add_str(&columns[COLUMN_UNIQUE_ID], row.unique_id);
		pg_array_add_str(&columns[COLUMN_TYPE], row.type);
		pg_array_add_int8(&columns[COLUMN_AT], row.at_ms);
		pg_array_add_str(&columns[COLUMN_TRACE], row.trace);
		pg_array_add_str(&columns[COLUMN_BODY], row.body);
		if (batch->has_keys)
			pg_array_add_str(&columns[COLUMN_KEY], row.key);
	}
}

static void add_statement(struct flow *flow, const struct batch *batch, unsigned node,
	struct pg_array columns[WORK_COLUMNS])
{
	struct commit_state *state = flow_state(flow);
	struct pg_params params = {0};
	int count = batch->has_keys ? WORK_COLUMNS : WORK_COLUMNS - 1;

	fill_columns(batch, batch_part(batch, node), columns);
	pg_put_text(&params, batch->writer);
	pg_put_int(&params, flow_arena(flow), batch_number(batch, node));
	for (int i = 0; i < count; i++)
		pg_put_array(&params, &columns[i]);
	pg_batch_add(state->batch, batch->has_keys ? sql_commit_keys : sql_commit, &params);
}

static void add_refused(struct flow *flow, const struct batch *batch, unsigned node)
{
	struct commit_state *state = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	unsigned index = batch_part(batch, node).from;
	struct event_row row = batch_row(batch, index);
	struct pg_params params = {0};

	pg_put_text(&params, batch->writer);
	pg_put_int(&params, arena, batch_number(batch, node));
	pg_put_str(&params, arena, row.type);
	pg_put_str(&params, arena, row.enterprise);
	pg_put_text(&params, batch_refusal(batch, index));
	pg_put_str(&params, arena, row.trace);
	pg_put_str(&params, arena, row.body);
	pg_batch_add(state->batch, sql_quarantine, &params);
}

/* All statements of a pg_batch are one transaction: several records are stored together or not at
 * all, each under its own number. */
static enum flow_status commit_send(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct work *work = &ingest->writer.work;
	struct commit_state *state = flow_state(flow);

	state->batch = pg_batch_new(flow_arena(flow));
	for (unsigned i = 0; i < work->count && !work->to_quarantine; i++)
		add_statement(flow, work->batches[i], state->node, work->columns[i]);
	if (work->to_quarantine)
		add_refused(flow, work->batches[0], state->node);
	state->began_us = clock_monotonic_us();
	return await_pg(flow, ingest->pg, state->batch);
}

/* Classes 22 (data), 23 (constraints) and 54 (limits) speak of the rows; everything else, from a
 * missing right to a full disk, of the state of the database: that passes, the rows are fine. */
static bool speaks_of_data(const char *sqlstate)
{
	return strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0 ||
	       strncmp(sqlstate, "54", 2) == 0;
}

static void count_stored(struct ingest *ingest, const struct pg_batch *batch)
{
	const struct work *work = &ingest->writer.work;
	struct metric *where =
		work->to_quarantine ? ingest->meters.quarantined : ingest->meters.committed;

	metric_add(ingest->meters.commits, 1);
	for (unsigned i = 0; i < work->count; i++)
		metric_add(where, (double)pg_affected(batch, (int)i));
}

static enum flow_status commit_read(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct commit_state *state = flow_state(flow);
	double seconds = (double)(clock_monotonic_us() - state->began_us) / 1e6;

	state->done = true;
	metric_observe(ingest->meters.commit_seconds, seconds);
	if (pg_batch_ok(state->batch, &ingest->writer.error)) {
		ingest->writer.outcome = COMMIT_STORED;
		count_stored(ingest, state->batch);
		return FLOW_END;
	}
	metric_add(ingest->meters.commit_failures, 1);
	ingest->writer.outcome =
		speaks_of_data(pg_batch_sqlstate(state->batch)) ? COMMIT_REFUSED : COMMIT_AWAY;
	return FLOW_END;
}

/* Runs without commit_read() when the deadline came first: nobody knows how it went. */
static void commit_finally(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct commit_state *state = flow_state(flow);

	if (state->done)
		return;
	ingest->writer.outcome = COMMIT_STUCK;
	error_set(&ingest->writer.error, ERROR_BUSY, "no answer within %d ms",
		(int)ingest->settings->commit_timeout_ms);
	metric_add(ingest->meters.commit_failures, 1);
}

static const struct flow_step commit_steps[] = {
	{"send", commit_send},
	{"read", commit_read},
	{NULL, NULL},
};

static const struct flow_spec commit_flow = {
	.name = "commit",
	.steps = commit_steps,
	.finally = commit_finally,
	.state_bytes = sizeof(struct commit_state),
	.deadline_ms = FLOW_FOREVER, /* set from the settings */
};

void commit_spawn(struct flow *flow, unsigned node)
{
	struct ingest *ingest = flow_context(flow);
	struct flow *child = flow_spawn(flow, &commit_flow);
	struct commit_state *state = flow_state(child);

	state->node = node;
	flow_set_deadline(child, ingest->settings->commit_timeout_ms);
}

/* Kept from commit to commit, so that the arrays grow once. */
void commit_init(struct work *work)
{
	for (int batch = 0; batch < WORK_BATCHES; batch++) {
		for (int i = 0; i < WORK_COLUMNS; i++) {
			if (i == COLUMN_SHARD || i == COLUMN_AT)
				pg_array_int8_init(
					&work->columns[batch][i], BATCH_RECORD_MAX_BYTES);
			else
				pg_array_text_init(
					&work->columns[batch][i], BATCH_RECORD_MAX_BYTES);
		}
	}
}

void commit_free(struct work *work)
{
	for (int batch = 0; batch < WORK_BATCHES; batch++) {
		for (int i = 0; i < WORK_COLUMNS; i++)
			pg_array_free(&work->columns[batch][i]);
	}
}
