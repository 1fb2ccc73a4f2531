/* pg: batches as transactions, pipelining, parameters, results, errors and their kinds. */
#include "pg_world.h"

#include <inttypes.h>

static struct temp_server server;

static int set_up(void **state)
{
	struct pg_world *world = calloc(1, sizeof(*world));
	struct pg_options options = {.url = server.url, .application_name = "callweave-test"};

	world->server = &server;
	pg_world_open(world, &options);
	until_ready(world);
	must(world, "DROP TABLE IF EXISTS t");
	must(world, "CREATE TABLE t (id int PRIMARY KEY, words text)");
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct pg_world *world = *state;

	pg_world_close(world);
	free(world);
	return 0;
}

/* -- transactions ---------------------------------------------------------------------------- */

static void test_a_batch_is_all_or_nothing(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *bad = pg_batch_new(world->arena);
	struct pg_batch *next = pg_batch_new(world->arena);

	pg_batch_add(bad, "INSERT INTO t VALUES (1, 'first')", NULL);
	pg_batch_add(bad, "INSERT INTO t VALUES (1, 'again')", NULL);
	pg_batch_add(bad, "INSERT INTO t VALUES (2, 'third')", NULL);
	pg_batch_add(next, "INSERT INTO t VALUES (3, 'next') RETURNING id", NULL);
	(void)start(world, bad);
	run(world, next);

	must_fail(bad, ERROR_CONFLICT, "23505");
	assert_false(pg_batch_in_doubt(bad));
	assert_int_equal(pg_affected(bad, 0), 0); /* it was rolled back, so it affected nothing */
	assert_true(pg_batch_ok(next, NULL));
	assert_int_equal(pg_int(next, 0, 0, 0), 3);
	assert_int_equal(must_int(world, "SELECT count(*) FROM t"), 1);
}

