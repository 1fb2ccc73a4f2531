/*
 * quarantine: gathers refused events and writes them once a second, so that a flood of them costs
 * the database one small transaction a second and no more.
 */
#include "quarantine.h"

#include "alloc.h"

#include <stdlib.h>

enum { COLUMNS = 6, PAUSE_MS = 1000, READY_EVERY_MS = 5000, STORE_DEADLINE_MS = 10000 };

struct refused_rows {
	struct pg_array columns[COLUMNS];
	unsigned count;
	size_t bytes;
};

struct quarantine {
	struct pg *pg;
	int64_t max_rows;
	struct meters *meters;
	struct log_context log;
	struct flow *flow;
	struct flow_queue arrived;
	struct refused_rows filling; /* what arrives */
	struct refused_rows storing; /* what is on its way to the database: it may not move */
};

struct store_state {
	struct pg_batch *batch;
};

static const char sql_insert[] =
	"INSERT INTO event_quarantine (event_type, token, reason, peer, trace_id, body) "
	"SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], "
	"$6::text[])";

/* The newest rows of each token that has come in just now. */
static const char sql_bound_tokens[] =
	"DELETE FROM event_quarantine WHERE id IN (SELECT o.id "
	"FROM (SELECT DISTINCT token FROM unnest($1::text[]) AS t (token)) AS t, "
	"LATERAL (SELECT q.id FROM event_quarantine q WHERE q.token = t.token "
	"ORDER BY q.id DESC OFFSET $2) AS o)";

/* Whatever the token: the newest rows of all. */
static const char sql_bound_all[] =
	"DELETE FROM event_quarantine WHERE id <= "
	"(SELECT id FROM event_quarantine ORDER BY id DESC OFFSET $1 LIMIT 1)";

static void rows_init(struct refused_rows *rows)
{
	for (int i = 0; i < COLUMNS; i++)
		pg_array_text_init(&rows->columns[i], QUARANTINE_COLUMN_BYTES);
}

static void rows_clear(struct refused_rows *rows)
{
	for (int i = 0; i < COLUMNS; i++)
		pg_array_clear(&rows->columns[i]);
	rows->count = 0;
	rows->bytes = 0;
}

static void rows_free(struct refused_rows *rows)
{
	for (int i = 0; i < COLUMNS; i++)
		pg_array_free(&rows->columns[i]);
}

static void rows_add(struct refused_rows *rows, const struct quarantine_item *item)
{
	char token[QUARANTINE_TOKEN_BYTES];

	str_copy(token, sizeof(token), item->token);
	pg_array_add_str(&rows->columns[0], item->type);
	pg_array_add_str(&rows->columns[1], str_from(token));
	pg_array_add_str(&rows->columns[2], item->reason);
	pg_array_add_str(&rows->columns[3], item->peer);
	pg_array_add_str(&rows->columns[4], item->trace);
	pg_array_add_str(&rows->columns[5], item->body);
	rows->count++;
}

/* First come, first kept: what is over the second's share is counted, not queued, so that a flood
 * neither grows the memory nor reaches the database. */
void quarantine_offer(struct quarantine *quarantine, const struct quarantine_item *item)
{
	struct refused_rows *rows = &quarantine->filling;
	size_t bytes = item->body.size + item->reason.size + 500;

	if (rows->count >= QUARANTINE_BATCH_ROWS || rows->bytes + bytes > QUARANTINE_BATCH_BYTES ||
		quarantine->max_rows == 0) {
		metric_add(quarantine->meters->quarantine_dropped, 1);
		return;
	}
	rows_add(rows, item);
	rows->bytes += bytes;
	flow_queue_wake(&quarantine->arrived, 1);
}

/* -- one write ------------------------------------------------------------------------------------ */

/* Insert and trim in one transaction: the table is never seen over its bound. */
static enum flow_status store_send(struct flow *flow)
{
	struct quarantine *quarantine = flow_context(flow);
	struct store_state *state = flow_state(flow);
	struct refused_rows swap = quarantine->storing;
	struct pg_params rows = {0}, tokens = {0}, all = {0};

