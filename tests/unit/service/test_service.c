/* service: what people and supervisors meet on every process: arguments, health, signals, drain. */
#include "demo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char answer[256 * 1024];

static int get(const struct demo_process *demo, const char *path)
{
	return demo_get(demo, path, answer, sizeof(answer));
}

static void stop(struct demo_process *demo)
{
	assert_int_equal(kill(demo->pid, SIGTERM), 0);
	assert_int_equal(demo_exit_code(demo), 0);
}

/* -- arguments ------------------------------------------------------------------------------- */

static int run(struct demo_process *demo, const char *argument, const char *const *environment)
{
	const char *arguments[] = {argument, NULL};

	demo_spawn(demo, arguments, environment);
	return demo_exit_code(demo);
}

static void test_version_and_help(void **state)
{
	struct demo_process demo;

	assert_int_equal(run(&demo, "--version", NULL), 0);
	assert_string_equal(demo.said, "demo " CALLWEAVE_VERSION "\n");
	assert_int_equal(run(&demo, "--help", NULL), 0);
	demo_must_say(demo.said, "demo: a service for tests");
	demo_must_say(demo.said, "CALLWEAVE_DEMO_WORDS=hello");
	demo_must_say(demo.said, "CALLWEAVE_DEMO_PORT=8999");
}

static void test_wrong_arguments(void **state)
{
	struct demo_process demo;

	assert_int_equal(run(&demo, "--check-konfig", NULL), 2);
	assert_string_equal(demo.said, "demo: --check-konfig: no such option\n");
	assert_int_equal(run(&demo, "--config", NULL), 2);
	assert_string_equal(demo.said, "demo: --config: a file must follow\n");
}

static void test_check_config_hides_secrets(void **state)
{
	static const char *const environment[] = {"CALLWEAVE_DEMO_TOKEN=tell-nobody",
		"DATABASE_URL=postgresql://u:tell-nobody@127.0.0.1/x", "CALLWEAVE_DEMO_PORT=7",
		NULL};
	struct demo_process demo;

	assert_int_equal(run(&demo, "--check-config", environment), 0);
	demo_must_say(demo.said, "CALLWEAVE_DEMO_TOKEN=***\n");
	demo_must_say(demo.said, "DATABASE_URL=***\n");
	demo_must_say(demo.said, "REDIS_URL=\n");
	demo_must_say(demo.said, "CALLWEAVE_DEMO_PORT=7\n");
	demo_must_say(demo.said, "CALLWEAVE_LOG_LEVEL=info\n");
	assert_null(strstr(demo.said, "tell-nobody"));
}

static void test_wrong_settings(void **state)
{
	static const char *const cases[][2] = {
		{"CALLWEAVE_DEMO_PORT=70000", "CALLWEAVE_DEMO_PORT"},
		{"CALLWEAVE_DEMO_WORD=x", "CALLWEAVE_DEMO_WORD: no such setting"},
		{"CALLWEAVE_LOG_LEVEL=loud", "CALLWEAVE_LOG_LEVEL"},
		{"CALLWEAVE_DEMO_TOKEN_FILE=/nowhere/at/all", "CALLWEAVE_DEMO_TOKEN_FILE"},
	};
	struct demo_process demo;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const environment[] = {cases[i][0], NULL};

		assert_int_equal(run(&demo, "--check-config", environment), 2);
		demo_must_say(demo.said, cases[i][1]);
		assert_int_equal(run(&demo, NULL, environment), 2);
	}
}

static void test_a_config_file(void **state)
{
	char path[] = "/tmp/callweave-demo.XXXXXX", argument[64];
	struct demo_process demo;
	int fd = mkstemp(path);

	assert_true(write(fd, "CALLWEAVE_DEMO_WORDS=from a file\n", 33) == 33);
	(void)close(fd);
	(void)snprintf(argument, sizeof(argument), "--config=%s", path);
	demo_spawn(&demo, (const char *[]){"--check-config", argument, NULL}, NULL);
	assert_int_equal(demo_exit_code(&demo), 0);
	demo_must_say(demo.said, "CALLWEAVE_DEMO_WORDS=from a file\n");
	(void)unlink(path);
}

