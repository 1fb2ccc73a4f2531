/*
 * fold_uid: what UniqueIds tell of each other. A PBX counts its channels: those that belong together
 * were often made together.
 */
#include "fold_private.h"

/* RUN_S: channels that far apart in time have nothing to do with each other. NEIGHBOURS: the two halves
 * of a Local channel are made at once, but other channels may be made between them. */
enum { RUN_S = 12 * 60 * 60, NEIGHBOURS = 4 };

/* Channels that a bridge or a wire has brought together are near each other where UniqueIds count:
 * TRUST such pairs more than not, and their order is believed. */
enum { NEAR = 512, TRUST = 4, MOST_TRUST = 64, DISTRUST = 4 };

#define UNKNOWN INT64_MAX

struct fold_uid fold_uid_of(struct str text)
{
	struct fold_uid uid = {.host = {text.data, 0}};
	struct str rest = text;

	for (size_t i = text.size; i > 0 && uid.host.size == 0; i--) {
		if (text.data[i - 1] == '-')
			uid.host.size = i;
	}
	rest = str_of(text.data + uid.host.size, text.size - uid.host.size);
	if (!str_to_int64(str_cut(&rest, '.'), &uid.second) || !str_to_int64(rest, &uid.place))
		return (struct fold_uid){0};
	return uid;
}

/* How many channels lie between; UNKNOWN where UniqueIds do not tell. */
static int64_t distance(struct fold_uid one, struct fold_uid other)
{
	int64_t apart = one.place - other.place;

	if (one.second == 0 || other.second == 0)
		return UNKNOWN;
	if (one.second - other.second > RUN_S || other.second - one.second > RUN_S)
		return UNKNOWN - 1;
	return apart < 0 ? -apart : apart;
}

/* Two channels are of one call, as the graph shows: do their UniqueIds say so, too? Some PBXs number
 * them in another way. */
void fold_uid_learn(struct call_fold *fold, const char *one, const char *other)
{
	int64_t apart = distance(fold_uid_of(str_from(one)), fold_uid_of(str_from(other)));

	if (apart == 0)
		return;
	if (apart <= NEAR)
		fold->counting += fold->counting < MOST_TRUST;
	else
		fold->counting -= fold->counting < DISTRUST ? fold->counting : DISTRUST;
}

bool fold_uid_trusted(const struct call_fold *fold)
{
	return fold->counting >= TRUST;
}

/* Also true where UniqueIds do not tell. */
bool fold_are_neighbours(struct fold_uid one, struct fold_uid other)
{
	int64_t apart = distance(one, other);

	return apart == UNKNOWN || apart <= NEIGHBOURS;
}

/* To those that are surely of the call. INT64_MAX: unknown. */
int64_t fold_nearest(const struct fold_call *call, struct fold_uid uid)
{
	int64_t best = UNKNOWN;

	if (!fold_uid_trusted(call->fold))
		return UNKNOWN;
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		int64_t apart = UNKNOWN;

		if (!at->weak)
			apart = distance(fold_uid_of(str_from(at->uid)), uid);
		if (apart < best)
			best = apart;
	}
	return best;
}

/* No channel of one PBX is part of a call on another, nor one that was made since it started anew and
 * counts from the beginning again. */
bool fold_same_run(const struct fold_call *call, struct fold_uid uid)
{
	if (!fold_uid_trusted(call->fold))
		return true;
	for (const struct fold_channel *at = call->channels; at != NULL && uid.second != 0;
		at = at->next) {
		struct fold_uid own = fold_uid_of(str_from(at->uid));

		if (own.second != 0 &&
			(!str_equal(own.host, uid.host) ||
				(uid.second > own.second && uid.place < own.place - NEIGHBOURS)))
			return false;
	}
	return true;
}
