/*
 * temp_server: a private PostgreSQL or Redis for a C test, by the scripts beside this file.
 *
 * A guardian process stops the server and removes its folder when the test ends, also when the
 * test dies: it waits for the end of a pipe that only the test holds.
 */
#ifndef CALLWEAVE_TESTS_TEMP_SERVER_H
#define CALLWEAVE_TESTS_TEMP_SERVER_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct temp_server {
	const char *script; /* "temp_pg" or "temp_redis" */
	char folder[64];
	char url[256];
};

/* Its output goes to a file: a server that inherits a pipe would keep it open. */
static inline void temp_server_do(struct temp_server *server, const char *verb)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "'%s/support/%s' %s '%s' >'%s/out' 2>'%s/err'",
		TESTS_DIR, server->script, verb, server->folder, server->folder, server->folder);
	if (system(command) != 0) {
		(void)fprintf(stderr, "%s %s failed\n", server->script, verb);
		(void)snprintf(command, sizeof(command), "cat '%s/err' >&2", server->folder);
		(void)!system(command);
		abort();
	}
}

static inline void temp_server_guard(const struct temp_server *server)
{
	char command[512];
	int pipe_ends[2];

	if (pipe2(pipe_ends, O_CLOEXEC) != 0)
		abort();
	(void)snprintf(command, sizeof(command), "cat >&2; '%s/support/%s' stop '%s'; rm -rf '%s'",
		TESTS_DIR, server->script, server->folder, server->folder);
	if (fork() == 0) {
		(void)setsid(); /* outlives a Ctrl-C */
		(void)dup2(pipe_ends[0], STDIN_FILENO);
		(void)dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		(void)dup2(STDOUT_FILENO, STDERR_FILENO);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	(void)close(pipe_ends[0]); /* the other end closes with this process */
}

static inline struct temp_server temp_server_start(const char *script)
{
	struct temp_server server = {.script = script};
	char path[96];
	FILE *out;

	(void)snprintf(server.folder, sizeof(server.folder), "/tmp/callweave-test.XXXXXX");
	if (mkdtemp(server.folder) == NULL)
		abort();
	temp_server_guard(&server);
	temp_server_do(&server, "start");
	(void)snprintf(path, sizeof(path), "%s/out", server.folder);
	out = fopen(path, "re");
	if (out == NULL || fgets(server.url, sizeof(server.url), out) == NULL)
		abort();
	(void)fclose(out);
	server.url[strcspn(server.url, "\n")] = '\0';
	return server;
}

#endif
