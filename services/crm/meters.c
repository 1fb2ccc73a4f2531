/*
 * meters: see meters.h.
 */
#include "meters.h"

#include <stdio.h>

static const char *const outcome_names[OUTCOMES] = {
	[OUTCOME_DONE] = "done",
	[OUTCOME_SKIPPED] = "skipped",
	[OUTCOME_AGAIN] = "again",
	[OUTCOME_SLOWER] = "slower",
	[OUTCOME_LOCKED] = "locked",
	[OUTCOME_REFUSED] = "refused",
	[OUTCOME_GONE] = "gone",
};

const char *outcome_name(enum outcome outcome)
{
	return (unsigned)outcome < OUTCOMES ? outcome_names[outcome] : "?";
}

static struct metric *labelled(struct metrics *metrics, const char *const name_and_help[2],
	const char *label, const char *value)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s=\"%s\"", label, value);
	return metrics_counter(metrics, name_and_help[0], text, name_and_help[1]);
}

static void init_requests(struct meters *meters, struct metrics *metrics)
{
	const char *const requests[2] = {
		"callweave_crm_requests_total", "Requests to the CRM by what the answer meant"};

	for (int i = 0; i < CRM_VERDICTS; i++)
		meters->verdicts[i] = labelled(metrics, requests, "verdict", crm_verdict_name(i));
	meters->silent = labelled(metrics, requests, "verdict", "silent");
	meters->seconds = metrics_histogram(
		metrics, "callweave_crm_request_seconds", NULL, "How long the CRM took to answer");
	meters->waiting = metrics_gauge(metrics, "callweave_crm_waiting", NULL,
		"Requests that wait for their turn within the CRM's limits");
}

void meters_init(struct meters *meters, struct metrics *metrics)
{
	const char *const jobs[2] = {"callweave_crm_jobs_total", "Jobs by what came of them"};

	init_requests(meters, metrics);
	for (int i = 0; i < OUTCOMES; i++)
		meters->outcomes[i] = labelled(metrics, jobs, "outcome", outcome_name(i));
	meters->jobs =
		metrics_gauge(metrics, "callweave_crm_jobs", NULL, "Jobs that are under way");
	meters->hooks = metrics_counter(metrics, "callweave_crm_hooks_total", NULL,
		"Requests of CRMs to us that were accepted");
	meters->hooks_refused = metrics_counter(metrics, "callweave_crm_hooks_refused_total", NULL,
		"Requests of CRMs to us that did not prove themselves, or were no such request");
	meters->learned = metrics_counter(metrics, "callweave_crm_customers_learned_total", NULL,
		"Customers that were changed by what the CRM knows");
	meters->mirror_age = metrics_gauge(metrics, "callweave_crm_mirror_age_seconds", NULL,
		"How long ago the stalest enterprise's changes were read");
	meters->renewals = metrics_counter(
		metrics, "callweave_crm_token_renewals_total", NULL, "Tokens that were renewed");
}
