/*
 * fold_transfer: transfers begun, answered, accepted, refused.
 *
 * Attended ones show as a Local channel that one of us opens while talking; blind ones as another
 * dial, or as somebody new who suddenly talks with the other side.
 */
#include "fold_private.h"

#include "alloc.h"

/* Posts of one moment may come in another order. */
enum { LATE_MS = 3000 };

static struct fold_transfer *last_of(const struct fold_call *call)
{
	unsigned count = call->transfer_count;

	return count > 0 ? &call->transfers[count - 1] : NULL;
}

/* A wire to 300 says that it is 150 who answers there: he stands for the number that was asked. */
static bool wire_says(const struct fold_channel *wire, const char *number)
{
	const char *far;

	if (wire == NULL || wire->local == NULL)
		return false;
	far = wire->kind == KIND_LOCAL_1 ? wire->number : wire->peer;
	return far[0] != '\0' && strcmp(far, number) == 0;
}

static bool leads_to(const struct fold_transfer *transfer, const char *to)
{
	return strcmp(transfer->to, to) == 0 ||
	       (transfer->by != NULL &&
		       (wire_says(transfer->by, to) || wire_says(transfer->by->twin, to)));
}

static struct fold_transfer *find_last(
	const struct fold_call *call, const char *from, const char *to)
{
	for (unsigned i = call->transfer_count; i > 0; i--) {
		struct fold_transfer *transfer = &call->transfers[i - 1];

		if (strcmp(transfer->from, from) == 0 && leads_to(transfer, to))
			return transfer;
	}
	return NULL;
}

static struct fold_transfer *last_pending(const struct fold_call *call)
{
	for (unsigned i = call->transfer_count; i > 0; i--) {
		if (call->transfers[i - 1].result == TRANSFER_PENDING)
			return &call->transfers[i - 1];
	}
	return NULL;
}

/* With nothing said of who and whom; NULL when there is no room. */
struct fold_transfer *fold_transfer_new(struct fold_call *call)
{
	struct fold_transfer *transfer;

	if (call->transfer_count >= CALL_MAX_TRANSFERS) {
		call->overflow++;
		str_copy(call->fold->warning, FOLD_REASON_BYTES,
			STR("a call has too many transfers"));
		return NULL;
	}
	call->transfers =
		alloc_resize(call->transfers, (call->transfer_count + 1u) * sizeof(*transfer));
	transfer = &call->transfers[call->transfer_count++];
	*transfer = (struct fold_transfer){.from = fold_none, .to = fold_none, .taker = fold_none};
	return transfer;
}

/* NULL when there is no room, or one end of it is not known. */
static struct fold_transfer *add_transfer(struct call_fold *fold, struct fold_call *call,
	const char *from, const char *to, enum call_transfer_kind kind)
{
	struct fold_transfer *transfer;
	struct fold_leg *leg;

	if (from[0] == '\0' || to[0] == '\0')
		return NULL;
	transfer = fold_transfer_new(call);
	if (transfer == NULL)
		return NULL;
	transfer->kind = (unsigned char)kind;
	transfer->at_ms = fold->now_ms;
	fold_set(fold, &transfer->from, from);
	fold_set(fold, &transfer->to, to);
	leg = fold_leg_add(call, to);
	if (leg != NULL)
		fold_leg_set_ringing(call, leg);
	fold_say(fold, call, "%s transfers to %s, %s", from, to, call_transfer_kind_name(kind));
	return transfer;
}

void fold_transfer_drop(struct fold_call *call, unsigned index)
{
	struct fold_transfer *transfer = &call->transfers[index];

	fold_set(call->fold, &transfer->from, fold_none);
	fold_set(call->fold, &transfer->to, fold_none);
	fold_set(call->fold, &transfer->taker, fold_none);
	call->transfer_count--;
	memmove(transfer, transfer + 1, (call->transfer_count - index) * sizeof(*transfer));
}

