/*
 * http_server: making, draining and freeing a server.
 */
#include "http_conn_private.h"

#include "alloc.h"
#include "crypto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MAX_CONNECTIONS = 4096,
	MAX_HEADER_BYTES = 16 << 10,
	MAX_BODY_BYTES = 64 << 10,
	REQUEST_TIMEOUT_MS = 10000,
	IDLE_TIMEOUT_MS = 75000,
	WRITE_TIMEOUT_MS = 30000,
	MAX_SPOOL_BYTES = 256 << 20,
	MAX_SPOOLS = 4,
	SPOOL_TIMEOUT_MS = 600000,
};

static void fill_defaults(struct http_server_options *options)
{
	if (options->host == NULL)
		options->host = "127.0.0.1";
	if (options->max_connections == 0)
		options->max_connections = MAX_CONNECTIONS;
	if (options->max_header_bytes == 0)
		options->max_header_bytes = MAX_HEADER_BYTES;
	if (options->max_body_bytes == 0)
		options->max_body_bytes = MAX_BODY_BYTES;
	if (options->request_timeout_ms == 0)
		options->request_timeout_ms = REQUEST_TIMEOUT_MS;
	if (options->idle_timeout_ms == 0)
		options->idle_timeout_ms = IDLE_TIMEOUT_MS;
	if (options->write_timeout_ms == 0)
		options->write_timeout_ms = WRITE_TIMEOUT_MS;
	if (options->spool_folder == NULL)
		options->spool_folder = "/var/tmp"; /* not /tmp: that may be memory */
	if (options->max_spool_bytes == 0)
		options->max_spool_bytes = MAX_SPOOL_BYTES;
	if (options->max_spools == 0)
		options->max_spools = MAX_SPOOLS;
	if (options->spool_timeout_ms == 0)
		options->spool_timeout_ms = SPOOL_TIMEOUT_MS;
}

static void register_metrics(struct http_server *server, struct metrics *metrics)
{
	static const char *const labels[6] = {
		NULL, NULL, "status=\"2xx\"", "status=\"3xx\"", "status=\"4xx\"", "status=\"5xx\""};

	if (metrics == NULL)
		return;
	for (int i = 2; i < 6; i++)
		server->answered[i] = metrics_counter(metrics, "callweave_http_requests_total",
			labels[i], "Requests answered, by hundreds of the status.");
	server->seconds = metrics_histogram(metrics, "callweave_http_request_duration_seconds",
		NULL, "From the whole request to its answer.");
	server->connections =
		metrics_gauge(metrics, "callweave_http_connections", NULL, "Open connections.");
	server->refused = metrics_counter(metrics, "callweave_http_connections_refused_total", NULL,
		"Connections turned away because there were too many.");
}

/* The process that handed it over may have used it in another mode. */
static int inherited(int fd, struct error *error)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
		fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return fd;
	error_set(error, ERROR_INTERNAL, "inherited socket %d: %s", fd, strerror(errno));
	return -1;
}

/* A task, because a connection is closed in the middle of what it does. */
static void reap(void *owner)
{
	struct http_server *server = owner;

	while (server->buried != NULL) {
		struct http_conn *conn = server->buried;

		server->buried = conn->next;
		http_conn_free(conn);
	}
}

struct http_server *http_server_new(
	struct loop *loop, const struct http_server_options *options, struct error *error)
{
	int fd = options->listen_fd > 0
			 ? inherited(options->listen_fd, error)
			 : http_listen(options->host != NULL ? options->host : "127.0.0.1",
				   options->port, error);
	struct tls_context *tls = NULL;
	struct http_server *server;

	if (fd < 0)
		return NULL;
	if (options->tls_cert_file != NULL) {
		tls = tls_server_context(options->tls_cert_file, options->tls_key_file, error);
		if (tls == NULL) {
			close(fd);
			return NULL;
		}
	}
	server = alloc_zeroed(1, sizeof(*server));
	server->tls = tls;
	server->loop = loop;
	server->options = *options;
	fill_defaults(&server->options);
	server->routes = http_routes_new(options);
	server->reaper = (struct loop_task){.run = reap, .owner = server};
	crypto_random(&server->trace_prefix, sizeof(server->trace_prefix));
	crypto_random(&server->trace_count, sizeof(server->trace_count));
	register_metrics(server, options->metrics);
	server->listen_fd = fd;
	http_listen_start(server);
	return server;
}

bool http_server_read_tls(struct http_server *server, struct error *error)
{
	struct tls_context *fresh;

	if (server->tls == NULL)
		return true;
	fresh = tls_server_context(
		server->options.tls_cert_file, server->options.tls_key_file, error);
	if (fresh == NULL)
		return false;
	tls_context_free(&server->tls);
	server->tls = fresh;
	return true;
}

int http_server_port(const struct http_server *server)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t size = sizeof(address);

	if (server->listen_fd < 0 || getsockname(server->listen_fd, &address.any, &size) != 0)
		return server->options.port;
	return ntohs(
		address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* A stream would never end by itself; a connection that holds no request has nothing to end. */
void http_server_drain(struct http_server *server)
{
	struct http_conn *next;

	server->draining = true;
	http_listen_stop(server);
	for (struct http_conn *conn = server->conns; conn != NULL; conn = next) {
		next = conn->next;
		conn->close_after = true;
		if (conn->state == HTTP_IDLE)
			http_conn_lose(conn);
		else if (conn->streaming && conn->flow != NULL)
			flow_cancel(conn->flow);
	}
}

unsigned http_server_busy(const struct http_server *server)
{
	unsigned busy = 0;

	for (const struct http_conn *conn = server->conns; conn != NULL; conn = conn->next)
		busy += conn->flow != NULL || conn->state == HTTP_RECEIVING ||
			conn->state == HTTP_ANSWERING;
	return busy;
}

void http_server_free(struct http_server **server)
{
	struct http_server *gone = *server;

	*server = NULL;
	if (gone == NULL)
		return;
	http_listen_stop(gone);
	/* Each walk step buries one: it leaves the list when its flow has ended. */
	while (gone->conns != NULL) {
		struct http_conn *conn = gone->conns;

		http_conn_lose(conn);
		if (conn == gone->conns)
			flow_cancel(conn->flow);
	}
	reap(gone);
	loop_undefer(gone->loop, &gone->reaper);
	http_routes_free(&gone->routes);
	tls_context_free(&gone->tls);
	gone->freed = true;
	if (gone->upgraded == 0)
		free(gone);
}
