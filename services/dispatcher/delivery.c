/*
 * delivery: see delivery.h. What it needs next is in errand.c.
 */
#include "delivery.h"

#include "dispatcher.h"

#include <stdlib.h>

/* At the end: a delivery that is replaced while it waits keeps its place (it is the same delivery). */
static void line_join(struct delivery *delivery)
{
	struct chat *chat = delivery->chat;
	delivery->waiting_next = NULL;
	delivery->waiting_link = chat->last;
	*chat->last = delivery;
	chat->last = &delivery->waiting_next;
	chat->waiting++;
}

static void line_leave(struct delivery *delivery)
{
	struct chat *chat = delivery->chat;
	*delivery->waiting_link = delivery->waiting_next;
	if (delivery->waiting_next != NULL)
		delivery->waiting_next->waiting_link = delivery->waiting_link;
	else
		chat->last = delivery->waiting_link;
	delivery->waiting_next = NULL;
	delivery->waiting_link = NULL;
	chat->waiting--;
}

/* Counted in its shard: something of it is on its way, to Telegram or to the database. */
static bool delivery_busy(const struct delivery *delivery)
{
	return delivery->state == DELIVERY_TAKEN || delivery->report.dirty ||
	       delivery->report.recording;
}

void delivery_enter(struct dispatcher *d, struct delivery *delivery, enum delivery_state state)
{
	struct shard *shard = &d->shards.items[delivery->call->shard];
	bool was_busy = delivery_busy(delivery);
	if (delivery->state == DELIVERY_WAITING)
		line_leave(delivery);
	delivery->state = state;
	if (state == DELIVERY_WAITING) {
		line_join(delivery);
		couriers_kick(d, delivery->chat);
	}
	shard->busy += delivery_busy(delivery) - was_busy;
}

void delivery_report(struct dispatcher *d, struct delivery *delivery, const char *state,
	int version, const char *words)
{
	struct report *report = &delivery->report;
	bool was_busy = delivery_busy(delivery);
	report->state = state;
	report->version = version;
	free(report->words);
	report->words = words != NULL ? alloc_text(str_from(words)) : NULL;
	if (!report->dirty) {
		report->dirty = true;
		writer_add(d, delivery);
	}
	d->shards.items[delivery->call->shard].busy += delivery_busy(delivery) - was_busy;
}

void delivery_unclaim(struct dispatcher *d, struct delivery *delivery)
{
	if (!delivery->claimed)
		return;
	delivery->claimed = false;
	delivery_report(d, delivery, "queued", delivery->call->version, NULL);
}

void delivery_recorded(struct dispatcher *d, struct delivery *delivery)
{
	delivery->report.recording = false;
	if (!delivery_busy(delivery))
		d->shards.items[delivery->call->shard].busy--;
}

void delivery_follow(struct dispatcher *d, struct delivery *delivery, struct chat *to)
{
	bool told_there = live_call_delivery(delivery->call, to->id) != NULL;
	bool waited = delivery->state == DELIVERY_WAITING;
	delivery_enter(d, delivery, DELIVERY_IDLE);
	delivery->chat->deliveries--;
	delivery->chat = to;
	to->deliveries++;
	delivery->message_id = 0; /* message ids do not move along */
	delivery->old_count = 0;
	delivery->claimed = false;
	if (waited && !told_there)
		delivery_enter(d, delivery, DELIVERY_WAITING);
}

/* -- the end -------------------------------------------------------------------------------------- */

bool delivery_ended(const struct delivery *delivery)
{
	if (delivery_busy(delivery))
		return false;
	return delivery->call->orphan || delivery->state != DELIVERY_WAITING;
}

void delivery_free(struct dispatcher *d, struct delivery *delivery)
{
	if (delivery->state == DELIVERY_WAITING)
		line_leave(delivery);
	delivery->chat->deliveries--;
	d->outbox.deliveries--;
	free(delivery->report.words);
	free(delivery->markup);
	free(delivery);
}
