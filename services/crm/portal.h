/*
 * portal: one enterprise's access to the CRM: a private copy of its account and configuration.
 *
 * Accounts may be read anew while a job waits for the CRM; a copy lives as long as the job, and the
 * job ends with the configuration that it began with.
 */
#ifndef CRM_PORTAL_H
#define CRM_PORTAL_H

#include "adapter.h"
#include "mask.h"

struct portal {
	struct crm_account account;
	struct json *config, *oauth; /* owned */
	struct mask mask;
	bool enabled;
};

/* `enterprise`: its number. ERROR_MISSING when there is no such enterprise, or it has not this CRM. A
 * portal that is not enabled is opened, too: look at it. Texts live in the arena. */
bool portal_open(struct portal *portal, struct adapter *adapter, struct str enterprise,
	struct arena *arena, struct error *error);
/* The same by the account. */
bool portal_open_account(struct portal *portal, struct adapter *adapter,
	const struct account *account, struct arena *arena, struct error *error);
/* The tokens of crm_oauth as text; "" for none. */
void portal_set_oauth(struct portal *portal, struct str tokens);
/* Put a member into the copy of the configuration. */
void portal_set_config(struct portal *portal, const char *member, struct str value);
void portal_close(struct portal *portal);

#endif
