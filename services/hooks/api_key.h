/*
 * api_key: keys with which an enterprise's own programs use /api.
 *
 * `Authorization: Bearer <key>` or `X-Api-Key`. A step of its own, since it asks PostgreSQL:
 * `return await_api_key(flow, &key)`, then key.enterprise, or `return flow_fail_error(flow, &key.error)`.
 */
#ifndef HOOKS_API_KEY_H
#define HOOKS_API_KEY_H

#include "flow.h"

struct api_key {
	const char *enterprise; /* its number, in the flow's arena; NULL: no */
	struct error error;	/* ERROR_AUTH: 401; ERROR_BUSY: PostgreSQL does not answer */
};
enum flow_status await_api_key(struct flow *flow, struct api_key *key);

#endif
