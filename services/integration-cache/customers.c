/*
 * customers: see customers.h. The copy in memory: found, kept, let go.
 */
#include "customers_private.h"

#include "alloc.h"
#include "crm_driver.h"

#include <stdio.h>
#include <stdlib.h>

#define DEAF_REFRESH_MS 1000 /* while announcements do not come */
#define EVICT_TRIES	16
#define RECENT_MS	2000 /* until every instance has heard of a change */
#define FAILED_MS	1000 /* until PostgreSQL is asked again while old copies serve */

static struct str key_of(const void *thing)
{
	const struct entry *entry = thing;

	return str_of(entry->key, entry->key_size);
}

struct customers *customers_new(struct integration_cache *cache)
{
	struct customers *customers = alloc_zeroed(1, sizeof(*customers));

	customers->cache = cache;
	customers->entries = keyset_new(key_of);
	customers->questions = alloc_zeroed(MAX_QUESTIONS, sizeof(customers->questions[0]));
	flow_queue_init(&customers->wake);
	flow_queue_init(&customers->asked);
	customers_listen_start(customers);
	customers_fetch_start(customers);
	customers->wholes = table_new();
	customers_meters_start(customers);
	customers_learn_start(customers);
	customers_warm_start(customers);
	return customers;
}

static void entry_free(struct entry *entry)
{
	(void)flow_queue_wake_all(&entry->waiting);
	free(entry->texts);
	free(entry);
}

void customers_free(struct customers **customers)
{
	struct customers *old = *customers;

	if (old == NULL)
		return;
	if (old->fetcher != NULL)
		flow_cancel(old->fetcher);
	if (old->listener != NULL)
		flow_cancel(old->listener);
	if (old->learner != NULL)
		flow_cancel(old->learner);
	customers_warm_free(old);
	pg_listen_free(&old->listen);
	while (old->newest != NULL) {
		struct entry *entry = old->newest;

		old->newest = entry->older;
		entry_free(entry);
	}
	keyset_free(&old->entries);
	free(old->questions);
	free(old);
	*customers = NULL;
}

bool customer_key(const struct account *account, struct str phone, struct customer_key *key)
{
	char number[PHONE_TEXT_BYTES];
	int size;

	if (number_is_internal(account->numbers, phone) ||
		!phone_e164(phone, account->country, number))
		return false;
	size = snprintf(key->text, sizeof(key->text), "%s %s", account->number, number);
	key->size = size > 0 && (size_t)size < sizeof(key->text) ? (unsigned)size : 0;
	return key->size > 0;
}

/* -- by age --------------------------------------------------------------------------------------- */

static void list_remove(struct customers *customers, struct entry *entry)
{
	*(entry->newer != NULL ? &entry->newer->older : &customers->newest) = entry->older;
	*(entry->older != NULL ? &entry->older->newer : &customers->oldest) = entry->newer;
}

static void list_add(struct customers *customers, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = customers->newest;
	*(entry->older != NULL ? &entry->older->newer : &customers->oldest) = entry;
	customers->newest = entry;
}

static void list_add_oldest(struct customers *customers, struct entry *entry)
{
	entry->older = NULL;
	entry->newer = customers->oldest;
	*(entry->newer != NULL ? &entry->newer->older : &customers->newest) = entry;
	customers->oldest = entry;
}

static void list_touch(struct customers *customers, struct entry *entry)
{
	if (customers->newest == entry)
		return;
	list_remove(customers, entry);
	list_add(customers, entry);
}

static bool is_busy(const struct entry *entry)
{
	return entry->wanted || entry->fetching || !flow_queue_empty(&entry->waiting);
}

static void evict(struct customers *customers, struct entry *entry)
{
	struct whole *whole = customers_whole(customers, key_of(entry));

	if (whole != NULL && (entry->texts == NULL || entry->customer.known))
		whole->complete = whole->loading = false;
	(void)keyset_remove(customers->entries, entry);
	list_remove(customers, entry);
	entry_free(entry);
}

