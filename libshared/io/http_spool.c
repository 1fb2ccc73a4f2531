/*
 * http_spool: bodies that are too large for memory go into a file without a name.
 *
 * The file is the request's: it is gone with it, also when the process dies. What it may take of
 * the disk is bounded by its size and by how many there are at a time.
 */
#include "http_conn_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

int http_unnamed_file(const char *folder, struct error *error)
{
	char path[PATH_BYTES];
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* Not every file system can do that. */
	errno = ENAMETOOLONG;
	if (snprintf(path, sizeof(path), "%s/callweave-body-XXXXXX", folder) < PATH_BYTES)
		fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		error_set(error, ERROR_BUSY, "no file for a large request in %s: %s", folder,
			strerror(errno));
	else
		unlink(path);
	return fd;
}

/* The route decides, so it is looked for here already, before the request is whole. */
static bool wanted(struct http_parse *parse)
{
	const struct http_conn *conn = parse->owner;
	struct http_request request = {0};
	struct http_match match;

	http_split_target(http_parse_str(parse, parse->target), &request);
	http_routes_find(conn->server->routes, http_parse_method(parse), request.path, &match);
	return match.route != NULL && (match.route->flags & ROUTE_SPOOL) != 0;
}

bool http_spool_begin(struct http_parse *parse)
{
	struct http_conn *conn = parse->owner;
	struct http_server *server = conn->server;
	struct error error;

	if (!wanted(parse))
		return true;
	if (server->spools == server->options.max_spools)
		return http_parse_refuse(parse, 503, "too many large requests at the same time");
	parse->spool_fd = http_unnamed_file(server->options.spool_folder, &error);
	if (parse->spool_fd < 0) {
		log_error(&server->options.log, "%s", error.text);
		return http_parse_refuse(parse, 507, "body: no room to keep it");
	}
	parse->body_limit = server->options.max_spool_bytes;
	server->spools++;
	conn->spools = true;
	conn->due_ms = loop_now_ms(server->loop) + server->options.spool_timeout_ms;
	return true;
}

void http_spool_end(struct http_conn *conn)
{
	if (conn->spools)
		conn->server->spools--;
	conn->spools = false;
}
