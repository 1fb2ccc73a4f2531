/*
 * log_limit: at most so many lines a second of the same text. Private to base.
 */
#ifndef CALLWEAVE_LOG_LIMIT_H
#define CALLWEAVE_LOG_LIMIT_H

#include "log.h"

enum { LOG_LIMIT_A_SECOND = 10, LOG_LIMIT_ENTRIES = 64, LOG_LIMIT_SAMPLE_BYTES = 200 };

/* What is known of one format string, told apart by its address. */
struct log_limit_entry {
	const char *format; /* NULL: not in use */
	int64_t since_ms;
	uint64_t written;
	uint64_t dropped;
	enum log_level level;
	char sample[LOG_LIMIT_SAMPLE_BYTES]; /* the last line that was written */
};

struct log_limit {
	struct log_limit_entry entries[LOG_LIMIT_ENTRIES];
};

/* The entry when the line may be written (fill its sample), NULL when it was dropped and
 * counted. */
struct log_limit_entry *log_limit_take(struct log_limit *limit, const char *format, int64_t now_ms);

/* Entries that have dropped lines since they were asked last, one a call, until NULL; `*dropped`
 * says how many. `*at` starts at 0. */
const struct log_limit_entry *log_limit_next_dropped(
	struct log_limit *limit, size_t *at, uint64_t *dropped);

#endif
