/*
 * fold_handover: the other side is handed on, or was not: blind transfers, and how all of them end.
 *
 * Blind ones show as another dial, as a phone that rings for the other side, or as somebody new who
 * suddenly talks with it.
 */
#include "fold_private.h"

/* One at a time: FollowMe dials again and again for one transfer. `by`: the phone that rings, or NULL. */
void fold_blind_seen(struct fold_call *call, const char *to, struct fold_channel *by)
{
	const char *from = call->talking;
	struct fold_transfer *transfer;

	if (from[0] == '\0' || fold_transfer_open(call) != NULL || strcmp(from, to) == 0)
		return;
	transfer = fold_transfer_add(call->fold, call, from, to, TRANSFER_BLIND);
	if (transfer != NULL)
		transfer->by = by;
}

bool fold_last_transfer_to(const struct fold_call *call, const char *to)
{
	const struct fold_transfer *last = fold_transfer_last(call);

	return last != NULL && strcmp(last->to, to) == 0;
}

/* The call had ended when it became known. */
void fold_blind_missed(struct fold_call *call, const char *to)
{
	struct fold_transfer *last = fold_transfer_last(call);

	if (last != NULL && strcmp(last->to, to) == 0)
		return;
	last = fold_transfer_add(call->fold, call, fold_last_talker(call), to, TRANSFER_BLIND);
	if (last != NULL)
		fold_transfer_settle(last);
}

/* The phone that seemed to ring for a blind transfer of this call, and did not answer; NULL. */
struct fold_channel *fold_blind_shown_by(const struct fold_call *call, const char *to)
{
	const struct fold_transfer *last = fold_transfer_last(call);

	return last != NULL && last->kind == TRANSFER_BLIND && last->result != TRANSFER_ACCEPTED &&
			       strcmp(last->to, to) == 0
		       ? last->by
		       : NULL;
}

/* Somebody is at the far end of the wire. */
static bool wire_answered(const struct fold_transfer *transfer)
{
	const struct fold_channel *wire = transfer->by;

	if (wire != NULL && wire->kind == KIND_LOCAL_1)
		wire = wire->twin;
	if (wire == NULL || wire->local == NULL || wire->bridge == NULL)
		return false;
	return fold_members(wire->bridge) > 1;
}

/* While a transfer is open, one of us other than who transfers is connected to somebody. */
void fold_picked_up(struct fold_call *call)
{
	struct fold_transfer *pending = fold_transfer_open(call);
	struct fold_transfer *last = fold_transfer_last(call);

	if (pending == NULL && last != NULL && last->kind == TRANSFER_ATTENDED &&
		last->result == TRANSFER_UNANSWERED && wire_answered(last))
		last->result = TRANSFER_REFUSED;
	if (pending == NULL)
		return;
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->bridge == NULL || strcmp(at->number, pending->from) == 0 ||
			!fold_is_ours(call, at) || fold_members(at->bridge) < 2)
			continue;
		pending->picked_up = true;
		return;
	}
}

/* The mobile of whom `from` asked was answered, and the other side never came to it. */
void fold_mobile_declined(struct fold_call *call, const char *from)
{
	struct fold_transfer *last = fold_transfer_last(call);

	if (last == NULL || last->kind != TRANSFER_ATTENDED || strcmp(last->from, from) != 0)
		return;
	last->picked_up = true;
	if (last->result == TRANSFER_UNANSWERED)
		last->result = TRANSFER_REFUSED;
}

/* Somebody new talks with the other side: that is what a transfer was for. */
void fold_transfer_done(struct call_fold *fold, struct fold_call *call, const char *to)
{
	struct fold_transfer *transfer = fold_transfer_open(call);
	struct fold_transfer *last = fold_transfer_last(call);

	/* It was told as refused when the call to the colleague ended, before the other side came. */
	if (transfer == NULL && last != NULL && last->result == TRANSFER_REFUSED &&
		strcmp(last->to, to) == 0)
		transfer = last;
	if (transfer == NULL)
		transfer = fold_transfer_add(fold, call, call->talking, to, TRANSFER_BLIND);
	if (transfer == NULL)
		return;
	transfer->result = TRANSFER_ACCEPTED;
	if (strcmp(transfer->to, to) != 0)
		fold_set(fold, &transfer->taker, to);
	fold_leg_ends(call, transfer->from);
	fold_say(fold, call, "transfer to %s accepted: %s talks now", transfer->to, to);
}

/* A call between two of us that belongs to a transfer is over. */
static void consult_over(struct fold_step *step, struct fold_call *call, const char *to)
{
	struct fold_transfer *transfer = fold_transfer_find(call, step->phone, to);

	if (transfer == NULL && !fold_call_closed(call))
		transfer = fold_transfer_add(step->fold, call, step->phone, to, TRANSFER_ATTENDED);
	if (transfer == NULL || transfer->result == TRANSFER_ACCEPTED)
		return;
	transfer->result = step->event->call_status == 2 ? TRANSFER_REFUSED : TRANSFER_UNANSWERED;
	fold_say(step->fold, call, "%s and %s: %s", step->phone, to,
		call_transfer_result_name(transfer->result));
}

/* The phone that rang for this transfer was taken for another call's with the same person. */
static void take_blind_over(struct fold_step *step, struct fold_call *call, const char *to)
{
	struct fold_call *other = fold_blind_elsewhere(call, to);
	struct fold_channel *by = other != NULL ? fold_blind_shown_by(other, to) : NULL;

	if (by != NULL)
		fold_move_weak(step->fold, by, call);
}

/* The other side was with `to` when this leg ended, or waited for it in vain. */
static void handover_over(struct fold_step *step, struct fold_call *call, const char *to)
{
	struct fold_transfer *pending = fold_transfer_open(call);
	const char *from = fold_last_talker(call);
	bool answered = step->event->call_status == 2;

	if (fold_talked(call, to))
		return;
	/* The phone that seemed to ring for it rang for another call of this person. */
	if (pending != NULL && pending->kind == TRANSFER_BLIND && pending->by != NULL &&
		strcmp(pending->to, to) != 0) {
		fold_transfer_drop(call, (unsigned)(pending - call->transfers));
		pending = NULL;
	}
	if (pending == NULL) {
		take_blind_over(step, call, to);
		pending = fold_transfer_open(call);
	}
	if (pending == NULL)
		pending = fold_transfer_add(step->fold, call, from, to, TRANSFER_BLIND);
	if (pending != NULL)
		pending->result = answered ? TRANSFER_ACCEPTED : TRANSFER_UNANSWERED;
	if (!answered)
		return;
	fold_leg_talks(call, to);
	call->answered = true;
}

/* Is it the other side whom the event calls Phone? Also where its number is withheld. */
bool fold_says_other_side(const struct fold_step *step, const struct fold_call *call)
{
	return strcmp(step->phone, call->external) == 0 && call->direction != CALL_INTERNAL;
}

/* What the hangup of an internal leg says of a transfer. */
void fold_transfer_hangup(struct fold_step *step, struct fold_call *call)
{
	const char *to = step->extension_count > 0 ? step->extensions[0] : "";

	if (step->event->call_type != 2 || call->direction == CALL_INTERNAL ||
		!fold_is_internal(step->fold, str_from(to)))
		return;
	if (fold_is_internal(step->fold, str_from(step->phone)))
		consult_over(step, call, to);
	else if (fold_says_other_side(step, call))
		handover_over(step, call, to);
}
