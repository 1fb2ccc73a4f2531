/*
 * channel: channels and their deliveries in memory, and what may begin now.
 */
#include "channel.h"

#include "alloc.h"
#include "deliver.h"
#include "gateway_parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEY_BYTES = 256 };

/* -- deliveries ----------------------------------------------------------------------------------- */

static struct str put_text(char **at, struct str text)
{
	struct str copy = {*at, text.size};

	if (text.size > 0)
		memcpy(*at, text.data, text.size);
	(*at)[text.size] = '\0';
	*at += text.size + 1;
	return copy;
}

struct delivery *delivery_new(const struct delivery *from)
{
	size_t bytes = sizeof(*from) + from->enterprise.size + from->crm.size +
		       from->call_key.size + from->kind.size + from->payload.size +
		       from->trace.size + 6;
	struct delivery *delivery = alloc_zeroed(1, bytes);
	char *at = (char *)(delivery + 1);

	*delivery = *from;
	delivery->enterprise = put_text(&at, from->enterprise);
	delivery->crm = put_text(&at, from->crm);
	delivery->call_key = put_text(&at, from->call_key);
	delivery->kind = put_text(&at, from->kind);
	delivery->payload = put_text(&at, from->payload);
	delivery->trace = put_text(&at, from->trace);
	delivery->bytes = bytes;
	delivery->next = NULL;
	return delivery;
}

void delivery_free(struct delivery **delivery)
{
	free(*delivery);
	*delivery = NULL;
}

/* -- channels ------------------------------------------------------------------------------------- */

void channels_init(struct channels *channels)
{
	*channels = (struct channels){.table = table_new(), .fresh = true};
	channels->wanted_last = &channels->wanted;
	flow_queue_init(&channels->load);
	flow_queue_init(&channels->clock);
	flow_queue_init(&channels->lease);
}

static struct str key_of(struct str enterprise, struct str crm, char to[KEY_BYTES])
{
	int size = snprintf(to, KEY_BYTES, "%.*s %.*s", STR_ARG(enterprise), STR_ARG(crm));

	return str_of(to, size < KEY_BYTES ? (size_t)size : KEY_BYTES - 1);
}

struct channel *channel_find(const struct gateway *gateway, struct str enterprise, struct str crm)
{
	char key[KEY_BYTES];

	return table_get(gateway->channels.table, key_of(enterprise, crm, key));
}

struct channel *channel_new(
	struct gateway *gateway, struct str enterprise, struct str crm, int64_t epoch)
{
	struct channel *channel =
		alloc_zeroed(1, sizeof(*channel) + enterprise.size + crm.size + 2);
	char *at = (char *)(channel + 1), key[KEY_BYTES];

	channel->enterprise = put_text(&at, enterprise).data;
	channel->crm = put_text(&at, crm).data;
	channel->epoch = epoch;
	channel->last = &channel->first;
	(void)table_put(gateway->channels.table, key_of(enterprise, crm, key), channel);
	channel->more = true;
	channel_want(gateway, channel);
	return channel;
}

/* The flows that still speak of it are done with it. */
static bool free_when_idle(struct channel *channel)
{
	if (channel->gone && channel->count == 0 && !channel->wanted && !channel->loading &&
		!channel->dirty) {
		free(channel);
		return true;
	}
	return false;
}

static void forget(struct gateway *gateway, struct channel *channel, bool all)
{
	struct delivery **link = &channel->first;

	while (*link != NULL) {
		struct delivery *delivery = *link;

		if (delivery->state == DELIVERY_SENDING ||
			(!all && delivery->state == DELIVERY_WAITING)) {
			link = &delivery->next;
			continue;
		}
		*link = delivery->next;
		channel->count--;
		gateway->channels.bytes -= delivery->bytes;
		delivery_free(&delivery);
	}
	channel->last = link;
}

