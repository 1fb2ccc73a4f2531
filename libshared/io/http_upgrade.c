/*
 * http_upgrade: a connection leaves the server for another protocol (RFC 9110 section 7.8).
 *
 * The 101 is written here, whole, so that the taker begins on a clean line. The server keeps counting
 * the connection, because it still costs a descriptor; so its struct outlives it when need be.
 */
#include "http_upgrade.h"

#include "alloc.h"
#include "http_conn_private.h"

#include <stdlib.h>

static bool may_upgrade(struct http_conn *conn, struct error *error)
{
	if (conn->route == NULL || (conn->route->flags & ROUTE_UPGRADE) == 0)
		return error_set(error, ERROR_INTERNAL, "this route may not be upgraded");
	if (conn->replied)
		return error_set(error, ERROR_INTERNAL, "an upgrade after an answer");
	if (conn->fd < 0)
		return error_set(error, ERROR_INPUT, "the client has gone");
	if (http_parse_is_1_0(&conn->parse))
		return error_set(error, ERROR_INPUT, "an upgrade needs HTTP/1.1");
	return true;
}

static void add_head(struct buf *out, const char *const headers[][2])
{
	buf_add(out, STR("HTTP/1.1 101 Switching Protocols\r\n"));
	for (; (*headers)[0] != NULL; headers++) {
		buf_add(out, str_from((*headers)[0]));
		buf_add(out, STR(": "));
		buf_add(out, str_from((*headers)[1]));
		buf_add(out, STR("\r\n"));
	}
	buf_add(out, STR("\r\n"));
}

/* What the client sent behind its request, in the belief that the answer will be 101. */
static struct buf *take_rest(const struct http_parse *parse)
{
	size_t size = parse->in.size - parse->parsed;
	struct buf *rest;

	if (size == 0)
		return NULL;
	rest = alloc_zeroed(1, sizeof(*rest));
	buf_init(rest, size);
	(void)buf_append(rest, parse->in.data + parse->parsed, size);
	return rest;
}

bool http_upgrade(struct flow *flow, const char *const headers[][2], struct http_upgraded *to,
	struct error *error)
{
	struct http_conn *conn = http_exchange_of(flow);

	*to = (struct http_upgraded){.fd = -1};
	if (!may_upgrade(conn, error))
		return false;
	conn->replied = true;
	add_head(&conn->out, headers);
	http_conn_flush(conn);
	if (conn->fd >= 0 && conn->out.size > 0) /* it does not even take some 200 bytes */
		http_conn_lose(conn);
	if (conn->fd < 0)
		return error_set(error, ERROR_INPUT, "the client has gone");
	to->fd = http_conn_detach(conn);
	to->tls = conn->tls;
	conn->tls = NULL;
	to->rest = take_rest(&conn->parse);
	conn->server->upgraded++;
	return true;
}

void http_upgraded_over(struct http_server *server)
{
	server->upgraded--;
	server->open_count--;
	if (server->freed && server->upgraded == 0)
		free(server);
	else if (!server->freed)
		metric_set(server->connections, server->open_count);
}

struct http_server *http_server_of(struct flow *flow)
{
	return http_exchange_of(flow)->server;
}
