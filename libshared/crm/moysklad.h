/*
 * moysklad: what the files of this driver share. Two APIs: phone (calls, popups) and remap
 * (counterparties, employees).
 */
#ifndef CALLWEAVE_CRM_MOYSKLAD_H
#define CALLWEAVE_CRM_MOYSKLAD_H

#include "crm_make.h"
#include "crm_steps.h"

enum moysklad_operation {
	MS_CALL,      /* POST call: it is made */
	MS_SHOW,      /* POST call/extid/../event: one popup opens, */
	MS_STARTTIME, /* its clock starts, */
	MS_HIDE,      /* it closes, */
	MS_HIDE_ALL,  /* all of them close */
	MS_LINK,      /* whose call it is, where MoySklad did not find that out itself */
	MS_UPDATE,    /* PUT call/extid/..: its end, its recording */
	MS_FIND,      /* counterparties with a number */
	MS_CONTACTS,  /* the people of a company */
	MS_EMPLOYEES,
	MS_PHONE_EMPLOYEES, /* who has which extension */
	MS_CHANGES,
};
#define MS_OPERATIONS 12

enum { MS_LIMIT_PHONE, MS_LIMIT_REMAP };

/* What is remembered of a call. */
struct moysklad_memory {
	bool created, ended, looked;
	int64_t sequence;	    /* of the last event; must grow */
	struct json_strings popups; /* extensions for whom it was shown, and not hidden since */
	struct str counterparty;    /* href */
	struct str recorded;	    /* recordUrl that was told */
};

/* Where the reading of changes stands. */
struct moysklad_changes {
	struct str since; /* `updated` of the last that was read */
	int64_t skip;	  /* so many with exactly this moment were read */
};

struct moysklad {
	struct crm_steps steps;
	struct moysklad_memory memory;
	struct moysklad_changes changes;
	bool again;	 /* the call was not there, and is made anew */
	bool existed;	 /* making it was refused, perhaps since it is there */
	unsigned offset; /* of a page of employees */
};

static inline struct moysklad *moysklad_own(struct crm_job *job)
{
	return job->own;
}

/* -- moysklad.c ---------------------------------------------------------------------------------- */

const char *moysklad_base(struct crm_job *job, bool remap);
bool moysklad_phone(
	struct crm_job *job, const char *method, const char *url, struct crm_request *request);
bool moysklad_remap(struct crm_job *job, const char *url, struct crm_request *request);
/* Also 204 without a body is well. Words of the API's own errors in job->why. */
enum crm_verdict moysklad_verdict(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
/* Go to the next step. */
enum crm_verdict moysklad_on(struct crm_job *job);
/* The id at the end of meta.href. */
struct str moysklad_id(struct str href);

/* -- moysklad_call.c ----------------------------------------------------------------------------- */

int moysklad_plan_call(struct crm_job *job); /* 0, or CRM_SKIP */
bool moysklad_zone_known(struct crm_job *job);
bool moysklad_build_call(struct crm_job *job, struct crm_request *request);
bool moysklad_build_event(struct crm_job *job, struct crm_request *request);
bool moysklad_build_update(struct crm_job *job, struct crm_request *request);
bool moysklad_build_link(struct crm_job *job, struct crm_request *request);
enum crm_verdict moysklad_read_call(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict moysklad_read_event(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict moysklad_read_update(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict moysklad_read_link(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);

/* -- moysklad_words.c ---------------------------------------------------------------------------- */

/* "2026-11-21 15:00:00.000" in the zone of the API. */
const char *moysklad_time(struct crm_job *job, int64_t ms);
/* How it ended, for people; "" when there is nothing to say. */
const char *moysklad_comment(struct crm_job *job);

/* -- moysklad_people.c --------------------------------------------------------------------------- */

void moysklad_plan_changes(struct crm_job *job);
bool moysklad_build_find(struct crm_job *job, struct crm_request *request);
bool moysklad_build_contacts(struct crm_job *job, struct crm_request *request);
bool moysklad_build_changes(struct crm_job *job, struct crm_request *request);
enum crm_verdict moysklad_read_find(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict moysklad_read_contacts(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict moysklad_read_changes(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
/* href of the first counterparty with this very number; "" none. */
struct str moysklad_party_with(struct crm_job *job, const struct json *answer, struct str phone);

/* -- moysklad_staff.c ---------------------------------------------------------------------------- */

bool moysklad_build_employees(struct crm_job *job, struct crm_request *request);
bool moysklad_build_extensions(struct crm_job *job, struct crm_request *request);
enum crm_verdict moysklad_read_employees(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict moysklad_read_extensions(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);

/* -- moysklad_hook.c ----------------------------------------------------------------------------- */

extern const struct crm_hook_route moysklad_hooks[];
bool moysklad_owner(const struct crm_hook *hook, struct crm_hook_owner *owner);
void moysklad_hear(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard);

#endif
