/*
 * http_listen: the listening socket: bound with words for people, accepted from with bounds.
 */
#include "http_conn_private.h"
#include "numeric_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 1024,
	ACCEPTS_A_TURN = 64,
	PAUSE_MS = 100, /* when descriptors ran out */
	TELL_EVERY_MS = 60000,
};

static bool explain_bind(const char *host, int port, struct error *error)
{
	switch (errno) {
	case EADDRINUSE:
		return error_set(error, ERROR_CONFLICT, "port %d is already in use", port);
	case EACCES:
		return error_set(error, ERROR_AUTH, "port %d: no right to bind it", port);
	case EADDRNOTAVAIL:
		return error_set(error, ERROR_INPUT, "%s is no address of this machine", host);
	default:
		return error_set(error, ERROR_INTERNAL, "cannot listen on %s port %d: %s", host,
			port, strerror(errno));
	}
}

int http_listen(const char *host, int port, struct error *error)
{
	struct addrinfo *address = numeric_address(host, port, error);
	int on = 1;
	int fd;

	if (address == NULL)
		return -1;
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		explain_bind(host, port, error);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(address);
	return fd;
}

/* -- accepting -------------------------------------------------------------------------------------- */

/* An IPv4 client of an IPv6 socket is shown as what it is: lists of addresses are written so. */
static void name_peer(const struct sockaddr_storage *address, char to[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	to[0] = '\0';
	if (address->ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, to, INET6_ADDRSTRLEN);
	else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], to, INET6_ADDRSTRLEN);
	else if (address->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, to, INET6_ADDRSTRLEN);
}

/* Too many already: one write, no state. What the client sent meanwhile is read away, because
 * closing over unread bytes would take the answer back. */
static void turn_away(struct http_server *server, int fd)
{
	static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\n"
				     "Content-Type: application/json\r\n"
				     "Content-Length: 33\r\n"
				     "Retry-After: 1\r\n"
				     "Connection: close\r\n\r\n"
				     "{\"detail\":\"too many connections\"}";
	char thrown_away[4096];

	metric_add(server->refused, 1);
	if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) > 0) {
		shutdown(fd, SHUT_WR);
		while (recv(fd, thrown_away, sizeof(thrown_away), 0) == sizeof(thrown_away))
			continue;
	}
	close(fd);
}

static void pause_accepting(struct http_server *server)
{
	int64_t now_ms = loop_now_ms(server->loop);

	loop_watch_set(server->listen_watch, 0);
	loop_timer_set(server->accept_pause, PAUSE_MS);
	if (server->told_ms != 0 && now_ms - server->told_ms < TELL_EVERY_MS)
		return;
	server->told_ms = now_ms;
	log_error(&server->options.log, "cannot accept connections: %s", strerror(errno));
}

static void on_pause_over(void *owner)
{
	struct http_server *server = owner;

	if (server->listen_watch != NULL)
		loop_watch_set(server->listen_watch, LOOP_READ);
}

/* False: there is nothing more to accept in this turn. */
static bool accept_one(struct http_server *server)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	char peer[INET6_ADDRSTRLEN];
	int fd = accept4(server->listen_fd, (struct sockaddr *)&address, &size,
		SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
		return true;
	if (fd < 0 && errno != EAGAIN)
		pause_accepting(server);
	if (fd < 0)
		return false;
	name_peer(&address, peer);
	if (server->open_count >= server->options.max_connections)
		turn_away(server, fd);
	else
		http_conn_new(server, fd, peer);
	return true;
}

static void on_acceptable(void *owner, int fd, unsigned ready)
{
	struct http_server *server = owner;

	for (int i = 0; i < ACCEPTS_A_TURN && accept_one(server); i++)
		continue;
}

void http_listen_start(struct http_server *server)
{
	int on = 1;

	/* Accepted sockets inherit it. */
	setsockopt(server->listen_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	server->accept_pause = loop_timer_new(server->loop, on_pause_over, server);
	server->listen_watch =
		loop_watch_new(server->loop, server->listen_fd, on_acceptable, server);
	loop_watch_set(server->listen_watch, LOOP_READ);
}

void http_listen_stop(struct http_server *server)
{
	loop_watch_free(&server->listen_watch);
	loop_timer_free(&server->accept_pause);
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	server->listen_fd = -1;
}
