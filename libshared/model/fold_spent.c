/*
 * fold_spent: channels that have hung up, for longer than their calls are remembered.
 *
 * Hosts, and their people, post a hangup again minutes later: it is no new call. It is not handed on to
 * another owner: there such a repetition makes a call of its own.
 */
#include "fold_private.h"

#include "alloc.h"
#include "siphash.h"

static uint64_t hash_of(struct str uid)
{
	static const struct siphash_key key = {
		0x63616c6c, 0x77656176}; /* no secret: it only mixes */

	return siphash13(&key, uid.data, uid.size);
}

void fold_spent_add(struct call_fold *fold, const struct fold_call *call)
{
	struct fold_spent *spent = &fold->spent;

	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (!at->hung_up)
			continue;
		if (spent->items == NULL)
			spent->items = alloc_zeroed(FOLD_MAX_SPENT, sizeof(*spent->items));
		spent->items[spent->count++ % FOLD_MAX_SPENT] = hash_of(str_from(at->uid));
	}
}

bool fold_is_spent(const struct call_fold *fold, struct str uid)
{
	const struct fold_spent *spent = &fold->spent;
	unsigned count = spent->count < FOLD_MAX_SPENT ? spent->count : FOLD_MAX_SPENT;
	uint64_t hash = hash_of(uid);

	for (unsigned i = 0; i < count; i++) {
		if (spent->items[i] == hash)
			return true;
	}
	return false;
}
