/*
 * demo: a tiny service for the tests of the skeleton. The test's own program is the service, too,
 * when DEMO_SERVICE is set: demo_start() runs it in a child of its own.
 */
#ifndef CALLWEAVE_TESTS_DEMO_H
#define CALLWEAVE_TESTS_DEMO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schema.h"
#include "service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* -- the service ----------------------------------------------------------------------------- */

struct demo_settings {
	const char *words;
	struct secret token;
};

struct demo {
	const struct demo_settings *settings;
	const struct log_context *log;
	struct pg *pg; /* NULL when there is no DATABASE_URL */
	struct schema *schema;
	unsigned slow; /* requests for /slow under way */
};

static const struct config_field demo_table[] = {
	CONFIG_FIELD(struct demo_settings, words, "CALLWEAVE_DEMO_WORDS", CONFIG_TEXT, "hello", 1,
		40, "what /hello says; \"refuse\": do not start"),
	CONFIG_FIELD(struct demo_settings, token, "CALLWEAVE_DEMO_TOKEN", CONFIG_SECRET, "", 0, 0,
		"a secret"),
	{0},
};

static enum flow_status demo_say_hello(struct flow *flow)
{
	const struct demo *demo = flow_context(flow);

	log_debug(flow_log(flow), "said hello");
	return http_reply(flow, 200, "text/plain", str_from(demo->settings->words));
}

static enum flow_status demo_begin_slow(struct flow *flow)
{
	struct demo *demo = flow_context(flow);

	demo->slow++;
	log_info(flow_log(flow), "slow request under way");
	return await_sleep(flow, 1000);
}

static enum flow_status demo_end_slow(struct flow *flow)
{
	return http_reply(flow, 200, "text/plain", STR("slow"));
}

static void demo_slow_over(struct flow *flow)
{
	struct demo *demo = flow_context(flow);

	demo->slow--;
}

static const struct flow_step demo_hello_steps[] = {{"say", demo_say_hello}, {NULL, NULL}};
static const struct flow_spec demo_hello = {.name = "hello", .steps = demo_hello_steps};
static const struct flow_step demo_slow_steps[] = {
	{"begin", demo_begin_slow}, {"end", demo_end_slow}, {NULL, NULL}};
static const struct flow_spec demo_slow = {
	.name = "slow", .steps = demo_slow_steps, .finally = demo_slow_over};

static const struct http_route demo_routes[] = {
	{"GET", "/hello", &demo_hello, 0}, {"GET", "/slow", &demo_slow, 0}, {NULL, NULL, NULL, 0}};

static const char *demo_why_not_postgresql(void *context)
{
	const struct demo *demo = context;

	return demo->schema != NULL ? schema_why_not(demo->schema) : NULL;
}

static const struct service_check demo_checks[] = {
	{"postgresql", demo_why_not_postgresql}, {NULL, NULL}};

static void *demo_begin(struct service *service, struct error *error)
{
	const struct demo_settings *settings = service_config(service);
	struct demo *demo;

	if (strcmp(settings->words, "refuse") == 0) {
		error_set(error, ERROR_INTERNAL, "demo: told to refuse");
		return NULL;
	}
	demo = calloc(1, sizeof(*demo));
	demo->settings = settings;
	demo->log = service_log(service);
	if (service_database_url(service)[0] != '\0') {
		struct pg_options options = {
			.url = service_database_url(service), .log = *demo->log};

		demo->pg = pg_new(service_loop(service), &options);
		demo->schema = schema_new(service_loop(service), demo->pg, demo->log);
	}
	return demo;
}

static void demo_drain(void *context)
{
	const struct demo *demo = context;

	log_info(demo->log, "demo drains with %u slow", demo->slow);
}

static bool demo_drained(void *context)
{
	const struct demo *demo = context;

	return demo->slow == 0;
}

static void demo_end(void *context)
{
	struct demo *demo = context;

	schema_free(&demo->schema);
	pg_free(&demo->pg);
	free(demo);
}

static inline int demo_main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "demo",
		.summary = "a service for tests",
		.config = demo_table,
		.config_bytes = sizeof(struct demo_settings),
		.default_host = "127.0.0.1",
		.default_port = 8999,
		.routes = demo_routes,
		.checks = demo_checks,
		.start = demo_begin,
		.drain = demo_drain,
		.drained = demo_drained,
		.stop = demo_end,
	};

	return service_main(argc, argv, &spec);
}

