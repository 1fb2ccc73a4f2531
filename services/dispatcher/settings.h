/*
 * settings: the dispatcher's own settings. What all services share is the skeleton's.
 */
#ifndef DISPATCHER_SETTINGS_H
#define DISPATCHER_SETTINGS_H

#include "config.h"

struct dispatcher_config {
	const char *telegram_url;
	const char *recording_base;
	const char *gateway_url;
	int64_t lease_ms;
	int64_t linger_seconds;
	int64_t max_lingering;
	int64_t event_days;
	int64_t sent_days;
	int64_t bot_per_second;
	int64_t chat_burst;
	int64_t group_per_minute;
	int64_t send_timeout_ms;
	int64_t max_connections;
	int64_t max_deliveries;
};

extern const struct config_field dispatcher_config_fields[];

#endif
