/*
 * customers_listen: what is announced of customers makes copies void: in memory here, in Redis for all.
 */
#include "customers_private.h"

#include <stdio.h>

#define HEAR_MS 60000

/* Every instance deletes: whoever comes last deletes nothing that is good, for a copy that was read
 * before the change is stored by nobody who has heard of it. Another instance may hear of it a moment
 * later and store an old copy meanwhile, so for that moment Redis is passed over. */
static void one_changed(struct customers *customers, const char *key)
{
	struct entry *entry = customers_get(customers, str_from(key));
	struct str words[] = {STR("DEL"), {0}};
	char redis_key[sizeof(CUSTOMERS_REDIS_PREFIX) + CUSTOMER_KEY_BYTES];

	*customers_recent(customers, str_from(key)) = loop_now_ms(customers->cache->loop);
	if (entry == NULL && customers_whole(customers, str_from(key)) != NULL)
		entry = customers_make(customers, str_from(key), false); /* not nobody any more */
	if (entry != NULL) {
		entry->changed = entry->past_redis = true;
		(void)flow_queue_wake_all(&entry->waiting);
	}
	if (customers->cache->redis == NULL)
		return;
	(void)snprintf(redis_key, sizeof(redis_key), CUSTOMERS_REDIS_PREFIX "%.95s", key);
	words[1] = str_from(redis_key);
	(void)redis_tell(customers->cache->redis, words, 2);
}

bool customers_void_redis(struct customers *customers)
{
	unsigned connections = redis_connections(customers->cache->redis);
	struct str words[] = {STR("SET"), STR(CUSTOMERS_REDIS_GENERATION), {0}};
	char generation[CRYPTO_UUID_TEXT];

	/* A DEL may have been lost with the connection before this one. */
	if (customers->redis_trusted && customers->redis_connection == connections)
		return true;
	crypto_uuid4(generation);
	words[2] = str_from(generation);
	customers->redis_trusted = redis_tell(customers->cache->redis, words, 3);
	customers->redis_connection = connections;
	return customers->redis_trusted;
}

/* Nobody knows what was missed. */
static void anything_changed(struct customers *customers)
{
	customers->generation++;
	customers->stats.gaps++;
	customers->redis_trusted = false;
	if (customers->cache->redis != NULL) /* now rather than when others have filled it again */
		(void)customers_void_redis(customers);
}

static enum flow_status hear_wait(struct flow *flow)
{
	struct customers *customers = flow_context(flow);

	return await_pg_notice(flow, customers->listen, HEAR_MS);
}

static enum flow_status hear_take(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct pg_notice notice;

	while (pg_listen_take(customers->listen, &notice)) {
		customers->stats.notices++;
		if (notice.payload[0] != '\0')
			one_changed(customers, notice.payload);
		else
			anything_changed(customers);
	}
	return flow_goto(flow, 0);
}

static const struct flow_step hear_steps[] = {
	{"wait", hear_wait},
	{"take", hear_take},
	{NULL, NULL},
};

static void hear_finally(struct flow *flow)
{
	struct customers *customers = flow_context(flow);

	customers->listener = NULL;
}

static const struct flow_spec hear_flow = {
	.name = "customers-listener",
	.steps = hear_steps,
	.finally = hear_finally,
	.deadline_ms = FLOW_FOREVER,
};

void customers_listen_start(struct customers *customers)
{
	static const char *const channels[] = {"callweave_customers", NULL};
	struct integration_cache *cache = customers->cache;

	customers->listen = pg_listen_new(cache->loop, &cache->database, channels);
	customers->listener = flow_start(cache->loop, &hear_flow, customers, cache->log);
}
