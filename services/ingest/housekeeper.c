/*
 * housekeeper: clears away what the writer leaves behind: numbers of batches that are settled, and
 * keys of requests that nobody will repeat any more.
 */
#include "ingest.h"

enum { PAUSE_MS = 10000, TIDY_DEADLINE_MS = 10000, KEYS_A_CHUNK = 5000 };

static const char sql_own_batches[] =
	"DELETE FROM ingest_batches WHERE writer = $1::uuid AND batch < $2::bigint";

/* Of writers that never came back for their journal. */
static const char sql_old_batches[] =
	"DELETE FROM ingest_batches WHERE created_at < now() - interval '7 days'";

static const char sql_old_keys[] =
	"DELETE FROM event_keys WHERE (enterprise_number, key) IN (SELECT enterprise_number, key "
	"FROM event_keys WHERE created_at < now() - interval '7 days' ORDER BY created_at LIMIT "
	"$1)";

static const char sql_recovery[] = "SELECT recovery_tidy()";

struct tidy_state {
	struct pg_batch *batch;
};

/* With records in the journal nothing is settled yet. */
static int64_t settled_below(const struct ingest *ingest)
{
	const struct batch *oldest = ingest->backlog.first;

	if (!journal_empty(ingest->journal))
		return 0;
	if (ingest->writer.work.count > 0)
		oldest = ingest->writer.work.batches[0];
	if (oldest != NULL)
		return batch_number(oldest, 0);
	return (ingest->backlog.sequence + 1) << BATCH_NODE_BITS;
}

/* Small transactions beside the commits: the numbers of ten seconds, five thousand keys. */
static enum flow_status tidy_send(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct tidy_state *state = flow_state(flow);
	struct pg_params own = {0}, none = {0}, keys = {0};

	pg_put_text(&own, ingest->backlog.writer);
	pg_put_int(&own, flow_arena(flow), settled_below(ingest));
	pg_put_int(&keys, flow_arena(flow), KEYS_A_CHUNK);
	state->batch = pg_batch_new(flow_arena(flow));
	pg_batch_add(state->batch, sql_own_batches, &own);
	pg_batch_add(state->batch, sql_old_batches, &none);
	pg_batch_add(state->batch, sql_old_keys, &keys);
	pg_batch_add(state->batch, sql_recovery, &none);
	return await_pg(flow, ingest->pg_aux, state->batch);
}

static enum flow_status tidy_check(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct tidy_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error))
		log_warn(ingest->log, "housekeeping: %s", error.text);
	return FLOW_END;
}

static const struct flow_step tidy_steps[] = {
	{"send", tidy_send},
	{"check", tidy_check},
	{NULL, NULL},
};

static const struct flow_spec tidy_flow = {
	.name = "tidy",
	.steps = tidy_steps,
	.state_bytes = sizeof(struct tidy_state),
	.deadline_ms = TIDY_DEADLINE_MS,
};

enum { KEEP_PAUSE, KEEP_TIDY, KEEP_AGAIN };

static enum flow_status keep_pause(struct flow *flow)
{
	return await_sleep(flow, PAUSE_MS);
}

static enum flow_status keep_tidy(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);

	if (pg_ready(ingest->pg_aux) && ingest->schema_known)
		flow_spawn(flow, &tidy_flow);
	return await_children(flow);
}

static enum flow_status keep_again(struct flow *flow)
{
	return flow_goto(flow, KEEP_PAUSE);
}

static const struct flow_step keep_steps[] = {
	[KEEP_PAUSE] = {"pause", keep_pause},
	[KEEP_TIDY] = {"tidy", keep_tidy},
	[KEEP_AGAIN] = {"again", keep_again},
	{NULL, NULL},
};

static void keep_finally(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);

	ingest->housekeeper = NULL;
}

static const struct flow_spec keep_flow = {
	.name = "housekeeper",
	.steps = keep_steps,
	.finally = keep_finally,
	.deadline_ms = FLOW_FOREVER,
};

void housekeeper_start(struct ingest *ingest)
{
	ingest->housekeeper = flow_start(ingest->loop, &keep_flow, ingest, ingest->log);
}

void housekeeper_stop(struct ingest *ingest)
{
	if (ingest->housekeeper != NULL)
		flow_cancel(ingest->housekeeper);
}
