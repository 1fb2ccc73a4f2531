/*
 * cache: integration-cache's own struct, and the stories of its routes.
 *
 * Look-ups are answered from memory (accounts, customers); the gateway (gateway.h) tells CRMs of calls.
 */
#ifndef INTEGRATION_CACHE_CACHE_H
#define INTEGRATION_CACHE_CACHE_H

#include "accounts.h"
#include "adapters.h"
#include "customers.h"
#include "http_client.h"
#include "redis.h"
#include "schema.h"
#include "service.h"
#include "settings.h"

/* Look-ups that were answered from accounts; those of customers are customers_stats(). */
struct cache_stats {
	int64_t status_hits, status_misses;
	int64_t config_hits, config_misses;
	int64_t metadata_hits, metadata_misses;
};

struct integration_cache {
	struct service *service;
	const struct cache_settings *settings;
	struct loop *loop;
	const struct log_context *log;
	struct pg_options database; /* for connections of one's own */
	struct pg *pg;		    /* what somebody waits for */
	struct pg *side_pg;	    /* everything else: loads, housekeeping */
	struct schema *schema;	    /* by side_pg */
	struct redis *redis;	    /* NULL: there is none */
	struct http_client *http;   /* to the adapters */
	struct accounts *accounts;
	struct adapters *adapters;
	struct customers *customers;
	struct message_store *messages; /* ids of Telegram messages */
	struct cache_stats stats;
	int64_t started_ms; /* monotonic */
	struct gateway *gateway;
};

/* -- life (cache.c) ------------------------------------------------------------------------------- */

void *cache_start(struct service *service, struct error *error);
void cache_drain(void *context);
bool cache_drained(void *context);
void cache_stop(void *context);
extern const struct service_check cache_checks[];

/* -- the ways in (routes.c) ----------------------------------------------------------------------- */

extern const struct http_route cache_routes[];
extern const struct flow_spec health_flow, stats_flow, invalidate_flow, refresh_flow,
	entries_flow;							       /* admin.c */
extern const struct flow_spec integrations_flow, config_flow, config_put_flow; /* configs.c */
extern const struct flow_spec metadata_flow, metadata_stats_flow, metadata_refresh_flow,
	metadata_refresh_all_flow, transforms_flow, transforms_reload_flow; /* metadata.c */
extern const struct flow_spec customer_name_flow, customer_profile_flow,
	responsible_flow;		   /* lookups.c */
extern const struct flow_spec lookup_flow; /* lookup_batch.c */
extern const struct flow_spec enrich_flow; /* enrich.c */
extern const struct flow_spec notify_flow; /* notify.c */
extern const struct flow_spec message_put_flow, message_get_flow,
	message_delete_flow; /* messages.c */

#endif
