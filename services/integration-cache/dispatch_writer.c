/*
 * dispatch_writer: batches of rows into crm_deliveries, one commit after the other, and from there
 * straight into the channels: nobody polls.
 *
 * A row that is known already stays as it is. Rows of channels that are not ours are announced in the
 * same transaction; channels that nobody has had are made, and are ours.
 */
#include "gateway_parts.h"

enum { COMMIT_DEADLINE_MS = 8000, COLUMN_MAX_BYTES = 64 * 1024 * 1024 };
enum { COLUMN_ENTERPRISE, COLUMN_CRM, COLUMN_KEY, COLUMN_KIND, COLUMN_PAYLOAD, COLUMN_TRACE };
#define COLUMNS	     6
#define COMMIT_BYTES ((size_t)80 << 20)

static const char sql_channels[] =
	"INSERT INTO crm_channels (enterprise_number, crm, owner, epoch)"
	" SELECT DISTINCT u.enterprise, u.crm, nullif($3, ''), 1"
	" FROM unnest($1::text[], $2::text[]) AS u (enterprise, crm) ORDER BY 1, 2"
	" ON CONFLICT DO NOTHING";

/* ORDER BY: ids grow in the order in which the rows were accepted, and come back in it. */
static const char sql_rows[] =
	"INSERT INTO crm_deliveries (enterprise_number, crm, call_key, kind, payload, trace_id)"
	" SELECT u.enterprise, u.crm, u.call_key, u.kind, u.payload::jsonb, u.trace"
	" FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])"
	" WITH ORDINALITY AS u (enterprise, crm, call_key, kind, payload, trace, ord)"
	" ORDER BY u.ord ON CONFLICT DO NOTHING"
	" RETURNING id, enterprise_number, crm, call_key, kind";

static const char sql_owners[] =
	"SELECT c.enterprise_number, c.crm, c.epoch, c.owner IS NOT DISTINCT FROM nullif($3, ''),"
	" CASE WHEN c.owner IS DISTINCT FROM nullif($3, '')"
	" THEN pg_notify('callweave_crm', c.enterprise_number || ' ' || c.crm)::text END"
	" FROM (SELECT DISTINCT enterprise, crm FROM unnest($1::text[], $2::text[])"
	" AS x (enterprise, crm)) AS u JOIN crm_channels c"
	" ON c.enterprise_number = u.enterprise AND c.crm = u.crm";

struct commit_state {
	struct dispatch_batch *rows;
	struct pg_array columns[COLUMNS];
	struct pg_array enterprises, crms; /* of channels that are not ours, as far as we know */
	struct pg_batch *batch;
	int64_t began_us;
	int rows_at; /* the statement that stores */
	bool read;
};

/* -- the statements --------------------------------------------------------------------------------- */

static bool may_own(const struct gateway *gateway)
{
	return !gateway->draining && channels_lease_holds(gateway);
}

static bool is_ours(const struct gateway *gateway, const struct delivery *row)
{
	const struct channel *channel = channel_find(gateway, row->enterprise, row->crm);

	return channel != NULL && !channel->leaving && may_own(gateway);
}

static void fill(struct gateway *gateway, struct commit_state *state)
{
	for (int i = 0; i < COLUMNS; i++)
		pg_array_text_init(&state->columns[i], COLUMN_MAX_BYTES);
	pg_array_text_init(&state->enterprises, COLUMN_MAX_BYTES);
	pg_array_text_init(&state->crms, COLUMN_MAX_BYTES);
	for (unsigned i = 0; i < state->rows->count; i++) {
		const struct delivery *row = state->rows->rows[i];

		pg_array_add_str(&state->columns[COLUMN_ENTERPRISE], row->enterprise);
		pg_array_add_str(&state->columns[COLUMN_CRM], row->crm);
		pg_array_add_str(&state->columns[COLUMN_KEY], row->call_key);
		pg_array_add_str(&state->columns[COLUMN_KIND], row->kind);
		pg_array_add_str(&state->columns[COLUMN_PAYLOAD], row->payload);
		pg_array_add_str(&state->columns[COLUMN_TRACE], row->trace);
		if (is_ours(gateway, row))
			continue;
		pg_array_add_str(&state->enterprises, row->enterprise);
		pg_array_add_str(&state->crms, row->crm);
	}
}

static enum flow_status commit_send(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct commit_state *state = flow_state(flow);
	struct pg_params rows = {0}, channels = {0};

	state->began_us = clock_monotonic_us();
	state->batch = pg_batch_new(flow_arena(flow));
	fill(gateway, state);
	for (int i = 0; i < COLUMNS; i++)
		pg_put_array(&rows, &state->columns[i]);
	pg_put_array(&channels, &state->enterprises);
	pg_put_array(&channels, &state->crms);
	pg_put_text(&channels, may_own(gateway) ? gateway->name : "");
	if (state->enterprises.count > 0) {
		pg_batch_add(state->batch, sql_channels, &channels);
		state->rows_at = 1;
	}
	pg_batch_add(state->batch, sql_rows, &rows);
	if (state->enterprises.count > 0)
		pg_batch_add(state->batch, sql_owners, &channels);
	return await_pg(flow, gateway->commit_pg, state->batch);
}

