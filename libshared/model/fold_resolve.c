/*
 * fold_resolve: which call does an event belong to whose UniqueId nobody has seen?
 *
 * From the strongest evidence to the weakest: a bridge, the other half of a Local channel, the
 * number of the other side, one of us who talks in a call and calls a colleague. Of several calls
 * that a number leads to, the one that fits best: ranks say how well.
 */
#include "fold_private.h"

/* How long after its last event a call may still be the one that somebody consults from, or that a
 * click in a program began; and how soon after somebody went aside FollowMe rings the mobile. */
enum { CONSULT_MS = 60 * 60 * 1000, CLICK_MS = 60 * 1000, ASIDE_MS = 90 * 1000 };

/* Posts of one moment may come in another order. */
enum { ASTRAY_MS = 10 * 1000, AFTER_MS = 3000 };

/* How long a phone may ring after a blind transfer. */
enum { BLIND_MS = 2 * 60 * 1000 };

/* Channels that a busy PBX may make while one of its calls rings. */
enum { FAR = 2000 };

/* Calls whose end got lost stay open for hours; they must not swallow what happens now. */
static bool recent(const struct fold_call *call, int64_t limit_ms)
{
	return call->fold->now_ms - call->last_ms <= limit_ms;
}

static struct fold_call *search(const struct fold_step *step, const char *number, bool ours,
	const char *with, fold_ranker *rank)
{
	char line[CALL_NUMBER_BYTES];
	struct fold_search search = {.number = number,
		.with = with,
		.line = line,
		.uid = fold_uid_of(step->event->unique_id),
		.rank = rank,
		.clicked = step->event->external_initiated,
		.dialled = fold_is_outside(step->fold, step->exten),
		.after_ms = ours ? 0 : AFTER_MS,
		.ours = ours};

	str_copy(line, sizeof(line), fold_line_of(step->event->trunk));
	return fold_search(step->fold, &search);
}

/* Has this one of us anything to do with the call? */
static bool involves(const struct fold_call *call, const char *number)
{
	const struct fold_leg *leg = fold_leg_find(call, number);

	return number[0] != '\0' &&
	       (strcmp(call->caller, number) == 0 || strcmp(call->ours, number) == 0 ||
		       (leg != NULL && (leg->rang != 0 || leg->talked != 0 || leg->mobile)));
}

/* Is one of us connected there already, with a phone of his own? */
static bool is_connected(const struct fold_call *call, const char *number)
{
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->bridge != NULL && at->kind == KIND_DEVICE &&
			strcmp(at->number, number) == 0)
			return true;
	}
	return false;
}

/* So many channels were made between this one and those of the call that they have hardly to do with
 * each other. */
static bool is_far(const struct fold_search *search, const struct fold_call *call)
{
	int64_t apart = fold_nearest(call, search->uid);

	return apart != INT64_MAX && apart > FAR;
}

/* A mobile that still rings for a call in which somebody talks: it is being handed on. */
static bool is_awaited(const struct fold_call *call, const char *number)
{
	const struct fold_leg *leg = fold_leg_find(call, number);

	return leg != NULL && leg->mobile && leg->answered == FOLD_NEVER &&
	       leg->ended == FOLD_NEVER;
}

/* The other side's number leads to the call; `with` is who of us has to do with it. */
static int rank_external(const struct fold_search *search, const struct fold_call *call)
{
	/* Its first leg has hung up; perhaps the other side was handed on, and the news come late. */
	if (fold_call_closed(call))
		return call->direction == CALL_OUTGOING && call->conversation ? 2 : 0;
	if (is_connected(call, search->with))
		return is_far(search, call) ? 0 : 1;
	if (call->conversation)
		return is_awaited(call, search->with) ? 3 : 2;
	if (is_far(search, call))
		return 0;
	return involves(call, search->with) ? 3 : 2;
}

/* The same, of one of our phones: while a call rings, only who was rung is awaited; where a program
 * dials, its manager's phone comes first. Somebody new comes where the other side is free. */
static int rank_phone(const struct fold_search *search, const struct fold_call *call)
{
	bool ringing = call->anchored && !call->conversation && !fold_call_closed(call);
	bool unknown = call->direction == CALL_OUTGOING && call->caller[0] == '\0';
	int rank;

	if (call->anchored && search->dialled)
		return 0;
	if (call->anchored && !unknown && ringing && !involves(call, search->with))
		return 0;
	if (call->anchored && search->clicked &&
		!(ringing && call->clicked && call->direction == CALL_OUTGOING))
		return 0;
	rank = rank_external(search, call);
	return rank == 2 && call->conversation && !fold_other_side_waits(call) ? 3 : rank;
}

