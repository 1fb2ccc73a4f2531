/*
 * redis: publishing on one link, listening on another.
 *
 * A connection that is subscribed can send nothing else (RESP2), hence two.
 */
#include "redis_link.h"

#include "alloc.h"

#include <stdlib.h>

enum { MAX_UNANSWERED = 1000 };

struct redis {
	struct redis_link *commands;
	struct redis_link *subscription; /* NULL: only publishes */
	char *channel;
	struct flow_queue listeners;
	bool heard; /* a message came while nobody waited */
	unsigned unanswered;
};

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

static void on_published(redisAsyncContext *context, void *reply, void *owner)
{
	struct redis *redis = owner;

	redis->unanswered--;
}

bool redis_publish(struct redis *redis, const char *channel, struct str payload)
{
	redisAsyncContext *context = redis_link_context(redis->commands);

	if (context == NULL || redis->unanswered >= MAX_UNANSWERED)
		return false;
	if (redisAsyncCommand(context, on_published, redis, "PUBLISH %s %b", channel,
		    payload.data != NULL ? payload.data : "", payload.size) != REDIS_OK)
		return false;
	redis->unanswered++;
	return true;
}

/* -- life ----------------------------------------------------------------------------------------- */

struct redis *redis_new(struct loop *loop, const struct redis_options *options, struct error *error)
{
	struct redis *redis = alloc_zeroed(1, sizeof(*redis));

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