/* -- what came of it -------------------------------------------------------------------------------- */

static bool is_row(
	const struct pg_batch *batch, int statement, int at, const struct delivery *delivery)
{
	return str_equal(pg_text(batch, statement, at, 4), delivery->kind) &&
	       str_equal(pg_text(batch, statement, at, 3), delivery->call_key) &&
	       str_equal(pg_text(batch, statement, at, 2), delivery->crm) &&
	       str_equal(pg_text(batch, statement, at, 1), delivery->enterprise);
}

/* What was inserted comes back in our order, so one walk over both tells which these were. */
static void note_inserted(struct gateway *gateway, struct commit_state *state)
{
	struct dispatch_batch *rows = state->rows;
	int at = 0, count = pg_rows(state->batch, state->rows_at);

	for (unsigned i = 0; i < rows->count; i++) {
		if (at < count && is_row(state->batch, state->rows_at, at, rows->rows[i])) {
			rows->inserted[i] = true;
			rows->rows[i]->id = pg_int(state->batch, state->rows_at, at++, 0);
		}
	}
	metric_add(gateway->meters.queued, count);
	metric_add(gateway->meters.duplicates, (double)rows->count - count);
}

/* Channels that became ours by this commit, which only now we know. */
static void note_channels(struct gateway *gateway, const struct pg_batch *batch, int statement)
{
	for (int row = 0; row < pg_rows(batch, statement); row++) {
		struct str enterprise = pg_text(batch, statement, row, 0);
		struct str crm = pg_text(batch, statement, row, 1);

		if (pg_bool(batch, statement, row, 3) && may_own(gateway) &&
			channel_find(gateway, enterprise, crm) == NULL)
			(void)channel_new(
				gateway, enterprise, crm, pg_int(batch, statement, row, 2));
	}
}

static void push_rows(struct gateway *gateway, struct dispatch_batch *rows)
{
	for (unsigned i = 0; i < rows->count; i++) {
		struct delivery *row = rows->rows[i];
		struct channel *channel = channel_find(gateway, row->enterprise, row->crm);

		rows->rows[i] = NULL;
		if (rows->inserted[i] && channel != NULL)
			channel_push(gateway, channel, row);
		else
			delivery_free(&row);
	}
}

/* It may have been stored all the same: whoever looks into the table will see. */
static void look_later(struct gateway *gateway, const struct dispatch_batch *rows)
{
	for (unsigned i = 0; i < rows->count; i++) {
		const struct delivery *row = rows->rows[i];
		struct channel *channel = channel_find(gateway, row->enterprise, row->crm);

		if (channel == NULL)
			continue;
		channel->more = true;
		channel_want(gateway, channel);
	}
}

static enum flow_status commit_read(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct commit_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error))
		return flow_fail_error(flow, &error);
	state->read = true;
	metric_add(gateway->meters.commits, 1);
	metric_observe(gateway->meters.commit_seconds,
		(double)(clock_monotonic_us() - state->began_us) / 1e6);
	note_inserted(gateway, state);
	if (state->rows_at > 0)
		note_channels(gateway, state->batch, state->rows_at + 1);
	push_rows(gateway, state->rows);
	dispatch_line_settle(&gateway->line, state->rows, DISPATCH_STORED);
	return FLOW_END;
}

static void commit_finally(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct commit_state *state = flow_state(flow);

	if (!state->read) {
		metric_add(gateway->meters.commit_failures, 1);
		log_warn(flow_log(flow), "dispatch: %u deliveries are not stored: %s",
			state->rows->count, flow_error(flow)->text);
		look_later(gateway, state->rows);
		dispatch_line_settle(&gateway->line, state->rows, DISPATCH_FAILED);
	}
	for (int i = 0; i < COLUMNS; i++)
		pg_array_free(&state->columns[i]);
	pg_array_free(&state->enterprises);
	pg_array_free(&state->crms);
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
	.arena_max_bytes = COMMIT_BYTES,
	.deadline_ms = COMMIT_DEADLINE_MS,
};

/* -- batch after batch ------------------------------------------------------------------------------ */

enum { WRITER_WAIT, WRITER_TAKE };

/* No linger: the first request of a quiet time is committed alone and at once; under load the commit
 * under way does the gathering. */
static enum flow_status writer_wait(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	return gateway->line.first != NULL ? FLOW_NEXT : await_queue(flow, &gateway->line.arrived);
}

/* A child, because it has a deadline of its own and gives back its memory when it is done. */
static enum flow_status writer_take(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct dispatch_batch *batch = dispatch_line_take(&gateway->line);

	(void)flow_goto(flow, WRITER_WAIT);
	if (batch == NULL)
		return FLOW_NEXT;
	((struct commit_state *)flow_state(flow_spawn(flow, &commit_flow)))->rows = batch;
	return await_children(flow);
}

static const struct flow_step writer_steps[] = {
	[WRITER_WAIT] = {"wait", writer_wait},
	[WRITER_TAKE] = {"take", writer_take},
	{NULL, NULL},
};

const struct flow_spec dispatch_writer_flow = {
	.name = "writer", .steps = writer_steps, .deadline_ms = FLOW_FOREVER};
