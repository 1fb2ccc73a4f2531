/* schema: a service waits for a database that is new enough, and says what is wrong meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop_test.h"
#include "schema.h"
#include "service.h"
#include "temp_server.h"

static struct temp_server server;

#define TEXT(macro)   TEXT_OF(macro)
#define TEXT_OF(text) #text
#define NEEDED	      TEXT(SERVICE_SCHEMA_VERSION)
#define OLD_WORDS     "schema is 0, needs " NEEDED ": run scripts/migrate"

struct world {
	struct loop *loop;
	struct pg *pg;
	struct schema *schema;
	const char *sql; /* for run_sql() */
	struct pg_batch *batch;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct pg_options options = {.url = server.url};

	world->loop = loop_new();
	world->pg = pg_new(world->loop, &options);
	world->schema = schema_new(world->loop, world->pg, NULL);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	schema_free(&world->schema);
	pg_free(&world->pg);
	loop_free(&world->loop);
	free(world);
	return 0;
}

static enum flow_status await_connection(struct flow *flow)
{
	struct world *world = flow_context(flow);

	return await_pg_ready(flow, world->pg, 20000);
}

static enum flow_status send(struct flow *flow)
{
	struct world *world = flow_context(flow);

	return await_pg_query(flow, world->pg, &world->batch, world->sql, NULL);
}

static enum flow_status check(struct flow *flow)
{
	const struct world *world = flow_context(flow);

	assert_true(pg_batch_ok(world->batch, NULL));
	return FLOW_END;
}

static enum flow_status await_current(struct flow *flow)
{
	struct world *world = flow_context(flow);

	return await_schema(flow, world->schema, 20000);
}

static void done(struct flow *flow)
{
	const struct world *world = flow_context(flow);

	loop_stop(world->loop);
}

static const struct flow_step sql_steps[] = {
	{"connect", await_connection}, {"send", send}, {"check", check}, {NULL, NULL}};
static const struct flow_spec sql_flow = {.name = "sql", .steps = sql_steps, .finally = done};
static const struct flow_step wait_steps[] = {{"wait", await_current}, {NULL, NULL}};
static const struct flow_spec wait_flow = {.name = "wait", .steps = wait_steps, .finally = done};

static void run_sql(struct world *world, const char *sql)
{
	world->sql = sql;
	(void)flow_start(world->loop, &sql_flow, world, NULL);
	loop_test_run(world->loop);
}

static void until_it_says(struct world *world, const char *words)
{
	for (int i = 0; i < 100; i++) {
		const char *why = schema_why_not(world->schema);

		if (why != NULL && strcmp(why, words) == 0)
			return;
		loop_test_run_for(world->loop, 50);
	}
	fail_msg("it says: %s", schema_why_not(world->schema));
}

static void test_a_service_waits_for_its_schema(void **state)
{
	struct world *world = *state;

	assert_non_null(schema_why_not(world->schema));
	run_sql(world, "DROP TABLE IF EXISTS schema_migrations");
	until_it_says(world, OLD_WORDS);
	run_sql(world, "CREATE TABLE schema_migrations (version int PRIMARY KEY)");
	loop_test_run_for(world->loop, 1200);
	until_it_says(world, OLD_WORDS);
	run_sql(world, "INSERT INTO schema_migrations VALUES (" NEEDED ")");
	(void)flow_start(world->loop, &wait_flow, world, NULL);
	loop_test_run(world->loop);
	assert_null(schema_why_not(world->schema));
}

static void test_a_newer_schema_will_do(void **state)
{
	struct world *world = *state;

	run_sql(world, "INSERT INTO schema_migrations VALUES (1000) ON CONFLICT DO NOTHING");
	(void)flow_start(world->loop, &wait_flow, world, NULL);
	loop_test_run(world->loop);
	assert_null(schema_why_not(world->schema));
}

static void test_a_lost_connection_is_named(void **state)
{
	struct world *world = *state;

	(void)flow_start(world->loop, &wait_flow, world, NULL);
	loop_test_run(world->loop);
	temp_server_do(&server, "kill");
	while (pg_ready(world->pg))
		loop_test_run_for(world->loop, 10);
	assert_non_null(schema_why_not(world->schema));
	temp_server_do(&server, "resume");
	(void)flow_start(world->loop, &wait_flow, world, NULL);
	loop_test_run(world->loop);
	assert_null(schema_why_not(world->schema));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_service_waits_for_its_schema, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_newer_schema_will_do, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_lost_connection_is_named, set_up, tear_down),
	};

	server = temp_server_start("temp_pg");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
