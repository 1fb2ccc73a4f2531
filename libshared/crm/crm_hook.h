/*
 * crm_hook: what a CRM tells us, by a request to one of our paths, and what is heard in it.
 */
#ifndef CALLWEAVE_CRM_HOOK_H
#define CALLWEAVE_CRM_HOOK_H

#include "args.h"
#include "crm_job.h"

/* A request to one of our paths. */
struct crm_hook {
	struct str method, path, tail; /* tail: behind the route's * */
	struct args args;	       /* query, form or flat JSON */
	struct str body;
	const struct json *json; /* of the body; NULL: none */
	struct str signature;	 /* the header that the driver names in hook_header */
	int64_t now_ms;
};

/* Whose request it is: the account whose `member` of the config (or "number", "token", "secret" of
 * the enterprise itself) is exactly `value`. */
struct crm_hook_owner {
	const char *member;
	struct str value;
};

enum crm_heard_kind {
	CRM_HEARD_NOTHING,
	CRM_HEARD_CALL,	     /* somebody clicked on a number: user or extension, phone */
	CRM_HEARD_CUSTOMERS, /* these changed */
	CRM_HEARD_CHANGES,   /* something changed: run CRM_CHANGES */
	CRM_HEARD_INSTALL,   /* oauth_after holds the tokens of a new installation */
	CRM_HEARD_REMOVED,
};

struct crm_heard {
	enum crm_heard_kind kind;
	struct arena *arena;
	struct str user, extension, phone, origin_call;
	struct crm_customer *customers; /* room for CRM_MAX_FOUND */
	unsigned customer_count;
	struct str oauth_after;
	int status; /* of the answer */
	const char *content_type;
	struct str answer;
	struct error why; /* when it is refused: for the log */
};

struct crm_hook_route {
	const char *method, *path; /* as in http_server.h; NULL method ends */
};

#endif
