/*
 * settings: one table for all CRMs, so that one environment file serves all their programs.
 */
#include "settings.h"

#include <stddef.h>

#define SETTING(member, name, kind, fallback, low, high, words)                                    \
	CONFIG_FIELD(struct crm_config, member, "CALLWEAVE_CRM_" name, kind, fallback, low, high,  \
		words)

const struct config_field crm_config_fields[] = {
	SETTING(call_url, "CALL_URL", CONFIG_TEXT, "http://127.0.0.1:8018", 0, 200,
		"URL of pbx-api, which makes the calls that people click in a CRM; empty: none"),
	SETTING(hook_url, "HOOK_URL", CONFIG_TEXT, "", 0, 200,
		"base URL under which CRMs reach this process, without a slash at its end; empty: "
		"they cannot"),
	SETTING(bitrix_oauth_url, "BITRIX_OAUTH_URL", CONFIG_TEXT, "https://oauth.bitrix.info", 8,
		200, "base URL of Bitrix24's token server"),
	SETTING(allow_private, "ALLOW_PRIVATE", CONFIG_TEXT, "", 0, 1000,
		"addresses and CIDR ranges that are no public ones and may be reached all the "
		"same"),
	SETTING(rate_percent, "RATE_PERCENT", CONFIG_INT, "100", 1, 100,
		"part of each CRM's rate that this instance may use, in percent"),
	SETTING(mirror_seconds, "MIRROR_SECONDS", CONFIG_INT, "600", 1, 86400,
		"how often a CRM is asked which customers have changed, in seconds"),
	SETTING(max_jobs, "MAX_JOBS", CONFIG_INT, "500", 1, 10000,
		"jobs under way at the same time; more are told to come back"),
	{.name = NULL},
};
