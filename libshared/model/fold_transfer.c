/*
 * fold_transfer: the transfers of a call, as a list: from whom, to whom, what became of them.
 */
#include "fold_private.h"

#include "alloc.h"

struct fold_transfer *fold_transfer_last(const struct fold_call *call)
{
	unsigned count = call->transfer_count;

	return count > 0 ? &call->transfers[count - 1] : NULL;
}

/* A wire to 300 says that it is 150 who answers there: he stands for the number that was asked. */
bool fold_wire_says(const struct fold_channel *wire, const char *number)
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
	       (transfer->by != NULL && (fold_wire_says(transfer->by, to) ||
						fold_wire_says(transfer->by->twin, to)));
}

struct fold_transfer *fold_transfer_find(
	const struct fold_call *call, const char *from, const char *to)
{
	for (unsigned i = call->transfer_count; i > 0; i--) {
		struct fold_transfer *transfer = &call->transfers[i - 1];

		if (strcmp(transfer->from, from) == 0 && leads_to(transfer, to))
			return transfer;
	}
	return NULL;
}

struct fold_transfer *fold_transfer_open(const struct fold_call *call)
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
struct fold_transfer *fold_transfer_add(struct call_fold *fold, struct fold_call *call,
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
void fold_transfer_settle(struct fold_transfer *transfer)
{
	bool spoke = transfer->kind == TRANSFER_ATTENDED && transfer->picked_up;

	if (transfer->result == TRANSFER_PENDING)
		transfer->result = spoke ? TRANSFER_REFUSED : TRANSFER_UNANSWERED;
}

void fold_transfers_settle(struct fold_call *call)
{
	for (unsigned i = 0; i < call->transfer_count; i++)
		fold_transfer_settle(&call->transfers[i]);
}

bool fold_transfer_known(const struct fold_call *call, const char *from, const char *to)
{
	return fold_transfer_find(call, from, to) != NULL;
}

/* `to` "": to whomever. */
bool fold_transfer_pending(const struct fold_call *call, const char *from, const char *to)
{
	const struct fold_transfer *pending = fold_transfer_open(call);

	return pending != NULL && strcmp(pending->from, from) == 0 &&
	       (to[0] == '\0' || leads_to(pending, to));
}

enum fold_wire fold_transfer_wire(const struct fold_call *call, const struct fold_search *search)
{
	const struct fold_transfer *transfer =
		fold_transfer_find(call, search->number, search->with);

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
	const struct fold_transfer *pending = fold_transfer_open(call);

	return pending != NULL && pending->by != NULL && strcmp(pending->from, from) == 0;
}

/* Somebody was asked, and took the phone. */
bool fold_attended_pending(const struct fold_call *call)
{
	const struct fold_transfer *pending = fold_transfer_open(call);

	return pending != NULL && pending->kind == TRANSFER_ATTENDED && pending->picked_up;
}

/* A mobile rings while somebody is asked: the number stands for several phones of one person. */
void fold_follow_me(struct fold_call *call)
{
	struct fold_transfer *pending = fold_transfer_open(call);
	struct fold_leg *leg = pending != NULL ? fold_leg_find(call, pending->to) : NULL;

	if (pending == NULL || !fold_is_internal(call->fold, str_from(pending->to)))
		return;
	pending->follow_me = true;
	if (leg != NULL)
		leg->follow_me = true;
}

bool fold_blind_pending(const struct fold_call *call)
{
	const struct fold_transfer *pending = fold_transfer_open(call);

	return pending != NULL && pending->kind == TRANSFER_BLIND;
}
