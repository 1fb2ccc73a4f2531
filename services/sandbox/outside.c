/*
 * outside: the list of the services that the sandbox stands in for. A new one is one line here;
 * routes, faults, notes and statistics follow from it.
 */
#include "outside.h"

#include "crm.h"
#include "engine.h"
#include "pbx.h"
#include "small.h"
#include "telegram.h"
#include "twilio.h"

const struct outside_service *const outside_services[] = {
	&telegram_service,
	&pbx_service,
	&engine_service,
	&paypal_service,
	&tranzila_service,
	&baileys_service,
	&twilio_service,
	&crm_retail_service,
	&crm_moysklad_service,
	&crm_bitrix_service,
	&crm_hook_service,
	&crm_uon_service, /* last: its paths begin with a key, which may be anything */
	NULL,
};

int outside_find(struct str path)
{
	for (int i = 0; outside_services[i] != NULL; i++) {
		if (outside_services[i]->owns(path))
			return i;
	}
	return -1;
}

int outside_find_name(struct str name)
{
	for (int i = 0; outside_services[i] != NULL; i++) {
		if (str_equal(str_from(outside_services[i]->name), name))
			return i;
	}
	return -1;
}

void outside_header(struct outside_call *call, const char *name, const char *value)
{
	for (int i = 0; i + 1 < OUTSIDE_HEADERS; i++) {
		if (call->headers[i][0] != NULL)
			continue;
		call->headers[i][0] = name;
		call->headers[i][1] = value;
		return;
	}
}
