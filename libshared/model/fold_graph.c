/*
 * fold_graph: channels, bridges, and who is connected with whom through them.
 *
 * A channel is known by its UniqueId alone. Entering a bridge leaves the one before: hosts that
 * send no bridge_leave are the rule.
 */
#include "fold_private.h"

#include "alloc.h"

#include <stdlib.h>

enum { MAX_ROUNDS = 12 };

struct str fold_channel_key(const void *channel)
{
	return str_from(((const struct fold_channel *)channel)->uid);
}

struct str fold_local_key(const void *channel)
{
	return str_from(((const struct fold_channel *)channel)->local);
}

struct str fold_bridge_key(const void *bridge)
{
	return str_from(((const struct fold_bridge *)bridge)->id);
}

struct fold_channel *fold_channel_find(const struct call_fold *fold, struct str uid)
{
	return uid.size > 0 ? keyset_get(fold->channels, uid) : NULL;
}

/* At the end of the list: the order of appearance is what decides between equals. */
struct fold_channel *fold_channel_add(
	struct call_fold *fold, struct fold_call *call, struct str uid)
{
	struct fold_channel *channel;
	struct fold_channel **last = &call->channels;

	if (call->channel_count >= FOLD_MAX_CHANNELS) {
		call->overflow++;
		str_copy(fold->warning, sizeof(fold->warning), STR("a call has too many channels"));
		return NULL;
	}
	channel = alloc_zeroed(1, sizeof(*channel) + uid.size + 1);
	channel->call = call;
	channel->number = channel->peer = fold_none;
	memcpy(channel->uid, uid.data, uid.size);
	while (*last != NULL)
		last = &(*last)->next;
	*last = channel;
	call->channel_count++;
	keyset_put(fold->channels, channel);
	return channel;
}

/* It is another call's, or one of its own: nothing of this call points to it afterwards. */
void fold_channel_drop(struct call_fold *fold, struct fold_channel *channel)
{
	struct fold_call *call = channel->call;
	struct fold_channel **at = &call->channels;

	while (*at != channel)
		at = &(*at)->next;
	*at = channel->next;
	call->channel_count--;
	if (call->primary == channel)
		call->primary = NULL;
	for (unsigned i = 0; i < call->transfer_count; i++) {
		if (call->transfers[i].by == channel)
			call->transfers[i].by = NULL;
	}
	fold_touch(fold, call);
	fold_channel_free(fold, channel);
}

void fold_channel_free(struct call_fold *fold, struct fold_channel *channel)
{
	keyset_remove(fold->channels, channel);
	fold_channel_forget_local(fold, channel);
	fold_set(fold, &channel->number, fold_none);
	fold_set(fold, &channel->peer, fold_none);
	free(channel);
}

/* A UniqueId may be renamed: recorded hosts gave the same one to a Local half and to the phone. */
static void name_channel(struct call_fold *fold, struct fold_channel *channel, struct str name)
{
	struct str base;
	enum fold_kind kind = fold_kind_of(name, &base);

	if (kind == KIND_UNKNOWN)
		return;
	if (kind == KIND_DEVICE) {
		fold_channel_forget_local(fold, channel);
		channel->kind = KIND_DEVICE;
		return;
	}
	if (channel->local != NULL && str_equal(str_from(channel->local), base) &&
		channel->kind == kind)
		return;
	fold_channel_forget_local(fold, channel);
	fold_channel_set_local(fold, channel, base, kind);
}

/* What an event leaves out stays as it was said before. */
void fold_channel_describe(struct fold_step *step, struct fold_channel *channel)
{
	struct str device = fold_device_peer(step->event->channel);
	char own[CALL_NUMBER_BYTES];

	name_channel(step->fold, channel, step->event->channel);
	str_copy(own, sizeof(own), device);
	if (step->number[0] != '\0')
		fold_set(step->fold, &channel->number, step->number);
	else if (channel->number[0] == '\0' && channel->kind == KIND_DEVICE &&
		 fold_is_internal(step->fold, device))
		fold_set(step->fold, &channel->number, own);
	if (step->peer[0] != '\0')
		fold_set(step->fold, &channel->peer, step->peer);
}

/* A Local channel hangs up as a whole. */
void fold_channel_hang_up(struct fold_channel *channel)
{
	channel->hung_up = true;
	channel->bridge = NULL;
	channel->linked = false;
	if (channel->twin == NULL)
		return;
	channel->twin->hung_up = true;
	channel->twin->bridge = NULL;
	channel->twin->linked = false;
}

struct fold_bridge *fold_bridge_find(const struct call_fold *fold, struct str id)
{
	return id.size > 0 ? keyset_get(fold->bridges, id) : NULL;
}

struct fold_bridge *fold_bridge_add(struct call_fold *fold, struct fold_call *call, struct str id)
{
	struct fold_bridge *bridge;

	if (call->bridge_count >= FOLD_MAX_BRIDGES) {
		call->overflow++;
		str_copy(fold->warning, sizeof(fold->warning), STR("a call has too many bridges"));
		return NULL;
	}
	bridge = alloc_zeroed(1, sizeof(*bridge) + id.size + 1);
	bridge->call = call;
	if (id.size > 0)
		memcpy(bridge->id, id.data, id.size);
	bridge->next = call->bridges;
	call->bridges = bridge;
	call->bridge_count++;
	if (id.size > 0)
		keyset_put(fold->bridges, bridge);
	return bridge;
}

void fold_bridge_free(struct call_fold *fold, struct fold_bridge *bridge)
{
	if (bridge->id[0] != '\0')
		keyset_remove(fold->bridges, bridge);
	free(bridge);
}

/* Counted, not kept: calls have few channels, and a count can go wrong. */
unsigned fold_members(const struct fold_bridge *bridge)
{
	unsigned count = 0;

	for (const struct fold_channel *at = bridge->call->channels; at != NULL; at = at->next)
		count += at->bridge == bridge;
	return count;
}

/* One round: whoever shares a bridge with somebody reached, or is the twin of somebody reached. */
static bool spread(struct fold_call *call)
{
	bool grew = false;

	for (struct fold_channel *one = call->channels; one != NULL; one = one->next) {
		if (!one->reached)
			continue;
		if (one->twin != NULL && !one->twin->reached && !one->twin->hung_up)
			one->twin->reached = grew = true;
		if (one->bridge == NULL)
			continue;
		for (struct fold_channel *other = call->channels; other != NULL;
			other = other->next) {
			if (!other->reached && other->bridge == one->bridge)
				other->reached = grew = true;
		}
	}
	return grew;
}

/* From the other side outwards; the caller reads `reached`. */
void fold_reach(struct fold_call *call, struct fold_channel *from)
{
	for (struct fold_channel *at = call->channels; at != NULL; at = at->next)
		at->reached = false;
	from->reached = true;
	/* Long chains of Local channels do not occur; a bound keeps nonsense cheap. */
	for (int round = 0; round < MAX_ROUNDS && spread(call); round++)
		;
}