/* Open at the end: whoever took the phone and did not get the call declined it. */
static void settle(struct fold_transfer *transfer)
{
	bool spoke = transfer->kind == TRANSFER_ATTENDED && transfer->picked_up;

	if (transfer->result == TRANSFER_PENDING)
		transfer->result = spoke ? TRANSFER_REFUSED : TRANSFER_UNANSWERED;
}

void fold_transfers_settle(struct fold_call *call)
{
	for (unsigned i = 0; i < call->transfer_count; i++)
		settle(&call->transfers[i]);
}

bool fold_transfer_known(const struct fold_call *call, const char *from, const char *to)
{
	return find_last(call, from, to) != NULL;
}

/* `to` "": to whomever. */
bool fold_transfer_pending(const struct fold_call *call, const char *from, const char *to)
{
	const struct fold_transfer *pending = last_pending(call);

	return pending != NULL && strcmp(pending->from, from) == 0 &&
	       (to[0] == '\0' || leads_to(pending, to));
}

enum fold_wire fold_transfer_wire(const struct fold_call *call, const struct fold_search *search)
{
	const struct fold_transfer *transfer = find_last(call, search->number, search->with);

	if (transfer == NULL || transfer->by == NULL)
		return WIRE_NONE;
	if (!fold_uid_trusted(call->fold))
		return WIRE_NONE;
	return fold_are_neighbours(fold_uid_of(str_from(transfer->by->uid)), search->uid)
		       ? WIRE_FITS
		       : WIRE_OF_ANOTHER;
}

/* By a Local channel of its own. */
bool fold_transfer_shown(const struct fold_call *call, const char *from)
{
	const struct fold_transfer *pending = last_pending(call);

	return pending != NULL && pending->by != NULL && strcmp(pending->from, from) == 0;
}

/* Somebody was asked, and took the phone. */
bool fold_attended_pending(const struct fold_call *call)
{
	const struct fold_transfer *pending = last_pending(call);

	return pending != NULL && pending->kind == TRANSFER_ATTENDED && pending->picked_up;
}

/* A mobile rings while somebody is asked: the number stands for several phones of one person. */
void fold_follow_me(struct fold_call *call)
{
	struct fold_transfer *pending = last_pending(call);
	struct fold_leg *leg = pending != NULL ? fold_leg_find(call, pending->to) : NULL;

	if (pending == NULL || !fold_is_internal(call->fold, str_from(pending->to)))
		return;
	pending->follow_me = true;
	if (leg != NULL)
		leg->follow_me = true;
}

bool fold_blind_pending(const struct fold_call *call)
{
	const struct fold_transfer *pending = last_pending(call);

	return pending != NULL && pending->kind == TRANSFER_BLIND;
}

/* It seemed that the phone itself was asked; the wire says that it rings for a number. */
static void say_whom(
	struct fold_call *call, const struct fold_channel *wire, const char *from, const char *to)
{
	struct fold_transfer *pending = last_pending(call);
	struct fold_leg *leg;

	if (pending == NULL || pending->by != NULL || strcmp(pending->from, from) != 0 ||
		strcmp(pending->to, to) == 0 || !wire_says(wire, pending->to))
		return;
	fold_set(call->fold, &pending->to, to);
	leg = fold_leg_add(call, to);
	if (leg != NULL)
		fold_leg_set_ringing(call, leg);
	fold_follow_me(call);
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
	transfer = find_last(call, from, to);
	if (transfer != NULL && transfer->by == NULL &&
		(fold->now_ms - transfer->at_ms <= LATE_MS || is_back(call, from))) {
		transfer->by = channel;
		return;
	}
	transfer = last_pending(call) == NULL
			   ? add_transfer(fold, call, from, to, TRANSFER_ATTENDED)
			   : NULL;
	if (transfer != NULL)
		transfer->by = channel;
}