/* The same, of the other side's own channel: a call that came in began with it, and has no other. */
static int rank_own_channel(const struct fold_search *search, const struct fold_call *call)
{
	bool came_in = call->anchored && call->direction == CALL_INCOMING;

	if (came_in && call->primary != NULL)
		return 0;
	/* A program rang one of us first, and he waits. */
	if (!fold_call_closed(call) && !call->conversation &&
		(call->primary == NULL || call->primary->bridge == NULL) &&
		is_connected(call, search->with))
		return is_far(search, call) ? 1 : 3;
	return rank_external(search, call);
}

static struct fold_call *by_external(
	const struct fold_step *step, const char *number, const char *ours)
{
	struct str base;
	enum fold_kind kind = fold_kind_of(step->event->channel, &base);

	if (!fold_is_outside(step->fold, number))
		return NULL;
	if (kind == KIND_LOCAL_1 || kind == KIND_LOCAL_2) {
		char target[CALL_NUMBER_BYTES];

		/* Its name says to whom the wire leads. */
		fold_dialled(step->fold, fold_local_number(base), target);
		return search(step, number, false, target, rank_external);
	}
	if (kind != KIND_DEVICE)
		return search(step, number, false, ours, rank_external);
	if (strcmp(number, step->number) == 0)
		return search(step, number, false, ours, rank_own_channel);
	return search(step, number, false, ours, rank_phone);
}

/* A mobile that was rung for the call. */
static int rank_mobile(const struct fold_search *search, const struct fold_call *call)
{
	if (!fold_has_mobile(call, search->number))
		return 0;
	return is_connected(call, search->number) ? 1 : 2;
}

/* Is this one of us, who talks in the call, away from the other side, and it waits for him? */
static bool is_away(const struct fold_call *call, const char *number)
{
	bool known = false;

	if (strcmp(call->talking, number) != 0 || !fold_other_side_waits(call))
		return false;
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->hung_up || strcmp(at->number, number) != 0 || !fold_is_ours(call, at))
			continue;
		if (fold_beside_other_side(at))
			return false;
		known = known || at->met;
	}
	return known;
}

/* One of us (`number`) talks there, and calls somebody (`with`, or "") meanwhile. */
static int rank_talker(const struct fold_search *search, const struct fold_call *call)
{
	const char *from = search->number;

	if (!call->answered || !fold_talked(call, from) || !recent(call, CONSULT_MS))
		return 0;
	if (search->with[0] != '\0' && fold_transfer_pending(call, from, search->with))
		return 4;
	if (fold_transfer_pending(call, from, "") || is_away(call, from))
		return 3;
	if (is_far(search, call))
		return 0;
	return strcmp(call->talking, from) == 0 ? 3 : 1;
}

/* As above, of the end of the call to `with`: where a wire to him was seen, its other half ends.
 * Whoever was not seen calling made a call that has nothing to do with this one. */
static int rank_ending(const struct fold_search *search, const struct fold_call *call)
{
	int rank = rank_talker(search, call);
	enum fold_wire wire = fold_transfer_wire(call, search);

	bool asking =
		fold_transfer_pending(call, search->number, "") || is_away(call, search->number);
	bool seen = fold_transfer_known(call, search->number, search->with) ||
		    (asking && !is_far(search, call));

	if (rank == 0 || wire == WIRE_OF_ANOTHER || !seen)
		return 0;
	return wire == WIRE_NONE ? rank : 5;
}

/* Only if he is seen calling: away from the other side, or with a Local channel open; and not the
 * other side itself (`with`), which he has got. */
static int rank_consulting(const struct fold_search *search, const struct fold_call *call)
{
	const char *from = search->number;

	if (strcmp(call->external, search->with) == 0 || !recent(call, ASIDE_MS) ||
		(!fold_transfer_pending(call, from, "") && !is_away(call, from)))
		return 0;
	return rank_talker(search, call);
}

/* A mobile (`with`) is rung for the other side: of a call that came in, or that is being handed on. */
static int rank_forwarding(const struct fold_search *search, const struct fold_call *call)
{
	if (fold_call_closed(call))
		return 0;
	if (call->direction == CALL_INCOMING && !call->conversation)
		return 3 + (strcmp(call->line, search->line) == 0) +
		       2 * involves(call, search->with);
	if (fold_blind_pending(call))
		return 5;
	return call->direction == CALL_INCOMING ? 2 : call->conversation;
}

