/*
 * adapter: the process' own struct, and the stories of its routes.
 *
 * A request of ours (deliver.c, lookups.c, manage.c, tell.c) or of the CRM (hook.c) or the mirror
 * (mirror.c, learn.c) opens a portal (portal.c: the enterprise's configuration) and runs an attempt
 * (attempt.c: a job of the driver from its first request to its last; exchange.c: one request).
 */
#ifndef CRM_ADAPTER_H
#define CRM_ADAPTER_H

#include "accounts.h"
#include "address.h"
#include "crm_driver.h"
#include "http_client.h"
#include "http_server.h"
#include "meters.h"
#include "pg.h"
#include "rates.h"
#include "schema.h"
#include "service.h"
#include "settings.h"

struct lanes;
struct tokens;
struct learner;
struct mirror;

struct adapter {
	struct service *service;
	struct loop *loop;
	struct log_context log;
	const struct crm_driver *driver;
	const struct crm_config *config;
	char name[64]; /* of this instance, unlike any other: for leases */
	struct pg *pg;
	struct schema *schema;
	struct accounts *accounts;
	struct address_list allowed;
	struct http_client *outside; /* to CRMs: public addresses, and those allowed */
	struct http_client *inside;  /* to our own processes */
	struct rates *rates;
	struct lanes *lanes;
	struct tokens *tokens;
	struct learner *learner;
	struct mirror *mirror;
	struct meters meters;
	struct flow *root; /* parent of what no request waits for */
	unsigned jobs;	   /* under way */
	bool draining;
};

/* The service's argument is the driver. */
void *adapter_start(struct service *service, struct error *error);
void adapter_drain(void *context);
bool adapter_drained(void *context);
void adapter_stop(void *context);
extern const struct service_check adapter_checks[];

extern const struct flow_spec deliver_flow; /* deliver.c */
extern const struct flow_spec lookup_flow;  /* lookups.c */
extern const struct flow_spec manage_flow;  /* manage.c */
extern const struct flow_spec tell_flow;    /* tell.c */
extern const struct flow_spec learn_flow;   /* learn.c */
extern const struct flow_spec hook_flow;    /* hook.c */

#endif
