/*
 * bots: see bots.h.
 */
#include "bots.h"

#include "alloc.h"
#include "dispatcher.h"

#include <stdlib.h>

#define SECOND_MS 1000
#define MINUTE_MS 60000
#define IDLE_MS	  60000
/* So many chats of a bot answered 429 within so long: it is the bot that goes too fast. */
#define BOT_SLOWED_CHATS 3
#define BOT_SLOWED_MS	 3000

static struct str chat_key(const int64_t *chat_id)
{
	return str_of((const char *)chat_id, sizeof(*chat_id));
}

void bots_init(struct bots *bots)
{
	bots->by_token = table_new();
}

/* Its deliveries are gone before it: they point here. */
static void chat_free_memory(struct chat *chat)
{
	window_free(&chat->burst);
	window_free(&chat->minute);
	free(chat);
}

static void bot_free(struct bot *bot)
{
	size_t at = 0;
	void *value;
	while (table_next(bot->chats, &at, NULL, &value))
		chat_free_memory(value);
	table_free(&bot->chats);
	at = 0;
	while (bot->moved != NULL && table_next(bot->moved, &at, NULL, &value))
		free(value);
	if (bot->moved != NULL)
		table_free(&bot->moved);
	window_free(&bot->window);
	free(bot->token);
	free(bot);
}

void bots_free(struct bots *bots)
{
	size_t at = 0;
	void *value;
	while (table_next(bots->by_token, &at, NULL, &value))
		bot_free(value);
	table_free(&bots->by_token);
}

struct bot *bots_get(struct dispatcher *d, const char *token)
{
	struct bot *bot = table_get(d->bots.by_token, str_from(token));
	if (bot != NULL)
		return bot;
	bot = alloc_zeroed(1, sizeof(*bot));
	bot->token = alloc_text(str_from(token));
	bot->chats = table_new();
	window_init(&bot->window, (unsigned)d->config->bot_per_second, SECOND_MS);
	table_put(d->bots.by_token, str_from(token), bot);
	return bot;
}

/* Groups have negative ids. */
static void chat_limit(const struct dispatcher *d, struct chat *chat)
{
	unsigned burst = (unsigned)d->config->chat_burst;
	window_init(&chat->burst, burst, (int64_t)burst * SECOND_MS);
	if (chat->id < 0)
		window_init(&chat->minute, (unsigned)d->config->group_per_minute, MINUTE_MS);
}

static int64_t latest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* An edit in between leaves a third of a window to others. */
static int64_t limit_when(const struct window *window, bool urgent, int64_t now_ms)
{
	return window_when(window, urgent ? 1 : 1 + window->limit / 3, now_ms);
}

int64_t bot_when(const struct bot *bot, int64_t now_ms)
{
	return limit_when(&bot->window, false, now_ms);
}

int64_t bot_take(struct bot *bot, int64_t now_ms)
{
	return window_take(&bot->window, now_ms);
}

int64_t chat_when(const struct chat *chat, bool urgent, int64_t now_ms)
{
	int64_t when = limit_when(&chat->burst, urgent, now_ms);
	if (chat->minute.limit > 0)
		when = latest(when, limit_when(&chat->minute, urgent, now_ms));
	/* Urgent ones take their turn in the bot's line instead: chat_take(). */
	return urgent ? when : latest(when, bot_when(chat->bot, now_ms));
}

int64_t chat_take(struct chat *chat, int64_t now_ms)
{
	int64_t when = window_take(&chat->bot->window, now_ms);
	when = window_take(&chat->burst, when);
	return chat->minute.limit > 0 ? window_take(&chat->minute, when) : when;
}

struct chat *bot_chat(struct dispatcher *d, struct bot *bot, int64_t chat_id)
{
	struct moved *moved = bot->moved != NULL ? table_get(bot->moved, chat_key(&chat_id)) : NULL;
	if (moved != NULL)
		chat_id = moved->to;
	struct chat *chat = table_get(bot->chats, chat_key(&chat_id));
	if (chat == NULL) {
		chat = alloc_zeroed(1, sizeof(*chat));
		chat->bot = bot;
		chat->id = chat_id;
		chat->last = &chat->first;
		flow_queue_init(&chat->wake);
		chat_limit(d, chat);
		table_put(bot->chats, chat_key(&chat_id), chat);
	}
	chat->used_ms = loop_now_ms(d->loop);
	return chat;
}

