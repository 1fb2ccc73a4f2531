/*
 * follower: keeps the table of enterprises as PostgreSQL has it, within a second of a change.
 *
 * Triggers notify on "callweave_config". While PostgreSQL is away the last good table stays in use;
 * a copy on disk serves a start without PostgreSQL.
 */
#include "ingest.h"

#include <stdio.h>

enum {
	ARENA_BYTES = 256 * 1024 * 1024,
	LOAD_DEADLINE_MS = 15000,
	GATHER_MS = 50,	   /* a script that changes a hundred rows costs one reload */
	AGAIN_MS = 500,	   /* after a failure */
	ANYWAY_MS = 60000, /* should a notice ever be lost */
	PATH_BYTES = 600,
};

static void kept_path(const struct ingest *ingest, char to[PATH_BYTES])
{
	snprintf(to, PATH_BYTES, "%s/enterprises.json", ingest->settings->journal_folder);
}

static void use_tenants(struct ingest *ingest, struct tenants *tenants)
{
	tenants_free(&ingest->tenants);
	ingest->tenants = tenants;
	metric_set(ingest->meters.enterprises, (double)tenants_count(tenants));
}

/* -- one load ------------------------------------------------------------------------------------- */

static const char sql_enterprises[] =
	"SELECT number, COALESCE(name2, ''), COALESCE(secret, ''), zone, shard, active, debug_log "
	"FROM enterprises ORDER BY number";

struct load_state {
	struct pg_batch *batch;
};

/* On the second connection: ten thousand enterprises must not stand before a commit. */
static enum flow_status load_ask(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct load_state *state = flow_state(flow);
	struct pg_params none = {0};

	return await_pg_query(flow, ingest->pg_aux, &state->batch, sql_enterprises, &none);
}

static struct enterprise enterprise_of(const struct pg_batch *batch, int row)
{
	return (struct enterprise){
		.number = pg_text(batch, 0, row, 0),
		.name2 = pg_text(batch, 0, row, 1),
		.secret = pg_text(batch, 0, row, 2),
		.zone_name = pg_text(batch, 0, row, 3),
		.shard = pg_int(batch, 0, row, 4),
		.active = pg_bool(batch, 0, row, 5),
		.debug_log = pg_bool(batch, 0, row, 6),
	};
}

static enum flow_status load_use(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct load_state *state = flow_state(flow);
	struct enterprise *rows;
	struct error error;
	char path[PATH_BYTES];
	int count;

	if (!pg_batch_ok(state->batch, &error))
		return flow_fail_error(flow, &error);
	count = pg_rows(state->batch, 0);
	rows = arena_array(flow_arena(flow), (size_t)count + 1, sizeof(*rows));
	for (int row = 0; row < count; row++)
		rows[row] = enterprise_of(state->batch, row);
	use_tenants(ingest, tenants_new(rows, (size_t)count));
	kept_path(ingest, path);
	if (!tenants_save(ingest->tenants, path, &error))
		log_warn(ingest->log, "the table of enterprises is not kept: %s", error.text);
	return FLOW_END;
}

static const struct flow_step load_steps[] = {
	{"ask", load_ask},
	{"use", load_use},
	{NULL, NULL},
};

static const struct flow_spec load_flow = {
	.name = "enterprises",
	.steps = load_steps,
	.state_bytes = sizeof(struct load_state),
	.arena_max_bytes = ARENA_BYTES,
	.deadline_ms = LOAD_DEADLINE_MS,
};

/* -- for ever ------------------------------------------------------------------------------------- */

enum { FOLLOW_SCHEMA, FOLLOW_LOAD, FOLLOW_LOADED, FOLLOW_WAIT, FOLLOW_NOTICED };

static enum flow_status follow_schema(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);

	return await_schema(flow, ingest->schema, ANYWAY_MS);
}

/* What was noticed until now is in what is loaded now. */
static enum flow_status follow_load(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct pg_notice notice;

	if (schema_why_not(ingest->schema) != NULL)
		return flow_goto(flow, FOLLOW_SCHEMA);
	ingest->schema_known = true;
	while (pg_listen_take(ingest->listen, &notice))
		;
	flow_spawn(flow, &load_flow);
	return await_children(flow);
}

/* A failed load leaves the last good table in use. */
static enum flow_status follow_loaded(struct flow *flow)
{
	if (flow_failed_children(flow) == 0)
		return flow_goto(flow, FOLLOW_WAIT);
	flow_goto(flow, FOLLOW_SCHEMA);
	return await_sleep(flow, AGAIN_MS);
}

static enum flow_status follow_wait(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);

	return await_pg_notice(flow, ingest->listen, ANYWAY_MS);
}

/* Other tables notify on the same channel. An empty payload is a new connection: anything may have
 * changed before it. */
static enum flow_status follow_noticed(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct pg_notice notice;
	bool ours = flow_timed_out(flow);

	while (pg_listen_take(ingest->listen, &notice))
		ours = ours || notice.payload[0] == '\0' ||
		       strcmp(notice.payload, "enterprises") == 0;
	flow_goto(flow, ours ? FOLLOW_SCHEMA : FOLLOW_WAIT);
	return ours ? await_sleep(flow, GATHER_MS) : FLOW_NEXT;
}

static const struct flow_step follow_steps[] = {
	[FOLLOW_SCHEMA] = {"schema", follow_schema},
	[FOLLOW_LOAD] = {"load", follow_load},
	[FOLLOW_LOADED] = {"loaded", follow_loaded},
	[FOLLOW_WAIT] = {"wait", follow_wait},
	[FOLLOW_NOTICED] = {"noticed", follow_noticed},
	{NULL, NULL},
};

static void follow_finally(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);

	ingest->follower = NULL;
}

static const struct flow_spec follow_flow = {
	.name = "follower",
	.steps = follow_steps,
	.finally = follow_finally,
	.deadline_ms = FLOW_FOREVER,
};

void follower_start(struct ingest *ingest)
{
	char path[PATH_BYTES];
	struct error error;
	struct tenants *kept;

	kept_path(ingest, path);
	kept = tenants_load(path, &error);
	if (kept != NULL)
		use_tenants(ingest, kept);
	else if (error.kind != ERROR_MISSING)
		log_warn(ingest->log, "%s", error.text);
	ingest->follower = flow_start(ingest->loop, &follow_flow, ingest, ingest->log);
}

void follower_stop(struct ingest *ingest)
{
	if (ingest->follower != NULL)
		flow_cancel(ingest->follower);
	tenants_free(&ingest->tenants);
}
