/*
 * redis: wake-ups over pub/sub, and copies. The only user of hiredis.
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
/* Grows with each new connection for commands: what was told before it may have been lost. */
unsigned redis_connections(const struct redis *redis);

/* Fire and forget on the command connection; at most 1000 unanswered. False when it was dropped. */
bool redis_publish(struct redis *redis, const char *channel, struct str payload);

/* -- commands: redis_command.c --------------------------------------------------------------------- */

#define REDIS_MAX_WORDS	      256
#define REDIS_MAX_REPLY_BYTES ((size_t)256 << 10) /* must fit the flow's arena */

struct redis_reply {
	bool ok;	   /* false: `error` says why: no connection, no answer in time, refused */
	struct str *items; /* of an array, or the one value; data NULL: no such key */
	unsigned count;
	int64_t number; /* of a reply that is one */
	struct error error;
};

struct redis_command {
	const struct str *words; /* {"GET", "key"}: sent before await_redis() returns */
	unsigned count;
	int64_t timeout_ms;
};

/* `reply` is in the flow's state or arena, its texts come to be in the arena. */
enum flow_status await_redis(struct flow *flow, struct redis *redis,
	const struct redis_command *command, struct redis_reply *reply);

/* The same without waiting for an answer. False when it was dropped: no connection, or a thousand
 * commands without an answer before it. */
bool redis_tell(struct redis *redis, const struct str *words, unsigned count);

/* -- messages ------------------------------------------------------------------------------------- */

/* Wait for a message on the subscribed channel (or for the subscription to come back), at most
 * `timeout_ms`. Messages that came since the last wait count as one; payloads are not kept. */
enum flow_status await_redis_message(struct flow *flow, struct redis *redis, int64_t timeout_ms);

/* As if a message had come: for news that reach this process another way. */
void redis_wake(struct redis *redis);

#endif
