/*
 * uon: what the files of this driver share. Private to it.
 *
 * Operations are indexes into one table; a job is a list of them (crm_steps.h), `who` being the manager,
 * lead, webhook or type that one is about.
 */
#ifndef CALLWEAVE_UON_H
#define CALLWEAVE_UON_H

#include "crm_make.h"
#include "crm_steps.h"
#include "json_put.h"

enum uon_operation {
	UON_CLIENT,	    /* user/phone: who has the number */
	UON_CREATE_CLIENT,  /* user/create */
	UON_STATUSES,	    /* status_lead: which leads are open */
	UON_LEADS,	    /* lead-by-client */
	UON_LEAD,	    /* lead/create */
	UON_NOTIFY,	    /* notification/create: the popup of one manager */
	UON_LOOK,	    /* call_history: is it there already? */
	UON_HISTORY,	    /* call_history/create */
	UON_REMINDER,	    /* reminder/create */
	UON_REQUEST,	    /* request/update: a missed call changes a lead's status */
	UON_MANAGERS,	    /* manager */
	UON_USERS,	    /* users, page by page */
	UON_WEBHOOKS,	    /* webhook: what is registered */
	UON_WEBHOOK,	    /* webhook/create */
	UON_WEBHOOK_DELETE, /* webhook/delete */
};
#define UON_OPERATIONS 15
#define UON_PAGE       100

/* What stays of a call. */
struct uon_memory {
	struct str client, name, manager; /* who called, and whose tourist that is */
	struct str lead;
	bool looked;   /* for the client */
	bool history;  /* the journal has it */
	bool reminded; /* of the missed call */
	bool moved;    /* the lead of the missed call */
	struct json_strings notified;
};

struct uon {
	struct crm_steps steps;
	struct uon_memory memory;
	const char *base;	  /* with the key */
	struct json_strings open; /* statuses of leads that are not archived */
	struct json_strings webhooks;
	bool statuses_known;
	bool nobody; /* the entry without a manager: with one it was refused */
	unsigned page;
};

/* -- requests and replies (uon.c) ---------------------------------------------------------------- */

/* `path` without ".json". */
bool uon_get(struct crm_job *job, struct crm_request *request, const char *path);
bool uon_post(struct crm_job *job, struct crm_request *request, const char *path,
	struct json_writer *writer);
void uon_put_id(struct json_writer *writer, const char *name, struct str id); /* "" is left out */
struct str uon_who(const struct crm_job *job); /* of the present step */
/* The first array of a reply, whatever its name is: its items. */
const struct json *uon_list(const struct json *reply);
void uon_remember(struct crm_job *job);
/* "ru" or "en" */
const char *uon_words(const struct crm_job *job, const char *russian, const char *english);

/* -- calls (uon_calls.c) ------------------------------------------------------------------------- */

int uon_plan_tell(struct crm_job *job);
bool uon_build_notify(struct crm_job *job, struct crm_request *request);
void uon_read_notify(struct crm_job *job, const struct json *reply);
bool uon_build_look(struct crm_job *job, struct crm_request *request);
void uon_read_look(struct crm_job *job, const struct crm_reply *reply);
bool uon_build_history(struct crm_job *job, struct crm_request *request);
void uon_read_history(struct crm_job *job, const struct json *reply);
bool uon_build_reminder(struct crm_job *job, struct crm_request *request);
void uon_read_reminder(struct crm_job *job, const struct json *reply);
struct str uon_action(const struct crm_job *job, const char *name); /* by the call's direction */
bool uon_creates_client(const struct crm_job *job);
bool uon_creates_lead(const struct crm_job *job);
/* Of the first mapped one of those whom it concerns; "". */
struct str uon_manager(const struct crm_job *job);

/* -- clients and leads (uon_leads.c) ------------------------------------------------------------- */

void uon_add_leads(struct crm_job *job);
bool uon_build_client(struct crm_job *job, struct crm_request *request);
void uon_read_client(struct crm_job *job, const struct json *reply);
bool uon_build_create_client(struct crm_job *job, struct crm_request *request);
void uon_read_create_client(struct crm_job *job, const struct json *reply);
bool uon_build_statuses(struct crm_job *job, struct crm_request *request);
void uon_read_statuses(struct crm_job *job, const struct json *reply);
bool uon_build_leads(struct crm_job *job, struct crm_request *request);
void uon_read_leads(struct crm_job *job, const struct json *reply);
bool uon_build_lead(struct crm_job *job, struct crm_request *request);
void uon_read_lead(struct crm_job *job, const struct json *reply);
bool uon_build_request(struct crm_job *job, struct crm_request *request);
void uon_read_request(struct crm_job *job, const struct json *reply);

/* -- people and webhooks (uon_people.c, uon_hooks.c) --------------------------------------------- */

struct str uon_text(const struct json *json, const char *name, struct arena *arena);
/* Unless it is there already; room for three. */
void uon_add_phone(struct crm_customer *to, struct str phone);
void uon_read_customer(const struct json *json, struct crm_customer *to, struct arena *arena);
int uon_plan_changes(struct crm_job *job);
bool uon_build_managers(struct crm_job *job, struct crm_request *request);
void uon_read_managers(struct crm_job *job, const struct json *reply);
bool uon_build_users(struct crm_job *job, struct crm_request *request);
void uon_read_users(struct crm_job *job, const struct json *reply);

int uon_plan_webhooks(struct crm_job *job);
bool uon_build_webhooks(struct crm_job *job, struct crm_request *request);
void uon_read_webhooks(struct crm_job *job, const struct json *reply);
bool uon_build_webhook(struct crm_job *job, struct crm_request *request);
void uon_read_webhook(struct crm_job *job, const struct json *reply);
bool uon_build_webhook_delete(struct crm_job *job, struct crm_request *request);

extern const struct crm_hook_route uon_hooks[];
bool uon_owner(const struct crm_hook *hook, struct crm_hook_owner *owner);
void uon_hear(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard);

#endif
