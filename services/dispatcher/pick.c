/*
 * pick: which delivery of a chat goes next.
 *
 * In the order of coming, but final states and new messages before edits in between, and those
 * edits only while the limits are far: a call's last word must not wait for a newer "ringing".
 */
#include "dispatcher.h"

/* Until when the delivery cannot go, whatever the limits say; 0: it can. -1: something will happen. */
static int64_t delivery_blocked(
	const struct dispatcher *d, const struct delivery *delivery, int64_t now)
{
	if (d->shards.items[delivery->call->shard].state != SHARD_OWNED)
		return -1;
	if (delivery_sends(delivery) && delivery->chat->bot->doubtful && !delivery->claimed)
		return -1;
	return delivery->due_ms > now ? delivery->due_ms : 0;
}

/* A claimed one is marked in the database as on its way: the sooner it is, the better. */
static bool delivery_urgent(const struct delivery *delivery)
{
	return delivery->claimed || delivery->call->final || delivery_sends(delivery);
}

/* A look at the whole line: who is first of either kind, and when somebody who waits will be due. */
struct line {
	struct delivery *urgent, *ordinary;
	int64_t soonest; /* of those that are not due; INT64_MAX: none */
};

static void line_look(
	const struct dispatcher *d, const struct chat *chat, int64_t now, struct line *line)
{
	*line = (struct line){.soonest = INT64_MAX};
	for (struct delivery *it = chat->first; it != NULL; it = it->waiting_next) {
		int64_t blocked = delivery_blocked(d, it, now);
		if (blocked > 0 && blocked < line->soonest)
			line->soonest = blocked;
		if (blocked != 0)
			continue;
		if (delivery_urgent(it)) {
			line->urgent = it;
			return;
		}
		if (line->ordinary == NULL)
			line->ordinary = it;
	}
}

static struct pick pick_later(int64_t when, int64_t now)
{
	if (when == INT64_MAX)
		return (struct pick){.wait_ms = -1};
	return (struct pick){.wait_ms = when > now ? when - now : 1};
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
	if (line.urgent == NULL && line.ordinary == NULL)
		return pick_later(line.soonest, now);
	bool urgent = line.urgent != NULL;
	struct delivery *next = urgent ? line.urgent : line.ordinary;
	int64_t when = next->claimed ? now : chat_when(chat, urgent, now);
	if (when <= now)
		return (struct pick){.delivery = next};
	metric_add(d->meters.degraded, urgent ? 0 : 1);
	return pick_later(when, now);
}
