/*
 * fold_resolve: which call does an event belong to whose UniqueId nobody has seen?
 *
 * From the strongest evidence to the weakest: a bridge, the other half of a Local channel, the
 * number of the other side, one of us who talks in a call and calls a colleague.
 */
#include "fold_private.h"

/* How long after its last event a call may still be the one that somebody consults from, or that
 * a click in a program began. */
enum { CONSULT_MS = 60 * 60 * 1000, CLICK_MS = 60 * 1000 };

/* Calls whose end got lost stay open for hours; they must not swallow what happens now. */
static bool recent(const struct call_fold *fold, const struct fold_call *call, int64_t limit_ms)
{
	return call != NULL && fold->now_ms - call->last_ms <= limit_ms;
}

static bool talks(const struct fold_call *call, const char *number)
{
	return call->pub.answered && fold_numbers_have(&call->pub.talkers, number);
}

static bool has_mobile(const struct fold_call *call, const char *number)
{
	return fold_numbers_have(&call->mobiles, number);
}

/* Is this one of us away from the other side's bridge? */
static bool is_away(const struct fold_call *call, const char *number)
{
	bool beside_other_side = false;
	bool known = false;

	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->hung_up || strcmp(at->number, number) != 0 || !fold_is_ours(call, at))
			continue;
		known = true;
		for (const struct fold_channel *to = call->channels; to != NULL; to = to->next) {
			if (at->bridge != NULL && to->bridge == at->bridge &&
				fold_is_other_side(call, to))
				beside_other_side = true;
		}
	}
	return known && !beside_other_side;
}

/* Away from the other side, or seen opening a Local channel: is calling somebody meanwhile. */
static bool consults(const struct fold_call *call, const char *number)
{
	return talks(call, number) &&
	       (fold_transfer_pending(call, number) || is_away(call, number));
}

static struct fold_call *open_call(struct fold_call *call)
{
	return call != NULL && !fold_call_closed(call) ? call : NULL;
}

/* A Local channel that one of us opened while talking: a call to a colleague before a transfer. */
static struct fold_call *by_consultation(struct fold_step *step)
{
	struct str base;
	enum fold_kind kind = fold_kind_of(step->event->channel, &base);
	const char *from = kind == KIND_LOCAL_1 ? step->peer : step->number;
	struct fold_call *call = NULL;

	if (kind != KIND_LOCAL_1 && kind != KIND_LOCAL_2)
		return NULL;
	if (fold_is_internal(step->fold, str_from(from)))
		call = fold_by_ours(step->fold, from, talks);
	return recent(step->fold, call, CONSULT_MS) ? call : NULL;
}

/* Either end of the channel may name the other side; a mobile of ours names itself. */
static struct fold_call *by_numbers(struct fold_step *step)
{
	struct fold_call *call = fold_by_external(step->fold, step->number, step->peer);

	if (call == NULL)
		call = fold_by_external(step->fold, step->peer, step->number);
	if (call == NULL)
		call = fold_by_external(step->fold, step->exten, step->number);
	if (call == NULL && fold_is_outside(step->fold, step->number))
		call = fold_by_ours(step->fold, step->number, has_mobile);
	return call;
}

struct fold_call *fold_owner_of_channel(struct fold_step *step)
{
	struct fold_bridge *bridge = fold_bridge_find(step->fold, step->event->bridge_id);
	struct fold_channel *twin = fold_twin_of(step->fold, step->event->channel);
	struct fold_call *call = bridge != NULL ? open_call(bridge->call) : NULL;

	/* A colleague's phone in a bridge is a call of its own until it shows who asked for it. */
	if (call != NULL && !call->anchored && by_consultation(step) != NULL)
		call = by_consultation(step);
	if (call == NULL && twin != NULL)
		call = open_call(twin->call);
	if (call == NULL)
		call = by_numbers(step);
	if (call == NULL)
		call = by_consultation(step);
	return call;
}

/* A call to a mobile that is a leg of an open call: it names that call's other side, or one of us
 * who talks there and is calling a colleague. */
struct fold_call *fold_owner_of_leg(struct fold_step *step)
{
	struct fold_call *call = NULL;

	for (unsigned i = 0; i < step->extension_count && call == NULL; i++) {
		const char *item = step->extensions[i];

		if (strcmp(item, step->phone) == 0)
			continue;
		if (!fold_is_internal(step->fold, str_from(item)))
			call = fold_by_external(step->fold, item, step->phone);
		else if (recent(step->fold, fold_by_ours(step->fold, item, consults), CONSULT_MS))
			call = fold_by_ours(step->fold, item, consults);
	}
	return call;
}

/* The PBX rang the manager first, at the click of a program, and now dials out. */
struct fold_call *fold_owner_of_click(struct fold_step *step)
{
	const char *ours = step->extension_count > 0 ? step->extensions[0] : "";
	struct fold_call *call = fold_by_external(step->fold, step->phone, ours);

	if (call == NULL || call->anchored || call->conversation ||
		!recent(step->fold, call, CLICK_MS))
		return NULL;
	return ours[0] == '\0' || call->ours[0] == '\0' || strcmp(call->ours, ours) == 0 ? call
											 : NULL;
}

static bool still_rings(const struct fold_call *call, const char *number)
{
	return call->anchored && !call->conversation && call->pub.direction == CALL_OUTGOING &&
	       strcmp(call->pub.caller, number) == 0;
}

/* A call that one of us seemed to make beside the one that he talks in; it turned out that he asked
 * a colleague, whose mobile this is. */
struct fold_call *fold_call_beside(
	const struct call_fold *fold, const struct fold_call *call, const char *extension)
{
	struct fold_call *beside = fold_by_ours(fold, extension, still_rings);

	return beside != call && beside != NULL && beside->pub.id > call->pub.id ? beside : NULL;
}

/* 151 called 152 and that is over: was it asking before a transfer? */
static struct fold_call *owner_of_internal_hangup(struct fold_step *step)
{
	struct fold_call *call = fold_by_ours(step->fold, step->phone, fold_transfer_pending);

	if (call == NULL)
		call = fold_by_ours(step->fold, step->phone, talks);
	return recent(step->fold, call, CONSULT_MS) ? call : NULL;
}

/* A hangup whose UniqueId nobody has seen: of a leg, or of a call that only bridges told of. */
struct fold_call *fold_owner_of_hangup(struct fold_step *step)
{
	const char *ours = step->extension_count > 0 ? step->extensions[0] : "";
	struct fold_call *call;

	if (step->event->call_type == 2 && fold_is_internal(step->fold, str_from(step->phone)))
		return owner_of_internal_hangup(step);
	if (step->event->call_type == 1) {
		call = fold_owner_of_leg(step);
		if (call == NULL && fold_is_outside(step->fold, step->phone))
			call = fold_by_ours(step->fold, step->phone, has_mobile);
		if (call != NULL)
			return call;
	}
	call = fold_by_external(step->fold, step->phone, ours);
	if (call != NULL && call->anchored && step->event->call_type != 2)
		return NULL; /* another call with the same person */
	return call;
}
