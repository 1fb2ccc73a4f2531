/*
 * redis_command: one command and its answer, for flows.
 *
 * hiredis calls back for each command, at the latest when the connection ends, and 0.14 knows no
 * deadline: so what waits for an answer outlives the flow that asked.
 */
#include "redis_private.h"

#include "alloc.h"

#include <stdlib.h>

struct asked {
	struct flow_op op;
	struct redis *redis;
	struct arena *arena;	   /* of the flow; NULL: nobody waits any more */
	struct redis_reply *reply; /* the flow's */
	struct loop_timer *timer;
};

/* -- replies -------------------------------------------------------------------------------------- */

static size_t size_of(const redisReply *from)
{
	size_t size = sizeof(struct str);

	if (from->type == REDIS_REPLY_STRING || from->type == REDIS_REPLY_STATUS)
		size += from->len;
	for (size_t i = 0; from->type == REDIS_REPLY_ARRAY && i < from->elements; i++)
		size += size_of(from->element[i]);
	return size;
}

static struct str item_of(const redisReply *from, struct arena *arena)
{
	bool text = from->type == REDIS_REPLY_STRING || from->type == REDIS_REPLY_STATUS;

	if (!text) /* nil, or a kind that no command of ours has inside an array */
		return str_of(NULL, 0);
	return str_of(arena_strndup(arena, from->str, from->len), from->len);
}

static void take(const redisReply *from, struct arena *arena, struct redis_reply *to)
{
	bool array = from->type == REDIS_REPLY_ARRAY;

	if (from->type == REDIS_REPLY_ERROR) {
		(void)error_set(&to->error, ERROR_UPSTREAM, "Redis: %.200s", from->str);
		return;
	}
	if (size_of(from) > REDIS_MAX_REPLY_BYTES) {
		(void)error_set(&to->error, ERROR_UPSTREAM, "Redis: the answer is too large");
		return;
	}
	to->ok = true;
	to->number = from->type == REDIS_REPLY_INTEGER ? from->integer : 0;
	to->count = array ? (unsigned)from->elements : 1;
	to->items = arena_array(arena, to->count + 1, sizeof(to->items[0]));
	for (unsigned i = 0; i < to->count; i++)
		to->items[i] = item_of(array ? from->element[i] : from, arena);
}

/* -- asking --------------------------------------------------------------------------------------- */

static void let_go(struct asked *asked)
{
	asked->arena = NULL;
	loop_timer_free(&asked->timer);
}

static void on_cancel(struct flow_op *op)
{
	let_go((struct asked *)op); /* its first member */
}

static void on_timeout(void *owner)
{
	struct asked *asked = owner;

	(void)error_set(&asked->reply->error, ERROR_BUSY, "Redis: no answer in time");
	let_go(asked);
	flow_wake(&asked->op);
}

static void on_reply(redisAsyncContext *context, void *reply, void *owner)
{
	struct asked *asked = owner;

	asked->redis->unanswered--;
	if (asked->arena != NULL) {
		if (reply != NULL)
			take(reply, asked->arena, asked->reply);
		else
			(void)error_set(
				&asked->reply->error, ERROR_BUSY, "Redis: the connection was lost");
		let_go(asked);
		flow_wake(&asked->op);
	}
	free(asked);
}

static bool send_words(struct redis *redis, const struct str *words, unsigned count,
	redisCallbackFn *callback, void *owner)
{
	redisAsyncContext *context = redis_link_context(redis->commands);
	const char *texts[REDIS_MAX_WORDS];
	size_t sizes[REDIS_MAX_WORDS];

	if (context == NULL || redis->unanswered >= REDIS_MAX_UNANSWERED || count > REDIS_MAX_WORDS)
		return false;
	for (unsigned i = 0; i < count; i++) {
		texts[i] = words[i].data != NULL ? words[i].data : "";
		sizes[i] = words[i].size;
	}
	if (redisAsyncCommandArgv(context, callback, owner, (int)count, texts, sizes) != REDIS_OK)
		return false;
	redis->unanswered++;
	return true;
}

enum flow_status await_redis(struct flow *flow, struct redis *redis,
	const struct redis_command *command, struct redis_reply *reply)
{
	struct asked *asked = alloc_zeroed(1, sizeof(*asked));

	*reply = (struct redis_reply){.ok = false};
	*asked = (struct asked){.op = {.cancel = on_cancel},
		.redis = redis,
		.arena = flow_arena(flow),
		.reply = reply};
	if (!send_words(redis, command->words, command->count, on_reply, asked)) {
		(void)error_set(&reply->error, ERROR_BUSY, "Redis: no connection");
		free(asked);
		return FLOW_NEXT;
	}
	asked->timer = loop_timer_new(redis->loop, on_timeout, asked);
	loop_timer_set(asked->timer, command->timeout_ms);
	return flow_wait(flow, &asked->op);
}

/* -- telling -------------------------------------------------------------------------------------- */

static void on_told(redisAsyncContext *context, void *reply, void *owner)
{
	struct redis *redis = owner;

	redis->unanswered--;
}

bool redis_tell(struct redis *redis, const struct str *words, unsigned count)
{
	return send_words(redis, words, count, on_told, redis);
}
