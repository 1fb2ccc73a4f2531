/*
 * pick: which delivery of a chat goes next.
 *
 * In the order of coming, but final states and new messages before edits in between, and those
 * edits only while the limits are far: a call's last word must not wait for a newer "ringing".
 * Deletions of replaced messages come in between: Telegram names no limit for them but the bot's.
 */
#include "dispatcher.h"

enum turn { TURN_URGENT, TURN_CLEAR, TURN_ORDINARY, TURNS };

/* Until when the delivery cannot go, whatever the limits say; 0: it can. -1: something will happen. An
 * old message goes when the new one is in the database: after a crash one of them is known. */
static int64_t delivery_blocked(
	const struct dispatcher *d, const struct delivery *delivery, int64_t now)
{
	enum errand_kind next = delivery_next(delivery);
	if (d->shards.items[delivery->call->shard].state != SHARD_OWNED)
		return -1;
	if (next == ERRAND_SEND && delivery->chat->bot->doubtful && !delivery->claimed)
		return -1;
	if (next == ERRAND_CLEAR && (delivery->report.dirty || delivery->report.recording))
		return -1;
	return delivery->due_ms > now ? delivery->due_ms : 0;
}

/* A claimed one is marked in the database as on its way: the sooner it is, the better. */
static enum turn delivery_turn(const struct delivery *delivery)
{
	enum errand_kind next = delivery_next(delivery);
	if (delivery->claimed || next == ERRAND_SEND)
		return TURN_URGENT;
	if (next == ERRAND_CLEAR)
		return TURN_CLEAR;
	return delivery->call->final ? TURN_URGENT : TURN_ORDINARY;
}

/* A look at the whole line: who is first of each kind, and when somebody who waits will be due. */
struct line {
	struct delivery *first[TURNS];
	int64_t soonest; /* of those that are not due; INT64_MAX: none */
};

static void line_look(
	const struct dispatcher *d, const struct chat *chat, int64_t now, struct line *line)
{
	/* Nobody urgent may go: then a deletion further back may. */
	bool limited = chat_when(chat, true, now) > now;
	*line = (struct line){.soonest = INT64_MAX};
	for (struct delivery *it = chat->first; it != NULL; it = it->waiting_next) {
		int64_t blocked = delivery_blocked(d, it, now);
		if (blocked > 0 && blocked < line->soonest)
			line->soonest = blocked;
		if (blocked != 0)
			continue;
		enum turn turn = delivery_turn(it);
		if (line->first[turn] == NULL || it->claimed)
			line->first[turn] = it;
		if (turn == TURN_URGENT && (!limited || it->claimed))
			return;
	}
}

static struct pick pick_later(int64_t when, int64_t now)
{
	if (when == INT64_MAX)
		return (struct pick){.wait_ms = -1};
	return (struct pick){.wait_ms = when > now ? when - now : 1};
}

static int64_t turn_when(
	const struct chat *chat, enum turn turn, const struct delivery *delivery, int64_t now)
{
	if (delivery->claimed)
		return now;
	return turn == TURN_CLEAR ? bot_when(chat->bot, now)
				  : chat_when(chat, turn == TURN_URGENT, now);
}

/* Each state that is held back counts once, however often somebody looks. */
static void count_held(struct dispatcher *d, struct delivery *delivery)
{
	if (delivery->held_version == delivery->call->version)
		return;
	delivery->held_version = delivery->call->version;
	metric_add(d->meters.degraded, 1);
}

/* By the limits: the first kind that may go now. An ordinary edit never goes before an urgent one. */
static struct pick line_pick(
	struct dispatcher *d, const struct chat *chat, const struct line *line, int64_t now)
{
	int64_t soonest = line->soonest;
	for (enum turn turn = TURN_URGENT; turn < TURNS; turn++) {
		struct delivery *next = line->first[turn];
		if (next == NULL)
			continue;
		int64_t when = turn_when(chat, turn, next, now);
		if (when <= now)
			return (struct pick){.delivery = next};
		if (turn == TURN_ORDINARY)
			count_held(d, next);
		soonest = when < soonest ? when : soonest;
	}
	return pick_later(soonest, now);
}

struct pick chat_pick(struct dispatcher *d, struct chat *chat)
{
	int64_t now = loop_now_ms(d->loop);
	const struct bot *bot = chat->bot;
	struct line line;
	if (d->draining || chat->moving || !shards_lease_holds(&d->shards, now))
		return pick_later(INT64_MAX, now);
	if (chat_paused(chat, now)) {
		int64_t chat_until = chat->paused_until_ms, bot_until = bot->paused_until_ms;
		return pick_later(chat_until > bot_until ? chat_until : bot_until, now);
	}
	line_look(d, chat, now, &line);
	return line_pick(d, chat, &line, now);
}
