/*
 * settings: the table of pbx-api's own settings; those of every service are the skeleton's.
 *
 * What an enterprise's PBX is reached by stands in enterprises.settings, member "ami": click_pbx.h.
 */
#include "settings.h"

#define FIELD(member, name, kind, fallback, low, high, help)                                       \
	CONFIG_FIELD(struct pbx_api_settings, member, "CALLWEAVE_PBX_API_" name, kind, fallback,   \
		low, high, help)

const struct config_field pbx_api_settings_table[] = {
	FIELD(cache_url, "CACHE_URL", CONFIG_TEXT, "http://127.0.0.1:8020", 0, 200,
		"Base URL of integration-cache; empty: names come from the database alone"),
	FIELD(routing_host, "ROUTING_HOST", CONFIG_TEXT, "127.0.0.1", 2, 45,
		"Numeric address on which PBXs ask for names and routes"),
	FIELD(routing_port, "ROUTING_PORT", CONFIG_INT, "8021", 0, 65535,
		"Port for that; 0: any free one"),
	FIELD(lookup_ms, "LOOKUP_MS", CONFIG_INT, "150", 1, 250,
		"How long an answer waits for names and history, in milliseconds"),
	FIELD(cache_seconds, "CACHE_SECONDS", CONFIG_INT, "60", 0, 3600,
		"How long the same caller on the same line gets the same answer, in seconds"),
	FIELD(max_cached, "MAX_CACHED", CONFIG_INT, "20000", 1, 1000000,
		"Such answers kept, some 300 bytes each; the oldest go first"),
	FIELD(ring_seconds, "RING_SECONDS", CONFIG_INT, "25", 5, 120,
		"How long the phone of who clicked rings, in seconds"),
	FIELD(wait_seconds, "WAIT_SECONDS", CONFIG_INT, "30", 0, 150,
		"How long the answer to a click waits for that phone, in seconds; less than it "
		"rings: the answer is \"ringing\""),
	FIELD(clicks_per_minute, "CLICKS_PER_MINUTE", CONFIG_INT, "60", 1, 6000,
		"Clicks of one enterprise; more are refused (429)"),
	FIELD(clicks_at_once, "CLICKS_AT_ONCE", CONFIG_INT, "16", 1, 1000,
		"Connections to one enterprise's PBX at the same time; more are refused (429)"),
	FIELD(secrets_folder, "SECRETS_FOLDER", CONFIG_TEXT, "", 0, 300,
		"Folder of the files that \"secret_file\" of an enterprise may name; empty: none"),
	{.name = NULL},
};
