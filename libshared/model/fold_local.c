/*
 * fold_local: names of channels. "SIP/151-00000006" is a phone or a line; "Local/152@d-00000000;1"
 * and ";2" are the two ends of a wire inside the PBX.
 */
#include "fold_private.h"

#include "alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_LOCAL_BYTES = 95 };

/* "Local/152@dialexecute-00000000;1": two halves of a wire inside the PBX, ;1 and ;2. */
enum fold_kind fold_kind_of(struct str name, struct str *base)
{
	struct str rest = name;

	*base = str_of(NULL, 0);
	if (name.size == 0)
		return KIND_UNKNOWN;
	if (!str_starts(name, STR("Local/")))
		return KIND_DEVICE;
	*base = str_cut(&rest, ';');
	if (str_equal(rest, STR("1")))
		return KIND_LOCAL_1;
	return str_equal(rest, STR("2")) ? KIND_LOCAL_2 : KIND_UNKNOWN;
}

static bool are_halves(enum fold_kind one, enum fold_kind other)
{
	return (one == KIND_LOCAL_1 && other == KIND_LOCAL_2) ||
	       (one == KIND_LOCAL_2 && other == KIND_LOCAL_1);
}

static bool is_half_of(const struct fold_channel *half, struct str base, enum fold_kind kind)
{
	return half != NULL && half->twin == NULL && half->local != NULL &&
	       are_halves(kind, (enum fold_kind)half->kind) &&
	       str_equal(str_from(half->local), base);
}

/* The PBX makes both halves at once: the UniqueId next to this one. */
static struct fold_channel *neighbour(const struct call_fold *fold, struct str uid, int by)
{
	struct fold_uid own = fold_uid_of(uid);
	char text[CALL_ID_BYTES];
	int size = snprintf(text, sizeof(text), "%" PRId64 ".%" PRId64, own.second, own.place + by);

	return fold_channel_find(fold, str_of(text, (size_t)size));
}

/* The newest bearer of the name; names come again, after a restart or in several calls of a test, so
 * where UniqueIds are known to count, the half whose own is next to this one is the better. */
static struct fold_channel *half_of(
	const struct call_fold *fold, struct str base, enum fold_kind kind, struct str uid)
{
	struct fold_channel *named = keyset_get(fold->locals, base);
	bool fits = is_half_of(named, base, kind);

	if (named == NULL)
		return NULL;
	if (fits && fold_are_neighbours(fold_uid_of(str_from(named->uid)), fold_uid_of(uid)))
		return named;
	for (int by = -1; by <= 1 && fold_uid_trusted(fold); by += 2) {
		struct fold_channel *half = neighbour(fold, uid, by);

		if (is_half_of(half, base, kind))
			return half;
	}
	return fits && !fold_call_closed(named->call) && !named->hung_up &&
			       fold_same_run(named->call, fold_uid_of(uid))
		       ? named
		       : NULL;
}

/* The half that is known of a Local channel whose other half is named for the first time. */
struct fold_channel *fold_twin_of(const struct call_fold *fold, struct str name, struct str uid)
{
	struct str base;
	enum fold_kind kind = fold_kind_of(name, &base);

	return base.size > 0 ? half_of(fold, base, kind, uid) : NULL;
}

void fold_channel_set_local(
	struct call_fold *fold, struct fold_channel *channel, struct str base, enum fold_kind kind)
{
	struct fold_channel *half = half_of(fold, base, kind, str_from(channel->uid));

	channel->kind = (unsigned char)kind;
	if (base.size > MAX_LOCAL_BYTES)
		return;
	channel->local = alloc_text(base);
	if (half != NULL && half->call == channel->call) {
		channel->twin = half;
		half->twin = channel;
		fold_uid_learn(fold, channel->uid, half->uid);
		return;
	}
	keyset_put(fold->locals, channel);
}

/* The other half of a wire, wherever it is. */
struct fold_channel *fold_other_half(const struct fold_channel *channel)
{
	if (channel->local == NULL || channel->twin != NULL)
		return channel->twin;
	return half_of(channel->call->fold, str_from(channel->local), (enum fold_kind)channel->kind,
		str_from(channel->uid));
}

/* The halves were known of different calls, which are one now. */
void fold_twins_meet(struct fold_call *call)
{
	for (struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at->local == NULL || at->twin != NULL)
			continue;
		for (struct fold_channel *to = at->next; to != NULL && at->twin == NULL;
			to = to->next) {
			if (!is_half_of(to, str_from(at->local), (enum fold_kind)at->kind))
				continue;
			at->twin = to;
			to->twin = at;
		}
	}
}

/* "152" of "Local/152@dialexecute-00000000" */
struct str fold_local_number(struct str base)
{
	struct str rest = base;

	str_cut(&rest, '/');
	return str_cut(&rest, '@');
}

/* The same, when that is one of us. */
struct str fold_local_target(const struct call_fold *fold, struct str base)
{
	struct str target = fold_local_number(base);

	return fold_is_internal(fold, target) ? target : str_of(NULL, 0);
}

static void untwin(struct fold_channel *channel)
{
	if (channel->twin != NULL)
		channel->twin->twin = NULL;
	channel->twin = NULL;
}

/* The set keeps one half; the other is reached as its twin. */
void fold_channel_forget_local(struct call_fold *fold, struct fold_channel *channel)
{
	untwin(channel);
	if (channel->local == NULL)
		return;
	keyset_remove(fold->locals, channel);
	free(channel->local);
	channel->local = NULL;
}

struct str fold_device_peer(struct str name)
{
	struct str rest = name;
	size_t end;

	str_cut(&rest, '/');
	for (end = rest.size; end > 0; end--) {
		if (rest.data[end - 1] == '-')
			return str_of(rest.data, end - 1);
	}
	return rest;
}
