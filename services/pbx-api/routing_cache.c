/*
 * routing_cache: see routing_cache.h.
 */
#include "routing_cache.h"

#include "alloc.h"
#include "table.h"

#include <stdlib.h>

struct entry {
	struct entry *newer; /* in the order in which they were put */
	int64_t version, until_ms;
	size_t key_size, name_size, plan_size;
	char text[]; /* key, name, plan */
};

struct routing_cache {
	struct table *by_key;
	struct entry *oldest, **newest;
	size_t count, max; /* of all entries, also those that were put anew since */
};

struct routing_cache *routing_cache_new(size_t max_entries)
{
	struct routing_cache *cache = alloc_zeroed(1, sizeof(*cache));

	cache->by_key = table_new();
	cache->newest = &cache->oldest;
	cache->max = max_entries;
	return cache;
}

static void drop_oldest(struct routing_cache *cache)
{
	struct entry *old = cache->oldest;
	struct str key = str_of(old->text, old->key_size);

	cache->oldest = old->newer;
	if (cache->oldest == NULL)
		cache->newest = &cache->oldest;
	if (table_get(cache->by_key, key) == old)
		(void)table_remove(cache->by_key, key);
	free(old);
	cache->count--;
}

size_t routing_cache_clear(struct routing_cache *cache)
{
	size_t known = table_count(cache->by_key);

	while (cache->oldest != NULL)
		drop_oldest(cache);
	return known;
}

void routing_cache_free(struct routing_cache **cache)
{
	if (*cache == NULL)
		return;
	(void)routing_cache_clear(*cache);
	table_free(&(*cache)->by_key);
	free(*cache);
	*cache = NULL;
}

bool routing_cache_get(struct routing_cache *cache, struct str key, int64_t version, int64_t now_ms,
	struct routing_answer *answer)
{
	const struct entry *entry = table_get(cache->by_key, key);

	if (entry == NULL || entry->version != version || entry->until_ms <= now_ms)
		return false;
	answer->name = str_of(entry->text + entry->key_size, entry->name_size);
	answer->plan = str_of(entry->text + entry->key_size + entry->name_size, entry->plan_size);
	return true;
}

static char *add(char *to, struct str text)
{
	if (text.size > 0)
		memcpy(to, text.data, text.size);
	return to + text.size;
}

void routing_cache_put(struct routing_cache *cache, struct str key, int64_t version,
	int64_t until_ms, const struct routing_answer *answer)
{
	struct entry *entry = alloc_zeroed(
		1, sizeof(*entry) + key.size + answer->name.size + answer->plan.size + 1);

	while (cache->count >= cache->max)
		drop_oldest(cache);
	entry->version = version;
	entry->until_ms = until_ms;
	entry->key_size = key.size;
	entry->name_size = answer->name.size;
	entry->plan_size = answer->plan.size;
	(void)add(add(add(entry->text, key), answer->name), answer->plan);
	*cache->newest = entry;
	cache->newest = &entry->newer;
	cache->count++;
	(void)table_put(cache->by_key, key, entry);
}