/* -- start ----------------------------------------------------------------------------------- */

static void test_a_start_that_fails(void **state)
{
	struct demo_process demo;

	assert_int_equal(
		run(&demo, NULL, (const char *[]){"CALLWEAVE_DEMO_WORDS=refuse", NULL}), 1);
	demo_must_say(demo.said, "cannot start: demo: told to refuse");
}

static void test_a_port_that_is_taken(void **state)
{
	struct demo_process first, second;
	char port[64];

	demo_start(&first, NULL);
	(void)snprintf(port, sizeof(port), "CALLWEAVE_DEMO_PORT=%d", first.port);
	assert_int_equal(run(&second, NULL, (const char *[]){port, NULL}), 1);
	demo_must_say(second.said, "already in use");
	stop(&first);
}

/* -- health ---------------------------------------------------------------------------------- */

static void test_health_of_a_service_that_is_well(void **state)
{
	struct demo_process demo;

	demo_start(&demo, NULL);
	assert_int_equal(get(&demo, "/livez"), 200);
	demo_must_say(answer, "{\"status\":\"ok\"}");
	assert_int_equal(get(&demo, "/readyz"), 200);
	demo_must_say(answer, "{\"checks\":{\"postgresql\":\"ok\"},\"status\":\"ready\"}");
	assert_int_equal(get(&demo, "/healthz?verbose"), 200);
	assert_int_equal(get(&demo, "/version"), 200);
	demo_must_say(answer, "{\"service\":\"demo\",\"version\":\"" CALLWEAVE_VERSION "\"}");
	assert_int_equal(get(&demo, "/hello"), 200);
	demo_must_say(answer, "\r\n\r\nhello");
	assert_int_equal(get(&demo, "/nothing"), 404);
	stop(&demo);
}

static void test_health_without_a_database(void **state)
{
	struct demo_process demo;

	demo_start(&demo, (const char *[]){"DATABASE_URL=postgresql://u@127.0.0.1:1/x", NULL});
	assert_true(demo_says(&demo, "next try in"));
	assert_int_equal(get(&demo, "/readyz"), 503);
	demo_must_say(answer, "\"status\":\"not ready\"");
	demo_must_say(answer, "Connection refused");
	assert_int_equal(get(&demo, "/livez"), 200);
	stop(&demo);
}

static double metric(const char *name)
{
	char line[128];
	const char *at;

	(void)snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(answer, line);
	if (at == NULL)
		fail_msg("no metric %s in: %s", name, answer);
	return strtod(at + strlen(line), NULL);
}

static void test_metrics(void **state)
{
	struct demo_process demo;

	demo_start(&demo, NULL);
	assert_int_equal(get(&demo, "/hello"), 200);
	assert_int_equal(get(&demo, "/metrics"), 200);
	demo_must_say(answer, "Content-Type: text/plain; version=0.0.4");
	demo_must_say(answer,
		"callweave_build_info{service=\"demo\",version=\"" CALLWEAVE_VERSION "\"} 1\n");
	assert_true(metric("process_resident_memory_bytes") > 1e6);
	assert_true(metric("process_open_fds") > 4 && metric("process_open_fds") < 100);
	assert_true(metric("process_start_time_seconds") > 1.7e9);
	assert_true(metric("process_cpu_seconds_total") > 0);
	demo_must_say(answer, "callweave_http_requests_total{status=\"2xx\"}");
	stop(&demo);
}

