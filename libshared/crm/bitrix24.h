/*
 * bitrix24: what the files of this driver share. An OAuth application: webhooks may not register
 * calls.
 */
#ifndef CALLWEAVE_CRM_BITRIX24_H
#define CALLWEAVE_CRM_BITRIX24_H

#include "crm_make.h"
#include "crm_steps.h"

enum bitrix24_operation {
	B24_REGISTER, /* a call; its CALL_ID */
	B24_SHOW,
	B24_HIDE,
	B24_FINISH,
	B24_RECORD,
	B24_FIND,
	B24_USERS,
	B24_CONTACTS, /* that changed */
	B24_COMPANIES,
	B24_SCOPE,
	B24_EVENTS, /* which are bound */
	B24_BIND,
	B24_UNBIND,
	B24_LINES, /* which are known */
	B24_ADD_LINE,
	B24_TOKEN,
};
#define B24_OPERATIONS 16

/* What is remembered of a call. */
struct bitrix24_memory {
	struct str call_id, user; /* user: for whom it was registered */
	struct json_strings shown;
	bool finished;
	struct str recorded;
};

/* Where the reading of changes stands: DATE_MODIFY of the last that was read, and how many pages of
 * one moment were. */
struct bitrix24_changes {
	struct str contacts, companies;
	int64_t contacts_start, companies_start;
};

struct bitrix24 {
	struct crm_steps steps;
	struct bitrix24_memory memory;
	struct bitrix24_changes changes;
	struct str lost; /* CALL_ID that Bitrix24 does not know (any more) */
	bool other_user; /* who was named first is not there */
	int64_t start;	 /* of a page of users */
};

static inline struct bitrix24 *bitrix24_own(struct crm_job *job)
{
	return job->own;
}

/* -- bitrix24.c ---------------------------------------------------------------------------------- */

/* A member of the tokens, as text. */
struct str bitrix24_token(const struct crm_account *account, const char *member);
/* Open the body; bitrix24_end() closes it, with the access token, and sets where it goes. */
void bitrix24_begin(struct json_writer *writer, struct buf *buf);
bool bitrix24_end(struct json_writer *writer, struct crm_job *job, struct crm_request *request);
/* By Bitrix24's own error; words in job->why. */
enum crm_verdict bitrix24_verdict(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
/* Is this in the error's description? */
bool bitrix24_says(const struct crm_reply *reply, const char *words);
enum crm_verdict bitrix24_on(struct crm_job *job); /* to the next step */
/* A number as a number, a text as text: ids are written as Bitrix24 does. NULL name: in an array. */
void bitrix24_put_id(struct json_writer *writer, const char *name, struct str id);

/* -- bitrix24_call.c ----------------------------------------------------------------------------- */

int bitrix24_plan_call(struct crm_job *job); /* 0, CRM_SKIP or CRM_STOP */
bool bitrix24_build_register(struct crm_job *job, struct crm_request *request);
bool bitrix24_build_popup(struct crm_job *job, struct crm_request *request);
bool bitrix24_build_finish(struct crm_job *job, struct crm_request *request);
bool bitrix24_build_record(struct crm_job *job, struct crm_request *request);

struct str bitrix24_registered_user(struct crm_job *job); /* for whom; "" by an extension */
bool bitrix24_shows_card(struct crm_job *job);
void bitrix24_keep_shown(struct crm_job *job);	/* all who were to be shown the card see it */
void bitrix24_keep_talker(struct crm_job *job); /* nobody sees it any more but who talks */

/* -- bitrix24_told.c ----------------------------------------------------------------------------- */

void bitrix24_read_memory(struct crm_job *job);
enum crm_verdict bitrix24_read_register(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict bitrix24_read_popup(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict bitrix24_read_finish(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict bitrix24_read_record(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);

/* -- bitrix24_people.c --------------------------------------------------------------------------- */

void bitrix24_plan_changes(struct crm_job *job);
bool bitrix24_build_find(struct crm_job *job, struct crm_request *request);
bool bitrix24_build_users(struct crm_job *job, struct crm_request *request);
bool bitrix24_build_list(struct crm_job *job, struct crm_request *request);
enum crm_verdict bitrix24_read_find(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict bitrix24_read_users(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict bitrix24_read_list(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);

/* -- bitrix24_setup.c ---------------------------------------------------------------------------- */

int bitrix24_plan_register(struct crm_job *job, bool on);
bool bitrix24_build_plain(struct crm_job *job, struct crm_request *request);
bool bitrix24_build_bind(struct crm_job *job, struct crm_request *request);
bool bitrix24_build_line(struct crm_job *job, struct crm_request *request);
enum crm_verdict bitrix24_read_scope(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict bitrix24_read_events(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict bitrix24_read_bind(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
enum crm_verdict bitrix24_read_lines(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);

/* -- bitrix24_oauth.c ---------------------------------------------------------------------------- */

int bitrix24_plan_token(struct crm_job *job);
bool bitrix24_build_token(struct crm_job *job, struct crm_request *request);
enum crm_verdict bitrix24_read_token(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);

#endif
