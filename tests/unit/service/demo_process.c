/*
 * demo_process: the service of demo.h as a child of the test.
 */
#include "demo.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void demo_must_say(const char *text, const char *words)
{
	if (strstr(text, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, text);
}

enum { DEMO_LIMIT_MS = 20000 };

static int64_t demo_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void demo_spawn(
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

bool demo_says(struct demo_process *demo, const char *words)
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

int demo_exit_code(struct demo_process *demo)
{
	int status = 0;

	(void)demo_says(demo, "\001"); /* never said: reads until the end */
	assert_int_equal(waitpid(demo->pid, &status, 0), demo->pid);
	(void)close(demo->output);
	if (!WIFEXITED(status))
		fail_msg("killed by signal %d: %s", WTERMSIG(status), demo->said);
	return WEXITSTATUS(status);
}

void demo_start(struct demo_process *demo, const char *const *environment)
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

int demo_ask(const struct demo_process *demo, const char *path)
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

void demo_read(int fd, char *answer, size_t capacity)
{
	size_t size = 0;
	ssize_t got;

	while ((got = recv(fd, answer + size, capacity - 1 - size, 0)) > 0)
		size += (size_t)got;
	answer[size] = '\0';
	(void)close(fd);
}

int demo_get(const struct demo_process *demo, const char *path, char *answer, size_t capacity)
{
	int fd = demo_ask(demo, path);

	if (fd < 0)
		return 0;
	demo_read(fd, answer, capacity);
	return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer + 9, NULL, 10) : 0;
}
