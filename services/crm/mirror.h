/*
 * mirror: keeps the table of customers as the CRM has them: reads what has changed, an enterprise at a
 * time, by turns that are shared out in crm_memory among all instances.
 */
#ifndef CRM_MIRROR_H
#define CRM_MIRROR_H

#include "adapter.h"

struct mirror *mirror_new(void);
void mirror_free(struct mirror **mirror);
void mirror_start(struct adapter *adapter);

/* An enterprise's turn is now: for a flow's batch; mirror_wake() when that is committed. */
void mirror_put_wake(struct pg_batch *batch, const struct adapter *adapter, const char *enterprise);
void mirror_wake(struct mirror *mirror);

#endif