/* Those that somebody waits for stay; there are never many. */
static void make_room(struct customers *customers)
{
	size_t most = (size_t)customers->cache->settings->max_customers;
	struct entry *at = customers->oldest;

	for (unsigned i = 0; i < EVICT_TRIES && at != NULL; i++) {
		struct entry *entry = at;

		if (keyset_count(customers->entries) < most)
			return;
		at = entry->newer;
		if (is_busy(entry))
			continue;
		evict(customers, entry);
	}
}

/* -- finding -------------------------------------------------------------------------------------- */

struct entry *customers_get(const struct customers *customers, struct str key)
{
	return keyset_get(customers->entries, key);
}

int64_t *customers_recent(struct customers *customers, struct str key)
{
	return &customers->recent[crypto_crc32c(0, key.data, key.size) % CUSTOMERS_RECENT];
}

struct entry *customers_make(struct customers *customers, struct str key, bool used)
{
	struct entry *entry = customers_get(customers, key);

	if (entry != NULL) {
		if (used)
			list_touch(customers, entry);
		return entry;
	}
	make_room(customers);
	entry = alloc_zeroed(1, sizeof(*entry) + key.size);
	entry->key_size = (unsigned)key.size;
	memcpy(entry->key, key.data, key.size);
	entry->past_redis =
		loop_now_ms(customers->cache->loop) - *customers_recent(customers, key_of(entry)) <
		RECENT_MS;
	flow_queue_init(&entry->waiting);
	(void)keyset_put(customers->entries, entry);
	metric_set(customers->meters.kept, (double)keyset_count(customers->entries));
	if (used)
		list_add(customers, entry);
	else
		list_add_oldest(customers, entry);
	return entry;
}

/* Who is not among all customers of an enterprise is nobody: that is known without asking. */
static struct entry *get_or_make(struct customers *customers, const struct customer_key *key)
{
	struct str text = str_of(key->text, key->size);
	bool there = customers_get(customers, text) != NULL;
	struct entry *entry = customers_make(customers, text, true);
	const struct whole *whole = there ? NULL : customers_whole(customers, text);

	if (whole != NULL && customers_whole_holds(customers, whole))
		(void)customers_fill(customers, entry, STR("null"));
	return entry;
}

static bool is_current(const struct customers *customers, const struct entry *entry, int64_t now_ms)
{
	return entry->texts != NULL && !entry->changed &&
	       entry->generation == customers->generation &&
	       now_ms - entry->read_ms < customers->cache->settings->ttl_seconds * 1000;
}

/* A copy lives longer than announcements may fail to come. */
static bool is_old(const struct customers *customers, const struct entry *entry, int64_t now_ms)
{
	int64_t refresh_ms = customers->cache->settings->refresh_seconds * 1000;

	if (!pg_listen_ready(customers->listen))
		refresh_ms = DEAF_REFRESH_MS;
	return now_ms - entry->read_ms >= refresh_ms;
}

/* PostgreSQL fails: nobody waits again for what cannot be read now. */
static bool is_all_there_is(
	const struct customers *customers, const struct entry *entry, int64_t now_ms)
{
	return entry->texts != NULL && customers->failed_ms != 0 &&
	       now_ms - customers->failed_ms < FAILED_MS;
}

void customers_want(struct customers *customers, struct entry *entry)
{
	if (entry->wanted || entry->fetching)
		return;
	entry->wanted = true;
	entry->next_wanted = NULL;
	if (customers->first_wanted == NULL)
		customers->first_wanted = entry;
	else
		customers->last_wanted->next_wanted = entry;
	customers->last_wanted = entry;
	(void)flow_queue_wake_all(&customers->wake);
}

const struct customer *customers_find(
	struct customers *customers, const struct account *account, const struct customer_key *key)
{
	struct entry *entry = get_or_make(customers, key);
	int64_t now_ms = loop_now_ms(customers->cache->loop);