	quarantine->storing = quarantine->filling;
	quarantine->filling = swap;
	for (int i = 0; i < COLUMNS; i++)
		pg_put_array(&rows, &quarantine->storing.columns[i]);
	pg_put_array(&tokens, &quarantine->storing.columns[1]);
	pg_put_int(&tokens, flow_arena(flow), QUARANTINE_TOKEN_ROWS);
	pg_put_int(&all, flow_arena(flow), quarantine->max_rows);
	state->batch = pg_batch_new(flow_arena(flow));
	pg_batch_add(state->batch, sql_insert, &rows);
	pg_batch_add(state->batch, sql_bound_tokens, &tokens);
	pg_batch_add(state->batch, sql_bound_all, &all);
	return await_pg(flow, quarantine->pg, state->batch);
}

static enum flow_status store_check(struct flow *flow)
{
	struct quarantine *quarantine = flow_context(flow);
	struct store_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error))
		return flow_fail_error(flow, &error);
	metric_add(quarantine->meters->quarantined, quarantine->storing.count);
	return FLOW_END;
}

static void store_finally(struct flow *flow)
{
	struct quarantine *quarantine = flow_context(flow);

	if (flow_error(flow) != NULL) {
		metric_add(quarantine->meters->quarantine_dropped, quarantine->storing.count);
		log_warn(&quarantine->log, "quarantine: %u refused events were not kept: %s",
			quarantine->storing.count, flow_error(flow)->text);
	}
	rows_clear(&quarantine->storing);
}

static const struct flow_step store_steps[] = {
	{"send", store_send},
	{"check", store_check},
	{NULL, NULL},
};

static const struct flow_spec store_flow = {
	.name = "quarantine_store",
	.steps = store_steps,
	.finally = store_finally,
	.state_bytes = sizeof(struct store_state),
	.deadline_ms = STORE_DEADLINE_MS,
};

/* -- once a second -------------------------------------------------------------------------------- */

enum { KEEP_WAIT, KEEP_READY, KEEP_STORE, KEEP_PAUSE, KEEP_AGAIN };

static enum flow_status keep_wait(struct flow *flow)
{
	struct quarantine *quarantine = flow_context(flow);

	return quarantine->filling.count > 0 ? FLOW_NEXT : await_queue(flow, &quarantine->arrived);
}

/* While PostgreSQL is away the first ones are held; what is more is dropped as ever. */
static enum flow_status keep_ready(struct flow *flow)
{
	struct quarantine *quarantine = flow_context(flow);

	if (pg_ready(quarantine->pg))
		return FLOW_NEXT;
	flow_goto(flow, KEEP_READY);
	return await_pg_ready(flow, quarantine->pg, READY_EVERY_MS);
}

static enum flow_status keep_store(struct flow *flow)
{
	flow_spawn(flow, &store_flow);
	return await_children(flow);
}

/* The rate's bound: what comes in this second goes with the next write. */
static enum flow_status keep_pause(struct flow *flow)
{
	return await_sleep(flow, PAUSE_MS);
}

static enum flow_status keep_again(struct flow *flow)
{
	return flow_goto(flow, KEEP_WAIT);
}

static const struct flow_step keep_steps[] = {
	[KEEP_WAIT] = {"wait", keep_wait},
	[KEEP_READY] = {"ready", keep_ready},
	[KEEP_STORE] = {"store", keep_store},
	[KEEP_PAUSE] = {"pause", keep_pause},
	[KEEP_AGAIN] = {"again", keep_again},
	{NULL, NULL},
};

static void keep_finally(struct flow *flow)
{
	struct quarantine *quarantine = flow_context(flow);

	quarantine->flow = NULL;
}

static const struct flow_spec keep_flow = {
	.name = "quarantine",
	.steps = keep_steps,
	.finally = keep_finally,
	.deadline_ms = FLOW_FOREVER,
};

struct quarantine *quarantine_new(struct loop *loop, struct pg *pg, int64_t rows,
	struct meters *meters, const struct log_context *log)
{
	struct quarantine *quarantine = alloc_zeroed(1, sizeof(*quarantine));

	quarantine->pg = pg;
	quarantine->max_rows = rows;
	quarantine->meters = meters;
	quarantine->log = *log;
	rows_init(&quarantine->filling);
	rows_init(&quarantine->storing);
	flow_queue_init(&quarantine->arrived);
	quarantine->flow = flow_start(loop, &keep_flow, quarantine, log);
	return quarantine;
}

void quarantine_free(struct quarantine **quarantine)
{
	if (*quarantine == NULL)
		return;
	if ((*quarantine)->flow != NULL)
		flow_cancel((*quarantine)->flow);
	rows_free(&(*quarantine)->storing);
	rows_free(&(*quarantine)->filling);
	free(*quarantine);
	*quarantine = NULL;
}
