/*
 * redis_url: the parts of a Redis URL. Private to clients.
 */
#ifndef CALLWEAVE_REDIS_URL_H
#define CALLWEAVE_REDIS_URL_H

#include "arena.h"
#include "error.h"

struct redis_url {
	const char *host;     /* NULL: a Unix socket */
	const char *path;     /* of the Unix socket */
	const char *user;     /* "": none */
	const char *password; /* "": none */
	int port;
	int database;
};

/* redis://[user:password@]host[:port][/database], unix:/path or unix:///path. Strings live in the
 * arena. The error never holds the URL: there may be a password in it. */
bool redis_url_parse(
	const char *url, struct arena *arena, struct redis_url *parts, struct error *error);

#endif
