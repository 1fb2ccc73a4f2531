/*
 * routes: the addresses of one CRM's adapter: ours, with its code in them, and those at which the CRM
 * itself comes.
 */
#ifndef CRM_ROUTES_H
#define CRM_ROUTES_H

#include "crm_driver.h"
#include "http_server.h"

#define ROUTES_MAX	40
#define ROUTES_PATH_MAX 64

struct routes {
	struct http_route items[ROUTES_MAX + 1]; /* ended by a NULL method */
	char paths[ROUTES_MAX][ROUTES_PATH_MAX];
	unsigned count;
};

/* Zeroed by the caller. */
void routes_make(struct routes *routes, const struct crm_driver *driver);

#endif
