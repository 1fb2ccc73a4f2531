/*
 * meters: names and help texts of the dispatcher's metrics.
 */
#include "meters.h"

#define TELEGRAM "dest=\"telegram\""

static const char *const result_labels[METER_RESULTS] = {
	[TELEGRAM_DONE] = TELEGRAM ",result=\"done\"",
	[TELEGRAM_SLOW_DOWN] = TELEGRAM ",result=\"slow_down\"",
	[TELEGRAM_MOVED] = TELEGRAM ",result=\"moved\"",
	[TELEGRAM_MESSAGE_GONE] = TELEGRAM ",result=\"message_gone\"",
	[TELEGRAM_CHAT_CLOSED] = TELEGRAM ",result=\"chat_closed\"",
	[TELEGRAM_BOT_REFUSED] = TELEGRAM ",result=\"bot_refused\"",
	[TELEGRAM_REJECTED] = TELEGRAM ",result=\"rejected\"",
	[TELEGRAM_TRY_AGAIN] = TELEGRAM ",result=\"try_again\"",
	[METER_UNKNOWN] = TELEGRAM ",result=\"unknown\"",
};

/* What comes in. */
static void meters_fold(struct meters *meters, struct metrics *metrics)
{
	meters->folded = metrics_counter(
		metrics, "callweave_events_folded_total", NULL, "Events folded into calls");
	meters->skipped = metrics_counter(metrics, "callweave_events_skipped_total", NULL,
		"Events of the log that could not be read");
	meters->commits = metrics_counter(
		metrics, "callweave_fold_commits_total", NULL, "Transactions of the fold");
	meters->reloads = metrics_counter(metrics, "callweave_fold_reloads_total", NULL,
		"Times that the fold forgot its memory and read it back from the database");
	meters->commit_seconds = metrics_histogram(metrics, "callweave_fold_commit_seconds", NULL,
		"Time of a transaction of the fold");
	meters->lag_seconds = metrics_gauge(metrics, "callweave_fold_lag_seconds", NULL,
		"Age of the last folded event while there are more");
	meters->horizon_seconds = metrics_gauge(metrics, "callweave_fold_horizon_held_seconds",
		NULL,
		"How long a running transaction has held back events that are already committed");
	meters->shards = metrics_gauge(
		metrics, "callweave_shards_owned", NULL, "Partitions owned by this instance");
	meters->open_calls = metrics_gauge(metrics, "callweave_calls_open", NULL, "Calls going on");
	meters->remembered_calls = metrics_gauge(metrics, "callweave_calls_remembered", NULL,
		"Calls in memory, open and just ended");
}

/* What goes out. */
static void meters_outbox(struct meters *meters, struct metrics *metrics)
{
	meters->outbox_depth = metrics_gauge(metrics, "callweave_outbox_depth", TELEGRAM,
		"Deliveries that wait or are under way");
	meters->outbox_oldest = metrics_gauge(metrics, "callweave_outbox_oldest_seconds", TELEGRAM,
		"Age of the oldest state that still waits for its delivery");
	meters->live_calls = metrics_gauge(
		metrics, "callweave_live_messages", NULL, "Calls with a live message in memory");
	for (unsigned i = 0; i < METER_RESULTS; i++)
		meters->attempts[i] = metrics_counter(metrics, "callweave_delivery_attempts_total",
			result_labels[i], "Requests by what came of them");
	meters->latency_seconds = metrics_histogram(metrics, "callweave_delivery_latency_seconds",
		TELEGRAM, "From the arrival of an event to the first request that tells of it");
	meters->throttled = metrics_counter(
		metrics, "callweave_telegram_throttled_total", NULL, "Answers 429 of Telegram");
	meters->unknown = metrics_counter(metrics, "callweave_telegram_unknown_total", NULL,
		"Messages sent with unknown outcome: each may be one message too many in its chat");
	meters->dead = metrics_counter(metrics, "callweave_outbox_dead_total", TELEGRAM,
		"Deliveries given up: a person must look");
	meters->degraded = metrics_counter(metrics, "callweave_telegram_degraded_total", NULL,
		"Intermediate edits held back because a limit was near");
}

void meters_init(struct meters *meters, struct metrics *metrics)
{
	meters_fold(meters, metrics);
	meters_outbox(meters, metrics);
}