/* The failure comes with the commit, when every statement has been answered well. */
static void test_a_commit_can_fail(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *batch = pg_batch_new(world->arena);

	must(world, "DROP TABLE IF EXISTS late");
	must(world, "CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
	pg_batch_add(batch, "INSERT INTO late VALUES (1)", NULL);
	pg_batch_add(batch, "INSERT INTO late VALUES (1) RETURNING id", NULL);
	run(world, batch);
	must_fail(batch, ERROR_CONFLICT, "23505");
	assert_int_equal(pg_rows(batch, 1), 0);
	assert_int_equal(must_int(world, "SELECT count(*) FROM late"), 0);
}

static void test_an_empty_batch_is_a_ping(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *batch = pg_batch_new(world->arena);

	run(world, batch);
	assert_true(pg_batch_ok(batch, NULL));
}

static void test_a_batch_can_run_again(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *batch = run_sql(world, "INSERT INTO t VALUES (1, 'x')");

	assert_true(pg_batch_ok(batch, NULL));
	run(world, batch);
	must_fail(batch, ERROR_CONFLICT, "23505");
	must(world, "DELETE FROM t");
	run(world, batch);
	assert_true(pg_batch_ok(batch, NULL));
	assert_string_equal(pg_batch_sqlstate(batch), "");
}

/* -- many at once ---------------------------------------------------------------------------- */

static void test_a_thousand_batches_are_pipelined(void **state)
{
	enum { MANY = 1000 };
	struct pg_world *world = *state;
	struct pg_batch *batches[MANY];

	for (int i = 0; i < MANY; i++) {
		struct pg_params params = {0};

		pg_put_int(&params, world->arena, i);
		pg_put_text(&params, i % 7 == 0 ? "not a number" : "7");
		batches[i] = pg_batch_new(world->arena);
		pg_batch_add(batches[i], "INSERT INTO t VALUES ($1, ($2::text)::int) RETURNING id",
			&params);
		(void)start(world, batches[i]);
	}
	loop_test_run(world->loop);
	for (int i = 0; i < MANY; i++) {
		if (i % 7 == 0) {
			must_fail(batches[i], ERROR_INPUT, "22P02");
			continue;
		}
		assert_true(pg_batch_ok(batches[i], NULL));
		assert_int_equal(pg_int(batches[i], 0, 0, 0), i);
	}
	assert_int_equal(must_int(world, "SELECT count(*) FROM t"), MANY - (MANY + 6) / 7);
}

/* Each batch is larger than a socket's buffer: it leaves in pieces. */
static void test_large_batches_wait_for_the_socket(void **state)
{
	enum { MANY = 12, BYTES = 4 << 20 };
	struct pg_world *world = *state;
	struct pg_batch *batches[MANY];
	char *large = arena_alloc(world->arena, BYTES + 1);

	memset(large, 'x', BYTES);
	for (int i = 0; i < MANY; i++) {
		struct pg_params params = {0};

		pg_put_text(&params, large);
		batches[i] = pg_batch_new(world->arena);
		pg_batch_add(batches[i], "SELECT length($1::text)", &params);
		(void)start(world, batches[i]);
	}
	loop_test_run(world->loop);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(pg_int(batches[i], 0, 0, 0), BYTES);
}

static void test_the_queue_is_bounded(void **state)
{
	struct pg_world *world = *state;
	struct pg_options options = {.url = server.url, .max_queued_batches = 3};
	struct pg_batch *batches[5];
	struct error error;
	int busy = 0;

	pg_free(&world->pg);
	world->pg = pg_new(world->loop, &options);
	until_ready(world);
	for (int i = 0; i < 5; i++) {
		batches[i] = pg_batch_new(world->arena);
		pg_batch_add(batches[i], "SELECT 1", NULL);
		(void)start(world, batches[i]);
	}
	loop_test_run(world->loop);
	for (int i = 0; i < 5; i++) {
		if (pg_batch_ok(batches[i], &error))
			continue;
		assert_int_equal(error.kind, ERROR_BUSY);
		assert_false(pg_batch_in_doubt(batches[i]));
		busy++;
	}
	assert_int_equal(busy, 2);
	run(world, batches[4]); /* there is room again */
	assert_true(pg_batch_ok(batches[4], NULL));
}

/* -- parameters and results ------------------------------------------------------------------ */

static void test_parameters_of_all_kinds(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *batch = pg_batch_new(world->arena);
	struct pg_params params = {0};

	pg_put_null(&params);
	pg_put_text(&params, "it's");
	pg_put_str(&params, world->arena, str_of("cut here", 3));
	pg_put_int(&params, world->arena, INT64_MIN);
	pg_put_bool(&params, true);
	pg_put_time(&params, world->arena, 1757840723006);
	pg_put_time(&params, world->arena, PG_NO_TIME);
	pg_put_text(&params, NULL);
	pg_batch_add(batch,
		"SELECT $1::text, $2::text, $3::text, $4::int8, $5::bool, $6::timestamptz,"
		" $7::timestamptz, $8::text, false",
		&params);
	run(world, batch);
	assert_true(pg_batch_ok(batch, NULL));
	assert_int_equal(pg_rows(batch, 0), 1);
	assert_true(pg_is_null(batch, 0, 0, 0));
	assert_string_equal(pg_text(batch, 0, 0, 1).data, "it's");
	assert_string_equal(pg_text(batch, 0, 0, 2).data, "cut");
	assert_true(pg_int(batch, 0, 0, 3) == INT64_MIN);
	assert_true(pg_bool(batch, 0, 0, 4));
	assert_string_equal(pg_text(batch, 0, 0, 5).data, "2025-09-14 09:05:23.006+00");
	assert_true(pg_is_null(batch, 0, 0, 6));
	assert_true(pg_is_null(batch, 0, 0, 7));
	assert_false(pg_bool(batch, 0, 0, 8));
	/* What is not there reads as empty. */
	assert_true(pg_is_null(batch, 0, 1, 0));
	assert_true(pg_is_null(batch, 0, 0, 99));
	assert_true(pg_is_null(batch, 7, 0, 0));
	assert_int_equal(pg_int(batch, 0, 0, 1), 0);
	assert_int_equal(pg_rows(batch, -1), 0);
}

static void fill_arrays(struct pg_array *numbers, struct pg_array *words, int count)
{
	pg_array_clear(numbers);
	pg_array_clear(words);
	for (int i = 0; i < count; i++) {
		pg_array_add_int8(numbers, i - INT64_C(5000000000));
		if (i % 2 == 0)
			pg_array_add_str(words, STR("{\"q\": \"\xd0\x9c\"}"));
		else
			pg_array_add_null(words);
	}
}

static void test_arrays_go_as_rows(void **state)
{
	static const char sql[] = "INSERT INTO rows SELECT n, w::jsonb FROM unnest($1::int8[], "
				  "$2::text[]) AS u(n, w)";
	static const int sizes[] = {0, 1, 1000, 3};
	struct pg_world *world = *state;
	struct pg_array numbers, words;
	int64_t total = 0;

	must(world, "DROP TABLE IF EXISTS rows");
	must(world, "CREATE TABLE rows (n int8, w jsonb)");
	pg_array_int8_init(&numbers, 1 << 20);
	pg_array_text_init(&words, 1 << 20);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pg_batch *batch = pg_batch_new(world->arena);
		struct pg_params params = {0};

		fill_arrays(&numbers, &words, sizes[i]);
		pg_put_array(&params, &numbers);
		pg_put_array(&params, &words);
		pg_batch_add(batch, sql, &params);
		run(world, batch);
		assert_true(pg_batch_ok(batch, NULL));
		assert_int_equal(pg_affected(batch, 0), sizes[i]);
		total += sizes[i];
	}
	assert_int_equal(must_int(world, "SELECT count(*) FROM rows"), total);
	assert_true(must_int(world, "SELECT min(n) FROM rows") == INT64_C(-5000000000));
	assert_int_equal(must_int(world, "SELECT count(*) FROM rows WHERE w->>'q' = 'М'"), 503);
	pg_array_free(&numbers);
	pg_array_free(&words);
}