	if (!is_current(customers, entry, now_ms) && !is_all_there_is(customers, entry, now_ms)) {
		customers->stats.memory.misses++;
		metric_add(customers->meters.memory_misses, 1);
		customers_want(customers, entry);
		return NULL;
	}
	customers->stats.memory.hits++;
	metric_add(customers->meters.memory_hits, 1);
	if (is_old(customers, entry, now_ms)) {
		customers->stats.memory.stale++;
		customers_want(customers, entry);
	}
	customers_learn(customers, account, entry);
	return &entry->customer;
}

struct flow_queue *customers_pending(
	struct customers *customers, const struct customer_key *keys, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct entry *entry = customers_get(customers, str_of(keys[i].text, keys[i].size));

		if (entry != NULL && (entry->wanted || entry->fetching))
			return &entry->waiting;
	}
	return NULL;
}

const struct customer *customers_peek(
	const struct customers *customers, const struct customer_key *key)
{
	const struct entry *entry = customers_get(customers, str_of(key->text, key->size));

	return entry != NULL && entry->texts != NULL ? &entry->customer : NULL;
}

void customers_expect(struct customers *customers, const struct account *account, struct str phone)
{
	struct customer_key key;
	struct entry *entry;

	if (!customer_key(account, phone, &key))
		return;
	entry = get_or_make(customers, &key);
	if (is_current(customers, entry, loop_now_ms(customers->cache->loop)))
		customers_learn(customers, account, entry);
	else
		customers_want(customers, entry); /* and learn when it is there */
}

bool customers_ask(
	struct customers *customers, const struct account *account, const struct customer_key *key)
{
	struct entry *entry = get_or_make(customers, key);

	entry->asked_ms = 0;
	customers_learn(customers, account, entry);
	return entry->asked_ms != 0;
}

struct flow_queue *customers_watch(struct customers *customers, const struct customer_key *key)
{
	struct entry *entry = customers_get(customers, str_of(key->text, key->size));

	return entry != NULL ? &entry->waiting : NULL;
}

/* -- filling and forgetting ----------------------------------------------------------------------- */

bool customers_fill(struct customers *customers, struct entry *entry, struct str json)
{
	struct customer customer;
	struct error error;
	char *texts;

	if (!customer_read(json, &customer, &texts, &error)) {
		log_warn(customers->cache->log, "customers: a record cannot be read: %s",
			error.text);
		return false;
	}
	free(entry->texts);
	entry->texts = texts;
	entry->customer = customer;
	entry->read_ms = loop_now_ms(customers->cache->loop);
	entry->generation = customers->generation;
	return true;
}

static void forget(struct entry *entry)
{
	entry->changed = true;
	entry->past_redis = true;
}

void customers_forget(struct customers *customers, const struct customer_key *key)
{
	struct entry *entry = customers_get(customers, str_of(key->text, key->size));

	if (entry != NULL)
		forget(entry);
}

void customers_forget_all(struct customers *customers, struct str enterprise)
{
	for (struct entry *at = customers->newest; at != NULL; at = at->older) {
		bool begins = str_starts(str_of(at->key, at->key_size), enterprise);

		if (enterprise.size == 0 || (begins && at->key[enterprise.size] == ' '))
			forget(at);
	}
}

size_t customers_count(const struct customers *customers)
{
	return keyset_count(customers->entries);
}

const struct customers_stats *customers_stats(const struct customers *customers)
{
	return &customers->stats;
}

/* -- who is responsible --------------------------------------------------------------------------- */

struct str customer_responsible(
	const struct account *account, const struct customer *customer, struct arena *arena)
{
	struct str code = str_from(account->primary);
	const struct account_integration *primary = account_integration(account, code);
	const struct customer_crm *crm = customer != NULL ? customer_crm(customer, code) : NULL;
	struct crm_account mapped = {.number = account->number};
	struct str extension;

	if (primary == NULL || !primary->enabled || crm == NULL || crm->manager.size == 0)
		return str_of(NULL, 0);
	mapped.config = primary->config;
	extension = crm_extension_of(&mapped, crm->manager, arena);
	return table_get(account->managers, extension) != NULL ? extension : str_of(NULL, 0);
}
