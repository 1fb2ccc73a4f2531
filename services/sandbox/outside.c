/*
 * outside: the list of the services that the sandbox stands in for. A new one is one line here;
 * routes, faults, notes and statistics follow from it.
 */
#include "outside.h"

#include "pbx.h"
#include "telegram.h"

const struct outside_service *const outside_services[] = {
	&telegram_service,
	&pbx_service,
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
