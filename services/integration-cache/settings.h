/*
 * settings: integration-cache's own settings.
 */
#ifndef INTEGRATION_CACHE_SETTINGS_H
#define INTEGRATION_CACHE_SETTINGS_H

#include "config.h"
#include "gateway_settings.h"

struct cache_settings {
	const char *adapters; /* "retailcrm=http://127.0.0.1:8019 uon=..."; "": their own ports */
	int64_t refresh_seconds; /* a copy older than this is read anew behind the answer */
	int64_t ttl_seconds;	 /* and this old it is no answer any more */
	int64_t max_customers;	 /* in memory */
	int64_t warm_customers;	 /* of an enterprise, read before anybody asks */
	int64_t learn_seconds;	 /* until a CRM is asked again for a number that it did not know */
	int64_t budget_ms;	 /* how long an answer waits for Redis and PostgreSQL */
	struct gateway_settings gateway;
};

extern const struct config_field cache_settings_table[];

#endif
