/*
 * show: the run on a terminal: progress while it lasts, the calls that change, and the sums.
 */
#include "rebuild.h"

#include "call_row.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_EVERY_MS = 5000, FIELDS_BYTES = 1 << 20, VALUE_CHARACTERS = 60 };

/* One line that is written over on a terminal, a line every few seconds elsewhere. */
void show_progress(struct rebuild *rebuild, bool last)
{
	const struct refold_counts *counts = refold_counts(rebuild->refold);
	int64_t now_ms = clock_monotonic_ms(), took_ms = now_ms - rebuild->began_ms;
	bool terminal = isatty(STDERR_FILENO) != 0;
	int64_t rate = took_ms > 0 ? counts->events * 1000 / took_ms : 0;
	int64_t left = rate > 0 ? (counts->total - counts->events) / rate : 0;
	int64_t percent = counts->total > 0 ? counts->events * 100 / counts->total : 0;

	if (rebuild->options->quiet ||
		(!terminal && !last && now_ms - rebuild->shown_ms < LINE_EVERY_MS))
		return;
	rebuild->shown_ms = now_ms;
	(void)fprintf(stderr, "%s", terminal ? "\r\033[K" : "");
	if (counts->total == 0)
		(void)fprintf(stderr, "reading the log ... %" PRId64 " s", took_ms / 1000);
	else if (counts->events < counts->total)
		(void)fprintf(stderr,
			"%" PRId64 " of %" PRId64 " events (%" PRId64 " %%), %" PRId64
			" a second, %" PRId64 " s left",
			counts->events, counts->total, percent, rate, left);
	else
		(void)fprintf(stderr, "%" PRId64 " events folded in %.1f s%s", counts->events,
			(double)took_ms / 1000, last ? "" : "; comparing");
	(void)fprintf(stderr, "%s", terminal && !last ? "" : "\n");
}

void show_changes_head(void)
{
	printf("%-14s %-10s %-20s %-17s %s\n", "call", "enterprise", "started (UTC)", "number",
		"what changes");
}

static void print_value(const struct json *value)
{
	struct buf text;

	buf_init(&text, FIELDS_BYTES);
	if (value == NULL || json_kind(value) == JSON_NULL)
		buf_add(&text, STR("nothing"));
	else if (json_kind(value) == JSON_TEXT)
		buf_add(&text, json_text(value));
	else
		json_print(&text, value, false);
	printf("%.*s%s", VALUE_CHARACTERS, text.data, text.size > VALUE_CHARACTERS ? "..." : "");
	buf_free(&text);
}

static void print_fields(struct str fields)
{
	const struct json_limits limits = {FIELDS_BYTES, 8};
	struct error error;
	struct json *json = json_parse(fields, limits, &error);
	const char *comma = "";

	for (const struct json *at = json != NULL ? json_first(json) : NULL; at != NULL;
		at = json_next(at)) {
		printf("%s%s ", comma, json_name(at));
		print_value(json_item(at, 0));
		printf(" -> ");
		print_value(json_item(at, 1));
		comma = ", ";
	}
	json_free(&json);
}

void show_change(const struct pg_batch *batch, int row, struct arena *arena)
{
	struct str kind = pg_text(batch, 0, row, REFOLD_KIND);
	int64_t into = pg_int(batch, 0, row, REFOLD_INTO);
	char started[CLOCK_TEXT_BYTES] = "";
	struct call call = {.started_ms = CALL_NO_TIME};
	struct error error;

	if (call_row_read(pg_text(batch, 0, row, REFOLD_ROW), arena, &call, &error))
		(void)call_row_time(call.started_ms, started);
	printf("%-14" PRId64 " %-10s %-20.19s %-17s %.*s", pg_int(batch, 0, row, REFOLD_CALL),
		pg_text(batch, 0, row, REFOLD_ENTERPRISE).data, started, call.external,
		STR_ARG(kind));
	if (str_equal(kind, STR("new")))
		printf(": %s, %s%s", call_direction_name(call.direction),
			call_state_name(call.state), call.answered ? ", answered" : "");
	if (str_equal(kind, STR("gone")) && into != 0)
		printf(": part of call %" PRId64, into);
	if (str_equal(kind, STR("changed"))) {
		printf(": ");
		print_fields(pg_text(batch, 0, row, REFOLD_FIELDS));
	}
	printf("\n");
}

void show_summary(const struct rebuild *rebuild)
{
	const struct refold_counts *counts = refold_counts(rebuild->refold);
	const struct rebuild_options *options = rebuild->options;
	int64_t changes = refold_changes_count(rebuild->refold);

	if (options->show > 0 && changes > options->show)
		printf("... and %" PRId64 " more (--show 0 shows all)\n", changes - options->show);
	printf("%" PRId64 " events, %" PRId64 " calls: %" PRId64 " new, %" PRId64
	       " changed, %" PRId64 " gone\n",
		counts->events, counts->calls, counts->fresh, counts->changed, counts->gone);
	if (counts->unreadable > 0)
		printf("%" PRId64 " events cannot be read and were passed over\n",
			counts->unreadable);
	if (counts->busy > 0)
		printf("%" PRId64 " calls were left alone: the dispatcher still works on them\n",
			counts->busy);
	if (counts->cut > 0)
		printf("%" PRId64 " calls were left alone: the log has not all of their events\n",
			counts->cut);
	if (options->dry_run)
		printf("nothing was changed: --dry-run\n");
	else if (changes > 0)
		printf("%" PRId64 " changes applied\n", rebuild->applied);
	else
		printf("nothing to change\n");
}
