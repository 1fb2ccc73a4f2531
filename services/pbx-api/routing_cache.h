/*
 * routing_cache: answers that were given to PBXs a short while ago. Bounded; the oldest go first.
 */
#ifndef PBX_API_ROUTING_CACHE_H
#define PBX_API_ROUTING_CACHE_H

#include "str.h"

struct routing_cache;

struct routing_cache *routing_cache_new(size_t max_entries);
void routing_cache_free(struct routing_cache **cache);

struct routing_answer {
	struct str name, plan; /* plan empty: null */
};

/* False when there is none, it is too old, or was made of another `version` of the enterprise. The texts
 * live until the next call. */
bool routing_cache_get(struct routing_cache *cache, struct str key, int64_t version, int64_t now_ms,
	struct routing_answer *answer);
void routing_cache_put(struct routing_cache *cache, struct str key, int64_t version,
	int64_t until_ms, const struct routing_answer *answer);
size_t routing_cache_clear(struct routing_cache *cache); /* how many there were */

#endif
