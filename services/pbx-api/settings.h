/*
 * settings: pbx-api's own settings.
 */
#ifndef PBX_API_SETTINGS_H
#define PBX_API_SETTINGS_H

#include "config.h"

struct pbx_api_settings {
	const char *cache_url;	  /* of integration-cache; "": none is asked */
	const char *routing_host; /* where PBXs ask for names and routes */
	int64_t routing_port;
	int64_t lookup_ms;
	int64_t cache_seconds, max_cached;
	int64_t ring_seconds, wait_seconds;
	int64_t clicks_per_minute, clicks_at_once;
	const char *secrets_folder; /* of "secret_file"; "": there are none */
};

extern const struct config_field pbx_api_settings_table[];

#endif
