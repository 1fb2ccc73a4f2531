/* service: what it tells systemd, and the socket that systemd may hold for it. */
#include "demo.h"

#include "str.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct supervisor {
	int fd;
	char folder[64], path[80], setting[112];
	char heard[8192];
};

static void supervise(struct supervisor *supervisor)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval limit = {.tv_sec = 20};

	*supervisor = (struct supervisor){.folder = "/tmp/callweave-demo.XXXXXX"};
	assert_non_null(mkdtemp(supervisor->folder));
	(void)snprintf(supervisor->path, sizeof(supervisor->path), "%s/notify", supervisor->folder);
	(void)str_copy(address.sun_path, sizeof(address.sun_path), str_from(supervisor->path));
	supervisor->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		bind(supervisor->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)setsockopt(supervisor->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)snprintf(supervisor->setting, sizeof(supervisor->setting), "NOTIFY_SOCKET=%s",
		supervisor->path);
}

static void must_hear(struct supervisor *supervisor, const char *words)
{
	ssize_t got;

	do {
		got = recv(supervisor->fd, supervisor->heard, sizeof(supervisor->heard) - 1, 0);
		if (got <= 0)
			fail_msg("\"%s\" never came", words);
		supervisor->heard[got] = '\0';
	} while (strstr(supervisor->heard, words) == NULL);
}

static void test_systemd_is_told(void **state)
{
	struct supervisor supervisor;
	struct demo_process demo;

	supervise(&supervisor);
	demo_start(&demo, (const char *[]){supervisor.setting, "WATCHDOG_USEC=100000",
				  "DATABASE_URL=postgresql://u@127.0.0.1:1/x", NULL});
	must_hear(&supervisor, "READY=1");
	must_hear(&supervisor, "WATCHDOG=1");
	must_hear(&supervisor, "WATCHDOG=1\nSTATUS=postgresql: connection to server");
	assert_int_equal(kill(demo.pid, SIGHUP), 0);
	must_hear(&supervisor, "RELOADING=1\nMONOTONIC_USEC=");
	must_hear(&supervisor, "READY=1");
	assert_int_equal(kill(demo.pid, SIGTERM), 0);
	must_hear(&supervisor, "STOPPING=1");
	assert_int_equal(demo_exit_code(&demo), 0);
	(void)close(supervisor.fd);
	(void)unlink(supervisor.path);
	(void)rmdir(supervisor.folder);
}

/* LISTEN_PID must name the service: the shell knows its pid and then becomes it. */
static void test_a_socket_is_passed(void **state)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct demo_process demo = {.pid = 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];
	char self[256] = "", answer[4096];

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	demo.pid = fork();
	if (demo.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)dup2(ends[1], STDERR_FILENO);
		(void)setenv("DEMO_SERVICE", "1", 1);
		(void)setenv("CALLWEAVE_DEMO_PORT", "1", 1); /* not asked for */
		(void)setenv("LISTEN_FDS", "1", 1);
		(void)dup2(fd, 3);
		(void)fcntl(3, F_SETFD, 0);
		(void)execl("/bin/sh", "sh", "-c", "LISTEN_PID=$$ exec \"$0\"", self, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	demo.output = ends[0];
	assert_true(demo_says(&demo, ", pid "));
	demo.port = ntohs(address.sin_port);
	assert_int_equal(demo_get(&demo, "/livez", answer, sizeof(answer)), 200);
	/* While it ends, and after, the socket takes connections for the next one. */
	assert_int_equal(kill(demo.pid, SIGTERM), 0);
	assert_int_equal(demo_exit_code(&demo), 0);
	assert_true(demo_ask(&demo, "/livez") >= 0);
	(void)close(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_systemd_is_told),
		cmocka_unit_test(test_a_socket_is_passed),
	};

	if (getenv("DEMO_SERVICE") != NULL)
		return demo_main(argc, argv);
	(void)unsetenv("DATABASE_URL");
	(void)unsetenv("REDIS_URL");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
