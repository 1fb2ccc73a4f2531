/*
 * schema: see schema.h. One flow that sleeps, and a child of it for each look, because what a flow
 * allocates stays until it ends.
 */
#include "schema.h"

#include "alloc.h"
#include "service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOOK_EVERY_MS = 1000 };

struct schema {
	struct pg *pg;
	struct flow *flow; /* NULL when it was cancelled */
	struct flow_queue waiters;
	bool is_current;
	unsigned generation; /* of the connection that was looked at last; 0: none */
	char problem[192];
};

static void set_problem(struct schema *schema, const struct log_context *log, const char *words)
{
	schema->is_current = words[0] == '\0';
	if (strcmp(schema->problem, words) == 0)
		return;
	(void)str_copy(schema->problem, sizeof(schema->problem), str_from(words));
	if (words[0] != '\0')
		log_error(log, "database: %s", words);
}

/* -- one look -------------------------------------------------------------------------------- */

struct look {
	struct pg_batch *batch;
	unsigned generation;
};

static enum flow_status ask(struct flow *flow)
{
	static const char sql[] = "SELECT coalesce(max(version), 0) FROM schema_migrations";
	struct schema *schema = flow_context(flow);
	struct look *look = flow_state(flow);

	look->generation = pg_generation(schema->pg);
	return await_pg_query(flow, schema->pg, &look->batch, sql, NULL);
}

static bool is_table_missing(const struct pg_batch *batch)
{
	return strcmp(pg_batch_sqlstate(batch), "42P01") == 0;
}

static enum flow_status judge(struct flow *flow)
{
	struct schema *schema = flow_context(flow);
	struct look *look = flow_state(flow);
	struct error error;
	int64_t version;

	if (!pg_batch_ok(look->batch, &error) && !is_table_missing(look->batch))
		return flow_fail_error(flow, &error); /* the next look will tell */
	version = pg_int(look->batch, 0, 0, 0);
	if (version < SERVICE_SCHEMA_VERSION) {
		set_problem(schema, flow_log(flow),
			arena_printf(flow_arena(flow),
				"schema is %" PRId64 ", needs %d: run scripts/migrate", version,
				SERVICE_SCHEMA_VERSION));
		return FLOW_END;
	}
	set_problem(schema, flow_log(flow), "");
	schema->generation = look->generation;
	flow_queue_wake_all(&schema->waiters);
	return FLOW_END;
}

static const struct flow_step look_steps[] = {
	{"ask", ask},
	{"judge", judge},
	{NULL, NULL},
};

static const struct flow_spec look_flow = {
	.name = "schema look",
	.steps = look_steps,
	.state_bytes = sizeof(struct look),
	.deadline_ms = 30000,
};

/* -- again and again ------------------------------------------------------------------------- */

enum { WAIT, LOOK, SLEEP };

static enum flow_status wait_for_server(struct flow *flow)
{
	struct schema *schema = flow_context(flow);

	return await_pg_ready(flow, schema->pg, LOOK_EVERY_MS);
}

static enum flow_status look_if_new(struct flow *flow)
{
	struct schema *schema = flow_context(flow);

	if (!pg_ready(schema->pg) || schema->generation == pg_generation(schema->pg))
		return FLOW_NEXT;
	(void)flow_spawn(flow, &look_flow);
	return await_children(flow);
}

static enum flow_status sleep_a_while(struct flow *flow)
{
	(void)flow_goto(flow, WAIT);
	return await_sleep(flow, LOOK_EVERY_MS);
}

static void ended(struct flow *flow)
{
	struct schema *schema = flow_context(flow);

	schema->flow = NULL;
}

static const struct flow_step steps[] = {
	[WAIT] = {"wait", wait_for_server},
	[LOOK] = {"look", look_if_new},
	[SLEEP] = {"sleep", sleep_a_while},
	{NULL, NULL},
};

static const struct flow_spec watch = {
	.name = "schema",
	.steps = steps,
	.finally = ended,
	.deadline_ms = FLOW_FOREVER,
};

/* -- the interface --------------------------------------------------------------------------- */

struct schema *schema_new(struct loop *loop, struct pg *pg, const struct log_context *log)
{
	struct schema *schema = alloc_zeroed(1, sizeof(*schema));

	schema->pg = pg;
	flow_queue_init(&schema->waiters);
	schema->flow = flow_start(loop, &watch, schema, log);
	return schema;
}

void schema_free(struct schema **schema)
{
	if (*schema == NULL)
		return;
	if ((*schema)->flow != NULL)
		flow_cancel((*schema)->flow);
	flow_queue_wake_all(&(*schema)->waiters);
	free(*schema);
	*schema = NULL;
}

const char *schema_why_not(const struct schema *schema)
{
	if (!pg_ready(schema->pg))
		return pg_last_error(schema->pg);
	if (schema->is_current)
		return NULL;
	return schema->problem[0] != '\0' ? schema->problem : "schema not looked at yet";
}

enum flow_status await_schema(struct flow *flow, struct schema *schema, int64_t timeout_ms)
{
	if (schema_why_not(schema) == NULL)
		return FLOW_NEXT;
	return await_queue_for(flow, &schema->waiters, timeout_ms);
}
