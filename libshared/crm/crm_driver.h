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

#include "args.h"
#include "clock.h"
#include "crm_call.h"

/* -- for whom ------------------------------------------------------------------------------------ */

/* An enterprise as a driver sees it. Borrowed. */
struct crm_account {
	const char *number, *name;
	const char *country, *locale;  /* "BY"; "ru" or "en" */
	const struct clock_zone *zone; /* NULL: UTC */
	const struct json *config;     /* the driver's own object of integrations_config */
	const struct json *oauth;      /* what authorize jobs left in crm_oauth; NULL: nothing */
	const char *hook_url;	       /* where the CRM reaches us, without a slash; "": nowhere */
	const char *oauth_url; /* token server of an application; NULL, "": the vendor's own */
};

/* The maps of integrations_config, which way round they may be written: user -> extension
 * ("user_extensions") or extension -> user ("employee_mapping", "user_mapping"). Empty when nobody
 * is mapped: never anybody else. */
struct str crm_user_of(
	const struct crm_account *account, struct str extension, struct arena *arena);
struct str crm_extension_of(
	const struct crm_account *account, struct str user, struct arena *arena);

/* -- what is found ------------------------------------------------------------------------------- */

struct crm_customer {
	struct str id; /* the CRM's */
	bool company;
	struct str last_name, first_name, middle_name, enterprise_name;
	struct json_strings phones; /* as the CRM has them */
	struct str manager_id;	    /* the CRM's user who is responsible */
	bool deleted;
};

struct crm_employee {
	struct str id, name, email, phone, extension; /* the CRM's own idea of it */
};

/* -- a job --------------------------------------------------------------------------------------- */

enum crm_task {
	CRM_TELL,      /* of a call: kind, turn, call, late */
	CRM_FIND,      /* the customers with a number: phone -> customers */
	CRM_EMPLOYEES, /* -> employees, all pages */
	CRM_CHANGES,  /* customers that changed since `memory`, one page a job -> customers, more */
	CRM_REGISTER, /* module, webhooks: repeatable without harm; what it got goes to `memory` */
	CRM_UNREGISTER,
	CRM_TEST,      /* are the credentials good? */
	CRM_AUTHORIZE, /* get or renew tokens: code or oauth -> oauth_after */
};
#define CRM_TASKS 8
const char *crm_task_name(enum crm_task task); /* "tell" ... */

#define CRM_MAX_FOUND 200 /* customers, employees a job; more: `more` is set */

struct crm_job {
	enum crm_task task;
	const struct crm_account *account;
	struct arena *arena;
	int64_t now_ms; /* wall */

	enum crm_kind kind; /* CRM_TELL */
	unsigned turn;	    /* the n-th of that kind, from 0: others ring, another one took it */
	bool late;	    /* it is history by now: do not pop up */
	const struct crm_call *call;

	struct str phone; /* CRM_FIND: E.164 */
	struct str code;  /* CRM_AUTHORIZE: of the first time; empty: renew */

	/* A JSON object that stays: of the call (CRM_TELL), of this enterprise and task (others). ""
	 * at first. read() may replace it by text in the arena: at most CRM_MEMORY_MAX bytes. */
	struct str memory;
	void *own;     /* the driver's own struct for this job, zeroed */
	unsigned done; /* requests that were answered well so far */

	struct crm_customer *customers; /* room for CRM_MAX_FOUND, made by the adapter */
	struct crm_employee *employees;
	unsigned customer_count, employee_count;
	bool more;		/* CRM_CHANGES: there is another page, `memory` knows where */
	struct str oauth_after; /* CRM_AUTHORIZE: JSON object for crm_oauth */
	struct error why;	/* words for the journal when it is skipped or fails */
};
#define CRM_MEMORY_MAX 4096

/* Instead of an operation: */
#define CRM_DONE (-1)
#define CRM_SKIP (-2) /* there is nothing to tell this CRM; job->why says why */
#define CRM_STOP (-3) /* it cannot be done as configured; job->why says what is missing */

/* -- a request and its reply --------------------------------------------------------------------- */

#define CRM_MAX_HEADERS 6

/* Texts live in the job's arena. */
struct crm_request {
	const char *name; /* of the operation, for journals: "calls/upload" */
	const char *method;
	const char *url; /* without secrets where the CRM allows it */
	const char *content_type;
	struct str body;
	const char *headers[CRM_MAX_HEADERS][2];
	unsigned limit;	 /* which of the driver's limits it counts against */
	unsigned weight; /* how many units; 0 means 1 */
};

#define CRM_MAX_REPLY_HEADERS 32

/* Lives only during read(): what a driver keeps of it, it copies into the job's arena. */
struct crm_reply {
	int status;
	struct str body;
	const struct json
		*json; /* of the body; NULL: it is none, or larger or deeper than allowed */
	int64_t retry_after_ms; /* of a Retry-After header; -1 */
	struct {
		struct str name, value;
	} headers[CRM_MAX_REPLY_HEADERS];
	unsigned header_count;
};
struct str crm_reply_header(const struct crm_reply *reply, const char *name); /* any case */

enum crm_verdict {
	CRM_WELL,    /* ask next() */
	CRM_AGAIN,   /* a failure that may pass: try the whole job again later */
	CRM_SLOWER,  /* over a limit: later, job->why and wait_ms say when */
	CRM_EXPIRED, /* renew the tokens, then the same request once more */
	CRM_LOCKED,  /* credentials or rights are refused: nothing will go until a person acts */
	CRM_REFUSED, /* this request will never do */
	CRM_GONE,    /* the receiver wants nothing any more (410): switch it off */
};
#define CRM_VERDICTS 7
const char *crm_verdict_name(enum crm_verdict verdict);

/* What a status means where the CRM says nothing better; words in job->why. 2xx CRM_WELL, but
 * CRM_REFUSED when there is a body that is no JSON (a page of HTML); 401 403 CRM_LOCKED; 408 425 429
 * CRM_SLOWER; 5xx CRM_AGAIN; 410 CRM_GONE; others, also redirects, CRM_REFUSED. */
enum crm_verdict crm_verdict_of_status(struct crm_job *job, const struct crm_reply *reply);

/* -- what a CRM tells us ------------------------------------------------------------------------- */

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

/* -- the driver ---------------------------------------------------------------------------------- */

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
