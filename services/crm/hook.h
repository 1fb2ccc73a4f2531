/*
 * hook: a call that somebody clicked in a CRM, on its way to pbx-api.
 *
 * It lives on its own, for a PBX may take longer than the CRM that sent the click waits for its answer,
 * and a call that was begun is not to be given up for that.
 */
#ifndef CRM_HOOK_H
#define CRM_HOOK_H

#include "adapter.h"

struct click;

struct click *click_start(
	struct adapter *adapter, const struct crm_account *account, const struct crm_heard *heard);
struct flow_queue *click_done(struct click *click);
/* It is over and did not succeed: `error` says why. False also while it is under way. */
bool click_failed(const struct click *click, struct error *error);
/* Nobody waits any more. */
void click_leave(struct click **click);

#endif
