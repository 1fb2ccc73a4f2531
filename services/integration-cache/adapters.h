/*
 * adapters: where each CRM's adapter is, and requests to them with the internal secret.
 */
#ifndef INTEGRATION_CACHE_ADAPTERS_H
#define INTEGRATION_CACHE_ADAPTERS_H

#include "http_client.h"

struct adapters;

/* `setting` is CALLWEAVE_INTEGRATION_CACHE_ADAPTERS, `secret` (borrowed) what they want to be shown. NULL
 * with words when it is none. */
struct adapters *adapters_new(struct str setting, const char *secret, struct error *error);
void adapters_free(struct adapters **adapters);

/* "http://127.0.0.1:8019" of the CRM with that code ("ms"); NULL: there is no such CRM. */
const char *adapters_url(const struct adapters *adapters, struct str code);

/* Fill in a POST of JSON to `path` of that adapter: what is left is body and timeout. False: there is no
 * such CRM. */
bool adapters_call(const struct adapters *adapters, struct str code, const char *path,
	struct arena *arena, struct http_call *call);

#endif
