/*
 * fold_consult: one of us asks a colleague while the other side waits.
 *
 * It shows as a Local channel that he opens, as a call between the two of them, or only afterwards,
 * when he is back and names whom he asked.
 */
#include "fold_private.h"

/* Posts of one moment may come in another order. */
enum { LATE_MS = 3000 };

/* It seemed that the phone itself was asked; the wire says that it rings for a number. */
static void say_whom(
	struct fold_call *call, const struct fold_channel *wire, const char *from, const char *to)
{
	struct fold_transfer *pending = fold_transfer_open(call);
	struct fold_leg *leg;

	if (pending == NULL || pending->by != NULL || strcmp(pending->from, from) != 0 ||
		strcmp(pending->to, to) == 0 || !fold_wire_says(wire, pending->to))
		return;
	fold_set(call->fold, &pending->to, to);
	leg = fold_leg_add(call, to);
	if (leg != NULL)
		fold_leg_set_ringing(call, leg);
	fold_follow_me(call);
}

/* The call to him that seemed to be one of its own; not when it was made over another wire. */
static struct fold_call *missed_over(const struct fold_call *call, const struct fold_channel *wire,
	const char *from, const char *to)
{
	struct fold_call *missed = fold_just_missed(call, from, to);

	if (missed == NULL || missed->channels == NULL || wire == NULL ||
		!fold_uid_trusted(call->fold))
		return missed;
	return fold_are_neighbours(fold_uid_of(str_from(missed->channels->uid)),
		       fold_uid_of(str_from(wire->uid)))
		       ? missed
		       : NULL;
}

/* He was asked in vain over this wire. */
static struct fold_transfer *take_missed(
	const struct fold_channel *wire, const char *from, const char *to)
{
	struct fold_call *call = wire->call;
	struct fold_call *missed = missed_over(call, wire, from, to);
	struct fold_transfer *transfer;

	if (missed == NULL)
		return NULL;
	fold_call_merge(call->fold, missed, call);
	transfer = fold_transfer_find(call, from, to);
	if (transfer != NULL)
		fold_transfer_settle(transfer);
	return transfer;
}

/* Whoever asked is with the other side. */
static bool is_back(const struct fold_call *call, const char *from)
{
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (strcmp(at->number, from) == 0 && fold_beside_other_side(at))
			return true;
	}
	return false;
}

/* Both halves tell the same; the one that is seen first counts. */
void fold_consult_seen(struct call_fold *fold, struct fold_channel *channel)
{
	struct fold_call *call = channel->call;
	const char *from = channel->kind == KIND_LOCAL_1 ? channel->peer : channel->number;
	struct fold_transfer *transfer;
	char to[CALL_NUMBER_BYTES];
	bool counted = channel->consult || (channel->twin != NULL && channel->twin->consult);

	if (channel->local == NULL || counted || fold_call_closed(call))
		return;
	str_copy(to, sizeof(to), fold_local_target(fold, str_from(channel->local)));
	if (to[0] == '\0' || strcmp(to, from) == 0 || !fold_talked(call, from))
		return;
	channel->consult = true;
	say_whom(call, channel, from, to);
	transfer = fold_transfer_find(call, from, to);
	if (transfer == NULL)
		transfer = take_missed(channel, from, to);
	if (transfer != NULL && transfer->by == NULL &&
		(fold->now_ms - transfer->at_ms <= LATE_MS || is_back(call, from))) {
		transfer->by = channel;
		return;
	}
	transfer = fold_transfer_open(call) == NULL
			   ? fold_transfer_add(fold, call, from, to, TRANSFER_ATTENDED)
			   : NULL;
	if (transfer != NULL)
		transfer->by = channel;
}

/* A call between two of us turned out to be how one of them asked before the transfer. */
void fold_consult_merged(
	struct call_fold *fold, struct fold_call *call, const struct fold_call *was)
{
	if (was->direction == CALL_INTERNAL && call->direction != CALL_INTERNAL &&
		fold_transfer_open(call) == NULL && fold_talked(call, was->caller))
		fold_transfer_add(fold, call, was->caller, was->callee, TRANSFER_ATTENDED);
}

static struct fold_transfer *shown_by(
	const struct fold_call *call, const struct fold_channel *channel)
{
	for (unsigned i = 0; i < call->transfer_count; i++) {
		if (call->transfers[i].by == channel)
			return &call->transfers[i];
	}
	return NULL;
}

/* It was not in `from` that somebody consulted: the transfer goes with the channel that showed it,
 * and all that is known of it. */
void fold_consult_moved(struct fold_call *from, struct fold_channel *channel)
{
	struct fold_transfer *old = shown_by(from, channel);
	struct fold_transfer *moved;

	if (old == NULL || old->result == TRANSFER_ACCEPTED) {
		if (old != NULL)
			old->by = NULL;
		channel->consult = false;
		fold_consult_seen(from->fold, channel);
		return;
	}
	if (old->kind == TRANSFER_BLIND) {
		fold_leg_drop_idle(from, old->to);
		fold_transfer_drop(from, (unsigned)(old - from->transfers));
		fold_blind_seen(channel->call, channel->number, channel);
		return;
	}
	moved = fold_transfer_find(channel->call, old->from, old->to);
	if (moved == NULL || moved->by != NULL)
		moved = fold_transfer_add(from->fold, channel->call, old->from, old->to,
			(enum call_transfer_kind)old->kind);
	if (moved != NULL) {
		moved->by = channel;
		moved->result = old->result;
		moved->at_ms = old->at_ms;
		moved->picked_up = old->picked_up;
		moved->follow_me = old->follow_me;
	}
	fold_leg_drop_idle(from, old->to);
	fold_transfer_drop(from, (unsigned)(old - from->transfers));
}

/* A channel that was passed over while another, that is gone now, seemed to tell of a transfer. */
void fold_consults_again(struct fold_call *call)
{
	for (struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (!at->consult || shown_by(call, at) != NULL)
			continue;
		at->consult = false;
		fold_consult_seen(call->fold, at);
	}
}

/* Who talks with the other side is back with it, and still names the colleague asked meanwhile. */
void fold_consult_returned(struct call_fold *fold, const struct fold_channel *channel)
{
	struct fold_call *call = channel->call;
	struct fold_call *beside;
	struct fold_transfer *transfer;
	bool fresh;

	if (channel->kind != KIND_DEVICE || channel->bridge == NULL ||
		strcmp(channel->number, call->talking) != 0 || call->direction == CALL_INTERNAL ||
		!fold_is_internal(fold, str_from(channel->peer)) ||
		strcmp(channel->peer, channel->number) == 0 || !fold_beside_other_side(channel) ||
		fold_transfer_find(call, channel->peer, channel->number) != NULL)
		return;
	transfer = fold_transfer_find(call, channel->number, channel->peer);
	fresh = transfer == NULL || transfer->result == TRANSFER_PENDING ||
		fold->now_ms - transfer->at_ms <= LATE_MS;
	beside = fresh ? fold_call_beside(call, channel->number) : NULL;
	if (beside == NULL && fresh)
		beside = missed_over(call, transfer != NULL ? transfer->by : NULL, channel->number,
			channel->peer);
	if (beside != NULL)
		fold_call_merge(fold, beside, call);
	transfer = fold_transfer_find(call, channel->number, channel->peer);
	if (transfer == NULL)
		transfer = fold_transfer_add(
			fold, call, channel->number, channel->peer, TRANSFER_ATTENDED);
	if (transfer != NULL)
		fold_transfer_settle(transfer);
}
