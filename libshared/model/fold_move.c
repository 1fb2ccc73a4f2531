/*
 * fold_move: channels that were given to a call by their numbers alone go to another, when a
 * bridge shows that they belong there.
 *
 * One person may call twice at once; then numbers do not tell the calls apart, and bridges do.
 */
#include "fold_private.h"

static bool touches(const struct fold_channel *one, const struct fold_channel *other)
{
	return one->twin == other || (one->bridge != NULL && one->bridge == other->bridge);
}

/* Those who hang together with `first` and are no surer of their call than it is. */
static void mark_component(struct fold_call *call, struct fold_channel *first)
{
	bool grew = true;

	for (struct fold_channel *at = call->channels; at != NULL; at = at->next)
		at->reached = at == first;
	while (grew) {
		grew = false;
		for (struct fold_channel *at = call->channels; at != NULL; at = at->next) {
			for (struct fold_channel *to = call->channels; to != NULL && at->reached;
				to = to->next) {
				if (to->weak && !to->reached && touches(at, to))
					to->reached = grew = true;
			}
		}
	}
}

static void append_channel(struct fold_call *call, struct fold_channel *channel)
{
	struct fold_channel **last = &call->channels;

	while (*last != NULL)
		last = &(*last)->next;
	*last = channel;
	channel->next = NULL;
	channel->call = call;
	call->channel_count++;
}

/* Bridges that only those hold who go. */
static void move_bridges(struct fold_call *from, struct fold_call *into)
{
	struct fold_bridge **at = &from->bridges;

	while (*at != NULL) {
		struct fold_bridge *bridge = *at;
		bool goes = false;
		bool stays = false;

		for (struct fold_channel *one = from->channels; one != NULL; one = one->next) {
			goes = goes || (one->bridge == bridge && one->reached);
			stays = stays || (one->bridge == bridge && !one->reached);
		}
		if (!goes || stays || into->bridge_count >= FOLD_MAX_BRIDGES) {
			at = &bridge->next;
			continue;
		}
		*at = bridge->next;
		from->bridge_count--;
		bridge->next = into->bridges;
		into->bridges = bridge;
		into->bridge_count++;
		bridge->call = into;
	}
}

/* With them goes what they made their old call believe of a transfer. */
static void move_channels(struct fold_call *from, struct fold_call *into)
{
	struct fold_channel **at = &from->channels;

	while (*at != NULL) {
		struct fold_channel *channel = *at;

		if (!channel->reached || into->channel_count >= FOLD_MAX_CHANNELS) {
			at = &channel->next;
			continue;
		}
		*at = channel->next;
		from->channel_count--;
		if (channel->bridge != NULL && channel->bridge->call != into)
			channel->bridge = NULL;
		append_channel(into, channel);
		fold_leg_moved(from, channel);
		fold_consult_moved(from, channel);
	}
}

/* Those who stayed, being surer of their call or for want of room over there, let go of those who
 * went: a call's graph never points out of the call. */
static void cut_ties(struct fold_call *from)
{
	for (struct fold_channel *at = from->channels; at != NULL; at = at->next) {
		if (at->twin != NULL && at->twin->call != from) {
			at->twin->twin = NULL;
			at->twin = NULL;
		}
		if (at->bridge != NULL && at->bridge->call != from)
			at->bridge = NULL;
	}
}

/* True when `channel` is in `into` now. Never moves a call's own first channel. */
bool fold_move_weak(struct call_fold *fold, struct fold_channel *channel, struct fold_call *into)
{
	struct fold_call *from = channel->call;

	if (!channel->weak || channel == from->primary || from == into)
		return false;
	mark_component(from, channel);
	move_bridges(from, into);
	move_channels(from, into);
	cut_ties(from);
	fold_consults_again(from);
	fold_twins_meet(into);
	fold_say(fold, from, "a channel of %s goes to the call with it", into->external);
	fold_say(fold, into, "a channel that was taken for another call's is this one's");
	fold_talk(fold, from);
	return channel->call == into;
}
