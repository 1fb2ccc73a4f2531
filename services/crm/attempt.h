/*
 * attempt: one job of the driver, from its first request to its last, as a child flow.
 *
 * The adapter's side of crm_driver.h: rates, deadlines, tokens, masks and records are here, once for all
 * CRMs. An attempt is never repeated here: what failed says so, and who wants it again comes again.
 */
#ifndef CRM_ATTEMPT_H
#define CRM_ATTEMPT_H

#include "portal.h"
#include "record.h"

#define ATTEMPT_ARENA_BYTES                                                                        \
	((size_t)256 << 20) /* of the parent: 40 answers of a mebibyte, and room */
#define ATTEMPT_MS 25000

struct attempt {
	/* before it starts */
	struct portal *portal;
	struct crm_job job; /* the task and what belongs to it; the rest is filled in */
	enum rate_share share;
	int64_t time_ms; /* for all of it; ATTEMPT_MS */

	/* when it is over */
	enum outcome outcome;
	char reason[256]; /* masked; also a warning when it is done */
	int64_t wait_ms;  /* -1: not said */
	int http_status;  /* of the last reply; 0: none */
	int crm_success;  /* what the CRM said: 1, 0, -1 nothing */
	int64_t took_ms;
	struct record record;

	/* while it runs */
	int64_t begun_ms, until_ms; /* loop's clock */
	int operation;
	unsigned requests, renewals;
	int64_t version; /* of the tokens in use */
	enum crm_verdict verdict;
	bool over; /* outcome stands */
};

/* `parent`'s arena, of ATTEMPT_ARENA_BYTES, holds all texts. The memory of the job is "". */
void attempt_init(
	struct attempt *attempt, struct flow *parent, struct portal *portal, enum crm_task task);
void attempt_free(struct attempt *attempt);

/* `attempt_start(flow, attempt); return await_children(flow);` */
void attempt_start(struct flow *parent, struct attempt *attempt);

/* For exchange.c: the end, with words. */
void attempt_end(struct attempt *attempt, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int64_t attempt_left_ms(const struct attempt *attempt, int64_t now_ms);

/* exchange.c: a child that sends one request and reads its reply. */
void exchange_start(
	struct flow *parent, struct attempt *attempt, const struct crm_request *request);

#endif