void channel_drop(struct gateway *gateway, struct channel *channel)
{
	char key[KEY_BYTES];

	if (channel->gone)
		return;
	(void)table_remove(gateway->channels.table,
		key_of(str_from(channel->enterprise), str_from(channel->crm), key));
	channel->gone = true;
	forget(gateway, channel, true);
	(void)free_when_idle(channel);
}

/* At the end of the process: every flow was cancelled before. */
void channels_free(struct channels *channels)
{
	struct channel *channel, *next_channel;
	void *value;
	size_t at = 0;

	for (channel = channels->wanted; channel != NULL; channel = next_channel) {
		next_channel = channel->next_wanted;
		channel->wanted = false;
		(void)free_when_idle(channel);
	}
	while (table_next(channels->table, &at, NULL, &value)) {
		struct delivery *next;

		channel = value;

		for (struct delivery *delivery = channel->first; delivery != NULL;
			delivery = next) {
			next = delivery->next;
			delivery_free(&delivery);
		}
		free(channel);
	}
	table_free(&channels->table);
}

bool channel_sweep(struct gateway *gateway, struct channel *channel)
{
	if (!channel->loading)
		forget(gateway, channel, false);
	return !free_when_idle(channel);
}

unsigned channel_room(const struct gateway *gateway)
{
	return gateway->channels.bytes < CHANNELS_MAX_BYTES ? CHANNEL_MAX_ROWS : CHANNEL_TIGHT_ROWS;
}

bool channels_lease_holds(const struct gateway *gateway)
{
	return loop_now_ms(gateway->loop) < gateway->channels.lease_until_ms;
}

/* -- rows come in --------------------------------------------------------------------------------- */

bool channel_take(struct gateway *gateway, struct channel *channel, struct delivery *delivery)
{
	struct delivery **link = &channel->first;

	while (*link != NULL && (*link)->id < delivery->id)
		link = &(*link)->next;
	if (*link != NULL && (*link)->id == delivery->id) {
		delivery_free(&delivery);
		return false;
	}
	delivery->next = *link;
	*link = delivery;
	if (delivery->next == NULL)
		channel->last = &delivery->next;
	channel->count++;
	gateway->channels.bytes += delivery->bytes;
	if (delivery->id > channel->newest_id)
		channel->newest_id = delivery->id;
	return true;
}

/* Directly only behind everything that is known, and only when the table has nothing else. Else a look
 * into the table brings it, at its place. */
void channel_push(struct gateway *gateway, struct channel *channel, struct delivery *delivery)
{
	bool direct = !channel->more && !channel->loading && channel->parked_ms == 0 &&
		      delivery->id > channel->newest_id && channel->count < channel_room(gateway);

	if (direct) {
		(void)channel_take(gateway, channel, delivery);
	} else {
		channel->more = true;
		delivery_free(&delivery);
	}
	channel_go(gateway, channel);
}

void channel_want(struct gateway *gateway, struct channel *channel)
{
	struct channels *channels = &gateway->channels;

	if (channel->wanted)
		return;
	channel->wanted = true;
	channel->next_wanted = NULL;
	*channels->wanted_last = channel;
	channels->wanted_last = &channel->next_wanted;
	flow_queue_wake_all(&channels->load);
}

/* -- rows go out ---------------------------------------------------------------------------------- */

/* Due far off: it waits in the table, and leaves its place to others. What follows in its call goes
 * with it. */
static void park(struct channel *channel, struct delivery *delivery)
{
	for (struct delivery *at = channel->first; at != NULL; at = at->next) {
		if (at->state == DELIVERY_WAITING && str_equal(at->call_key, delivery->call_key))
			at->state = DELIVERY_OVER;
	}
	if (channel->parked_ms == 0 || delivery->due_ms < channel->parked_ms)
		channel->parked_ms = delivery->due_ms;
	channel->more = true;
}

void channel_settle(
	struct gateway *gateway, struct channel *channel, struct delivery *delivery, bool over)
{
	bool gone = channel->gone;

