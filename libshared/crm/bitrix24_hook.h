/*
 * bitrix24_hook: what Bitrix24 tells us: installations, clicks on numbers, changed customers.
 */
#ifndef CALLWEAVE_CRM_BITRIX24_HOOK_H
#define CALLWEAVE_CRM_BITRIX24_HOOK_H

#include "crm_driver.h"

extern const struct crm_hook_route bitrix24_hooks[];
bool bitrix24_owner(const struct crm_hook *hook, struct crm_hook_owner *owner);
void bitrix24_hear(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard);

#endif
