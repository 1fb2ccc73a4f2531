/*
 * learn: one number is looked up in the CRM behind everybody's back, and what comes of it goes to the
 * table of customers. What 8020 asks for when it does not know a caller.
 */
#ifndef CRM_LEARN_H
#define CRM_LEARN_H

#include "adapter.h"

struct learner *learner_new(void);
void learner_free(struct learner **learner);

/* The batch that stores what was found. False: there is nothing. */
bool learn_put(struct pg_batch *batch, const struct adapter *adapter, const char *enterprise,
	struct str customers, struct arena *arena);

#endif
