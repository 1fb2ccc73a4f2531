/*
 * http_upgrade: inside a request's flow, instead of an answer: the connection is taken over for another
 * protocol (clients/websocket). Its route has ROUTE_UPGRADE.
 */
#ifndef CALLWEAVE_HTTP_UPGRADE_H
#define CALLWEAVE_HTTP_UPGRADE_H

#include "http_server.h"

struct tls;

/* What is left of a connection whose request was answered by 101. All of it is the taker's. */
struct http_upgraded {
	int fd;		  /* non-blocking */
	struct tls *tls;  /* see tls.h; NULL: without */
	struct buf *rest; /* what came behind the request (buf_free, free); may be NULL */
};

/* 101 with these headers (a NULL name ends them; "Connection: Upgrade" is among them) is written, and
 * the connection is no longer the server's. False with words: the client has gone, it is no HTTP/1.1,
 * or the route has no ROUTE_UPGRADE. End the flow afterwards. */
bool http_upgrade(struct flow *flow, const char *const headers[][2], struct http_upgraded *to,
	struct error *error);
/* It counts for max_connections until its taker says this, once, which may be after
 * http_server_free(). A drain does not wait for it: its owner has to end it. */
void http_upgraded_over(struct http_server *server);
struct http_server *http_server_of(struct flow *flow);

#endif
