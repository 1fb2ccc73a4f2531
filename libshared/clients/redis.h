/*
 * redis: wake-ups over pub/sub. The only user of hiredis.
 *
 * Redis carries hints, never truth: a publish without a connection is dropped and counted, a
 * subscriber that lost its connection is told so and looks for itself. Reconnects with backoff.
 * Hiredis resolves the URL's host by blocking, at each try: give a numeric address, or a name that
 * a local resolver knows at once.
 */
#ifndef CALLWEAVE_REDIS_H
#define CALLWEAVE_REDIS_H

#include "flow.h"

struct redis;

struct redis_options {
	const char *url; /* redis://[user:password@]host:port[/db], or unix:/path */
	struct log_context log;
	const char *subscribe; /* a channel, or NULL */
};

struct redis *redis_new(
	struct loop *loop, const struct redis_options *options, struct error *error);
void redis_free(struct redis **redis);
bool redis_ready(const struct redis *redis);

/* Fire and forget on the command connection; at most 1000 unanswered. False when it was dropped. */
bool redis_publish(struct redis *redis, const char *channel, struct str payload);

/* Wait for a message on the subscribed channel (or for the subscription to come back), at most
 * `timeout_ms`. Messages that came since the last wait count as one; payloads are not kept. */
enum flow_status await_redis_message(struct flow *flow, struct redis *redis, int64_t timeout_ms);

/* As if a message had come: for news that reach this process another way. */
void redis_wake(struct redis *redis);

#endif
