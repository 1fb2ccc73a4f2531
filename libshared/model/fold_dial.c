/*
 * fold_dial: calls that begin and ring: start and dial.
 *
 * A dial may begin a call, ring further phones for one, try another line, hand the other side on, or
 * ring a mobile for a call that is there.
 */
#include "fold_private.h"

/* A UniqueId that rings again so long after its call ended is a new call under an old name. */
enum { REUSE_MS = 10 * 1000 };

/* True when the event may go on; *channel is NULL when it begins a new call. */
bool fold_release_closed(struct fold_step *step, struct fold_channel **channel)
{
	struct call_fold *fold = step->fold;

	if (*channel == NULL || !fold_call_closed((*channel)->call))
		return true;
	if (fold->now_ms - (*channel)->call->closed_ms <= REUSE_MS)
		return false;
	keyset_remove(fold->channels, *channel);
	(*channel)->hung_up = true;
	*channel = NULL;
	return true;
}

/* NULL when this very event has been folded before. */
struct fold_call *fold_new_call(struct fold_step *step, struct fold_channel **channel)
{
	struct fold_call *call = fold_call_add(step->fold, step->event->id, step->fold->now_ms);

	if (call == NULL)
		return NULL;
	call->clicked = step->event->external_initiated;
	fold_say(step->fold, call, "new: %s", call_event_type_name(step->event->type));
	*channel = fold_channel_add(step->fold, call, step->event->unique_id);
	return call;
}

/* The caller's channel was taken for part of another call by its number: it is one of its own. */
static void take_away(struct fold_step *step, struct fold_channel **channel)
{
	if (*channel == NULL || !(*channel)->call->anchored ||
		(*channel)->call->primary == *channel || (*channel)->bridge != NULL)
		return;
	fold_channel_drop(step->fold, *channel);
	*channel = NULL;
}

void fold_take_direction(struct fold_step *step, struct fold_call *call)
{
	bool from_us = fold_is_internal(step->fold, str_from(step->phone));
	enum call_direction direction = (enum call_direction)call->direction;

	switch (step->event->call_type) {
	case 0:
		direction = from_us ? CALL_INTERNAL : CALL_INCOMING;
		break;
	case 1:
		/* "101" by a line is the fire brigade; without a line it is a colleague. */
		direction = from_us && step->event->trunk.size == 0 ? CALL_INTERNAL : CALL_OUTGOING;
		break;
	case 2:
		if (from_us || (step->phone[0] == '\0' && call->external[0] == '\0'))
			direction = CALL_INTERNAL;
		break;
	default:
		direction = from_us ? CALL_INTERNAL : direction;
		break;
	}
	call->direction = (unsigned char)direction;
}

/* From here on the call is one of its own: it takes others in, and is not taken in. */
static void anchor(struct fold_call *call, struct fold_channel *channel)
{
	call->primary = channel;
	call->anchored = true;
}

/* A mobile that seemed to be called for itself was rung for this call. */
void fold_take_in_leg(struct fold_step *step, struct fold_call *leg, struct fold_call *call)
{
	if (leg->channel_count + call->channel_count > FOLD_MAX_CHANNELS ||
		leg->bridge_count + call->bridge_count > FOLD_MAX_BRIDGES)
		return;
	fold_call_merge(step->fold, leg, call);
	fold_follow_me(call);
	fold_talk(step->fold, call);
}

/* The mobile's dial overtook the one of the call that it is rung for. */
static void adopt_leg(struct fold_step *step, struct fold_call *call)
{
	struct fold_call *leg = NULL;

	if (call->direction == CALL_INCOMING && call->external[0] != '\0')
		leg = fold_leg_astray(step, call);
	if (leg != NULL)
		fold_take_in_leg(step, leg, call);
}

/* Somebody outside is in the dialplan; a greeting may play. */
void fold_on_start(struct fold_step *step)
{
	struct fold_channel *channel = fold_channel_find(step->fold, step->event->unique_id);
	struct fold_call *call;
	char line[CALL_NUMBER_BYTES];

	take_away(step, &channel);
	if (step->event->unique_id.size == 0 || !fold_release_closed(step, &channel))
		return;
	call = channel != NULL ? channel->call : fold_new_call(step, &channel);
	if (call == NULL)
		return;
	fold_touch(step->fold, call);
	if (!call->anchored) {
		anchor(call, channel);
		fold_take_direction(step, call);
		if (!call->conversation)
			call->state = CALL_GREETING;
	}
	if (!call->line_said)
		fold_call_set_line(step->fold, call, step->event->trunk);
	fold_call_set_external(step->fold, call, step->event->phone);
	/* Some gateways say who calls later: until then only the line tells. */
	if (call->external[0] == '\0' && call->line[0] != '\0') {
		fold_line_key(str_from(call->line), line);
		fold_index(step->fold, call, line, false);
	}
	adopt_leg(step, call);
}

/* Whom a new list is for, after somebody talked; NULL when it is the old one that comes late. */
static const char *new_target(const struct fold_step *step, const struct fold_call *call)
{
	const char *first = NULL;

	for (unsigned i = 0; i < step->extension_count; i++) {
		if (fold_talked(call, step->extensions[i]))
			return NULL;
		if (first == NULL ||
			(!fold_is_internal(step->fold, str_from(first)) &&
				fold_is_internal(step->fold, str_from(step->extensions[i]))))
			first = step->extensions[i];
	}
	return first;
}