	channel->sending--;
	delivery->state = over || gone ? DELIVERY_OVER : DELIVERY_WAITING;
	if (!over && !gone && delivery->due_ms > loop_now_ms(gateway->loop) + CHANNEL_PARK_MS)
		park(channel, delivery);
	if (channel_sweep(gateway, channel))
		channel_go(gateway, channel); /* one that is gone begins nothing */
}

void channel_go(struct gateway *gateway, struct channel *channel)
{
	struct channels *channels = &gateway->channels;

	if (channel_pump(gateway, channel) < channels->clock_ms)
		flow_queue_wake_all(&channels->clock);
}

static bool is_first_of_its_call(const struct channel *channel, const struct delivery *delivery)
{
	for (const struct delivery *at = channel->first; at != delivery; at = at->next) {
		if (at->state != DELIVERY_OVER && str_equal(at->call_key, delivery->call_key))
			return false;
	}
	return true;
}

/* Each channel has a place of its own, so that no number of slow CRMs keeps another from being told;
 * further ones come out of what all share. */
static bool has_slot(struct gateway *gateway, const struct channel *channel)
{
	if (channel->sending == 0)
		return true;
	if (channel->sending >= CHANNEL_AT_ONCE)
		return false;
	if (gateway->channels.extra < (unsigned)gateway->settings->at_once)
		return true;
	gateway->channels.starved = true;
	return false;
}

static void begin(struct gateway *gateway, struct channel *channel, struct delivery *delivery)
{
	delivery->state = DELIVERY_SENDING;
	channel->sending++;
	deliver_start(gateway, channel, delivery);
}

static void look_for_more(struct gateway *gateway, struct channel *channel, int64_t now_ms)
{
	bool due = channel->parked_ms != 0 && now_ms >= channel->parked_ms;

	if (channel->loading || channel->wanted)
		return;
	if ((channel->more && channel->count < CHANNEL_FEW_ROWS) || due)
		channel_want(gateway, channel);
}

int64_t channel_pump(struct gateway *gateway, struct channel *channel)
{
	int64_t now_ms = loop_now_ms(gateway->loop), next_ms = INT64_MAX;

	if (gateway->draining || channel->leaving || channel->gone ||
		!channels_lease_holds(gateway))
		return INT64_MAX;
	look_for_more(gateway, channel, now_ms);
	if (channel->parked_ms > now_ms)
		next_ms = channel->parked_ms;
	if (channel->first == NULL)
		return next_ms;
	if (now_ms < channel->paused_ms)
		return channel->paused_ms < next_ms ? channel->paused_ms : next_ms;
	for (struct delivery *at = channel->first; at != NULL; at = at->next) {
		if (at->state != DELIVERY_WAITING)
			continue;
		if (!breaker_lets(&channel->breaker, now_ms))
			return channel->breaker.trying || channel->breaker.until_ms > next_ms
				       ? next_ms
				       : channel->breaker.until_ms;
		if (!has_slot(gateway, channel))
			return next_ms; /* an end of an attempt wakes the clock */
		if (at->due_ms > now_ms) {
			next_ms = at->due_ms < next_ms ? at->due_ms : next_ms;
			continue;
		}
		if (is_first_of_its_call(channel, at))
			begin(gateway, channel, at);
	}
	return next_ms;
}

/* -- its state ------------------------------------------------------------------------------------ */

void channel_changed(struct gateway *gateway, struct channel *channel, const char *reason)
{
	(void)str_copy(channel->reason, sizeof(channel->reason), str_from(reason));
	journal_channel(gateway, channel);
}

uint32_t channel_config_sum(const struct account *account, struct str crm)
{
	const struct account_integration *integration =
		account != NULL ? account_integration(account, crm) : NULL;
	uint32_t sum;
	struct buf text;

	if (integration == NULL)
		return 0;
	buf_init(&text, (size_t)1 << 20);
	json_print(&text, integration->config, false);
	sum = crypto_crc32c(0, text.data, text.size);
	buf_free(&text);
	return sum;
}
