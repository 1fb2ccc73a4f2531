/*
 * fold_events: what bridges, leaves and caller ids do to the graph.
 */
#include "fold_private.h"

/* Two real calls stay two; but a channel that one of them has by its number alone may go. */
static bool sort_out(
	struct fold_step *step, struct fold_channel *channel, struct fold_bridge *bridge)
{
	struct fold_channel *member = bridge->call->channels;

	if (fold_move_weak(step->fold, channel, bridge->call))
		return true;
	while (member != NULL && member->bridge != bridge)
		member = member->next;
	return member != NULL && fold_move_weak(step->fold, member, channel->call) &&
	       bridge->call == channel->call;
}

/* A channel of one call enters a bridge of another: what was only pieces becomes one call. False:
 * the channel stays where it is. */
static bool join(struct fold_step *step, struct fold_channel *channel, struct fold_bridge *bridge)
{
	struct fold_call *mine = channel->call;
	struct fold_call *its = bridge->call;
	bool mine_first = mine->id < its->id;

	if (mine == its)
		return true;
	if (fold_call_closed(its) || (mine->anchored && its->anchored))
		return sort_out(step, channel, bridge);
	if (mine->channel_count + its->channel_count > FOLD_MAX_CHANNELS ||
		mine->bridge_count + its->bridge_count > FOLD_MAX_BRIDGES)
		return false;
	if (mine->anchored || (!its->anchored && mine_first))
		fold_call_merge(step->fold, its, mine);
	else
		fold_call_merge(step->fold, mine, its);
	return true;
}

/* The bridge to enter; NULL when the event is late, or nothing to be done about. */
static struct fold_bridge *bridge_for(struct fold_step *step, struct fold_channel *channel)
{
	struct str id = step->event->bridge_id;
	struct fold_bridge *bridge = fold_bridge_find(step->fold, id);

	if (channel->hung_up || (bridge != NULL && bridge->old))
		return NULL;
	if (bridge != NULL)
		return join(step, channel, bridge) ? bridge : NULL;
	if (id.size > 0)
		return fold_bridge_add(step->fold, channel->call, id);
	if (fold_call_closed(channel->call))
		return NULL;
	if (channel->bridge != NULL && channel->bridge->id[0] == '\0')
		return channel->bridge;
	return fold_bridge_add(step->fold, channel->call, id);
}

/* By somebody in the bridge, or by the other half, who are sure themselves. */
static bool surely_of(
	struct fold_step *step, const struct fold_call *call, const struct fold_bridge *bridge)
{
	const struct fold_channel *twin =
		fold_twin_of(step->fold, step->event->channel, step->event->unique_id);

	if (twin != NULL && twin->call == call && !twin->weak)
		return true;
	if (bridge == NULL || bridge->call != call)
		return false;
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->bridge == bridge && !at->weak)
			return true;
	}
	return false;
}

static struct fold_channel *channel_for(struct fold_step *step, bool create)
{
	struct fold_channel *channel = fold_channel_find(step->fold, step->event->unique_id);
	struct fold_bridge *bridge = fold_bridge_find(step->fold, step->event->bridge_id);
	struct fold_call *call;

	if (channel != NULL || step->event->unique_id.size == 0 || (bridge != NULL && bridge->old))
		return channel;
	call = fold_owner_of_channel(step);
	if (call == NULL) {
		if (create)
			fold_new_call(step, &channel);
		return channel;
	}
	channel = fold_channel_add(step->fold, call, step->event->unique_id);
	if (channel != NULL)
		channel->weak = !surely_of(step, call, bridge);
	return channel;
}

/* The near end of a wire enters the bridge of the other side: whoever asked over it has left, and
 * the wire stands for him. */
static void take_place(const struct fold_channel *wire)
{
	bool has_other_side = false;
	struct fold_channel *asked = NULL;

	if (wire->kind != KIND_LOCAL_1)
		return;
	for (struct fold_channel *at = wire->call->channels; at != NULL; at = at->next) {
		if (at->bridge != wire->bridge || at == wire)
			continue;
		has_other_side = has_other_side || fold_is_other_side(wire->call, at);
		if (at->kind == KIND_DEVICE && strcmp(at->number, wire->peer) == 0)
			asked = at;
	}
	if (has_other_side && asked != NULL && !fold_is_other_side(wire->call, asked))
		asked->bridge = NULL;
}

/* A call whose first channel turns out to be a wire was made by the PBX, for another call. */
static void join_owner(struct fold_step *step, const struct fold_channel *channel)
{
	struct fold_call *call = channel->call;
	struct fold_call *owner;

	if ((channel->kind != KIND_LOCAL_1 && channel->kind != KIND_LOCAL_2) ||
		channel != call->primary || call->direction != CALL_OUTGOING)
		return;
	owner = fold_owner_of_wire(step, call);
	if (owner != NULL)
		fold_take_in_leg(step, call, owner);
}

