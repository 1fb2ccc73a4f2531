/*
 * store: one statement on the database, and the loop around it.
 */
#include "settings.h"

#include "pg.h"

static const char sql_load[] = "SELECT settings FROM enterprises WHERE number = $1";
/* Whoever serves the enterprise hears of it by the table's own trigger. */
static const char sql_save[] =
	"UPDATE enterprises SET settings = $2::jsonb WHERE number = $1 RETURNING settings";

struct asking {
	struct loop *loop;
	struct pg *pg;
	const char *sql;
	struct pg_params params;
	struct pg_batch *batch;
	struct arena *arena; /* of the answer */
	struct str json;
	bool ok;
	struct error *error;
};

static enum flow_status ask_connect(struct flow *flow)
{
	struct asking *asking = flow_context(flow);
	return await_pg_ready(flow, asking->pg, SETTINGS_WAIT_MS);
}

static enum flow_status ask_send(struct flow *flow)
{
	struct asking *asking = flow_context(flow);
	if (!pg_ready(asking->pg))
		return flow_fail(flow, ERROR_BUSY,
			"PostgreSQL is not reached: %s; is DATABASE_URL right, does it run?",
			pg_last_error(asking->pg));
	return await_pg_query(flow, asking->pg, &asking->batch, asking->sql, &asking->params);
}

static enum flow_status ask_take(struct flow *flow)
{
	struct asking *asking = flow_context(flow);
	struct error error;
	if (!pg_batch_ok(asking->batch, &error))
		return flow_fail_error(flow, &error);
	if (pg_rows(asking->batch, 0) == 0)
		return flow_fail(flow, ERROR_MISSING,
			"no enterprise has the number %s; those that are there: scripts/psql -c "
			"\"SELECT number, name FROM enterprises\"",
			asking->params.values[0]);
	struct str json = pg_text(asking->batch, 0, 0, 0);
	asking->json = str_of(arena_strndup(asking->arena, json.data, json.size), json.size);
	asking->ok = true;
	return FLOW_END;
}

static void ask_finally(struct flow *flow)
{
	struct asking *asking = flow_context(flow);
	const struct error *error = flow_error(flow);
	if (error != NULL)
		*asking->error = *error;
	loop_stop(asking->loop);
}

static const struct flow_step ask_steps[] = {
	{"connect", ask_connect},
	{"send", ask_send},
	{"take", ask_take},
	{NULL, NULL},
};

static const struct flow_spec ask_spec = {
	.name = "ask",
	.steps = ask_steps,
	.finally = ask_finally,
	.deadline_ms = 3 * SETTINGS_WAIT_MS,
};

static bool ask(struct asking *asking, const char *url)
{
	const struct pg_options options = {.url = url, .application_name = "callweave-settings"};
	asking->loop = loop_new();
	asking->pg = pg_new(asking->loop, &options);
	flow_start(asking->loop, &ask_spec, asking, NULL);
	loop_run(asking->loop);
	flow_cancel_all(asking->loop);
	pg_free(&asking->pg);
	loop_free(&asking->loop);
	return asking->ok;
}

bool settings_load(const char *url, const char *enterprise, struct arena *arena, struct str *json,
	struct error *error)
{
	struct asking asking = {.sql = sql_load, .arena = arena, .error = error};
	pg_put_text(&asking.params, enterprise);
	bool ok = ask(&asking, url);
	*json = asking.json;
	return ok;
}

bool settings_save(const char *url, const char *enterprise, struct str json, struct error *error)
{
	struct arena *arena = arena_new((size_t)4 << 20);
	struct asking asking = {.sql = sql_save, .arena = arena, .error = error};
	pg_put_text(&asking.params, enterprise);
	pg_put_str(&asking.params, arena, json);
	bool ok = ask(&asking, url);
	arena_free(&arena);
	return ok;
}