static void test_healthcheck(void **state)
{
	const char *database = "DATABASE_URL=postgresql://u@127.0.0.1:1/x";
	struct demo_process demo, check;
	char port[64];

	demo_start(&demo, NULL);
	(void)snprintf(port, sizeof(port), "CALLWEAVE_DEMO_PORT=%d", demo.port);
	assert_int_equal(run(&check, "--healthcheck",
				 (const char *[]){port, "CALLWEAVE_DEMO_HOST=0.0.0.0", NULL}),
		0);
	assert_string_equal(check.said, "");
	stop(&demo);
	assert_int_equal(run(&check, "--healthcheck", (const char *[]){port, NULL}), 1);
	demo_must_say(check.said, "nobody answers at 127.0.0.1");

	demo_start(&demo, (const char *[]){database, NULL});
	(void)snprintf(port, sizeof(port), "CALLWEAVE_DEMO_PORT=%d", demo.port);
	assert_int_equal(run(&check, "--healthcheck", (const char *[]){port, NULL}), 1);
	demo_must_say(check.said, "not ready");
	stop(&demo);
}

/* -- the system ------------------------------------------------------------------------------ */

static void test_the_process_is_prepared(void **state)
{
	struct demo_process demo;
	struct rlimit files;
	char path[64], line[256];
	unsigned mask = 0;
	FILE *file;

	demo_start(&demo, NULL);
	assert_int_equal(prlimit(demo.pid, RLIMIT_NOFILE, NULL, &files), 0);
	assert_true(files.rlim_cur == files.rlim_max);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)demo.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "Umask:", 6) == 0)
			mask = (unsigned)strtoul(line + 6, NULL, 8);
	(void)fclose(file);
	assert_int_equal(mask, 0027);
	stop(&demo);
}

/* -- signals --------------------------------------------------------------------------------- */

static void test_a_drain_finishes_what_is_under_way(void **state)
{
	struct demo_process demo;
	int slow;

	demo_start(&demo, NULL);
	slow = demo_ask(&demo, "/slow");
	assert_true(demo_says(&demo, "slow request under way"));
	assert_int_equal(kill(demo.pid, SIGTERM), 0);
	assert_true(demo_says(&demo, "demo drains with 1 slow"));
	assert_int_equal(demo_ask(&demo, "/hello"), -1);
	demo_read(slow, answer, sizeof(answer));
	demo_must_say(answer, "HTTP/1.1 200 ");
	demo_must_say(answer, "\r\n\r\nslow");
	assert_int_equal(demo_exit_code(&demo), 0);
	demo_must_say(demo.said, "stopped");
}

static void test_a_drain_is_announced(void **state)
{
	struct demo_process demo;

	demo_start(&demo, (const char *[]){"CALLWEAVE_DRAIN_NOTICE_MS=3000", NULL});
	assert_int_equal(kill(demo.pid, SIGINT), 0);
	assert_true(demo_says(&demo, "draining"));
	assert_int_equal(get(&demo, "/readyz"), 503);
	demo_must_say(answer, "\"status\":\"draining\"");
	assert_int_equal(get(&demo, "/livez"), 200);
	assert_int_equal(get(&demo, "/hello"), 200);
	assert_int_equal(demo_exit_code(&demo), 0);
}

static void test_a_drain_has_an_end(void **state)
{
	struct demo_process demo;
	int slow;

	demo_start(&demo, (const char *[]){"CALLWEAVE_DRAIN_SECONDS=0", NULL});
	slow = demo_ask(&demo, "/slow");
	assert_true(demo_says(&demo, "slow request under way"));
	assert_int_equal(kill(demo.pid, SIGTERM), 0);
	assert_int_equal(demo_exit_code(&demo), 1);
	demo_must_say(demo.said, "the drain took too long");
	(void)close(slow);
}

