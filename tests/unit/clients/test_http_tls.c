/* http_client: a server whose certificate nobody vouches for gets to see no request. */
#include "http_world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* OpenSSL's own server, with a certificate of its own making; the port that it took. */
static int start_server(const char *folder, pid_t *pid)
{
	char command[512], line[256] = "";
	const char *port;
	int ends[2];
	FILE *output;

	(void)snprintf(command, sizeof(command),
		"cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2"
		" -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>req.log &&"
		" exec openssl s_server -accept 127.0.0.1:0 -key key -cert cert -www 2>&1",
		folder);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	*pid = fork();
	if (*pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	output = fdopen(ends[0], "r");
	while (strncmp(line, "ACCEPT", 6) != 0)
		assert_non_null(fgets(line, sizeof(line), output));
	port = strrchr(line, ':');
	assert_non_null(port);
	(void)fclose(output);
	return (int)strtol(port + 1, NULL, 10);
}

static void test_a_certificate_is_checked(void **state)
{
	struct http_client_options options = {.user_agent = NULL};
	struct http_world *world = http_world_new(&options);
	struct http_call call = {.method = "POST", .body = STR("secret words")};
	char folder[] = "/tmp/callweave-tls.XXXXXX", command[64], url[64];
	pid_t pid;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(url, sizeof(url), "https://localhost:%d/", start_server(folder, &pid));
	call.url = url;
	(void)http_world_run(world, &call);
	assert_int_equal(world->answer.reach, HTTP_NOT_SENT);
	assert_non_null(strstr(world->answer.error.text, "certificate"));
	http_world_free(&world);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_certificate_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
