/*
 * inner: what the stories of our own processes' requests share: the secret, the parameters, the
 * enterprise, an attempt, and what a failed one is answered by.
 */
#ifndef CRM_INNER_H
#define CRM_INNER_H

#include "args.h"
#include "attempt.h"

struct inner {
	struct args args;  /* query, form or members of a JSON body */
	struct json *json; /* of the body; NULL: none */
	struct portal portal;
	struct attempt attempt;
	bool has_portal, has_attempt;
};

/* Check the secret and whether we are ready, read the parameters. Anything but FLOW_NEXT has been
 * answered: return it. */
enum flow_status inner_begin(struct flow *flow, struct inner *inner);
/* Open the portal of `enterprise`, which has to be switched on. */
bool inner_open(struct flow *flow, struct inner *inner, struct str enterprise, struct error *error);
/* The parameter enterprise_number, or enterprise. */
struct str inner_enterprise(const struct inner *inner);
/* In E.164 by the enterprise's country; where it is no number, as it is. A "+" that came as a space, since
 * nobody encoded it, is forgiven. After inner_open(). */
struct str inner_phone(struct flow *flow, const struct inner *inner, struct str phone);
void inner_attempt(struct flow *flow, struct inner *inner, enum crm_task task);
void inner_free(struct inner *inner);

/* The last part of the request's path. */
struct str inner_verb(struct flow *flow);

/* 200 for done and skipped; else never. */
int inner_status(enum outcome outcome);
int inner_status_of(const struct error *error);

/* An answer in the making. */
struct inner_answer {
	struct buf text;
	struct json_writer writer;
};
struct json_writer *inner_answer_begin(struct inner_answer *answer); /* an object is open */
enum flow_status inner_answer_send(struct flow *flow, struct inner_answer *answer, int status);

/* {"success": false, "error": ..., "outcome": ...} */
enum flow_status inner_fail(struct flow *flow, int status, const char *outcome, const char *words);
enum flow_status inner_fail_attempt(struct flow *flow, const struct attempt *attempt);

#endif
