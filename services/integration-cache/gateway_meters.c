/*
 * gateway_meters: names and help texts of the gateway's metrics.
 */
#include "gateway_parts.h"

#include <stdio.h>

static void meters_dispatch(struct gateway_meters *meters, struct metrics *metrics)
{
	meters->queued = metrics_counter(
		metrics, "callweave_crm_queued_total", NULL, "Deliveries stored for CRMs");
	meters->duplicates = metrics_counter(metrics, "callweave_crm_duplicates_total", NULL,
		"Deliveries that were known already");
	meters->commits = metrics_counter(
		metrics, "callweave_crm_commits_total", NULL, "Commits of dispatched deliveries");
	meters->commit_failures = metrics_counter(metrics, "callweave_crm_commit_failures_total",
		NULL, "Commits that failed: their senders were told to come back");
	meters->commit_seconds = metrics_histogram(
		metrics, "callweave_crm_commit_seconds", NULL, "Time of a commit of deliveries");
}

static void meters_deliver(struct gateway_meters *meters, struct metrics *metrics)
{
	char label[60];

	for (unsigned i = 0; i < OUTCOMES; i++) {
		snprintf(label, sizeof(label), "outcome=\"%s\"", gateway_outcome_name(i));
		meters->outcomes[i] = metrics_counter(metrics, "callweave_crm_attempts_total",
			label, "Attempts to tell a CRM, by what came of them");
	}
	for (unsigned i = 0; i < BREAKER_STATES; i++) {
		snprintf(label, sizeof(label), "state=\"%s\"", breaker_state_name(i));
		meters->channels[i] = metrics_gauge(metrics, "callweave_crm_channels", label,
			"Channels (enterprise, CRM) of this instance, by the state of their door");
	}
	meters->latency_seconds = metrics_histogram(metrics, "callweave_crm_latency_seconds", NULL,
		"From the commit of a delivery to its first attempt");
}

void gateway_meters_init(struct gateway_meters *meters, struct metrics *metrics)
{
	meters_dispatch(meters, metrics);
	meters_deliver(meters, metrics);
	meters->open = metrics_gauge(metrics, "callweave_crm_deliveries_open", NULL,
		"Deliveries that wait or are under way, of all instances");
	meters->dead = metrics_gauge(metrics, "callweave_crm_deliveries_dead", NULL,
		"Deliveries given up: a person must look");
	meters->oldest_seconds = metrics_gauge(metrics, "callweave_crm_oldest_seconds", NULL,
		"Age of the oldest delivery that is open");
}
