/*
 * settings: the dispatcher's own settings as one table.
 *
 * The limits stand a little below those that Telegram publishes (30 a second a bot, 1 a second a
 * chat with short bursts, 20 a minute a group), because it counts arrivals and we count departures.
 */
#include "settings.h"

#include <stddef.h>

#define SETTING(member, name, kind, fallback, low, high, words)                                    \
	CONFIG_FIELD(struct dispatcher_config, member, "CALLWEAVE_DISPATCHER_" name, kind,         \
		fallback, low, high, words)

const struct config_field dispatcher_config_fields[] = {
	SETTING(telegram_url, "TELEGRAM_URL", CONFIG_TEXT, "https://api.telegram.org", 8, 200,
		"Base URL of the Telegram Bot API"),
	SETTING(recording_base, "RECORDING_BASE", CONFIG_TEXT, "", 0, 200,
		"Base URL of recordings that have no address of their own; empty: no links to "
		"them"),
	SETTING(gateway_url, "GATEWAY_URL", CONFIG_TEXT, "http://127.0.0.1:8020", 0, 200,
		"Base URL of integration-cache, which tells CRMs of calls; empty: nobody tells "
		"them"),
	SETTING(lease_ms, "LEASE_MS", CONFIG_INT, "5000", 1000, 60000,
		"How long a partition stays with an instance that is silent, in milliseconds"),
	SETTING(linger_seconds, "LINGER_SECONDS", CONFIG_INT, "60", 10, 3600,
		"How long an ended call is remembered for late events, in seconds"),
	SETTING(max_lingering, "MAX_LINGERING", CONFIG_INT, "1000", 100, 1000000,
		"Ended calls remembered at most; above it they are forgotten earlier"),
	SETTING(event_days, "EVENT_DAYS", CONFIG_INT, "90", 1, 3650, "Days of raw events to keep"),
	SETTING(sent_days, "SENT_DAYS", CONFIG_INT, "7", 1, 365,
		"Days to keep finished deliveries"),
	SETTING(bot_per_second, "BOT_PER_SECOND", CONFIG_INT, "28", 1, 10000,
		"Requests a second of one bot"),
	SETTING(chat_burst, "CHAT_BURST", CONFIG_INT, "4", 1, 1000,
		"Requests to one chat at once; one a second in the long run"),
	SETTING(group_per_minute, "GROUP_PER_MINUTE", CONFIG_INT, "19", 2, 10000,
		"Requests a minute to one group"),
	SETTING(send_timeout_ms, "SEND_TIMEOUT_MS", CONFIG_INT, "10000", 100, 60000,
		"How long Telegram may take to answer, in milliseconds"),
	SETTING(max_connections, "MAX_CONNECTIONS", CONFIG_INT, "128", 1, 10000,
		"Connections to Telegram at the same time"),
	SETTING(max_deliveries, "MAX_DELIVERIES", CONFIG_INT, "20000", 100, 1000000,
		"Live messages, and events for CRMs, kept in memory; the rest waits in the "
		"database"),
	{.name = NULL},
};