/* A call between two of us turned out to be how one of them asked before the transfer. */
void fold_consult_merged(
	struct call_fold *fold, struct fold_call *call, const struct fold_call *was)
{
	if (was->direction == CALL_INTERNAL && call->direction != CALL_INTERNAL &&
		last_pending(call) == NULL && fold_talked(call, was->caller))
		add_transfer(fold, call, was->caller, was->callee, TRANSFER_ATTENDED);
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
	moved = find_last(channel->call, old->from, old->to);
	if (moved == NULL || moved->by != NULL)
		moved = add_transfer(from->fold, channel->call, old->from, old->to,
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
		find_last(call, channel->peer, channel->number) != NULL)
		return;
	transfer = find_last(call, channel->number, channel->peer);
	fresh = transfer == NULL || transfer->result == TRANSFER_PENDING ||
		fold->now_ms - transfer->at_ms <= LATE_MS;
	beside = fresh ? fold_call_beside(call, channel->number) : NULL;
	if (beside == NULL && transfer == NULL)
		beside = fold_just_missed(call, channel->number, channel->peer);
	if (beside != NULL)
		fold_call_merge(fold, beside, call);
	transfer = find_last(call, channel->number, channel->peer);
	if (transfer == NULL)
		transfer =
			add_transfer(fold, call, channel->number, channel->peer, TRANSFER_ATTENDED);
	if (transfer != NULL)
		settle(transfer);
}

/* One at a time: FollowMe dials again and again for one transfer. `by`: the phone that rings, or NULL. */
void fold_blind_seen(struct fold_call *call, const char *to, struct fold_channel *by)
{
	const char *from = call->talking;
	struct fold_transfer *transfer;

	if (from[0] == '\0' || last_pending(call) != NULL || strcmp(from, to) == 0)
		return;
	transfer = add_transfer(call->fold, call, from, to, TRANSFER_BLIND);
	if (transfer != NULL)
		transfer->by = by;
}

bool fold_last_transfer_to(const struct fold_call *call, const char *to)
{
	const struct fold_transfer *last = last_of(call);

	return last != NULL && strcmp(last->to, to) == 0;
}

/* The call had ended when it became known. */
void fold_blind_missed(struct fold_call *call, const char *to)
{
	struct fold_transfer *last = last_of(call);

	if (last != NULL && strcmp(last->to, to) == 0)
		return;
	last = add_transfer(call->fold, call, fold_last_talker(call), to, TRANSFER_BLIND);
	if (last != NULL)
		settle(last);
}

/* The phone that seemed to ring for a blind transfer of this call, and did not answer; NULL. */
struct fold_channel *fold_blind_shown_by(const struct fold_call *call, const char *to)
{
	const struct fold_transfer *last = last_of(call);

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
	struct fold_transfer *pending = last_pending(call);
	struct fold_transfer *last = last_of(call);

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
	struct fold_transfer *last = last_of(call);

	if (last == NULL || last->kind != TRANSFER_ATTENDED || strcmp(last->from, from) != 0)
		return;
	last->picked_up = true;
	if (last->result == TRANSFER_UNANSWERED)
		last->result = TRANSFER_REFUSED;
}

/* Somebody new talks with the other side: that is what a transfer was for. */
void fold_transfer_done(struct call_fold *fold, struct fold_call *call, const char *to)
{
	struct fold_transfer *transfer = last_pending(call);
	struct fold_transfer *last = last_of(call);

	/* It was told as refused when the call to the colleague ended, before the other side came. */
	if (transfer == NULL && last != NULL && last->result == TRANSFER_REFUSED &&
		strcmp(last->to, to) == 0)
		transfer = last;
	if (transfer == NULL)
		transfer = add_transfer(fold, call, call->talking, to, TRANSFER_BLIND);
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
	struct fold_transfer *transfer = find_last(call, step->phone, to);

	if (transfer == NULL && !fold_call_closed(call))
		transfer = add_transfer(step->fold, call, step->phone, to, TRANSFER_ATTENDED);
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
	struct fold_transfer *pending = last_pending(call);
	const char *from = fold_last_talker(call);
	bool answered = step->event->call_status == 2;

	if (fold_talked(call, to))
		return;
	if (pending == NULL) {
		take_blind_over(step, call, to);
		pending = last_pending(call);
	}
	if (pending == NULL)
		pending = add_transfer(step->fold, call, from, to, TRANSFER_BLIND);
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
