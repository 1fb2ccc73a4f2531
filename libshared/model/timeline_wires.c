/*
 * timeline_wires: channels, bridges, and who hears whom.
 *
 * The fold keeps the present only; a drawing needs every moment, so the same graph is walked again,
 * reduced to what can be seen. Hosts leave out events: whoever enters a bridge has left the former.
 */
#include "timeline_private.h"

#include "phone.h"

static struct timeline_channel *find(struct timeline_walk *walk, struct str uid)
{
	for (unsigned i = 0; i < walk->channel_count; i++) {
		if (str_equal(walk->channels[i].uid, uid))
			return &walk->channels[i];
	}
	return NULL;
}

static bool is_primary(const struct timeline_walk *walk, struct str uid)
{
	const struct call *call = walk->source->call;

	return call->unique_id_count > 0 && str_equal(uid, str_from(call->unique_ids[0]));
}

/* Somebody of whom nothing is known but that he is outside can only be the one who was called. */
static bool is_other_side(struct timeline_walk *walk, const struct call_event *event, unsigned lane)
{
	const struct call *call = walk->source->call;

	if (call->direction == CALL_INTERNAL)
		return false;
	if (call->direction == CALL_INCOMING && is_primary(walk, event->unique_id))
		return true;
	return call->direction == CALL_OUTGOING && !is_primary(walk, event->unique_id) &&
	       lane == NO_LANE && event->caller_id_num.size > 4;
}

static unsigned device_lane(struct timeline_walk *walk, const struct call_event *event)
{
	struct str device = fold_device_peer(event->channel);
	struct str number = event->caller_id_num;

	if (is_other_side(walk, event, timeline_lane_find(walk, number)))
		return 0;
	if (number.size == 0 || phone_is_gsm_line(number))
		number = phone_is_internal(device) ? device : STR("");
	return timeline_lane_of(walk, number);
}

/* Who opened "Local/152@...": ;2 stands in for him, ;1 is what he hears. */
static unsigned opener_of(struct timeline_walk *walk, const struct call_event *event,
	const struct timeline_channel *channel)
{
	return timeline_lane_find(
		walk, channel->kind == KIND_LOCAL_1 ? event->connected_num : event->caller_id_num);
}

static void describe(struct timeline_walk *walk, struct timeline_channel *channel,
	const struct call_event *event)
{
	struct str base;
	enum fold_kind kind = fold_kind_of(event->channel, &base);

	if (kind == KIND_UNKNOWN)
		return;
	/* What was said first counts: after a transfer the halves are renamed. */
	if (kind != channel->kind || !str_equal(base, channel->local))
		channel->opener = NO_LANE;
	channel->kind = kind;
	channel->local = base;
	if (kind != KIND_DEVICE) {
		channel->lane = NO_LANE;
		if (channel->opener == NO_LANE)
			channel->opener = opener_of(walk, event, channel);
	} else if (event->type == EVENT_BRIDGE) {
		channel->lane = device_lane(walk, event);
	}
}

/* NULL when there is no id or no room. */
struct timeline_channel *timeline_channel_of(
	struct timeline_walk *walk, const struct call_event *event)
{
	struct timeline_channel *channel = find(walk, event->unique_id);

	if (event->unique_id.size == 0)
		return NULL;
	if (channel == NULL && walk->channel_count == TIMELINE_MAX_CHANNELS) {
		walk->to->cut = true;
		return NULL;
	}
	if (channel == NULL) {
		channel = &walk->channels[walk->channel_count++];
		*channel = (struct timeline_channel){
			.uid = event->unique_id, .lane = NO_LANE, .opener = NO_LANE};
	}
	describe(walk, channel, event);
	return channel;
}

static bool in_bridge(const struct timeline_channel *channel)
{
	return channel->bridge.data != NULL && !channel->hung_up;
}

static bool together(const struct timeline_channel *one, const struct timeline_channel *other)
{
	return in_bridge(one) && in_bridge(other) && str_equal(one->bridge, other->bridge);
}

