/*
 * adapters: where each CRM's adapter is, and requests to them with the internal secret.
 */
#ifndef INTEGRATION_CACHE_ADAPTERS_H
#define INTEGRATION_CACHE_ADAPTERS_H

#include "error.h"
#include "str.h"

struct adapters;

/* `setting` is CALLWEAVE_INTEGRATION_CACHE_ADAPTERS. NULL with words when it is none. */
struct adapters *adapters_new(struct str setting, struct error *error);
void adapters_free(struct adapters **adapters);

/* "http://127.0.0.1:8019" of the CRM with that code ("ms"); NULL: there is no such CRM. */
const char *adapters_url(const struct adapters *adapters, struct str code);

#endif
