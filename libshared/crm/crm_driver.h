/*
 * crm_driver: what one CRM is, as pure functions: no I/O, no clock, no globals.
 *
 * A job is one thing to do for one enterprise: tell of a call, find a customer, list employees. The
 * adapter (services/crm) asks next() which request comes next, build() makes it, the adapter sends
 * it, read() says what the reply means; and so on until next() says that it is done. Waiting,
 * retries, rates, tokens, logs and masks are the adapter's, once for all CRMs.
 *
 * A new CRM is one file with a `const struct crm_driver` named <program>_driver, one line in
 * crm_drivers.def, and a folder tests/golden/crm/<program>/.
 */
#ifndef CALLWEAVE_CRM_DRIVER_H
#define CALLWEAVE_CRM_DRIVER_H

#include "crm_hook.h"
#include "crm_job.h"

struct crm_limit {
	const char *name;	 /* "telephony" */
	double units_per_second; /* after a margin of at least a tenth */
	double burst;
	unsigned at_once; /* requests under way; 0: 4 */
};
#define CRM_MAX_LIMITS 3

struct crm_driver {
	const char *program; /* "moysklad": of the process, its settings and scripts */
	const char *code;    /* "ms": in integrations_config, tables and journals */
	const char *title;   /* for people */
	int port;
	struct crm_limit limits[CRM_MAX_LIMITS];
	const char *const
		*secrets; /* members of config and oauth that nobody may see; ended by NULL */
	const char *const
		*hosts; /* members of the config that hold a URL or domain; ended by NULL */
	/* members of the config that CRM_REGISTER makes up (random text) where they are missing:
	 * what stands in the URLs that the CRM is told; ended by NULL; NULL: none */
	const char *const *made;
	bool oauth;	/* it has tokens in crm_oauth: account->oauth, CRM_AUTHORIZE */
	unsigned kinds; /* bit 1 << enum crm_kind: which it wants to be told */
	size_t own_bytes;
	const char *const *operations; /* their names, by number; ended by NULL */

	int (*next)(struct crm_job *job); /* an operation, or CRM_DONE, CRM_SKIP, CRM_STOP */
	bool (*build)(struct crm_job *job, int operation, struct crm_request *request);
	/* `wait_ms`: with CRM_SLOWER, -1 when the CRM did not say. */
	enum crm_verdict (*read)(struct crm_job *job, int operation, const struct crm_reply *reply,
		int64_t *wait_ms);

	const struct crm_hook_route *hooks; /* NULL: it hears nothing */
	const char *hook_header;	    /* a request header that hear() needs; NULL */
	bool (*owner)(const struct crm_hook *hook, struct crm_hook_owner *owner);
	/* `account` is NULL when nobody owns it. Always sets an answer. */
	void (*hear)(const struct crm_account *account, const struct crm_hook *hook,
		struct crm_heard *heard);
};

/* crm_drivers.c: the list, ended by NULL. */
extern const struct crm_driver *const crm_drivers[];
const struct crm_driver *crm_driver_of_program(struct str program);
const struct crm_driver *crm_driver_of_code(struct str code); /* also takes the program's name */

/* The config with each secret replaced by "***", for people and journals. */
void crm_config_masked(const struct crm_driver *driver, const struct json *config, struct buf *to);

#endif