static struct fold_call *open_call(struct fold_call *call)
{
	return call != NULL && !fold_call_closed(call) ? call : NULL;
}

/* As above, of a Local channel: `with` is whom the wire leads to. A call whose transfer shows already
 * has its wire; but FollowMe opens more, and these name the number that was asked. */
static int rank_asking(const struct fold_search *search, const struct fold_call *call)
{
	const char *from = search->number;
	int rank = rank_talker(search, call);

	if (rank < 3 || !fold_transfer_shown(call, from))
		return rank;
	return search->with[0] != '\0' && fold_transfer_pending(call, from, search->with) ? 4 : 2;
}

/* A Local channel that one of us opened while talking: a call to a colleague before a transfer. */
static struct fold_call *by_consultation(const struct fold_step *step)
{
	struct str base;
	enum fold_kind kind = fold_kind_of(step->event->channel, &base);
	const char *from = kind == KIND_LOCAL_1 ? step->peer : step->number;
	const char *asked = kind == KIND_LOCAL_1 ? step->number : step->peer;

	if ((kind != KIND_LOCAL_1 && kind != KIND_LOCAL_2) ||
		!fold_is_internal(step->fold, str_from(from)))
		return NULL;
	/* The wire to the one who is asked, or a wire on behalf of him? */
	if (str_equal(fold_local_target(step->fold, base), str_from(asked)))
		asked = fold_none;
	return search(step, from, true, asked, rank_asking);
}

/* The phone of whom one of us was seen asking. */
static int rank_asked(const struct fold_search *search, const struct fold_call *call)
{
	return search->with[0] != '\0' && fold_transfer_pending(call, search->number, search->with);
}

/* Either end of the channel may name the other side; a mobile of ours names itself. */
static struct fold_call *by_numbers(const struct fold_step *step)
{
	struct fold_call *call = by_external(step, step->number, step->peer);

	if (call == NULL)
		call = by_external(step, step->peer, step->number);
	if (call == NULL)
		call = by_external(step, step->exten, step->number);
	if (call == NULL && fold_is_outside(step->fold, step->number))
		call = search(step, step->number, true, "", rank_mobile);
	return call;
}

struct fold_call *fold_owner_of_channel(const struct fold_step *step)
{
	struct fold_bridge *bridge = fold_bridge_find(step->fold, step->event->bridge_id);
	struct fold_channel *twin =
		fold_twin_of(step->fold, step->event->channel, step->event->unique_id);
	/* A bridge that was made since the call ended is of what it goes on with. */
	struct fold_call *call = bridge != NULL && !bridge->old ? bridge->call : NULL;

	/* A colleague's phone in a bridge is a call of its own until it shows who asked for it. */
	if (call != NULL && !call->anchored && by_consultation(step) != NULL)
		call = by_consultation(step);
	if (call == NULL && twin != NULL)
		call = open_call(twin->call);
	if (call == NULL)
		call = by_numbers(step);
	if (call == NULL)
		call = by_consultation(step);
	if (call == NULL)
		call = search(step, step->peer, true, step->number, rank_asked);
	return call;
}

/* Whose is the wire that a call of its own seemed to begin with? */
struct fold_call *fold_owner_of_wire(const struct fold_step *step, const struct fold_call *call)
{
	struct fold_call *owner = by_external(step, step->number, "");

	if (owner == NULL)
		owner = by_consultation(step);
	return owner != call ? owner : NULL;
}

/* Made to a mobile on behalf of somebody outside, who can only be another call's other side. */
static int rank_astray(const struct fold_search *search, const struct fold_call *call)
{
	return call->anchored && call->direction == CALL_OUTGOING && !call->conversation &&
	       recent(call, ASTRAY_MS) && strcmp(call->caller, search->number) == 0;
}

struct fold_call *fold_leg_astray(const struct fold_step *step, const struct fold_call *call)
{
	return search(step, call->external, true, "", rank_astray);
}

/* Came in, and nobody has said yet who calls. */
static int rank_nameless(const struct fold_search *search, const struct fold_call *call)
{
	return call->direction == CALL_INCOMING && call->external[0] == '\0' &&
	       !fold_call_closed(call) && !call->conversation && recent(call, CLICK_MS) &&
	       strcmp(call->line, search->number + 1) == 0;
}

static struct fold_call *by_line(const struct fold_step *step)
{
	char line[CALL_NUMBER_BYTES];

	fold_line_key(fold_line_of(step->event->trunk), line);
	return search(step, line, false, "", rank_nameless);
}

/* A call to a mobile that is a leg of an open call: it names that call's other side, or one of us
 * who talks there and is calling a colleague. */
