/*
 * fold_talk: who of us talks with the other side now, read off the graph.
 *
 * The other side's channel is where one looks from; whoever of us is reached over bridges and
 * Local channels talks. Where the bridges are unknown, two channels that name each other do.
 */
#include "fold_private.h"

#include "phone.h"

/* The channel of the person outside, or of the one who called where all are ours. */
bool fold_is_other_side(const struct fold_call *call, const struct fold_channel *channel)
{
	if (channel->kind == KIND_LOCAL_1 || channel->kind == KIND_LOCAL_2)
		return false;
	if (call->direction == CALL_INTERNAL)
		return call->caller[0] != '\0' && strcmp(channel->number, call->caller) == 0;
	if (call->direction == CALL_INCOMING && channel == call->primary)
		return true;
	if (call->external[0] != '\0' && strcmp(channel->number, call->external) == 0)
		return true;
	return call->direction == CALL_OUTGOING && channel != call->primary &&
	       fold_is_outside(call->fold, channel->number) &&
	       !fold_has_mobile(call, channel->number);
}

/* A phone or a mobile of ours; wires inside the PBX are neither side. */
bool fold_is_ours(const struct fold_call *call, const struct fold_channel *channel)
{
	return channel->kind != KIND_LOCAL_1 && channel->kind != KIND_LOCAL_2 &&
	       channel->number[0] != '\0' && !fold_is_other_side(call, channel);
}

/* Whoever is in one bridge with the other side before whom a wire leads to; of these somebody new
 * before the one who talks already, that one before others. */
static struct fold_channel *pick(const struct fold_call *call, const struct fold_channel *from)
{
	struct fold_channel *best = NULL;
	int best_rank = 0;

	for (struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		bool current = strcmp(at->number, call->talking) == 0;
		int rank = (!at->linked && !current ? 3
				   : current	    ? 2
						    : 1) +
			   (at->bridge == from->bridge ? 3 : 0);

		if (at == from || !at->reached || at->bridge == NULL || !fold_is_ours(call, at))
			continue;
		if (rank > best_rank) {
			best = at;
			best_rank = rank;
		}
	}
	return best;
}

static bool name_each_other(const struct fold_call *call, const struct fold_channel *other,
	const struct fold_channel *ours)
{
	return strcmp(ours->number, other->peer) == 0 &&
	       (strcmp(ours->peer, other->number) == 0 || strcmp(ours->peer, call->external) == 0);
}

/* Both are in bridges, though not in the same as far as we know. What a channel says of its peer
 * may be of yesterday: whoever has handed the call on does not come back so. */
static struct fold_channel *named_by(struct fold_call *call, const struct fold_channel *other)
{
	for (struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		bool handed_on =
			strcmp(at->number, call->talking) != 0 && fold_talked(call, at->number);

		if (at != other && at->bridge != NULL && at->kind == KIND_DEVICE && !handed_on &&
			fold_is_ours(call, at) && name_each_other(call, other, at))
			return at;
	}
	return NULL;
}

/* Who of us is connected with the other side; NULL: nobody. Leaves `reached` set for its caller. */
struct fold_channel *fold_speaker(struct fold_call *call)
{
	struct fold_channel *speaker = NULL;

	for (struct fold_channel *at = call->channels; at != NULL && speaker == NULL;
		at = at->next) {
		if (at->bridge == NULL || at->hung_up || !fold_is_other_side(call, at))
			continue;
		fold_reach(call, at);
		speaker = pick(call, at);
	}
	for (struct fold_channel *at = call->channels; at != NULL && speaker == NULL;
		at = at->next) {
		if (at->bridge != NULL && fold_is_other_side(call, at))
			speaker = named_by(call, at);
		if (speaker != NULL)
			fold_reach(call, speaker);
	}
	return speaker;
}

/* From the first of these on the call is answered, and stays so. */
static void set_talking(struct call_fold *fold, struct fold_call *call, const char *number)
{
	if (call->talking[0] != '\0' && strcmp(call->talking, number) != 0)
		fold_say(fold, call, "%s talks now", number);
	else if (!call->conversation)
		fold_say(fold, call, "%s talks with %s", number, call->external);
	fold_set(call->fold, &call->talking, number);
	call->conversation = true;
	call->answered = true;
	call->state = CALL_TALKING;
	call->leg_ended = false;
	call->idle_ms = CALL_NO_TIME;
	if (call->talked_ms == CALL_NO_TIME) {
		call->talked_ms = fold->now_ms;
	}
	if (fold_leg_talks(call, number))
		fold_legs_fall_silent(call);
	fold_leg_answers(call, number);
	fold_index(fold, call, number, true);
	if (call->direction == CALL_OUTGOING && call->caller[0] == '\0')
		fold_set(call->fold, &call->caller, number);
}