/* Whoever is in a bridge with somebody who is surely of the call is so himself. */
static void confirm(const struct fold_bridge *bridge, const struct fold_channel *entered)
{
	bool sure = false;

	for (const struct fold_channel *at = bridge->call->channels; at != NULL; at = at->next)
		sure = sure || (at->bridge == bridge && !at->weak);
	for (struct fold_channel *at = bridge->call->channels; at != NULL && sure; at = at->next) {
		if (at->bridge == bridge)
			at->weak = false;
		if (at->bridge == bridge && at != entered)
			fold_uid_learn(at->call->fold, entered->uid, at->uid);
	}
}

/* Of a wire's halves the one that is surer of its call takes the other with it. */
static void bring_other_half(struct fold_step *step, struct fold_channel *channel)
{
	struct fold_channel *half = fold_other_half(channel);

	if (half != NULL && half->call != channel->call && !channel->weak)
		fold_move_weak(step->fold, half, channel->call);
}

/* The other side's channel has dialled one of us: it was sent there by a blind transfer. */
static void sent_on(const struct fold_step *step, const struct fold_channel *channel)
{
	struct fold_call *call = channel->call;

	if (channel->kind == KIND_DEVICE && call->conversation &&
		call->direction != CALL_INTERNAL && step->exten[0] != '\0' &&
		strcmp(step->exten, step->peer) == 0 &&
		fold_is_internal(step->fold, str_from(step->exten)) &&
		fold_is_other_side(call, channel) && !fold_talked(call, step->exten) &&
		!fold_last_transfer_to(call, step->exten))
		fold_blind_seen(call, step->exten, NULL);
}

/* The heart: who is connected with whom. The order matters: first who it is, then what that says of
 * transfers, and last who talks now. */
void fold_on_bridge(struct fold_step *step)
{
	struct fold_channel *channel = channel_for(step, true);
	struct fold_bridge *bridge = channel != NULL ? bridge_for(step, channel) : NULL;
	struct fold_call *call;

	if (bridge == NULL)
		return;
	call = channel->call;
	fold_touch(step->fold, call);
	channel->bridge = bridge;
	fold_channel_describe(step, channel);
	join_owner(step, channel);
	call = channel->call;
	take_place(channel);
	confirm(bridge, channel);
	bring_other_half(step, channel);
	sent_on(step, channel);
	fold_learn(step, call, channel);
	fold_consult_seen(step->fold, channel);
	fold_picked_up(call);
	fold_consult_returned(step->fold, channel);
	fold_talk(step->fold, call);
}

/* Not the end of anything: also said on hold, and in the middle of transfers. */
void fold_on_leave(struct fold_step *step)
{
	struct fold_channel *channel = fold_channel_find(step->fold, step->event->unique_id);

	if (channel == NULL || channel->bridge == NULL ||
		!str_equal(str_from(channel->bridge->id), step->event->bridge_id))
		return;
	fold_touch(step->fold, channel->call);
	channel->bridge = NULL;
	fold_talk(step->fold, channel->call);
}

/* For hosts that lose a leave: nobody is in it any more. */
void fold_on_destroy(struct fold_step *step)
{
	struct fold_bridge *bridge = fold_bridge_find(step->fold, step->event->bridge_id);
	bool changed = false;

	if (bridge == NULL || bridge->old)
		return;
	for (struct fold_channel *at = bridge->call->channels; at != NULL; at = at->next) {
		changed = changed || at->bridge == bridge;
		if (at->bridge == bridge)
			at->bridge = NULL;
	}
	if (!changed)
		return;
	fold_touch(step->fold, bridge->call);
	fold_talk(step->fold, bridge->call);
}

/* A phone of ours that was not rung before is set up for the other side: a blind transfer rings. */
static void rings_for_other_side(struct fold_step *step, struct fold_channel *channel)
{
	struct fold_call *call = channel->call;

	if (channel->kind == KIND_DEVICE && call->conversation &&
		fold_is_internal(step->fold, str_from(channel->number)) &&
		call->external[0] != '\0' && strcmp(channel->peer, call->external) == 0 &&
		!fold_talked(call, channel->number))
		fold_blind_seen(call, channel->number, channel);
}

/* Begins no call; but it names Local channels early, and the phone that a blind transfer rings. */
void fold_on_callerid(struct fold_step *step)
{
	struct fold_channel *channel = channel_for(step, false);

	if (channel == NULL || channel->hung_up || fold_call_closed(channel->call))
		return;
	fold_touch(step->fold, channel->call);
	fold_channel_describe(step, channel);
	join_owner(step, channel);
	fold_consult_seen(step->fold, channel);
	rings_for_other_side(step, channel);
}
