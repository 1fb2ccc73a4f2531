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

void commit_columns_init(struct pg_array columns[WRITER_COLUMNS])
{
	for (int i = 0; i < WRITER_COLUMNS; i++) {
		if (i == COLUMN_SHARD || i == COLUMN_AT)
			pg_array_int8_init(&columns[i], BATCH_MAX_BYTES);
		else
			pg_array_text_init(&columns[i], BATCH_MAX_BYTES);
	}
}

struct commit_state {
	unsigned node;
	int64_t began_us;
	struct pg_batch *batch;
	bool done;
};

static void fill_columns(struct writer *writer, struct batch_part part)
{
	for (int i = 0; i < WRITER_COLUMNS; i++)
		pg_array_clear(&writer->columns[i]);
	for (unsigned i = part.from; i < part.to; i++) {
		struct event_row row = batch_row(writer->work, i);

		pg_array_add_int8(&writer->columns[COLUMN_SHARD], row.shard);
		pg_array_add_str(&writer->columns[COLUMN_ENTERPRISE], row.enterprise);
		pg_array_add_str(&writer->columns[COLUMN_UNIQUE_ID], row.unique_id);
		pg_array_add_str(&writer->columns[COLUMN_TYPE], row.type);
		pg_array_add_int8(&writer->columns[COLUMN_AT], row.at_ms);
		pg_array_add_str(&writer->columns[COLUMN_TRACE], row.trace);
		pg_array_add_str(&writer->columns[COLUMN_BODY], row.body);
		if (writer->work->has_keys)
			pg_array_add_str(&writer->columns[COLUMN_KEY], row.key);
	}
}

static enum flow_status commit_send(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct writer *writer = &ingest->writer;
	struct commit_state *state = flow_state(flow);
	struct pg_params params = {0};
	int columns = writer->work->has_keys ? WRITER_COLUMNS : WRITER_COLUMNS - 1;

	fill_columns(writer, batch_part(writer->work, state->node));
	pg_put_text(&params, writer->work->writer);
	pg_put_int(&params, flow_arena(flow), batch_number(writer->work, state->node));
	for (int i = 0; i < columns; i++)
		pg_put_array(&params, &writer->columns[i]);
	state->began_us = clock_monotonic_us();
	return await_pg_query(flow, ingest->pg, &state->batch,
		writer->work->has_keys ? sql_commit_keys : sql_commit, &params);
}

/* Classes 22 (data), 23 (constraints) and 54 (limits) speak of the rows; everything else, from a
 * missing right to a full disk, of the state of the database: that passes, the rows are fine. */
static bool speaks_of_data(const char *sqlstate)
{
	return strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0 ||
	       strncmp(sqlstate, "54", 2) == 0;
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
		metric_add(ingest->meters.commits, 1);
		metric_add(ingest->meters.committed, (double)pg_affected(state->batch, 0));
		return FLOW_END;
	}
	metric_add(ingest->meters.commit_failures, 1);
	ingest->writer.outcome =
		speaks_of_data(pg_batch_sqlstate(state->batch)) ? COMMIT_REFUSED : COMMIT_AWAY;
	return FLOW_END;
}

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
