/*
 * table: open addressing with linear probing and tombstones.
 *
 * Tombstones rather than shifting back: a walk may then remove the key that it stands on. They
 * are swept when the table is rebuilt, which happens before three quarters are in use.
 */
#include "table.h"

#include "alloc.h"
#include "crypto.h"
#include "siphash.h"

#include <stdlib.h>

/* Small: there are thousands of tables with one or two keys (a fold, a bot). */
enum { FIRST_SLOTS = 4 };

/* The key is a copy and owned; the value is the caller's. */
struct slot {
	uint64_t hash;
	char *key; /* NULL: never used; `removed`: a tombstone */
	size_t key_bytes;
	void *value;
};

struct table {
	struct siphash_key secret;
	struct slot *slots;
	size_t slot_count; /* a power of two */
	size_t count;
	size_t used;	 /* count and tombstones */
	char removed[1]; /* its address marks a tombstone */
};

struct table *table_new(void)
{
	struct table *table = alloc_zeroed(1, sizeof(*table));

	/* A key of its own for each table: whoever chooses the keys (tokens, phone numbers)
	 * cannot make them collide. */
	crypto_random(&table->secret, sizeof(table->secret));
	table->slot_count = FIRST_SLOTS;
	table->slots = alloc_zeroed(FIRST_SLOTS, sizeof(struct slot));
	return table;
}

/* Neither never used nor a tombstone. */
static bool is_live(const struct table *table, const struct slot *slot)
{
	return slot->key != NULL && slot->key != table->removed;
}

void table_free(struct table **table)
{
	if (*table == NULL)
		return;
	for (size_t i = 0; i < (*table)->slot_count; i++) {
		if (is_live(*table, &(*table)->slots[i]))
			free((*table)->slots[i].key);
	}
	free((*table)->slots);
	free(*table);
	*table = NULL;
}

/* The stored hash saves the look at the key, which is another cache line, for all but the right
 * one. */
static bool holds(const struct table *table, const struct slot *slot, uint64_t hash, struct str key)
{
	return slot->hash == hash && is_live(table, slot) &&
	       str_equal(str_of(slot->key, slot->key_bytes), key);
}

/* The slot of `key`, or NULL. There is always an empty slot to stop at. */
static struct slot *find(const struct table *table, uint64_t hash, struct str key)
{
	size_t mask = table->slot_count - 1;

	for (size_t i = hash & mask; table->slots[i].key != NULL; i = (i + 1) & mask) {
		if (holds(table, &table->slots[i], hash, key))
			return &table->slots[i];
	}
	return NULL;
}

static uint64_t hash_of(const struct table *table, struct str key)
{
	return siphash13(&table->secret, key.data, key.size);
}

/* The hot path: one hash, one slot, one key. */
void *table_get(const struct table *table, struct str key)
{
	struct slot *slot = find(table, hash_of(table, key), key);

	return slot != NULL ? slot->value : NULL;
}

/* Past tombstones, too: reusing them would need a second look for the key behind them, and they
 * are swept soon enough. */
static struct slot *first_empty(struct table *table, uint64_t hash)
{
	size_t mask = table->slot_count - 1;
	size_t i = hash & mask;

	while (table->slots[i].key != NULL)
		i = (i + 1) & mask;
	return &table->slots[i];
}

static void rebuild(struct table *table)
{
	struct slot *old = table->slots;
	size_t old_count = table->slot_count;

	/* By the living alone: a table that is mostly tombstones keeps its size, or shrinks. */
	table->slot_count = FIRST_SLOTS;
	while (table->slot_count < table->count * 2 + 2)
		table->slot_count *= 2;
	table->slots = alloc_zeroed(table->slot_count, sizeof(struct slot));
	table->used = table->count;
	for (size_t i = 0; i < old_count; i++) {
		if (is_live(table, &old[i]))
			*first_empty(table, old[i].hash) = old[i];
	}
	free(old);
}

void *table_put(struct table *table, struct str key, void *value)
{
	uint64_t hash = hash_of(table, key);
	struct slot *slot = find(table, hash, key);
	void *old = NULL;

	if (slot != NULL) {
		old = slot->value;
		slot->value = value;
		return old;
	}
	/* Tombstones count: a probe has to pass them like the living. */
	if ((table->used + 1) * 4 > table->slot_count * 3)
		rebuild(table);
	*first_empty(table, hash) = (struct slot){hash, alloc_text(key), key.size, value};
	table->count++;
	table->used++;
	return NULL;
}

/* Only the key is freed; the slot stays a tombstone so that longer chains are not cut. */
void *table_remove(struct table *table, struct str key)
{
	struct slot *slot = find(table, hash_of(table, key), key);

	if (slot == NULL)
		return NULL;
	free(slot->key);
	slot->key = table->removed;
	table->count--;
	return slot->value;
}

size_t table_count(const struct table *table)
{
	return table->count;
}

bool table_next(const struct table *table, size_t *at, struct str *key, void **value)
{
	while (*at < table->slot_count) {
		const struct slot *slot = &table->slots[(*at)++];

		if (!is_live(table, slot))
			continue;
		if (key != NULL)
			*key = str_of(slot->key, slot->key_bytes);
		if (value != NULL)
			*value = slot->value;
		return true;
	}
	return false;
}
