/*
 * message_store: see message_store.h. Pure.
 */
#include "message_store.h"

#include "alloc.h"
#include "table.h"

#include <stdlib.h>

struct kept {
	struct message_set set; /* first */
	struct kept *newer, *older;
	int64_t until_ms;
	char *key;
};

struct message_store {
	struct table *by_key; /* -> struct kept */
	struct kept *newest, *oldest;
};

static const char *const names[MESSAGE_EVENTS] = {"start", "dial", "bridge"};

const char *message_event_name(enum message_event event)
{
	return names[event];
}

bool message_event_read(struct str name, enum message_event *event)
{
	for (unsigned i = 0; i < MESSAGE_EVENTS; i++) {
		if (str_equal(name, str_from(names[i]))) {
			*event = (enum message_event)i;
			return true;
		}
	}
	return false;
}

/* -- one set -------------------------------------------------------------------------------------- */

void message_set_put(struct message_set *set, enum message_event event, int64_t id)
{
	if (event == MESSAGE_START)
		set->start = id;
	if (event == MESSAGE_BRIDGE)
		set->bridge = id;
	if (event != MESSAGE_DIAL)
		return;
	for (unsigned i = 0; i < set->dial_count; i++) {
		if (set->dials[i] == id)
			return;
	}
	if (set->dial_count == MESSAGES_MAX_DIALS)
		memmove(set->dials, set->dials + 1, --set->dial_count * sizeof(set->dials[0]));
	set->dials[set->dial_count++] = id;
}

void message_set_drop(struct message_set *set, enum message_event event)
{
	if (event == MESSAGE_START)
		set->start = 0;
	else if (event == MESSAGE_BRIDGE)
		set->bridge = 0;
	else
		set->dial_count = 0;
}

bool message_set_empty(const struct message_set *set)
{
	return set->start == 0 && set->bridge == 0 && set->dial_count == 0;
}

/* -- all of them ---------------------------------------------------------------------------------- */

struct message_store *message_store_new(void)
{
	struct message_store *store = alloc_zeroed(1, sizeof(*store));

	store->by_key = table_new();
	return store;
}

static void list_remove(struct message_store *store, struct kept *kept)
{
	if (kept->newer != NULL)
		kept->newer->older = kept->older;
	else
		store->newest = kept->older;
	if (kept->older != NULL)
		kept->older->newer = kept->newer;
	else
		store->oldest = kept->newer;
}

static void list_add(struct message_store *store, struct kept *kept)
{
	kept->newer = NULL;
	kept->older = store->newest;
	*(kept->older != NULL ? &kept->older->newer : &store->oldest) = kept;
	store->newest = kept;
}

static void drop(struct message_store *store, struct kept *kept)
{
	(void)table_remove(store->by_key, str_from(kept->key));
	free(kept->key);
	free(kept);
}

static void drop_oldest(struct message_store *store)
{
	struct kept *kept = store->oldest;

	store->oldest = kept->newer;
	if (kept->newer != NULL)
		kept->newer->older = NULL;
	else
		store->newest = NULL;
	drop(store, kept);
}

void message_store_free(struct message_store **store)
{
	if (*store == NULL)
		return;
	for (struct kept *at = (*store)->newest, *next; at != NULL; at = next) {
		next = at->older;
		free(at->key);
		free(at);
	}
	table_free(&(*store)->by_key);
	free(*store);
	*store = NULL;
}

/* They lie in the order of their ends. */
static void expire(struct message_store *store, int64_t now_ms)
{
	while (store->oldest != NULL && store->oldest->until_ms <= now_ms)
		drop_oldest(store);
}

struct message_set *message_store_get(struct message_store *store, struct str key, int64_t now_ms)
{
	struct kept *kept;

	expire(store, now_ms);
	kept = table_get(store->by_key, key);
	return kept != NULL ? &kept->set : NULL;
}

struct message_set *message_store_make(struct message_store *store, struct str key, int64_t now_ms)
{
	struct kept *kept;

	expire(store, now_ms);
	kept = table_get(store->by_key, key);
	if (kept != NULL) {
		list_remove(store, kept);
	} else {
		if (table_count(store->by_key) >= MESSAGES_MAX_SETS)
			drop_oldest(store);
		kept = alloc_zeroed(1, sizeof(*kept));
		kept->key = alloc_text(key);
		(void)table_put(store->by_key, key, kept);
	}
	kept->until_ms = now_ms + MESSAGES_TTL_MS;
	list_add(store, kept);
	return &kept->set;
}

void message_store_remove(struct message_store *store, struct str key)
{
	struct kept *kept = table_get(store->by_key, key);

	if (kept == NULL)
		return;
	list_remove(store, kept);
	drop(store, kept);
}

size_t message_store_count(const struct message_store *store)
{
	return table_count(store->by_key);
}
