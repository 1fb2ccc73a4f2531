/*
 * cache: the life of integration-cache: what it is made of, in order, and the mirror of that.
 */
#include "cache.h"

#include "alloc.h"
#include "clock.h"
#include "customers.h"
#include "gateway.h"
#include "message_store.h"

#include <stdlib.h>

/* An answer needs only the copy in memory: without a database the last good one serves. */
static const char *accounts_check(void *context)
{
	const struct integration_cache *cache = context;
	const char *why = accounts_why_not(cache->accounts);

	if (why != NULL && pg_ready(cache->side_pg) && schema_why_not(cache->schema) != NULL)
		return schema_why_not(cache->schema);
	return why;
}

static const char *deliveries_check(void *context)
{
	const struct integration_cache *cache = context;

	return gateway_why_not(cache->gateway);
}

const struct service_check cache_checks[] = {
	{"accounts", accounts_check},
	{"deliveries", deliveries_check},
	{NULL, NULL},
};

static bool check_settings(const struct cache_settings *settings, struct error *error)
{
	if (settings->ttl_seconds >= 2 * settings->refresh_seconds)
		return true;
	return error_set(error, ERROR_INPUT,
		"CALLWEAVE_INTEGRATION_CACHE_TTL_SECONDS: must be at least twice "
		"CALLWEAVE_INTEGRATION_CACHE_REFRESH_SECONDS");
}

static bool connect_redis(struct integration_cache *cache, struct error *error)
{
	const struct redis_options options = {
		.url = service_redis_url(cache->service), .log = *cache->log};

	if (options.url[0] == '\0')
		return true;
	cache->redis = redis_new(cache->loop, &options, error);
	return cache->redis != NULL;
}

static void connect_database(struct integration_cache *cache)
{
	struct accounts_options accounts = {
		.database_url = cache->database.url,
		.application_name = cache->database.application_name,
		.log = *cache->log,
		.refresh_ms = cache->settings->refresh_seconds * 1000,
	};

	cache->pg = pg_new(cache->loop, &cache->database);
	cache->side_pg = pg_new(cache->loop, &cache->database);
	cache->schema = schema_new(cache->loop, cache->side_pg, cache->log);
	accounts.pg = cache->side_pg;
	cache->accounts = accounts_new(cache->loop, &accounts);
	cache->customers = customers_new(cache);
}

void *cache_start(struct service *service, struct error *error)
{
	struct integration_cache *cache = alloc_zeroed(1, sizeof(*cache));

	cache->service = service;
	cache->settings = service_config(service);
	cache->loop = service_loop(service);
	cache->log = service_log(service);
	cache->started_ms = clock_monotonic_ms();
	cache->database = (struct pg_options){
		.url = service_database_url(service),
		.application_name = "callweave integration-cache",
		.log = *cache->log,
	};
	if (service_internal_secret(service).size == 0)
		log_warn(cache->log, "CALLWEAVE_INTERNAL_SECRET is not set: no CRM can be reached");
	cache->adapters = adapters_new(
		str_from(cache->settings->adapters), service_internal_secret(service).data, error);
	if (cache->adapters == NULL || !check_settings(cache->settings, error) ||
		!connect_redis(cache, error)) {
		cache_stop(cache);
		return NULL;
	}
	cache->http = http_client_new(
		cache->loop, &(struct http_client_options){.user_agent = "callweave"});
	connect_database(cache);
	cache->messages = message_store_new();
	cache->gateway = gateway_start(&(struct gateway_options){
		.service = service,
		.settings = &cache->settings->gateway,
		.accounts = cache->accounts,
		.schema = cache->schema,
		.adapters = cache->adapters,
	});
	return cache;
}

void cache_drain(void *context)
{
	const struct integration_cache *cache = context;

	gateway_drain(cache->gateway);
}

bool cache_drained(void *context)
{
	const struct integration_cache *cache = context;

	return gateway_drained(cache->gateway);
}

/* Also of one that did not come to its end. */
void cache_stop(void *context)
{
	struct integration_cache *cache = context;

	gateway_stop(&cache->gateway);
	message_store_free(&cache->messages);
	customers_free(&cache->customers);
	accounts_free(&cache->accounts);
	schema_free(&cache->schema);
	pg_free(&cache->side_pg);
	pg_free(&cache->pg);
	http_client_free(&cache->http);
	redis_free(&cache->redis);
	adapters_free(&cache->adapters);
	free(cache);
}
