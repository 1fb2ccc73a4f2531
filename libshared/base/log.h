/*
 * log: one JSON object a line, to stderr or to a file that is reopened on request.
 *
 * {"ts","level","service","trace","enterprise","call","flow","step","msg"}; empty ones are left
 * out. Runs of seven or more digits in a message that look like phone numbers are masked
 * ("+37529***0001") unless the sink was opened with unmasked phones; ids such as 1757840723.6,
 * UUIDs, GSM lines (0001363) and Unix times are not. The same message text (format string) above
 * 10 lines a second is dropped and counted: "... 132 more like this". Messages are cut after
 * 4 KiB.
 */
#ifndef CALLWEAVE_LOG_H
#define CALLWEAVE_LOG_H

#include "error.h"
#include "str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log; /* a sink */

struct log_options {
	const char *service;
	const char *path; /* NULL or "": stderr. Opened with O_APPEND */
	enum log_level level;
	bool show_phones;
};

struct log *log_new(const struct log_options *options, struct error *error);
void log_free(struct log **log);
void log_reopen(struct log *log); /* SIGUSR1 */
void log_set_level(struct log *log, enum log_level level);
bool log_level_from(struct str name, enum log_level *level); /* "debug" "info" "warn" "error" */

/* Whom a line speaks of. Strings are borrowed and may be NULL. */
struct log_context {
	struct log *log;
	const char *trace;
	const char *enterprise;
	const char *call;
	const char *flow;
	const char *step;
};

#define log_debug(context, ...) log_line((context), LOG_DEBUG, __VA_ARGS__)
#define log_info(context, ...)	log_line((context), LOG_INFO, __VA_ARGS__)
#define log_warn(context, ...)	log_line((context), LOG_WARN, __VA_ARGS__)
#define log_error(context, ...) log_line((context), LOG_ERROR, __VA_ARGS__)

/* A NULL context, or one without a log, drops the line. */
void log_line(const struct log_context *context, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