static void test_an_array_keeps_its_bound(void **state)
{
	struct pg_array array;

	pg_array_text_init(&array, 20);
	pg_array_add_str(&array, STR("0123456789"));
	assert_false(array.bytes.failed);
	pg_array_add_str(&array, STR("0123456789"));
	assert_true(array.bytes.failed);
	pg_array_clear(&array);
	assert_false(array.bytes.failed);
	pg_array_free(&array);
}

static void test_a_large_result_is_copied(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *batch = must(world,
		"SELECT i, repeat('y', i % 100), NULL FROM generate_series(1, 20000) AS g(i)");

	assert_int_equal(pg_rows(batch, 0), 20000);
	must(world, "SELECT 1"); /* libpq has forgotten it by now */
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(pg_int(batch, 0, i, 0), i + 1);
		assert_int_equal(pg_text(batch, 0, i, 1).size, (i + 1) % 100);
		assert_true(pg_is_null(batch, 0, i, 2));
	}
}

/* -- errors ---------------------------------------------------------------------------------- */

static void test_errors_have_kinds(void **state)
{
	static const struct {
		const char *sql, *sqlstate;
		enum error_kind kind;
	} cases[] = {
		{"SELECT 1/0", "22012", ERROR_INPUT},
		{"SELECT 'x'::jsonb", "22P02", ERROR_INPUT},
		{"INSERT INTO t VALUES (NULL)", "23502", ERROR_INPUT},
		{"INSERT INTO t VALUES (1), (1)", "23505", ERROR_CONFLICT},
		{"SELECT broken", "42703", ERROR_UPSTREAM},
		{"SELEC 1", "42601", ERROR_UPSTREAM},
		{"DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END$$", "40001",
			ERROR_CONFLICT},
		{"DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END$$", "53100",
			ERROR_BUSY},
	};
	struct pg_world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		must_fail(run_sql(world, cases[i].sql), cases[i].kind, cases[i].sqlstate);
	assert_int_equal(pg_generation(world->pg), 1); /* all of them on one connection */
}

