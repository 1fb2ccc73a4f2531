/*
 * redis_link: one Redis connection that comes back when lost. Private to clients.
 *
 * Hiredis frees its context by itself when a connection ends, in the middle of its own callbacks;
 * everything that outlives it is here.
 */
#ifndef CALLWEAVE_REDIS_LINK_H
#define CALLWEAVE_REDIS_LINK_H

#include "redis.h"

#include <hiredis/async.h>

struct redis_link;

struct redis_link *redis_link_new(
	struct loop *loop, const char *url, const struct log_context *log, struct error *error);
void redis_link_free(struct redis_link **link);

/* Called each time the link is up: logged in, in its database. */
void redis_link_on_up(struct redis_link *link, void (*up)(void *owner), void *owner);

/* NULL while it is down. Never to be kept. */
redisAsyncContext *redis_link_context(const struct redis_link *link);
bool redis_link_up(const struct redis_link *link);
unsigned redis_link_count(const struct redis_link *link); /* how many times it came up */

#endif
