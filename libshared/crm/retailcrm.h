/*
 * retailcrm: what the files of this driver share. Private to it.
 *
 * Operations are indexes into one table; a job is a list of them (crm_steps.h).
 */
#ifndef CALLWEAVE_RETAILCRM_H
#define CALLWEAVE_RETAILCRM_H

#include "crm_make.h"
#include "crm_steps.h"
#include "json_put.h"

enum retail_operation {
	RETAIL_EVENT,	  /* call/event: popups */
	RETAIL_UPLOAD,	  /* calls/upload: the journal */
	RETAIL_FIND,	  /* customers by phone */
	RETAIL_COMPANIES, /* customers-corporate of those customers */
	RETAIL_CREATE,	  /* customers/create */
	RETAIL_USERS,
	RETAIL_LIST,	/* customers, page by page */
	RETAIL_HISTORY, /* customers/history */
	RETAIL_CHANGED, /* customers by ids */
	RETAIL_MODULE,	/* integration-modules/edit */
	RETAIL_CREDENTIALS,
};
#define RETAIL_OPERATIONS 11

enum { RETAIL_LIMIT_API, RETAIL_LIMIT_TELEPHONY };

struct retailcrm {
	struct crm_steps steps;
	const char *base, *key;
	struct json_strings people; /* extensions whom an event is for */
	unsigned page;
	struct json_strings ids; /* of customers that changed */
	int64_t since;
	bool nobody; /* upload without a person: with one it was refused */
};

#define RETAIL_PAGE	 100 /* of 20, 50, 100 */
#define RETAIL_MAX_PAGES 50

/* Prepare a request: address, key, limit. */
void retail_get(struct crm_job *job, struct crm_request *request, const char *path);
bool retail_post(struct crm_job *job, struct crm_request *request, const char *path,
	const char *name, struct buf *json);

/* Plans: fill own->steps; 0, or CRM_SKIP, CRM_STOP. */
int retail_plan_tell(struct crm_job *job);
int retail_plan_changes(struct crm_job *job);
int retail_plan_module(struct crm_job *job);

/* The extension's user as a number; 0: nobody, or no number. */
int64_t retail_user(const struct crm_job *job, struct str extension);
struct str retail_line(const struct crm_job *job); /* our number, as configured; "" */

bool retail_build_event(struct crm_job *job, struct crm_request *request);
bool retail_build_upload(struct crm_job *job, struct crm_request *request);
bool retail_build_find(struct crm_job *job, struct crm_request *request);
bool retail_build_companies(struct crm_job *job, struct crm_request *request);
bool retail_build_create(struct crm_job *job, struct crm_request *request);
bool retail_build_users(struct crm_job *job, struct crm_request *request);
bool retail_build_list(struct crm_job *job, struct crm_request *request);
bool retail_build_history(struct crm_job *job, struct crm_request *request);
bool retail_build_changed(struct crm_job *job, struct crm_request *request);
bool retail_build_module(struct crm_job *job, struct crm_request *request);
bool retail_build_credentials(struct crm_job *job, struct crm_request *request);

/* Of a reply that is well: an object with "success": true. */
void retail_read_event(struct crm_job *job, const struct json *reply);
void retail_read_upload(struct crm_job *job, const struct json *reply);
void retail_read_find(struct crm_job *job, const struct json *reply);
void retail_read_companies(struct crm_job *job, const struct json *reply);
void retail_read_create(struct crm_job *job, const struct json *reply);
void retail_read_users(struct crm_job *job, const struct json *reply);
void retail_read_list(struct crm_job *job, const struct json *reply);
void retail_read_history(struct crm_job *job, const struct json *reply);
void retail_read_changed(struct crm_job *job, const struct json *reply);

extern const struct crm_hook_route retail_hooks[];
bool retail_owner(const struct crm_hook *hook, struct crm_hook_owner *owner);
void retail_hear(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard);

#endif
