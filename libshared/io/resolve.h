/*
 * resolve: the addresses of a name, without blocking the loop: libevent's resolver (/etc/hosts, the
 * name servers of /etc/resolv.conf; ADR 0022).
 */
#ifndef CALLWEAVE_RESOLVE_H
#define CALLWEAVE_RESOLVE_H

#include "loop.h"

#include <netdb.h>

struct resolve;

/* From the loop, once. `found`: a list, the taker frees it by resolve_free(); NULL: `words`. */
typedef void resolve_done_fn(void *owner, struct addrinfo *found, const char *words);

/* A name or a numeric address. Its deadline is the owner's; the resolver gives up after 15 s. */
struct resolve *resolve_start(
	struct loop *loop, const char *host, int port, resolve_done_fn *done, void *owner);
/* `done` is not called any more. NULL inside is allowed; without effect inside `done`. */
void resolve_cancel(struct resolve **resolve);
void resolve_free(struct addrinfo *found);

#endif