/* Who rings. After somebody talked, a new list is a blind transfer. */
static void take_rang(struct fold_step *step, struct fold_call *call)
{
	const char *first = new_target(step, call);

	if (call->conversation && first != NULL) {
		fold_blind_seen(call, first, NULL);
		return;
	}
	for (unsigned i = 0; i < step->extension_count; i++) {
		if (strcmp(step->extensions[i], call->external) != 0)
			fold_leg_rings(call, step->extensions[i]);
	}
}

/* Repeated dials (failover to another line) do not change who calls. */
static void take_caller(struct fold_step *step, struct fold_call *call)
{
	const char *first = step->extension_count > 0 ? step->extensions[0] : "";

	if (call->direction == CALL_OUTGOING && call->caller[0] == '\0') {
		fold_set(call->fold, &call->caller, first);
		fold_index(step->fold, call, call->caller, true);
	}
	if (call->direction != CALL_INTERNAL)
		return;
	if (call->caller[0] == '\0')
		fold_set(call->fold, &call->caller, step->phone);
	if (call->callee[0] == '\0')
		fold_set(call->fold, &call->callee, first);
}

/* A mobile is rung for a call that is there: it is ours from now on, and no call of its own. */
static void dial_leg(
	struct fold_step *step, struct fold_call *call, const struct fold_channel *channel)
{
	struct fold_channel *leg = NULL;

	if (channel == NULL)
		leg = fold_channel_add(step->fold, call, step->event->unique_id);
	if (leg != NULL)
		leg->weak = true;
	fold_follow_me(call);
	if (fold_is_outside(step->fold, step->phone) && strcmp(step->phone, call->external) != 0) {
		fold_leg_is_mobile(call, step->phone);
		fold_index(step->fold, call, step->phone, true);
	}
	fold_say(step->fold, call, "leg: %s rings", step->phone);
}

/* It rings: first, on another line, at further extensions, or after a blind transfer. */
static void dial_main(struct fold_step *step, struct fold_call *call, struct fold_channel *channel)
{
	fold_touch(step->fold, call);
	call->clicked |= step->event->external_initiated;
	if (!call->anchored) {
		anchor(call, channel);
		fold_take_direction(step, call);
	}
	if (call->state == CALL_GREETING)
		call->state = CALL_RINGING;
	if (step->event->trunk.size > 0) {
		fold_call_set_line(step->fold, call, step->event->trunk);
		call->line_said = true;
	}
	fold_call_set_external(step->fold, call, step->event->phone);
	if (call->direction == CALL_OUTGOING && call->external[0] == '\0') {
		fold_set(call->fold, &call->external, step->phone);
		fold_set(call->fold, &call->external, step->phone);
	}
	take_caller(step, call);
	if (call->direction == CALL_INCOMING)
		take_rang(step, call);
	adopt_leg(step, call);
	fold_talk(step->fold, call);
}

/* The hangup overtook it: who called or rang is told all the same. */
static void late_dial(struct fold_step *step, const struct fold_channel *channel)
{
	struct fold_call *call = channel->call;

	bool outgoing = call->direction == CALL_OUTGOING;

	if ((channel != call->primary && call->anchored) || call->direction == CALL_INTERNAL ||
		step->event->call_type != outgoing)
		return;
	fold_touch(step->fold, call);
	if (outgoing)
		take_caller(step, call);
	else if (!call->conversation)
		take_rang(step, call);
	else if (new_target(step, call) != NULL)
		fold_blind_missed(call, new_target(step, call));
}

/* The phone of one of us that numbers alone gave to a call has made one of its own. */
static void split_off(struct fold_step *step, struct fold_channel *channel)
{
	struct fold_call *call = channel->call;
	struct fold_call *own;

	if (!channel->weak || channel->kind != KIND_DEVICE || !call->anchored ||
		channel == call->primary ||
		!fold_is_internal(step->fold, str_from(channel->number)))
		return;
	own = fold_call_add(step->fold, step->event->id, step->fold->now_ms);
	if (own == NULL)
		return;
	own->clicked = step->event->external_initiated;
	fold_say(step->fold, own, "new: %s", call_event_type_name(step->event->type));
	fold_move_weak(step->fold, channel, own);
	channel->weak = false;
}

/* Whose dial is it? A UniqueId that is known decides; else the numbers do. */
void fold_on_dial(struct fold_step *step)
{
	struct fold_channel *channel = fold_channel_find(step->fold, step->event->unique_id);
	bool outgoing = step->event->call_type == 1;
	struct fold_call *call = NULL;

	if (step->event->unique_id.size == 0)
		return;
	if (!outgoing)
		take_away(step, &channel);
	if (!fold_release_closed(step, &channel)) {
		late_dial(step, channel);
		return;
	}
	if (channel != NULL && outgoing)
		split_off(step, channel);
	if (channel != NULL && channel->call->anchored && channel != channel->call->primary) {
		dial_leg(step, channel->call, channel);
		return;
	}
	if (channel == NULL && outgoing)
		call = fold_owner_of_leg(step);
	if (call != NULL) {
		if (call->external[0] == '\0' && call->direction == CALL_INCOMING)
			fold_call_set_external(step->fold, call, str_from(step->extensions[0]));
		dial_leg(step, call, NULL);
		return;
	}
	if (channel == NULL && outgoing)
		call = fold_owner_of_click(step);
	if (call != NULL)
		channel = fold_channel_add(step->fold, call, step->event->unique_id);
	if (call == NULL)
		call = channel != NULL ? channel->call : fold_new_call(step, &channel);
	if (call != NULL)
		dial_main(step, call, channel);
}