/* Local channels are but wires, and often nobody says that they were taken down. */
static bool anyone_bridged(const struct fold_call *call)
{
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->bridge != NULL && at->kind != KIND_LOCAL_1 && at->kind != KIND_LOCAL_2)
			return true;
	}
	return false;
}

/* In a bridge, be it alone. */
bool fold_other_side_waits(const struct fold_call *call)
{
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->bridge != NULL && fold_is_other_side(call, at))
			return true;
	}
	return false;
}

bool fold_beside_other_side(const struct fold_channel *channel)
{
	for (const struct fold_channel *at = channel->call->channels; at != NULL; at = at->next) {
		if (at != channel && channel->bridge != NULL && at->bridge == channel->bridge &&
			fold_is_other_side(channel->call, at))
			return true;
	}
	return false;
}

/* Nobody is connected: between two talks of a transfer, on hold, or at an end that was not said. */
static void set_silent(struct call_fold *fold, struct fold_call *call)
{
	for (struct fold_channel *at = call->channels; at != NULL; at = at->next)
		at->linked = false;
	if (call->answered &&
		(call->leg_ended || !anyone_bridged(call) || !fold_other_side_waits(call)))
		call->idle_ms = fold->now_ms;
}

/* Look anew. A call that had ended and talks again was not over. */
void fold_talk(struct call_fold *fold, struct fold_call *call)
{
	struct fold_channel *speaker = fold_speaker(call);
	char number[CALL_NUMBER_BYTES];
	bool is_new;

	if (speaker == NULL) {
		if (!fold_call_closed(call))
			set_silent(fold, call);
		return;
	}
	if (fold_call_closed(call))
		fold_call_reopen(fold, call);
	str_copy(number, sizeof(number), str_from(speaker->number));
	is_new = (!speaker->linked || !fold_talked(call, number)) && call->talking[0] != '\0' &&
		 strcmp(call->talking, number) != 0;
	for (struct fold_channel *at = call->channels; at != NULL; at = at->next)
		at->linked = at->reached;
	speaker->met = speaker->met || fold_beside_other_side(speaker);
	if (is_new && call->direction != CALL_INTERNAL)
		fold_transfer_done(fold, call, number);
	set_talking(fold, call, number);
}

/* What is known already is not written over: the first bridge of a call tells most. */
static void set_sides(struct fold_call *call, enum call_direction direction, const char *caller,
	const char *callee)
{
	call->direction = (unsigned char)direction;
	if (direction == CALL_INCOMING)
		return;
	if (call->caller[0] == '\0')
		fold_set(call->fold, &call->caller, caller);
	if (direction == CALL_INTERNAL && call->callee[0] == '\0')
		fold_set(call->fold, &call->callee, callee);
}

/* One of us is seen with somebody outside: which of them called? */
static void learn_outside(
	struct fold_step *step, struct fold_call *call, const char *ours, bool is_ours)
{
	bool dialled = fold_is_outside(step->fold, step->exten) && strlen(step->exten) > 7;
	bool came_by_line = phone_line_id(step->event->exten).size == step->event->exten.size &&
			    step->event->exten.size == 7;
	/* Both are here and nobody dialled: then it came in, unless a program dialled. */
	bool came_somehow = call->channel_count > 1 && !step->event->external_initiated;

	fold_set(call->fold, &call->ours, ours);
	fold_index(step->fold, call, ours, true);
	if (call->direction != CALL_UNKNOWN)
		return;
	if (is_ours && dialled)
		set_sides(call, CALL_OUTGOING, ours, "");
	else if ((!is_ours && came_by_line) || came_somehow)
		set_sides(call, CALL_INCOMING, "", "");
}

/* What the bridges alone tell of a call that has neither a start nor a dial. */
void fold_learn(struct fold_step *step, struct fold_call *call, const struct fold_channel *channel)
{
	bool from_us = fold_is_internal(step->fold, str_from(step->number));
	bool to_us = fold_is_internal(step->fold, str_from(step->peer));
	struct str device = fold_device_peer(step->event->channel);

	if (call->anchored || channel->kind == KIND_LOCAL_1 || channel->kind == KIND_LOCAL_2)
		return;
	if (from_us && to_us && call->external[0] == '\0') {
		/* Who dialled has an Exten: the colleague, or a department that he answers for. */
		if (step->event->exten.size > 0)
			set_sides(call, CALL_INTERNAL, step->number, step->peer);
		else
			set_sides(call, CALL_INTERNAL, step->peer, step->number);
	} else if (from_us && fold_is_outside(step->fold, step->peer)) {
		fold_call_set_external(step->fold, call, str_from(step->peer));
		learn_outside(step, call, step->number, true);
	} else if (to_us && fold_is_outside(step->fold, step->number)) {
		if (call->line[0] == '\0' && !fold_is_internal(step->fold, device))
			fold_call_set_line(step->fold, call, device);
		learn_outside(step, call, step->peer, false);
		fold_call_set_external(step->fold, call, step->event->caller_id_num);
	}
}
