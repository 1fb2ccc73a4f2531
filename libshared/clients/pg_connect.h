/*
 * pg_connect: making a PostgreSQL connection, and making it again when lost. Private to clients.
 *
 * pg and pg_listen each own one and put their protocol on top. Names in the URL are resolved by
 * libpq with a blocking getaddrinfo(3) at each try: use an address, a Unix socket, or a name that
 * a local resolver knows.
 */
#ifndef CALLWEAVE_PG_CONNECT_H
#define CALLWEAVE_PG_CONNECT_H

#include "pg.h"

#include <libpq-fe.h>

struct pg_connect;

/* What the owner is told. Any of them may call pg_connect_lost() as its last deed. */
struct pg_connect_hooks {
	void (*up)(void *owner);
	void (*ready)(void *owner, unsigned ready); /* the socket, while up */
	void (*down)(void *owner); /* called once for each `up`, before the close */
};

/* `options` is copied, its strings are not: they must live as long as the connection. */
struct pg_connect *pg_connect_new(struct loop *loop, const struct pg_options *options,
	const struct pg_connect_hooks *hooks, void *owner);
void pg_connect_free(struct pg_connect **connect); /* without `down` */

PGconn *pg_connect_handle(const struct pg_connect *connect); /* NULL unless up */
void pg_connect_watch(struct pg_connect *connect, unsigned interest);
const char *pg_connect_error(const struct pg_connect *connect); /* "" while up */
unsigned pg_connect_generation(const struct pg_connect *connect);

/* Give the connection up and make another. NULL words: libpq's own. */
void pg_connect_lost(struct pg_connect *connect, const char *words);

/* It served: should it be lost now, the first new try comes soon. */
void pg_connect_proved(struct pg_connect *connect);

#endif
