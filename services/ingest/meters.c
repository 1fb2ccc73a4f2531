/*
 * meters: the one place that names ingest's metrics.
 */
#include "meters.h"

#include <stdio.h>

static const char *const reasons[REFUSAL_REASONS] = {
	[REFUSED_INPUT] = "reason=\"input\"",
	[REFUSED_TOKEN] = "reason=\"token\"",
	[REFUSED_BUSY] = "reason=\"busy\"",
	[REFUSED_DATABASE] = "reason=\"database\"",
};

void meters_init(struct meters *meters, struct metrics *metrics)
{
	char label[64];

	for (int type = 0; type < EVENT_TYPES; type++) {
		snprintf(label, sizeof(label), "type=\"%s\"",
			call_event_type_name((enum call_event_type)type));
		meters->received[type] = metrics_counter(metrics, "callweave_events_received_total",
			label, "Events that came in, whatever became of them");
	}
	for (int reason = 0; reason < REFUSAL_REASONS; reason++)
		meters->refused[reason] = metrics_counter(metrics, "callweave_events_refused_total",
			reasons[reason], "Events that were not taken");
	meters->committed = metrics_counter(metrics, "callweave_events_committed_total", NULL,
		"Events that are in call_events");
	meters->recovered = metrics_counter(metrics, "callweave_events_recovered_total", NULL,
		"Events that came afterwards, with uploads of hosts");
	meters->commits = metrics_counter(
		metrics, "callweave_commits_total", NULL, "Transactions that stored events");
	meters->commit_seconds = metrics_histogram(metrics, "callweave_commit_duration_seconds",
		NULL, "From sending a batch to PostgreSQL to its answer");
	meters->commit_failures = metrics_counter(metrics, "callweave_commit_failures_total", NULL,
		"Batches that PostgreSQL did not answer, or refused");
	meters->journaled = metrics_counter(metrics, "callweave_events_journaled_total", NULL,
		"Events that were acknowledged out of the journal");
	meters->journal_bytes =
		metrics_gauge(metrics, "callweave_journal_bytes", NULL, "Size of the journal");
	meters->journal_records = metrics_gauge(metrics, "callweave_journal_records", NULL,
		"Batches in the journal that are not in PostgreSQL yet");
	meters->waiting = metrics_gauge(metrics, "callweave_events_waiting", NULL,
		"Accepted events that wait for a commit");
	meters->enterprises = metrics_gauge(
		metrics, "callweave_enterprises", NULL, "Enterprises in the table of tokens");
	meters->quarantined = metrics_counter(metrics, "callweave_quarantine_total", NULL,
		"Refused events that were kept in event_quarantine");
	meters->quarantine_dropped = metrics_counter(metrics, "callweave_quarantine_dropped_total",
		NULL, "Refused events that were too many to keep");
	meters->debug_dropped = metrics_counter(metrics, "callweave_debug_log_dropped_total", NULL,
		"Events that could not be written to an enterprise's debug log");
}