/* Old hosts send no id: all of a call are then in the same one. */
void timeline_enter(struct timeline_walk *walk, struct timeline_channel *channel, struct str bridge)
{
	if (channel->hung_up)
		return;
	channel->bridge = bridge.size > 0 ? bridge : STR("");
	channel->alone = true;
	channel->entered = ++walk->entries;
	for (unsigned i = 0; i < walk->channel_count; i++) {
		if (&walk->channels[i] != channel && together(&walk->channels[i], channel))
			channel->alone = false;
	}
}

void timeline_leave(struct timeline_channel *channel, struct str bridge)
{
	if (channel->bridge.data != NULL && str_equal(channel->bridge, bridge))
		channel->bridge = (struct str){NULL, 0};
}

void timeline_destroy(struct timeline_walk *walk, struct str bridge)
{
	for (unsigned i = 0; i < walk->channel_count; i++)
		timeline_leave(&walk->channels[i], bridge);
}

static bool are_twins(const struct timeline_channel *one, const struct timeline_channel *other)
{
	return one != other && one->local.size > 0 && str_equal(one->local, other->local) &&
	       one->kind != other->kind;
}

/* A Local channel hangs up as a whole. */
void timeline_hang_up(struct timeline_walk *walk, struct timeline_channel *channel)
{
	for (unsigned i = 0; i < walk->channel_count; i++) {
		struct timeline_channel *at = &walk->channels[i];

		if (at == channel || are_twins(at, channel)) {
			at->hung_up = true;
			at->bridge = (struct str){NULL, 0};
		}
	}
}

/* -- who is connected: a union of channels, `group` leading to its first ---------------------------- */

static unsigned first_of(struct timeline_walk *walk, unsigned at)
{
	while (walk->channels[at].group != at) {
		walk->channels[at].group = walk->channels[walk->channels[at].group].group;
		at = walk->channels[at].group;
	}
	return at;
}

static void join(struct timeline_walk *walk, unsigned one, unsigned other)
{
	unsigned first = first_of(walk, one), second = first_of(walk, other);

	walk->channels[first > second ? first : second].group = first < second ? first : second;
}

static void join_all(struct timeline_walk *walk)
{
	for (unsigned i = 0; i < walk->channel_count; i++)
		walk->channels[i].group = i;
	for (unsigned i = 0; i < walk->channel_count; i++) {
		for (unsigned j = 0; j < i; j++) {
			const struct timeline_channel *one = &walk->channels[i];
			const struct timeline_channel *other = &walk->channels[j];

			if (together(one, other) ||
				(are_twins(one, other) && in_bridge(one) && in_bridge(other)))
				join(walk, i, j);
		}
	}
	for (unsigned i = 0; i < walk->channel_count; i++)
		walk->channels[i].group = first_of(walk, i);
}

/* Somebody but `lane` answers in this group, and neither he himself nor the other side is there. */
static bool needs_stand_in(const struct timeline_walk *walk, unsigned group, unsigned lane)
{
	bool another = false;

	for (unsigned i = 0; i < walk->channel_count; i++) {
		const struct timeline_channel *at = &walk->channels[i];

		if (at->group != group || !in_bridge(at) || at->lane == NO_LANE)
			continue;
		if (at->lane == lane || at->lane == 0)
			return false;
		another = true;
	}
	return another;
}

/* Often nobody says that the second half entered the opener's bridge. A half that talks with
 * somebody stands in for its opener then, unless he was seen entering somewhere later. */
static void stand_in(struct timeline_walk *walk, const struct timeline_channel *half)
{
	if (!needs_stand_in(walk, half->group, half->opener))
		return;
	for (unsigned i = 0; i < walk->channel_count; i++) {
		struct timeline_channel *at = &walk->channels[i];

		if (at->lane == half->opener && in_bridge(at) && at->entered < half->entered)
			at->group = half->group;
	}
}

void timeline_connect(struct timeline_walk *walk)
{
	join_all(walk);
	for (unsigned i = 0; i < walk->channel_count; i++) {
		const struct timeline_channel *at = &walk->channels[i];

		if (at->local.size > 0 && in_bridge(at) && at->opener != NO_LANE)
			stand_in(walk, at);
	}
}