static void test_quit_and_a_second_term_stop_at_once(void **state)
{
	struct demo_process demo;
	int slow;

	demo_start(&demo, NULL);
	slow = demo_ask(&demo, "/slow");
	assert_true(demo_says(&demo, "slow request under way"));
	assert_int_equal(kill(demo.pid, SIGQUIT), 0);
	assert_int_equal(demo_exit_code(&demo), 0);
	demo_read(slow, answer, sizeof(answer));
	assert_null(strstr(answer, "\r\n\r\nslow"));

	demo_start(&demo, NULL);
	slow = demo_ask(&demo, "/slow");
	assert_true(demo_says(&demo, "slow request under way"));
	assert_int_equal(kill(demo.pid, SIGTERM), 0);
	assert_true(demo_says(&demo, "draining"));
	assert_int_equal(kill(demo.pid, SIGTERM), 0);
	assert_int_equal(demo_exit_code(&demo), 0);
	demo_must_say(demo.said, "told twice");
	(void)close(slow);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_hangup_reads_the_log_level(void **state)
{
	char path[] = "/tmp/callweave-demo.XXXXXX", setting[64];
	struct demo_process demo;

	(void)close(mkstemp(path));
	write_file(path, "info");
	(void)snprintf(setting, sizeof(setting), "CALLWEAVE_LOG_LEVEL_FILE=%s", path);
	demo_start(&demo, (const char *[]){setting, NULL});
	assert_int_equal(get(&demo, "/hello"), 200);
	write_file(path, "debug");
	assert_int_equal(kill(demo.pid, SIGHUP), 0);
	assert_true(demo_says(&demo, "log level is debug"));
	assert_null(strstr(demo.said, "said hello"));
	assert_int_equal(get(&demo, "/hello"), 200);
	assert_true(demo_says(&demo, "said hello"));
	write_file(path, "loud");
	assert_int_equal(kill(demo.pid, SIGHUP), 0);
	assert_true(demo_says(&demo, "the old ones stay: CALLWEAVE_LOG_LEVEL"));
	assert_int_equal(get(&demo, "/livez"), 200);
	stop(&demo);
	(void)unlink(path);
}

static void test_usr1_opens_the_log_again(void **state)
{
	char folder[] = "/tmp/callweave-demo.XXXXXX", path[64], old[72], setting[96], port[64];
	struct demo_process demo;
	struct stat about;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/log", folder);
	(void)snprintf(old, sizeof(old), "%s.1", path);
	(void)snprintf(setting, sizeof(setting), "CALLWEAVE_LOG_FILE=%s", path);
	/* The port cannot be read from the output, so it is tried out. */
	(void)snprintf(port, sizeof(port), "CALLWEAVE_DEMO_PORT=0");
	demo_spawn(&demo, NULL, (const char *[]){setting, port, NULL});
	while (stat(path, &about) != 0 || about.st_size == 0)
		(void)usleep(1000);
	assert_int_equal(about.st_mode & 0007, 0); /* call data are not for everybody */
	assert_int_equal(rename(path, old), 0);
	while (stat(path, &about) != 0 || about.st_size == 0) {
		(void)kill(demo.pid, SIGUSR1);
		(void)usleep(10000);
	}
	stop(&demo);
	assert_string_equal(demo.said, ""); /* all of it went to the file */
	(void)unlink(path);
	(void)unlink(old);
	(void)rmdir(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_and_help),
		cmocka_unit_test(test_wrong_arguments),
		cmocka_unit_test(test_check_config_hides_secrets),
		cmocka_unit_test(test_wrong_settings),
		cmocka_unit_test(test_a_config_file),
		cmocka_unit_test(test_a_start_that_fails),
		cmocka_unit_test(test_a_port_that_is_taken),
		cmocka_unit_test(test_health_of_a_service_that_is_well),
		cmocka_unit_test(test_health_without_a_database),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_healthcheck),
		cmocka_unit_test(test_the_process_is_prepared),
		cmocka_unit_test(test_a_drain_finishes_what_is_under_way),
		cmocka_unit_test(test_a_drain_is_announced),
		cmocka_unit_test(test_a_drain_has_an_end),
		cmocka_unit_test(test_quit_and_a_second_term_stop_at_once),
		cmocka_unit_test(test_hangup_reads_the_log_level),
		cmocka_unit_test(test_usr1_opens_the_log_again),
	};

	if (getenv("DEMO_SERVICE") != NULL)
		return demo_main(argc, argv);
	(void)unsetenv("DATABASE_URL");
	(void)unsetenv("REDIS_URL");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
