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

	ingest->schema_known = true; /* nothing is read before it is current */
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

void follower_start(struct ingest *ingest)
{
	static const char *const tables[] = {"enterprises", NULL};
	char path[PATH_BYTES];
	struct error error;
	struct tenants *kept;

	kept_path(ingest, path);
	kept = tenants_load(path, &error);
	if (kept != NULL)
		use_tenants(ingest, kept);
	else if (error.kind != ERROR_MISSING)
		log_warn(ingest->log, "%s", error.text);
	ingest->follow = follow_start(ingest->loop, &(struct follow_options){
							    .schema = ingest->schema,
							    .listen = ingest->listen,
							    .tables = tables,
							    .load = &load_flow,
							    .context = ingest,
							    .log = *ingest->log,
						    });
}

void follower_stop(struct ingest *ingest)
{
	follow_stop(&ingest->follow);
	tenants_free(&ingest->tenants);
}
