/*
 * meters: what an adapter counts, by names in one place.
 */
#ifndef CRM_METERS_H
#define CRM_METERS_H

#include "crm_driver.h"
#include "metrics.h"

enum outcome {
	OUTCOME_DONE,
	OUTCOME_SKIPPED,
	OUTCOME_AGAIN,
	OUTCOME_SLOWER,
	OUTCOME_LOCKED,
	OUTCOME_REFUSED,
	OUTCOME_GONE,
};
#define OUTCOMES 7

const char *outcome_name(enum outcome outcome); /* "done" ... */

struct meters {
	struct metric *verdicts[CRM_VERDICTS]; /* of requests that were answered */
	struct metric *silent;		       /* requests without an answer */
	struct metric *outcomes[OUTCOMES];     /* of jobs */
	struct metric *jobs;		       /* under way */
	struct metric *waiting;		       /* for a place or a token */
	struct metric *seconds;		       /* that a CRM took to answer */
	struct metric *hooks, *hooks_refused;
	struct metric *learned; /* rows of customers that changed */
	struct metric *mirror_age;
	struct metric *renewals;
};

void meters_init(struct meters *meters, struct metrics *metrics);

#endif
