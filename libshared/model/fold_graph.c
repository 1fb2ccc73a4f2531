/*
 * fold_graph: channels, bridges, and who is connected with whom through them.
 *
 * A channel is known by its UniqueId alone. Entering a bridge leaves the one before: hosts that
 * send no bridge_leave are the rule.
 */
#include "fold_private.h"

#include "alloc.h"
#include "phone.h"

#include <stdlib.h>

enum { MAX_ROUNDS = 12 };

struct fold_channel *fold_channel_find(const struct call_fold *fold, struct str uid)
{
	return uid.size > 0 ? table_get(fold->channels, uid) : NULL;
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
	channel = alloc_zeroed(1, sizeof(*channel));
	channel->call = call;
	channel->uid = alloc_text(uid);
	while (*last != NULL)
		last = &(*last)->next;
	*last = channel;
	call->channel_count++;
	table_put(fold->channels, uid, channel);
	return channel;
}

static void untwin(struct fold_channel *channel)
{
	if (channel->twin != NULL)
		channel->twin->twin = NULL;
	channel->twin = NULL;
}

/* The table keeps one half; the other is reached as its twin. */
static void forget_local(struct call_fold *fold, struct fold_channel *channel)
{
	if (channel->local == NULL)
		return;
	if (table_get(fold->locals, str_from(channel->local)) == channel)
		table_remove(fold->locals, str_from(channel->local));
	free(channel->local);
	channel->local = NULL;
}

void fold_channel_free(struct call_fold *fold, struct fold_channel *channel)
{
	if (table_get(fold->channels, str_from(channel->uid)) == channel)
		table_remove(fold->channels, str_from(channel->uid));
	untwin(channel);
	forget_local(fold, channel);
	free(channel->uid);
	free(channel);
}

/* "Local/152@dialexecute-00000000;1": two halves of a wire inside the PBX, ;1 and ;2. */
enum fold_kind fold_kind_of(struct str name, struct str *base)
{
	struct str rest = name;

	*base = str_of(NULL, 0);
	if (name.size == 0)
		return KIND_UNKNOWN;
	if (!str_starts(name, STR("Local/")))
		return KIND_DEVICE;
	*base = str_cut(&rest, ';');
	if (str_equal(rest, STR("1")))
		return KIND_LOCAL_1;
	return str_equal(rest, STR("2")) ? KIND_LOCAL_2 : KIND_UNKNOWN;
}

static bool are_halves(enum fold_kind one, enum fold_kind other)
{
	return (one == KIND_LOCAL_1 && other == KIND_LOCAL_2) ||
	       (one == KIND_LOCAL_2 && other == KIND_LOCAL_1);
}

/* The half that is known of a Local channel whose other half is named for the first time. */
struct fold_channel *fold_twin_of(const struct call_fold *fold, struct str name)
{
	struct str base;
	enum fold_kind kind = fold_kind_of(name, &base);
	struct fold_channel *half = base.size > 0 ? table_get(fold->locals, base) : NULL;

	return half != NULL && are_halves(kind, half->kind) ? half : NULL;
}

void fold_channel_set_local(
	struct call_fold *fold, struct fold_channel *channel, struct str base, enum fold_kind kind)
{
	struct fold_channel *half = table_get(fold->locals, base);

	channel->kind = kind;
	channel->local = alloc_text(base);
	if (half != NULL && half->call == channel->call && half->twin == NULL &&
		are_halves(kind, half->kind)) {
		channel->twin = half;
		half->twin = channel;
		return;
	}
	/* Names come again after the PBX restarts: the newest bearer counts. */
	table_put(fold->locals, base, channel);
}

/* A UniqueId may be renamed: recorded hosts gave the same one to a Local half and to the phone. */
static void name_channel(struct call_fold *fold, struct fold_channel *channel, struct str name)
{
	struct str base;
	enum fold_kind kind = fold_kind_of(name, &base);

	if (kind == KIND_UNKNOWN)
		return;
	if (kind == KIND_DEVICE) {
		untwin(channel);
		forget_local(fold, channel);
		channel->kind = kind;
		return;
	}
	if (channel->local != NULL && str_equal(str_from(channel->local), base) &&
		channel->kind == kind)
		return;
	untwin(channel);
	forget_local(fold, channel);
	fold_channel_set_local(fold, channel, base, kind);
}

struct str fold_device_peer(struct str name)
{
	struct str rest = name;
	size_t end;

	str_cut(&rest, '/');
	for (end = rest.size; end > 0; end--) {
		if (rest.data[end - 1] == '-')
			return str_of(rest.data, end - 1);
	}
	return rest;
}

/* What an event leaves out stays as it was said before. */
void fold_channel_describe(struct fold_step *step, struct fold_channel *channel)
{
	struct str device = fold_device_peer(step->event->channel);

	name_channel(step->fold, channel, step->event->channel);
	if (step->number[0] != '\0')
		memcpy(channel->number, step->number, sizeof(channel->number));
	else if (channel->number[0] == '\0' && channel->kind == KIND_DEVICE &&
		 fold_is_internal(step->fold, device))
		str_copy(channel->number, sizeof(channel->number), device);
	if (step->peer[0] != '\0')
		memcpy(channel->peer, step->peer, sizeof(channel->peer));
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
	return id.size > 0 ? table_get(fold->bridges, id) : NULL;
}

struct fold_bridge *fold_bridge_add(struct call_fold *fold, struct fold_call *call, struct str id)
{
	struct fold_bridge *bridge;

	if (call->bridge_count >= FOLD_MAX_BRIDGES) {
		call->overflow++;
		str_copy(fold->warning, sizeof(fold->warning), STR("a call has too many bridges"));
		return NULL;
	}
	bridge = alloc_zeroed(1, sizeof(*bridge));
	bridge->call = call;
	bridge->id = alloc_text(id);
	bridge->next = call->bridges;
	call->bridges = bridge;
	call->bridge_count++;
	if (id.size > 0)
		table_put(fold->bridges, id, bridge);
	return bridge;
}

void fold_bridge_free(struct call_fold *fold, struct fold_bridge *bridge)
{
	if (bridge->id[0] != '\0' && table_get(fold->bridges, str_from(bridge->id)) == bridge)
		table_remove(fold->bridges, str_from(bridge->id));
	free(bridge->id);
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
