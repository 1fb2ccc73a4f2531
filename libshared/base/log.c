/*
 * log: one line is one write(2) to a descriptor opened with O_APPEND, so lines of several
 * processes never mix and a file that is truncated under us goes on from its new end.
 */
#include "log.h"

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "json.h"
#include "log_limit.h"
#include "log_mask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MESSAGE_MAX_BYTES = 4096, LINE_MAX_BYTES = 64 * 1024, TELL_EVERY_MS = 1000 };

struct log {
	int fd;
	char *path; /* NULL: stderr */
	char *service;
	enum log_level level;
	bool show_phones;
	struct buf message;
	struct buf line;
	struct log_limit limit;
	int64_t told_ms; /* when lines that were dropped were told of last */
};

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

/* Group-readable, for operators; never for all: call data are personal data. */
static int open_path(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

struct log *log_new(const struct log_options *options, struct error *error)
{
	bool to_file = options->path != NULL && options->path[0] != '\0';
	int fd = to_file ? open_path(options->path) : STDERR_FILENO;
	struct log *log;

	if (fd < 0) {
		error_set(error, ERROR_INTERNAL, "cannot open the log %s: %s", options->path,
			strerror(errno));
		return NULL;
	}
	log = alloc_zeroed(1, sizeof(*log));
	log->fd = fd;
	log->path = to_file ? alloc_text(str_from(options->path)) : NULL;
	log->service = alloc_text(str_from(options->service));
	log->level = options->level;
	log->show_phones = options->show_phones;
	buf_init(&log->message, 2 * MESSAGE_MAX_BYTES);
	buf_init(&log->line, LINE_MAX_BYTES);
	return log;
}

/* The new file is opened before the old one is closed: no line falls between them. */
/* On SIGUSR1, after logrotate has moved the file away. */
void log_reopen(struct log *log)
{
	int fd = log->path != NULL ? open_path(log->path) : -1;

	if (fd < 0) /* better the old file than none */
		return;
	close(log->fd);
	log->fd = fd;
}

void log_set_level(struct log *log, enum log_level level)
{
	log->level = level;
}

/* Exact words: configuration names them. */
bool log_level_from(struct str name, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (str_equal(name, str_from(level_names[i]))) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* Nobody can be told when a log cannot be written: the line is lost. */
static void write_line(struct log *log)
{
	const char *at = log->line.data;
	size_t left = log->line.size;

	while (left > 0) {
		ssize_t written = write(log->fd, at, left);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		at += written;
		left -= (size_t)written;
	}
}

/* Empty fields would only make lines longer. */
static void put(struct json_writer *writer, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	json_put_name(writer, name);
	json_put_str(writer, str_from(text));
}

static void add_line(struct log *log, const struct log_context *context, enum log_level level,
	struct str message)
{
	struct json_writer writer;
	char now[CLOCK_TEXT_BYTES];

	clock_format_rfc3339(clock_wall_ms(), now);
	buf_clear(&log->line);
	json_begin(&writer, &log->line);
	json_open_object(&writer);
	put(&writer, "ts", now);
	put(&writer, "level", level_names[level]);
	put(&writer, "service", log->service);
	put(&writer, "trace", context->trace);
	put(&writer, "enterprise", context->enterprise);
	put(&writer, "call", context->call);
	put(&writer, "flow", context->flow);
	put(&writer, "step", context->step);
	json_put_name(&writer, "msg");
	json_put_str(&writer, message);
	json_close_object(&writer);
	buf_add_char(&log->line, '\n');
	/* Half a line of JSON would break whatever reads the log. */
	if (!log->line.failed)
		write_line(log);
}

/* Tell of the lines that were dropped since the last time. */
static void report_dropped(struct log *log)
{
	const struct log_context nobody = {.log = log};
	const struct log_limit_entry *entry;
	uint64_t dropped;
	size_t at = 0;

	while ((entry = log_limit_next_dropped(&log->limit, &at, &dropped)) != NULL) {
		buf_clear(&log->message);
		buf_printf(&log->message, "%s ... %llu more like this", entry->sample,
			(unsigned long long)dropped);
		add_line(log, &nobody, entry->level, buf_str(&log->message));
	}
}

void log_free(struct log **log)
{
	if (*log == NULL)
		return;
	report_dropped(*log);
	if ((*log)->path != NULL)
		close((*log)->fd);
	buf_free(&(*log)->message);
	buf_free(&(*log)->line);
	free((*log)->path);
	free((*log)->service);
	free(*log);
	*log = NULL;
}

void log_line(const struct log_context *context, enum log_level level, const char *format, ...)
{
	struct log *log = context != NULL ? context->log : NULL;
	char text[MESSAGE_MAX_BYTES];
	struct log_limit_entry *entry;
	int64_t now_ms;
	va_list arguments;

	if (log == NULL || level < log->level)
		return;
	/* The wall clock may jump; a limit that follows it could mute the log. */
	now_ms = clock_monotonic_ms();
	if (now_ms - log->told_ms >= TELL_EVERY_MS) {
		log->told_ms = now_ms;
		report_dropped(log);
	}
	entry = log_limit_take(&log->limit, format, now_ms);
	if (entry == NULL)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	buf_clear(&log->message);
	/* Into the log's own buffers: a line costs no allocation. */
	if (log->show_phones)
		buf_add(&log->message, str_from(text));
	else
		log_mask(&log->message, str_from(text));
	entry->level = level;
	str_copy(entry->sample, sizeof(entry->sample), buf_str(&log->message));
	add_line(log, context, level, buf_str(&log->message));
}