/* A Prepare that was refused, or skipped behind a failure, does not count as prepared. */
static void test_prepares_that_failed_are_made_again(void **state)
{
	static const char needs_table[] = "SELECT count(*) FROM later";
	static const char skipped[] = "SELECT 42";
	struct pg_world *world = *state;
	struct pg_batch *batch = pg_batch_new(world->arena);

	must(world, "DROP TABLE IF EXISTS later");
	pg_batch_add(batch, needs_table, NULL);
	pg_batch_add(batch, skipped, NULL);
	run(world, batch);
	must_fail(batch, ERROR_UPSTREAM, "42P01");
	must(world, "CREATE TABLE later (x int)");
	run(world, batch);
	assert_true(pg_batch_ok(batch, NULL));
	assert_int_equal(pg_int(batch, 1, 0, 0), 42);
}

/* Batches that were sent while another's Prepare was on its way do not depend on it. */
static void test_a_failed_prepare_hurts_no_other_batch(void **state)
{
	static const char shared[] = "SELECT 7";
	struct pg_world *world = *state;
	struct pg_batch *bad = pg_batch_new(world->arena), *good = pg_batch_new(world->arena);

	pg_batch_add(bad, "SELECT 1/0", NULL);
	pg_batch_add(bad, shared, NULL);
	pg_batch_add(good, shared, NULL);
	(void)start(world, bad);
	run(world, good);
	must_fail(bad, ERROR_INPUT, "22012");
	assert_true(pg_batch_ok(good, NULL));
	assert_int_equal(pg_int(good, 0, 0, 0), 7);
}

static void test_a_changed_table_is_prepared_anew(void **state)
{
	static const char all[] = "SELECT * FROM t";
	struct pg_world *world = *state;

	must(world, all);
	must(world, "ALTER TABLE t ADD COLUMN more int");
	must_fail(run_sql(world, all), ERROR_UPSTREAM, "0A000");
	must(world, all);
}

static void test_a_slow_statement_is_cut(void **state)
{
	struct pg_world *world = *state;
	struct pg_options options = {.url = server.url, .statement_timeout_ms = 100};

	pg_free(&world->pg);
	world->pg = pg_new(world->loop, &options);
	until_ready(world);
	must_fail(run_sql(world, "SELECT pg_sleep(30)"), ERROR_UPSTREAM, "57014");
	must(world, "SELECT 1");
}

static void test_the_session_is_set_up(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *batch = must(world,
		"SELECT current_setting('application_name'), current_setting('TimeZone'),"
		" current_setting('client_encoding'), current_setting('statement_timeout')");

	assert_string_equal(pg_text(batch, 0, 0, 0).data, "callweave-test");
	assert_string_equal(pg_text(batch, 0, 0, 1).data, "UTC");
	assert_string_equal(pg_text(batch, 0, 0, 2).data, "UTF8");
	assert_string_equal(pg_text(batch, 0, 0, 3).data, "10s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_batch_is_all_or_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_commit_can_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_empty_batch_is_a_ping, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_batch_can_run_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_thousand_batches_are_pipelined, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_large_batches_wait_for_the_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_queue_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_parameters_of_all_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_arrays_go_as_rows, set_up, tear_down),
		cmocka_unit_test(test_an_array_keeps_its_bound),
		cmocka_unit_test_setup_teardown(test_a_large_result_is_copied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors_have_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_prepares_that_failed_are_made_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_failed_prepare_hurts_no_other_batch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_changed_table_is_prepared_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_slow_statement_is_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_session_is_set_up, set_up, tear_down),
	};

	server = temp_server_start("temp_pg");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