/* Rows that the fold has planned for the old id, and the directory until it is read again, still name
 * it: they are led to the new one. */
static void bot_remember_move(struct bot *bot, int64_t from, int64_t to)
{
	if (bot->moved == NULL)
		bot->moved = table_new();
	struct moved *moved = table_get(bot->moved, chat_key(&from));
	if (moved == NULL) {
		moved = alloc_zeroed(1, sizeof(*moved));
		table_put(bot->moved, chat_key(&from), moved);
	}
	moved->to = to;
}

void chat_move(struct dispatcher *d, struct chat *chat, int64_t to)
{
	chat->moving = false;
	if (to == chat->id)
		return;
	bot_remember_move(chat->bot, chat->id, to);
	size_t at = 0;
	void *value;
	while (table_next(d->outbox.calls, &at, NULL, &value)) {
		const struct live_call *call = value;
		struct delivery *delivery = live_call_delivery(call, chat->id);
		/* Another chat may have that id under another bot. */
		if (delivery == NULL || delivery->chat != chat || delivery->state == DELIVERY_TAKEN)
			continue;
		delivery_follow(d, delivery, bot_chat(d, chat->bot, to));
	}
}

bool chat_paused(const struct chat *chat, int64_t now_ms)
{
	const struct bot *bot = chat->bot;
	return chat->moving || chat->paused_until_ms > now_ms || bot->paused_until_ms > now_ms;
}

bool chat_free(struct dispatcher *d, const struct chat *chat, int64_t now_ms)
{
	const struct bot *bot = chat->bot;
	if (d->draining || chat->courier != NULL || chat->waiting > 0 || chat_paused(chat, now_ms))
		return false;
	if (bot->off_until_ms > now_ms || bot->doubtful)
		return false;
	return chat_when(chat, true, now_ms) == now_ms &&
	       window_when(&bot->window, 1, now_ms) == now_ms;
}

void chat_slow_down(struct dispatcher *d, struct chat *chat, int64_t retry_after_ms)
{
	struct bot *bot = chat->bot;
	int64_t now = loop_now_ms(d->loop);
	chat->paused_until_ms = now + retry_after_ms;
	if (now - bot->slowed_since_ms > BOT_SLOWED_MS) {
		bot->slowed_since_ms = now;
		bot->slowed = 0;
	}
	if (++bot->slowed < BOT_SLOWED_CHATS || bot->paused_until_ms > now)
		return;
	bot->paused_until_ms = now + retry_after_ms;
	log_warn(&d->log,
		"telegram: several chats of a bot were told to slow down: it pauses for %lld ms",
		(long long)retry_after_ms);
}

void bot_kick(struct dispatcher *d, struct bot *bot)
{
	size_t at = 0;
	void *value;
	while (table_next(bot->chats, &at, NULL, &value)) {
		struct chat *chat = value;
		if (chat->waiting > 0)
			couriers_kick(d, chat);
	}
}

void bots_kick(struct dispatcher *d)
{
	size_t at = 0;
	void *value;
	while (table_next(d->bots.by_token, &at, NULL, &value))
		bot_kick(d, value);
}

/* True when nothing of the bot is worth keeping: no chat, no pause, no past. */
static bool bot_sweep(struct bot *bot, int64_t now)
{
	size_t at = 0;
	void *value;
	while (table_next(bot->chats, &at, NULL, &value)) {
		struct chat *chat = value;
		bool idle =
			chat->deliveries == 0 && chat->courier == NULL && !chat_paused(chat, now);
		if (!idle || now - chat->used_ms < IDLE_MS)
			continue; /* by then its windows are of the past, too */
		table_remove(bot->chats, chat_key(&chat->id));
		chat_free_memory(chat);
	}
	return table_count(bot->chats) == 0 && bot->moved == NULL && bot->probe == NULL &&
	       bot->off_until_ms <= now && bot->paused_until_ms <= now &&
	       window_idle(&bot->window, now);
}

void bots_sweep(struct dispatcher *d)
{
	int64_t now = loop_now_ms(d->loop);
	size_t at = 0;
	void *value;
	while (table_next(d->bots.by_token, &at, NULL, &value)) {
		struct bot *bot = value;
		if (!bot_sweep(bot, now))
			continue;
		table_remove(d->bots.by_token, str_from(bot->token));
		bot_free(bot);
	}
}
