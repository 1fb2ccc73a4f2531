/* pg: a server that dies, hangs or throws us out; flows that end early. What is in doubt, what is not,
 * and that the connection comes back. */
#include "pg_world.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

static struct temp_server server;

static int set_up(void **state)
{
	struct pg_world *world = calloc(1, sizeof(*world));
	struct pg_options options = {.url = server.url, .statement_timeout_ms = 20000};

	world->server = &server;
	pg_world_open(world, &options);
	until_ready(world);
	must(world, "DROP TABLE IF EXISTS t");
	must(world, "CREATE TABLE t (id int8 PRIMARY KEY)");
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

static struct pg_batch *batch_of(struct pg_world *world, const char *sql)
{
	struct pg_batch *batch = pg_batch_new(world->arena);

	pg_batch_add(batch, sql, NULL);
	return batch;
}

/* A statement on a connection of its own, while `world` waits for something. */
static void from_elsewhere(const char *sql)
{
	struct pg_options options = {.url = server.url};
	struct pg_world other = {0};

	pg_world_open(&other, &options);
	until_ready(&other);
	must(&other, sql);
	pg_world_close(&other);
}

static void wait_until_sleeping(void)
{
	static const char asleep[] =
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
	struct pg_options options = {.url = server.url};
	struct pg_world other = {0};

	pg_world_open(&other, &options);
	until_ready(&other);
	while (must_int(&other, asleep) == 0)
		;
	pg_world_close(&other);
}

/* -- the server goes away -------------------------------------------------------------------- */

static void test_a_killed_server(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *sleeper = batch_of(world, "SELECT pg_sleep(15)");
	struct pg_batch *behind = batch_of(world, "INSERT INTO t VALUES (1)");
	struct pg_batch *late = batch_of(world, "INSERT INTO t VALUES (2)");
	unsigned generation = pg_generation(world->pg);

	(void)start(world, sleeper);
	(void)start(world, behind);
	loop_test_run_for(world->loop, 10);
	wait_until_sleeping();
	temp_server_do(&server, "kill");
	loop_test_run(world->loop);
	must_fail(sleeper, ERROR_BUSY, "");
	must_fail(behind, ERROR_BUSY, "");
	assert_true(pg_batch_in_doubt(sleeper));
	assert_true(pg_batch_in_doubt(behind)); /* it was sent; we cannot know */
	assert_false(pg_ready(world->pg));
	assert_true(pg_last_error(world->pg)[0] != '\0');

	run(world, late);
	must_fail(late, ERROR_BUSY, "");
	assert_false(pg_batch_in_doubt(late)); /* it never left */

	temp_server_do(&server, "resume");
	until_ready(world);
	assert_string_equal(pg_last_error(world->pg), "");
	assert_true(pg_generation(world->pg) > generation);
	run(world, late); /* prepared anew on the new connection */
	assert_true(pg_batch_ok(late, NULL));
	assert_int_equal(must_int(world, "SELECT count(*) FROM t WHERE id = 2"), 1);
}

enum { LEDGER = 1000, ROUNDS = 4 };

struct ledger {
	struct pg_batch *batches[LEDGER];
	unsigned ok, in_doubt;
};

static void kill_in_the_background(void)
{
	if (fork() == 0) {
		temp_server_do(&server, "kill");
		_exit(0);
	}
}

/* Many batches, of which the server commits some before it is killed. */
static void kill_in_the_middle(struct pg_world *world, struct ledger *ledger, int64_t first_id)
{
	static const char insert[] = "INSERT INTO t VALUES ($1::int8)";

	for (int i = 0; i < LEDGER; i++) {
		struct pg_params params = {0};

		pg_put_int(&params, world->arena, first_id + i);
		ledger->batches[i] = pg_batch_new(world->arena);
		pg_batch_add(ledger->batches[i], insert, &params);
		(void)start(world, ledger->batches[i]);
	}
	kill_in_the_background();
	loop_test_run(world->loop);
	(void)wait(NULL);
	temp_server_do(&server, "resume");
	until_ready(world);
}

static void check_ledger(struct pg_world *world, struct ledger *ledger, int64_t first_id)
{
	struct pg_batch *rows = must(world, "SELECT id FROM t ORDER BY id DESC LIMIT 1000");
	bool is_there[LEDGER] = {false};

	for (int row = 0; row < pg_rows(rows, 0); row++)
		if (pg_int(rows, 0, row, 0) >= first_id)
			is_there[pg_int(rows, 0, row, 0) - first_id] = true;
	for (int i = 0; i < LEDGER; i++) {
		if (pg_batch_ok(ledger->batches[i], NULL)) {
			assert_true(is_there[i]);
			ledger->ok++;
		} else if (pg_batch_in_doubt(ledger->batches[i])) {
			ledger->in_doubt++;
		} else {
			assert_false(is_there[i]);
		}
	}
}

static void test_what_a_batch_says_is_true(void **state)
{
	struct pg_world *world = *state;
	struct ledger ledger = {.ok = 0};

	for (int64_t round = 1; round <= ROUNDS; round++) {
		kill_in_the_middle(world, &ledger, round * LEDGER);
		check_ledger(world, &ledger, round * LEDGER);
	}
	print_message("%u ok, %u in doubt\n", ledger.ok, ledger.in_doubt);
	assert_true(ledger.ok > 0 && ledger.in_doubt > 0);
}

/* The server throws us out in the middle of a statement: it says so, and nothing is in doubt. */
static void test_a_terminated_session(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *batch = batch_of(world, "INSERT INTO t VALUES (1)");

	pg_batch_add(batch, "SELECT pg_sleep(15)", NULL);
	(void)start(world, batch);
	loop_test_run_for(world->loop, 10);
	wait_until_sleeping();
	from_elsewhere("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		       " WHERE wait_event = 'PgSleep'");
	loop_test_run(world->loop);
	must_fail(batch, ERROR_BUSY, "57P01");
	assert_false(pg_batch_in_doubt(batch));
	until_ready(world);
	assert_int_equal(must_int(world, "SELECT count(*) FROM t"), 0);
}

static void test_a_server_that_hangs(void **state)
{
	struct pg_world *world = *state;
	struct pg_options options = {.url = server.url, .statement_timeout_ms = 100};
	struct pg_batch *batch;
	pid_t backend;

	pg_free(&world->pg);
	world->pg = pg_new(world->loop, &options);
	until_ready(world);
	backend = (pid_t)must_int(world, "SELECT pg_backend_pid()");
	assert_int_equal(kill(backend, SIGSTOP), 0);
	batch = run_sql(world, "SELECT 1");
	must_fail(batch, ERROR_BUSY, "");
	assert_true(pg_batch_in_doubt(batch));
	until_ready(world); /* by another backend */
	must(world, "SELECT 1");
	assert_int_equal(kill(backend, SIGCONT), 0);
}

/* -- no connection --------------------------------------------------------------------------- */

/* Open a world on `url`, let it try for a while, see what it says. */
static void must_not_connect(const char *url, const char *words, const char *secret)
{
	struct pg_options options = {.url = url, .connect_timeout_ms = 200};
	struct pg_world world = {0};

	pg_world_open(&world, &options);
	loop_test_run_for(world.loop, 400);
	assert_false(pg_ready(world.pg));
	if (strstr(pg_last_error(world.pg), words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", pg_last_error(world.pg), words);
	assert_null(strstr(pg_last_error(world.pg), secret));
	assert_null(strchr(pg_last_error(world.pg), '\n'));
	pg_world_close(&world);
}

static void test_words_without_secrets(void **state)
{
	must_not_connect("postgresql://u:tops@127.0.0.1:1/x", "Connection refused", "tops");
	must_not_connect("postgresql://u:to/ps@127.0.0.1:1/x", "percent-encode", "ps");
	must_not_connect("postgresql://u:to@ps@127.0.0.1:1/x", "percent-encode", "ps@");
	must_not_connect("postgresql://u:top%zz@127.0.0.1/x", "cannot be understood", "zz");
	must_not_connect("postgresql://u@no-such-host.invalid/x", "no-such-host", "none");
}

/* It accepts (the kernel does), and never says a word. */
static void test_a_server_that_does_not_answer(void **state)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char url[64];

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(url, sizeof(url), "postgresql://u@127.0.0.1:%d/x", ntohs(address.sin_port));
	must_not_connect(url, "did not answer in time", "none");
	(void)close(fd);
}

static void test_batches_end_with_the_connection(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *batch = batch_of(world, "SELECT pg_sleep(15)");

	(void)start(world, batch);
	loop_test_run_for(world->loop, 10);
	pg_free(&world->pg);
	loop_test_run(world->loop);
	must_fail(batch, ERROR_BUSY, "");
	assert_true(pg_batch_in_doubt(batch));
}

/* -- flows that end early -------------------------------------------------------------------- */

static void test_a_cancelled_flow_in_flight(void **state)
{
	struct pg_world *world = *state;
	struct pg_batch *slow = batch_of(world, "SELECT pg_sleep(0.2)");
	struct pg_batch *bad = batch_of(world, "SELECT 1/0");
	struct pg_batch *good = batch_of(world, "SELECT 5");
	struct flow *flows[2];

	flows[0] = start(world, slow);
	flows[1] = start(world, bad);
	(void)start(world, good);
	loop_test_run_for(world->loop, 10);
	flow_cancel(flows[0]);
	flow_cancel(flows[1]);
	loop_test_run(world->loop);
	assert_true(pg_batch_ok(good, NULL)); /* got its own answer, not another's */
	assert_int_equal(pg_int(good, 0, 0, 0), 5);
}

/* While the first batch fills the socket the others wait in our queue; one of them goes. */
static void test_a_cancelled_flow_in_the_queue(void **state)
{
	enum { BYTES = 24 << 20 };
	struct pg_world *world = *state;
	struct pg_params params = {0};
	struct pg_batch *large = pg_batch_new(world->arena);
	struct pg_batch *batches[3];
	struct flow *flows[3];
	char *text = malloc(BYTES + 1);
	pid_t backend = (pid_t)must_int(world, "SELECT pg_backend_pid()");

	/* A server that reads nothing: the large batch fills the socket, and the others must queue. */
	assert_int_equal(kill(backend, SIGSTOP), 0);
	memset(text, 'x', BYTES);
	text[BYTES] = '\0';
	pg_put_text(&params, text);
	pg_batch_add(large, "SELECT length($1::text)", &params);
	(void)start(world, large);
	for (int i = 0; i < 3; i++) {
		batches[i] = batch_of(world, "INSERT INTO t SELECT count(*) FROM t RETURNING id");
		flows[i] = start(world, batches[i]);
	}
	loop_test_run_for(world->loop, 0);
	flow_cancel(flows[1]);
	flow_cancel(flows[2]); /* the last one: the queue's end moves */
	assert_int_equal(kill(backend, SIGCONT), 0);
	(void)start(world, batches[2]);
	loop_test_run(world->loop);
	assert_int_equal(pg_int(large, 0, 0, 0), BYTES);
	assert_int_equal(pg_int(batches[0], 0, 0, 0), 0);
	assert_int_equal(pg_int(batches[2], 0, 0, 0), 1);
	assert_int_equal(must_int(world, "SELECT count(*) FROM t"), 2);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_killed_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_a_batch_says_is_true, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_terminated_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_server_that_hangs, set_up, tear_down),
		cmocka_unit_test(test_words_without_secrets),
		cmocka_unit_test(test_a_server_that_does_not_answer),
		cmocka_unit_test_setup_teardown(
			test_batches_end_with_the_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_cancelled_flow_in_flight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_cancelled_flow_in_the_queue, set_up, tear_down),
	};

	server = temp_server_start("temp_pg");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