/* -- running it ------------------------------------------------------------------------------ */

struct demo_process {
	pid_t pid;
	int output; /* its stdout and stderr */
	int port;
	char said[64 * 1024]; /* what it wrote so far */
	size_t said_bytes;
};

enum { DEMO_LIMIT_MS = 20000 };

static inline int64_t demo_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* `environment`: "NAME=value" texts, ended by NULL. Standard output and error are kept. */
static inline void demo_spawn(
	struct demo_process *demo, const char *const *arguments, const char *const *environment)
{
	char *argv[8] = {(char *)(uintptr_t) "demo"};
	int ends[2];

	for (int i = 0; arguments != NULL && arguments[i] != NULL; i++)
		argv[i + 1] = (char *)(uintptr_t)arguments[i];
	*demo = (struct demo_process){.pid = 0};
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	demo->pid = fork();
	if (demo->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves none behind */
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)dup2(ends[1], STDERR_FILENO);
		(void)setenv("DEMO_SERVICE", "1", 1);
		(void)setenv("CALLWEAVE_DEMO_PORT", "0", 0);
		for (int i = 0; environment != NULL && environment[i] != NULL; i++)
			(void)putenv((char *)(uintptr_t)environment[i]);
		(void)execv("/proc/self/exe", argv);
		_exit(127);
	}
	(void)close(ends[1]);
	demo->output = ends[0];
}

/* Read until it said `words`; false when it ended before. */
static inline bool demo_says(struct demo_process *demo, const char *words)
{
	int64_t until_ms = demo_now_ms() + DEMO_LIMIT_MS;
	struct pollfd poll_it = {.fd = demo->output, .events = POLLIN};

	while (strstr(demo->said, words) == NULL) {
		ssize_t got;

		if (demo_now_ms() > until_ms)
			fail_msg("never said \"%s\", but: %s", words, demo->said);
		if (poll(&poll_it, 1, 100) <= 0)
			continue;
		got = read(demo->output, demo->said + demo->said_bytes,
			sizeof(demo->said) - 1 - demo->said_bytes);
		if (got <= 0)
			return false;
		demo->said_bytes += (size_t)got;
	}
	return true;
}

/* Its end: the exit code. What it wrote last is in `said`. */
static inline int demo_exit_code(struct demo_process *demo)
{
	int status = 0;

	(void)demo_says(demo, "\001"); /* never said: reads until the end */
	assert_int_equal(waitpid(demo->pid, &status, 0), demo->pid);
	(void)close(demo->output);
	if (!WIFEXITED(status))
		fail_msg("killed by signal %d: %s", WTERMSIG(status), demo->said);
	return WEXITSTATUS(status);
}

/* Start it and wait until it listens. */
static inline void demo_start(struct demo_process *demo, const char *const *environment)
{
	const char *at;

	demo_spawn(demo, NULL, environment);
	if (!demo_says(demo, ", pid "))
		fail_msg("did not start: %s", demo->said);
	at = strstr(demo->said, " port ");
	assert_non_null(at);
	demo->port = (int)strtol(at + strlen(" port "), NULL, 10);
}

/* -- asking it ------------------------------------------------------------------------------- */

/* A connection on which `path` was asked for; -1: refused. */
static inline int demo_ask(const struct demo_process *demo, const char *path)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)demo->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval limit = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[256];

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		(void)close(fd);
		return -1;
	}
	(void)snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

static inline void demo_read(int fd, char *answer, size_t capacity)
{
	size_t size = 0;
	ssize_t got;

	while ((got = recv(fd, answer + size, capacity - 1 - size, 0)) > 0)
		size += (size_t)got;
	answer[size] = '\0';
	(void)close(fd);
}

/* The status, 0 when refused; the whole answer in `answer`. */
static inline int demo_get(
	const struct demo_process *demo, const char *path, char *answer, size_t capacity)
{
	int fd = demo_ask(demo, path);

	if (fd < 0)
		return 0;
	demo_read(fd, answer, capacity);
	return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

#endif
