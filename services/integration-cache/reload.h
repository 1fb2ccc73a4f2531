/*
 * reload: read an enterprise (or all) anew before the answer, for routes whose change must be seen by
 * the next request.
 *
 * As a child flow: `return await_reload(flow, number);`, then look at the accounts.
 */
#ifndef INTEGRATION_CACHE_RELOAD_H
#define INTEGRATION_CACHE_RELOAD_H

#include "cache.h"

/* Empty: all. Waits some seconds at most. */
enum flow_status await_reload(struct flow *flow, struct str number);
/* After the wait: did it happen? */
bool reload_failed(struct flow *flow);

#endif
