/*
 * keyset: open addressing with linear probing; what follows a removed thing moves up.
 *
 * Hashes lie apart from the things, so that a probe reads one run of memory and looks at a thing's
 * key only when 32 bits of its hash agree.
 */
#include "keyset.h"

#include "alloc.h"
#include "crypto.h"
#include "siphash.h"

#include <stdlib.h>

/* Small: there are thousands of sets with a few things. No room at all before the first. */
enum { FIRST_SLOTS = 8 };

struct keyset {
	struct siphash_key secret;
	struct str (*key_of)(const void *thing);
	void **things; /* NULL: free. The hashes follow in the same block. */
	uint32_t *hashes;
	size_t slot_count; /* 0, or a power of two */
	size_t count;
};

struct keyset *keyset_new(struct str (*key_of)(const void *thing))
{
	struct keyset *set = alloc_zeroed(1, sizeof(*set));

	crypto_random(&set->secret, sizeof(set->secret));
	set->key_of = key_of;
	return set;
}

void keyset_free(struct keyset **set)
{
	if (*set == NULL)
		return;
	free((*set)->things);
	free(*set);
	*set = NULL;
}

static uint32_t hash_of(const struct keyset *set, struct str key)
{
	return (uint32_t)siphash13(&set->secret, key.data, key.size);
}

/* The slot of the thing with this key, or the free slot where it would go. There is one. */
static size_t find(const struct keyset *set, uint32_t hash, struct str key)
{
	size_t mask = set->slot_count - 1;
	size_t at = hash & mask;

	while (set->things[at] != NULL &&
		!(set->hashes[at] == hash && str_equal(set->key_of(set->things[at]), key)))
		at = (at + 1) & mask;
	return at;
}

void *keyset_get(const struct keyset *set, struct str key)
{
	return set->count > 0 ? set->things[find(set, hash_of(set, key), key)] : NULL;
}

static void make_room(struct keyset *set, size_t slot_count)
{
	set->slot_count = slot_count;
	set->things = alloc_zeroed(slot_count, sizeof(void *) + sizeof(uint32_t));
	set->hashes = (uint32_t *)(void *)(set->things + slot_count);
}

static void grow(struct keyset *set)
{
	struct keyset old = *set;

	make_room(set, old.slot_count == 0 ? FIRST_SLOTS : old.slot_count * 2);
	for (size_t i = 0; i < old.slot_count; i++) {
		size_t at = old.hashes[i] & (set->slot_count - 1);

		if (old.things[i] == NULL)
			continue;
		while (set->things[at] != NULL)
			at = (at + 1) & (set->slot_count - 1);
		set->things[at] = old.things[i];
		set->hashes[at] = old.hashes[i];
	}
	free(old.things);
}

/* Seven eighths full at most: probes read sixteen hashes a cache line, so long ones are cheap. */
void *keyset_put(struct keyset *set, void *thing)
{
	struct str key = set->key_of(thing);
	uint32_t hash = hash_of(set, key);
	void *old;
	size_t at;

	if ((set->count + 1) * 8 > set->slot_count * 7)
		grow(set);
	at = find(set, hash, key);
	old = set->things[at];
	set->things[at] = thing;
	set->hashes[at] = hash;
	set->count += old == NULL;
	return old;
}

/* Whoever stands behind the gap and may stand in it moves there, until a slot is free anyway. */
static void close_gap(struct keyset *set, size_t gap)
{
	size_t mask = set->slot_count - 1;

	for (size_t at = (gap + 1) & mask; set->things[at] != NULL; at = (at + 1) & mask) {
		size_t home = set->hashes[at] & mask;

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		set->things[gap] = set->things[at];
		set->hashes[gap] = set->hashes[at];
		gap = at;
	}
	set->things[gap] = NULL;
}

/* A set that was large once, and is nearly empty now, gives its room back. */
bool keyset_remove(struct keyset *set, const void *thing)
{
	struct str key = set->key_of(thing);
	size_t at;

	if (set->count == 0)
		return false;
	at = find(set, hash_of(set, key), key);
	if (set->things[at] != thing)
		return false;
	close_gap(set, at);
	set->count--;
	if (set->count == 0) {
		free(set->things);
		set->things = NULL;
		set->slot_count = 0;
	}
	return true;
}

size_t keyset_count(const struct keyset *set)
{
	return set->count;
}
