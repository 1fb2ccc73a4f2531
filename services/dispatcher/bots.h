/*
 * bots: bots and chats that have something to do, with their limits and pauses.
 *
 * Made on demand and freed when idle, so that thousands of quiet bots cost nothing.
 */
#ifndef DISPATCHER_BOTS_H
#define DISPATCHER_BOTS_H

#include "flow.h"
#include "table.h"
#include "window.h"

struct delivery;
struct dispatcher;

struct bot {
	char *token;
	struct window window;
	struct table *chats; /* chat id -> struct chat */
	struct table *moved; /* old chat id -> struct moved; NULL: none */
	int64_t paused_until_ms;
	int64_t off_until_ms; /* its token was refused */
	bool doubtful;	      /* a send went unanswered: no new one before getMe answers */
	unsigned probes;      /* getMe that failed in a row */
	struct flow *probe;
	unsigned slowed; /* chats that were answered 429 since slowed_since_ms */
	int64_t slowed_since_ms;
};

struct moved {
	int64_t to;
};

struct chat {
	struct bot *bot;
	int64_t id;
	struct window burst;		/* one a second, several at once */
	struct window minute;		/* of a group; limit 0: none */
	struct delivery *first, **last; /* who waits, in the order of coming */
	unsigned waiting;
	unsigned deliveries; /* that point here */
	int64_t paused_until_ms;
	bool moving; /* its new id is being written down */
	struct flow *courier;
	struct flow_queue wake;
	int64_t used_ms;
};

struct bots {
	struct table *by_token;
};

void bots_init(struct bots *bots);
void bots_free(struct bots *bots);

struct bot *bots_get(struct dispatcher *d, const char *token);
/* The chat, under its new id when it is known to have moved. */
struct chat *bot_chat(struct dispatcher *d, struct bot *bot, int64_t chat_id);

/* All waiting deliveries of a chat go on under another id. */
void chat_move(struct dispatcher *d, struct chat *chat, int64_t to);

bool chat_paused(const struct chat *chat, int64_t now_ms);

/* When a request may leave, by the limits of the chat and the bot. An edit in between (not `urgent`)
 * leaves a part of them to others. */
int64_t chat_when(const struct chat *chat, bool urgent, int64_t now_ms);
/* Take a slot of all its limits: the time from which it may be used. */
int64_t chat_take(struct chat *chat, int64_t now_ms);

/* The same by the bot's limit alone: for what the chat's limits do not count. */
int64_t bot_when(const struct bot *bot, int64_t now_ms);
int64_t bot_take(struct bot *bot, int64_t now_ms);

/* A chat where a first message can leave this very moment. */
bool chat_free(struct dispatcher *d, const struct chat *chat, int64_t now_ms);

/* Which delivery is next, and when. */
struct pick {
	struct delivery *delivery; /* NULL: none now */
	int64_t wait_ms;	   /* without one: look again then; -1: when something happens */
};
struct pick chat_pick(struct dispatcher *d, struct chat *chat);

/* A 429: this chat pauses; when several chats of the bot get one at once, the bot does. */
void chat_slow_down(struct dispatcher *d, struct chat *chat, int64_t retry_after_ms);

/* Start couriers where something waits. */
void bot_kick(struct dispatcher *d, struct bot *bot);
void bots_kick(struct dispatcher *d);

/* Free what has been idle; for maintenance. */
void bots_sweep(struct dispatcher *d);

#endif
