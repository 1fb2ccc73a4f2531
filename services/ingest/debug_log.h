/*
 * debug_log: logs/<number>.log, each event of an enterprise as people have always read it.
 *
 * Three records an event (docs/protocol/pbx-events.md, "Logs"). Opened with O_APPEND for each write,
 * so it may be emptied or moved at any time. 5 MB and three older files.
 */
#ifndef INGEST_DEBUG_LOG_H
#define INGEST_DEBUG_LOG_H

#include "clock.h"
#include "flow.h"
#include "metrics.h"

struct debug_log;

struct debug_event {
	struct str number; /* of the enterprise */
	const struct clock_zone *zone;
	int64_t at_ms;
	struct str type;
	struct str token;
	struct str unique_id;
	struct str body;
};

/* Its flow writes what was added, until debug_log_free(). `dropped` counts what was not written. */
struct debug_log *debug_log_new(struct loop *loop, const char *folder, struct metric *dropped,
	const struct log_context *log);
void debug_log_free(struct debug_log **debug_log); /* writes what is left */

void debug_log_add(struct debug_log *debug_log, const struct debug_event *event);

#endif
