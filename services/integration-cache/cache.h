/*
 * cache: integration-cache's own struct, and the stories of its routes.
 *
 * Look-ups are answered from memory (accounts, customers); the gateway (dispatch.h) tells CRMs of calls.
 */
#ifndef INTEGRATION_CACHE_CACHE_H
#define INTEGRATION_CACHE_CACHE_H

#include "accounts.h"
#include "adapters.h"
#include "http_client.h"
#include "redis.h"
#include "schema.h"
#include "service.h"
#include "settings.h"

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

#endif
