/*
 * crm_job: one thing to do at one CRM for one enterprise: what is given, what is asked, what is found.
 *
 * Shared by drivers (libshared/crm), which decide, and adapters (services/crm), which act.
 */
#ifndef CALLWEAVE_CRM_JOB_H
#define CALLWEAVE_CRM_JOB_H

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

#endif
