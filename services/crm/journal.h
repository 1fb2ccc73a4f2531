/*
 * journal: a row of integration_logs for an attempt that is no delivery of 8020's (those it writes
 * itself, with the outcome).
 */
#ifndef CRM_JOURNAL_H
#define CRM_JOURNAL_H

#include "attempt.h"

/* For a flow's batch. `event`: "find", "register", "hangup"; `key`: the call's UniqueId; empty: none. */
void journal_put(struct pg_batch *batch, struct flow *flow, const struct attempt *attempt,
	const char *event, struct str key);

#endif
