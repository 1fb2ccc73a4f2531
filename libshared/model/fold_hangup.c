/*
 * fold_hangup: the end of a leg, or of a call.
 *
 * Each leg sends a hangup of its own, in any order and sometimes twice; only that of the first
 * leg, or of the other side's channel, ends the call.
 */
#include "fold_private.h"

/* StartTime is empty for internal calls; DateReceived is the next best. */
static int64_t start_of(const struct call_event *event)
{
	return event->start_ms != CALL_NO_TIME ? event->start_ms : event->received_ms;
}

/* A call lasts from the first of its legs to the last, by the host's clock. */
static void take_times(struct fold_step *step, struct fold_call *call)
{
	int64_t start_ms = start_of(step->event);
	int64_t end_ms = step->event->end_ms;

	if (start_ms != CALL_NO_TIME &&
		(call->host_start_ms == CALL_NO_TIME || start_ms < call->host_start_ms))
		call->host_start_ms = start_ms;
	if (end_ms != CALL_NO_TIME &&
		(call->host_end_ms == CALL_NO_TIME || end_ms > call->host_end_ms))
		call->host_end_ms = end_ms;
}

/* Our first leg may go while the other side talks on with whom it was transferred to. */
static bool goes_on(struct fold_call *call)
{
	const struct fold_channel *speaker;

	if (call->direction != CALL_OUTGOING || !call->conversation)
		return false;
	speaker = fold_speaker(call);
	return fold_blind_pending(call) ||
	       (speaker != NULL && strcmp(speaker->number, call->caller) != 0);
}

/* A colleague's phone waits for the other side. */
static bool somebody_waits(const struct fold_call *call)
{
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->bridge != NULL && !at->linked && at->kind == KIND_DEVICE &&
			fold_is_ours(call, at) && call->external[0] != '\0' &&
			strcmp(at->peer, call->external) == 0 &&
			strcmp(at->number, call->talking) != 0)
			return true;
	}
	return false;
}

/* Who called hangs up, but has asked a colleague or handed the other side on: either these two are
 * being put together just now, or all is over. A grace tells. */
static bool may_go_on(const struct fold_call *call)
{
	if (call->direction != CALL_OUTGOING || !call->conversation)
		return false;
	return fold_attended_pending(call) || strcmp(call->talking, call->caller) != 0 ||
	       (somebody_waits(call) && fold_other_side_waits(call));
}

/* He is not the one who talks on. */
static void caller_leaves(struct fold_call *call)
{
	for (struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->kind == KIND_DEVICE && strcmp(at->number, call->caller) == 0)
			at->bridge = NULL;
	}
}

/* CallType 2 with a number from outside: the leg that a transfer handed the other side to. */
static bool with_other_side(const struct fold_step *step, const struct fold_call *call)
{
	return step->event->call_type == 2 && fold_says_other_side(step, call);
}

/* To be asked when the channel has been taken out of the graph. */
static bool is_final(
	struct fold_step *step, struct fold_call *call, const struct fold_channel *channel)
{
	if (!call->anchored)
		return true;
	if (channel == call->primary) {
		bool waits = may_go_on(call);

		call->left_ms = waits || goes_on(call) ? step->fold->now_ms : CALL_NO_TIME;
		call->leg_ended = call->leg_ended || waits;
		if (call->left_ms == CALL_NO_TIME)
			return true;
		call->status = (short)step->event->call_status;
		caller_leaves(call);
		return false;
	}
	/* A wire is taken down when those at its ends are put together: that is no end. */
	if (call->left_ms != CALL_NO_TIME && with_other_side(step, call) &&
		channel->kind != KIND_LOCAL_1 && channel->kind != KIND_LOCAL_2 &&
		fold_speaker(call) == NULL)
		return true;
	return call->conversation && fold_is_other_side(call, channel) && call->answered;
}

/* What the hangup says of the sides, where nothing said it before. */
static void take_sides(struct fold_step *step, struct fold_call *call)
{
	const char *first = step->extension_count > 0 ? step->extensions[0] : "";

	if (!call->anchored && call->direction != CALL_INTERNAL)
		fold_take_direction(step, call);
	if (step->event->trunk.size > 0)
		fold_call_set_line(step->fold, call, step->event->trunk);
	if (!fold_is_internal(step->fold, str_from(step->phone)))
		fold_call_set_external(step->fold, call, step->event->phone);
	if (call->direction == CALL_OUTGOING && call->caller[0] == '\0')
		fold_set(step->fold, &call->caller, first[0] != '\0' ? first : call->ours);
	if (call->direction != CALL_INTERNAL)
		return;
	if (step->phone[0] != '\0')
		fold_set(call->fold, &call->caller, step->phone);
	if (first[0] != '\0' && strcmp(first, call->caller) != 0)
		fold_set(call->fold, &call->callee, first);
}

/* Nobody was seen talking, but the PBX says that somebody did. */
static void take_talker(struct fold_step *step, struct fold_call *call)
{
	const char *number = step->extension_count > 0 ? step->extensions[0] : "";

	if (!call->answered || fold_last_talker(call)[0] != '\0')
		return;
	if (call->direction == CALL_INTERNAL)
		number = call->callee;
	else if (number[0] == '\0' || call->direction == CALL_OUTGOING)
		number = call->caller[0] != '\0' ? call->caller : number;
	if (strcmp(number, call->external) != 0)
		fold_leg_talks(call, number);
}

