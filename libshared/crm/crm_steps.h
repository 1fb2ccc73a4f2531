/*
 * crm_steps: a job as a list of requests that is made up front, and what a driver remembers.
 *
 * For CRMs that are told of one call in several requests. Memory names what was done already, so a
 * job that is tried again makes a shorter list.
 */
#ifndef CALLWEAVE_CRM_STEPS_H
#define CALLWEAVE_CRM_STEPS_H

#include "crm_driver.h"

/* One kind of request; a driver has a table of them, and its operations are indexes into it. */
struct crm_operation {
	bool (*build)(struct crm_job *job, struct crm_request *request);
	enum crm_verdict (*read)(
		struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms);
};

#define CRM_MAX_STEPS 40

struct crm_step {
	int operation;
	struct str who; /* extension, user, event: what the operation is about */
};

struct crm_steps {
	struct crm_step items[CRM_MAX_STEPS];
	unsigned count, at;
	bool made;
};

void crm_steps_add(
	struct crm_steps *steps, int operation, struct str who); /* passed over when full */
void crm_steps_insert(struct crm_steps *steps, int operation); /* directly behind the present one */
const struct crm_step *crm_steps_now(const struct crm_steps *steps); /* NULL at the end */
/* A driver's next(): the operation of the present step, or CRM_DONE. `plan` makes the list, once; what
 * it answers but 0 (CRM_SKIP, CRM_STOP) is the answer. */
int crm_steps_next(struct crm_steps *steps, struct crm_job *job, int (*plan)(struct crm_job *job));
enum crm_verdict crm_steps_on(struct crm_steps *steps); /* to the next step: CRM_WELL */

/* -- memory -------------------------------------------------------------------------------------- */

/* By a table of fields; what cannot be read counts as nothing remembered. */
void crm_memory_read(struct crm_job *job, const struct json_field *fields, void *to);
void crm_memory_write(struct crm_job *job, const struct json_field *fields, const void *from);

bool crm_among(const struct json_strings *list, struct str text);
/* Unless it is there; the list grows in the arena, and keeps to CRM_MAX_STEPS. */
void crm_put_among(struct json_strings *list, struct str text, struct arena *arena);

/* -- words --------------------------------------------------------------------------------------- */

int crm_stop(struct crm_job *job, const char *words); /* CRM_STOP */
int crm_skip(struct crm_job *job, const char *words); /* CRM_SKIP */

/* "0367-1763740800.1": one id for us in CRMs that many PBXs write to. */
struct str crm_external_id(const struct crm_job *job);

/* When the call began, or the first moment of it that is known; now when none is. */
int64_t crm_first_ms(const struct crm_job *job);

/* Of the other side; of a withheld one "+000", as lines themselves write it: CRMs want digits. */
struct str crm_number(const struct crm_call *call);

/* -- answers to hooks ---------------------------------------------------------------------------- */

void crm_answer(struct crm_heard *heard, int status, const char *json);
void crm_refuse(struct crm_heard *heard, int status, const char *json, const char *why);

#endif
