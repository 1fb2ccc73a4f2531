/*
 * pg_listen: PostgreSQL's NOTIFY, on a connection of its own.
 *
 * Never miss a change: each (re)connection counts as a notification without payload, so that the
 * reader loads everything anew after a gap. Keepalives find a dead connection within 10 s.
 */
#ifndef CALLWEAVE_PG_LISTEN_H
#define CALLWEAVE_PG_LISTEN_H

#include "flow.h"
#include "pg.h"

struct pg_listen;

struct pg_notice {
	char channel[64];
	char payload[256]; /* "" also stands for "anything may have changed" after a connection */
};

struct pg_listen *pg_listen_new(struct loop *loop, const struct pg_options *options,
	const char *const *channels); /* ended by NULL; identifiers, at most 8 */
void pg_listen_free(struct pg_listen **listen);
bool pg_listen_ready(const struct pg_listen *listen);

/* Wait for the next notice, at most `timeout_ms` (flow_timed_out()). Notices that came meanwhile
 * are queued (at most 256; beyond that they melt into one with an empty payload). */
enum flow_status await_pg_notice(struct flow *flow, struct pg_listen *listen, int64_t timeout_ms);
/* After the wait: take one; false when there is none. */
bool pg_listen_take(struct pg_listen *listen, struct pg_notice *notice);

#endif
