/*
 * redis: publishing on one link, listening on another.
 *
 * A connection that is subscribed can send nothing else (RESP2), hence two.
 */
#include "redis_private.h"

#include "alloc.h"

#include <stdlib.h>

/* -- listening ------------------------------------------------------------------------------------ */

static void hear(struct redis *redis)
{
	redis->heard = flow_queue_wake_all(&redis->listeners) == 0;
}

static void on_message(redisAsyncContext *context, void *reply_pointer, void *owner)
{
	if (reply_pointer != NULL) /* the confirmation counts too: what came before it was missed */
		hear(owner);
}

static void on_subscription_up(void *owner)
{
	struct redis *redis = owner;

	redisAsyncCommand(redis_link_context(redis->subscription), on_message, redis,
		"SUBSCRIBE %s", redis->channel);
}

enum flow_status await_redis_message(struct flow *flow, struct redis *redis, int64_t timeout_ms)
{
	if (redis->heard) {
		redis->heard = false;
		return await_turn(flow);
	}
	return await_queue_for(flow, &redis->listeners, timeout_ms);
}

void redis_wake(struct redis *redis)
{
	hear(redis);
}

/* -- publishing ----------------------------------------------------------------------------------- */

bool redis_publish(struct redis *redis, const char *channel, struct str payload)
{
	const struct str words[] = {STR("PUBLISH"), str_from(channel), payload};

	return redis_tell(redis, words, 3);
}

/* -- life ----------------------------------------------------------------------------------------- */

struct redis *redis_new(struct loop *loop, const struct redis_options *options, struct error *error)
{
	struct redis *redis = alloc_zeroed(1, sizeof(*redis));

	redis->loop = loop;
	flow_queue_init(&redis->listeners);
	redis->commands = redis_link_new(loop, options->url, &options->log, error);
	if (redis->commands != NULL && options->subscribe != NULL) {
		redis->channel = alloc_text(str_from(options->subscribe));
		redis->subscription = redis_link_new(loop, options->url, &options->log, error);
		redis_link_on_up(redis->subscription, on_subscription_up, redis);
	}
	if (redis->commands == NULL)
		redis_free(&redis);
	return redis;
}

void redis_free(struct redis **redis)
{
	if (*redis == NULL)
		return;
	redis_link_free(&(*redis)->commands); /* answers what is unanswered */
	redis_link_free(&(*redis)->subscription);
	flow_queue_wake_all(&(*redis)->listeners);
	free((*redis)->channel);
	free(*redis);
	*redis = NULL;
}

bool redis_ready(const struct redis *redis)
{
	return redis_link_up(redis->commands) &&
	       (redis->subscription == NULL || redis_link_up(redis->subscription));
}

unsigned redis_connections(const struct redis *redis)
{
	return redis_link_count(redis->commands);
}
