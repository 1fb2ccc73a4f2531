/*
 * configs: an integration's configuration: checked before it is stored, masked before it is shown.
 */
#ifndef INTEGRATION_CACHE_CONFIGS_H
#define INTEGRATION_CACHE_CONFIGS_H

#include "accounts.h"

struct integration_cache;

/* False with words for the person who saves it: no object, a host that is none, a name that is no
 * CRM's. Whether a host may be reached is decided when it is: addresses change. */
bool config_check(struct str code, struct str config, struct error *error);

/* Append it with "***" in the place of what is secret; of a CRM that is not known, of all that looks like
 * it. */
void config_mask(struct str code, const struct json *config, struct buf *to);

/* {"integrations": {...}, "created_at", "expires_at", "age_seconds"} */
void configs_put_entry(struct json_writer *json, const struct integration_cache *cache,
	const struct account *account);

#endif