struct fold_call *fold_owner_of_leg(const struct fold_step *step)
{
	struct fold_call *call = NULL;

	for (unsigned i = 0; i < step->extension_count && call == NULL; i++) {
		const char *item = step->extensions[i];

		if (strcmp(item, step->phone) == 0)
			continue;
		if (fold_is_internal(step->fold, str_from(item)))
			call = search(step, item, true, step->phone, rank_consulting);
		else
			call = search(step, item, false, step->phone, rank_forwarding);
		if (call == NULL && fold_is_outside(step->fold, item))
			call = by_line(step);
	}
	return call;
}

/* Begun by a program, and nobody has talked for long. */
static int rank_click(const struct fold_search *search, const struct fold_call *call)
{
	bool talked_long =
		call->talked_ms != CALL_NO_TIME && call->fold->now_ms - call->talked_ms > ASTRAY_MS;

	if (call->anchored || fold_call_closed(call) || talked_long || !recent(call, CLICK_MS))
		return 0;
	return search->with[0] == '\0' || call->ours[0] == '\0' ||
	       strcmp(call->ours, search->with) == 0;
}

/* The PBX rang the manager first, at the click of a program, and now dials out. */
struct fold_call *fold_owner_of_click(const struct fold_step *step)
{
	const char *ours = step->extension_count > 0 ? step->extensions[0] : "";

	if (!fold_is_outside(step->fold, step->phone))
		return NULL;
	return search(step, step->phone, false, ours, rank_click);
}

static int rank_blind(const struct fold_search *search, const struct fold_call *call)
{
	return fold_blind_shown_by(call, search->with) != NULL;
}

/* Another call with the same person in which `to` seemed to be rung. */
struct fold_call *fold_blind_elsewhere(const struct fold_call *call, const char *to)
{
	const struct fold_search search = {
		.number = call->external, .with = to, .after_ms = BLIND_MS, .rank = rank_blind};
	struct fold_call *other = fold_search(call->fold, &search);

	return other != call ? other : NULL;
}

static int rank_just_missed(const struct fold_search *search, const struct fold_call *call)
{
	return !is_far(search, call) && fold_call_closed(call) &&
	       call->direction == CALL_INTERNAL && !call->answered &&
	       strcmp(call->caller, search->number) == 0 && strcmp(call->callee, search->with) == 0;
}

/* 151 called 152 in vain, as it seemed, just before he came back from asking him. */
struct fold_call *fold_just_missed(const struct fold_call *call, const char *from, const char *to)
{
	const struct fold_search search = {.number = from,
		.with = to,
		.after_ms = ASTRAY_MS,
		.uid = fold_uid_of(str_from(call->channels->uid)),
		.rank = rank_just_missed};

	return fold_search(call->fold, &search);
}

static int rank_ringing_out(const struct fold_search *search, const struct fold_call *call)
{
	return call->anchored && !call->conversation && call->direction == CALL_OUTGOING &&
	       !is_far(search, call) && strcmp(call->caller, search->number) == 0 &&
	       strcmp(call->external, search->with) != 0;
}

/* A call that one of us seemed to make beside the one that he talks in; it turned out that he asked
 * a colleague, whose mobile this is. */
struct fold_call *fold_call_beside(const struct fold_call *call, const char *extension)
{
	const struct fold_search search = {.number = extension,
		.with = call->external,
		.ours = true,
		.uid = fold_uid_of(str_from(call->channels->uid)),
		.rank = rank_ringing_out};
	struct fold_call *beside = fold_search(call->fold, &search);

	return beside != call && beside != NULL && beside->id > call->id ? beside : NULL;
}

/* A hangup whose UniqueId nobody has seen: of a leg, or of a call that only bridges told of. */
struct fold_call *fold_owner_of_hangup(const struct fold_step *step)
{
	const char *ours = step->extension_count > 0 ? step->extensions[0] : "";
	struct fold_call *call;

	/* 151 called 152 and that is over: was it asking before a transfer? */
	if (step->event->call_type == 2 && fold_is_internal(step->fold, str_from(step->phone)))
		return search(step, step->phone, true, ours, rank_ending);
	if (step->event->call_type == 1) {
		call = fold_owner_of_leg(step);
		if (call == NULL && fold_is_outside(step->fold, step->phone))
			call = search(step, step->phone, true, "", rank_mobile);
		if (call != NULL)
			return call;
	}
	call = by_external(step, step->phone, ours);
	if (call != NULL && call->anchored && step->event->call_type != 2)
		return NULL; /* another call with the same person */
	return call;
}
