/*
 * service_notify: see service_notify.h.
 */
#include "service_notify.h"

#include "str.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_PASSED_FD = 3, MESSAGE_MAX_BYTES = 1024 };

/* 0 when there is no such address. */
static socklen_t notify_address(struct sockaddr_un *address)
{
	struct str path = str_from(getenv("NOTIFY_SOCKET"));

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (path.size < 2 || path.size >= sizeof(address->sun_path))
		return 0;
	memcpy(address->sun_path, path.data, path.size);
	if (address->sun_path[0] == '@')
		address->sun_path[0] = '\0'; /* the abstract name space */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.size);
}

void service_notify(const char *format, ...)
{
	struct sockaddr_un address;
	socklen_t size = notify_address(&address);
	char message[MESSAGE_MAX_BYTES];
	va_list arguments;
	int fd;

	if (size == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	(void)sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
		(const struct sockaddr *)&address, size);
	(void)close(fd);
}

/* A variable that is meant for this process: `owner` names the one with its pid. */
static int64_t number_for_me(const char *name, const char *owner)
{
	int64_t value, pid;

	if (getenv(owner) != NULL &&
		(!str_to_int64(str_from(getenv(owner)), &pid) || pid != getpid()))
		return 0;
	return str_to_int64(str_from(getenv(name)), &value) ? value : 0;
}

int64_t service_notify_watchdog_ms(void)
{
	int64_t limit_us = number_for_me("WATCHDOG_USEC", "WATCHDOG_PID");

	return limit_us > 0 ? limit_us / 2000 : 0;
}

int service_notify_listen_fd(void)
{
	struct stat about;

	if (getenv("LISTEN_PID") == NULL || number_for_me("LISTEN_FDS", "LISTEN_PID") < 1)
		return 0;
	if (fstat(FIRST_PASSED_FD, &about) != 0 || !S_ISSOCK(about.st_mode))
		return 0;
	if (fcntl(FIRST_PASSED_FD, F_SETFD, FD_CLOEXEC) != 0)
		return 0;
	return FIRST_PASSED_FD;
}
