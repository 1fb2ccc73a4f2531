/*
 * service_healthcheck: the program asks its own running instance, so that a container needs no
 * curl. Blocking, for nothing else happens in this process.
 */
#include "service_private.h"
#include "tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { LIMIT_SECONDS = 5, ANSWER_MAX_BYTES = 64 << 10 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* The address to reach a service that listens on `listen`; one that listens on all of them is
 * reached by the loopback. 0 when it is none. */
static socklen_t reach(const struct service_listen *listen, union address *address)
{
	*address = (union address){.v4 = {.sin_family = AF_INET}};
	if (inet_pton(AF_INET, listen->host, &address->v4.sin_addr) == 1) {
		if (address->v4.sin_addr.s_addr == htonl(INADDR_ANY))
			address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address->v4.sin_port = htons((uint16_t)listen->port);
		return sizeof(address->v4);
	}
	*address = (union address){.v6 = {.sin6_family = AF_INET6}};
	if (inet_pton(AF_INET6, listen->host, &address->v6.sin6_addr) != 1)
		return 0;
	if (IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr))
		address->v6.sin6_addr = in6addr_loopback;
	address->v6.sin6_port = htons((uint16_t)listen->port);
	return sizeof(address->v6);
}

static int open_connection(const struct service_listen *listen)
{
	const struct timeval limit = {.tv_sec = LIMIT_SECONDS};
	union address address;
	socklen_t size = reach(listen, &address);
	int fd = size > 0 ? socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, &address.any, size) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* The head and body come in one piece or more; the server closes behind them. */
static void ask(int fd, struct tls *tls, struct buf *answer)
{
	static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n"
				      "Connection: close\r\n\r\n";
	char piece[2048];
	ssize_t got;

	if (link_send(fd, tls, request, sizeof(request) - 1) != (ssize_t)sizeof(request) - 1)
		return;
	while ((got = link_recv(fd, tls, piece, sizeof(piece))) > 0)
		if (!buf_append(answer, piece, (size_t)got))
			return;
}

/* Over TLS when the service speaks it: whoever shows the certificate of our settings is our own. */
static void ask_safely(int fd, const struct service_listen *listen, struct buf *answer)
{
	struct tls_context *context = NULL;
	struct tls *tls = NULL;
	struct error error;

	if (service_listen_tls(listen)) {
		context = tls_self_context(listen->tls_cert, &error);
		if (context == NULL) {
			(void)fprintf(stderr, "%s\n", error.text);
			return;
		}
		tls = tls_new(context, fd, "");
	}
	ask(fd, tls, answer);
	tls_free(&tls);
	tls_context_free(&context);
}

int service_healthcheck(const struct service_listen *listen)
{
	struct buf answer;
	const char *body;
	int fd = open_connection(listen);
	bool is_ready;

	if (fd < 0) {
		(void)fprintf(
			stderr, "nobody answers at %s port %d\n", listen->host, (int)listen->port);
		return 1;
	}
	buf_init(&answer, ANSWER_MAX_BYTES);
	ask_safely(fd, listen, &answer);
	(void)close(fd);
	is_ready = str_starts(buf_str(&answer), STR("HTTP/1.1 200"));
	body = answer.size > 0 ? strstr(answer.data, "\r\n\r\n") : NULL;
	if (!is_ready)
		(void)fprintf(stderr, "%s\n", body != NULL ? body + 4 : "no answer");
	buf_free(&answer);
	return is_ready ? 0 : 1;
}
