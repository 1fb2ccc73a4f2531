/*
 * settings: what all adapters share; address and port are each program's own.
 */
#ifndef CRM_SETTINGS_H
#define CRM_SETTINGS_H

#include "config.h"

struct crm_config {
	const char *call_url;
	const char *hook_url;
	const char *bitrix_oauth_url;
	const char *allow_private;
	int64_t rate_percent;
	int64_t mirror_seconds;
	int64_t max_jobs;
};

extern const struct config_field crm_config_fields[];

#endif
