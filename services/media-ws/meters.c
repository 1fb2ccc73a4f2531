/*
 * meters: see meters.h.
 */
#include "meters.h"

#include <stdio.h>

static const char *const refusal_names[REFUSALS] = {
	[REFUSED_UPSTREAM] = "upstream",
	[REFUSED_TOKEN] = "token",
	[REFUSED_SIGNATURE] = "signature",
	[REFUSED_UNKNOWN] = "unknown",
	[REFUSED_NO_START] = "no_start",
	[REFUSED_BINARY] = "binary",
	[REFUSED_JSON] = "json",
	[REFUSED_STREAM] = "stream",
	[REFUSED_ORDER] = "order",
};

const char *refusal_name(enum refusal refusal)
{
	return refusal_names[refusal];
}

static const char *const end_names[] = {"hangup", "transfer", "message", "menu"};

static struct metric *counter(struct metrics *metrics, const char *name, const char *help)
{
	return metrics_counter(metrics, name, NULL, help);
}

static void init_labelled(struct meters *meters, struct metrics *metrics)
{
	char label[64];

	for (unsigned i = 0; i < REFUSALS; i++) {
		snprintf(label, sizeof(label), "reason=\"%s\"", refusal_names[i]);
		meters->refused[i] = metrics_counter(metrics, "callweave_media_refused_total",
			label, "Streams not taken, or closed for what was sent in them");
	}
	for (unsigned i = 0; i < sizeof(end_names) / sizeof(end_names[0]); i++) {
		snprintf(label, sizeof(label), "end=\"%s\"", end_names[i]);
		meters->ends[i] = metrics_counter(metrics, "callweave_media_ends_total", label,
			"Streams that ended, by where their calls went");
	}
}

void meters_init(struct meters *meters, struct metrics *metrics)
{
	init_labelled(meters, metrics);
	meters->streams =
		metrics_gauge(metrics, "callweave_media_streams", NULL, "Streams that are open");
	meters->streams_total =
		counter(metrics, "callweave_media_streams_total", "Streams that an engine got");
	meters->lost = counter(metrics, "callweave_media_lost_total",
		"Streams whose socket ended in the middle of a call");
	meters->frames_in =
		counter(metrics, "callweave_media_frames_in_total", "Frames of audio that came");
	meters->frames_out = counter(
		metrics, "callweave_media_frames_out_total", "Frames of audio that were sent");
	meters->gap_seconds = counter(metrics, "callweave_media_gap_seconds_total",
		"Silence put where audio was missing");
	meters->clears = counter(
		metrics, "callweave_media_clears_total", "Interruptions: Twilio's buffer cleared");
	meters->marks_lost = counter(
		metrics, "callweave_media_marks_lost_total", "Marks that were not echoed in time");
	meters->marks_old = counter(metrics, "callweave_media_marks_old_total",
		"Echoes of what was cleared: flushed, not played");
	meters->unstored = counter(metrics, "callweave_media_unstored_total",
		"Outcomes and turns that PostgreSQL did not take in time");
}