/* Whom a missed call was for, when no dial told. */
static void take_missed(struct fold_step *step, struct fold_call *call)
{
	if (call->answered || call->direction != CALL_INCOMING)
		return;
	for (unsigned i = 0; i < step->extension_count; i++) {
		if (strcmp(step->extensions[i], call->external) != 0)
			fold_leg_rings(call, step->extensions[i]);
	}
}

/* The end of the call itself. What was seen is believed before what the hangup says: a talk that
 * took place is no missed call, whatever its status. */
static void end_call(struct fold_step *step, struct fold_call *call)
{
	int status = step->event->call_status;

	if (fold_call_closed(call))
		fold_call_reopen(step->fold, call);
	take_sides(step, call);
	call->own_hangup = true;
	call->status = (short)status;
	call->answered = call->answered || call->conversation || status == 2;
	fold_transfer_hangup(step, call);
	take_talker(step, call);
	take_missed(step, call);
	fold_call_close(step->fold, call, CALL_ENDED, step->fold->now_ms);
	fold_say(step->fold, call, "hangup, status %d: %s", status,
		call->answered ? "answered" : "not answered");
}

/* The mobile answered, and no bridge showed it. */
static void mobile_answered(struct fold_step *step, struct fold_call *call)
{
	bool consult =
		step->extension_count > 0 && strcmp(step->extensions[0], call->external) != 0;

	if (consult)
		fold_mobile_declined(call, step->extensions[0]);
	if (call->conversation || consult || call->direction != CALL_INCOMING)
		return;
	call->answered = true;
	if (fold_leg_talks(call, step->phone))
		fold_say(step->fold, call, "mobile %s answered", step->phone);
}

/* A leg is over and the call goes on, or waits for a while whether it does. */
static void end_leg(struct fold_step *step, struct fold_call *call, bool was_talking)
{
	bool answered = step->event->call_status == 2;
	/* One of us asked another; the other side waits. */
	bool consult = step->event->call_type == 2 && call->direction != CALL_INTERNAL &&
		       fold_is_internal(step->fold, str_from(step->phone));

	fold_say(step->fold, call, "leg of %s ends, status %d", step->phone,
		step->event->call_status);
	fold_transfer_hangup(step, call);
	if (fold_call_closed(call))
		return;
	if (step->event->call_type == 1 && answered && fold_is_outside(step->fold, step->phone))
		mobile_answered(step, call);
	/* It was handed on, and that leg is over, too, unless they are connected all the same. */
	if (call->left_ms != CALL_NO_TIME && with_other_side(step, call))
		call->leg_ended = true;
	if (answered && !consult &&
		(was_talking || strcmp(step->phone, call->talking) == 0 || !call->conversation))
		call->leg_ended = true;
	fold_talk(step->fold, call);
}

/* Nothing else came of this call: all that is known is in its hangup. */
static void end_unknown(struct fold_step *step)
{
	struct fold_channel *channel = NULL;
	struct fold_call *call;
	bool to_outside =
		step->event->call_type == 2 && !fold_is_internal(step->fold, str_from(step->phone));

	if (step->phone[0] == '\0' && step->extension_count == 0 &&
		(step->event->call_type != 0 || step->event->trunk.size == 0))
		return;
	/* What a click in a program leaves behind, or the end of a leg of a call that is over. */
	if (to_outside && (step->event->external_initiated || fold_knows(step->fold, step->phone)))
		return;
	call = fold_new_call(step, &channel);
	if (call == NULL)
		return;
	take_times(step, call);
	if (channel != NULL)
		channel->hung_up = true;
	end_call(step, call);
	if (call->direction == CALL_INTERNAL)
		fold_index(step->fold, call, call->caller, false);
}

/* A second hangup of the same channel is a repetition and changes nothing. */
void fold_on_hangup(struct fold_step *step)
{
	struct fold_channel *channel = fold_channel_find(step->fold, step->event->unique_id);
	struct fold_call *call = channel != NULL ? channel->call : NULL;
	bool was_talking;
	bool over, talked_on;

	if (step->event->unique_id.size == 0 || (channel != NULL && channel->hung_up))
		return;
	if (channel == NULL && fold_is_spent(step->fold, step->event->unique_id))
		return;
	if (call == NULL)
		call = fold_owner_of_hangup(step);
	if (call == NULL) {
		end_unknown(step);
		return;
	}
	if (channel == NULL)
		channel = fold_channel_add(step->fold, call, step->event->unique_id);
	if (channel == NULL)
		return;
	fold_touch(step->fold, call);
	over = fold_call_closed(call) && call->own_hangup;
	was_talking = channel->linked;
	fold_channel_hang_up(channel);
	/* It was over for us, and the other side has talked on until now. */
	talked_on = over && with_other_side(step, call) && fold_is_other_side(call, channel);
	if (!over || talked_on || call->host_end_ms == CALL_NO_TIME)
		take_times(step, call);
	if (over ? talked_on : is_final(step, call, channel))
		end_call(step, call);
	else
		end_leg(step, call, was_talking);
}
