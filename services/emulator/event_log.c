/*
 * event_log: writes records that people find again with their old recipes of grep; the format is
 * therefore a contract, emoji included.
 */
#include "event_log.h"

#include "alloc.h"
#include "clock.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEPT_FILES 5
/* A 64 KB body, indented, with every character escaped; a longer record is cut, not lost. */
#define MAX_RECORD_BYTES (4u << 20)

struct event_log {
	char *path;
	size_t max_bytes;
	struct log_context log; /* of the service, for failures */
};

/* One level: a path that needs more was mistyped. */
static bool make_folder(const char *path, struct error *error)
{
	char *folder = alloc_text(str_from(path));
	char *slash = strrchr(folder, '/');
	bool good = true;

	if (slash != NULL && slash != folder) {
		*slash = 0;
		good = mkdir(folder, 0755) == 0 || errno == EEXIST ||
		       error_set(error, ERROR_INTERNAL, "cannot make %s: %m", folder);
	}
	free(folder);
	return good;
}

struct event_log *event_log_new(const char *path, size_t max_bytes,
	const struct log_context *service_log, struct error *error)
{
	struct event_log *log;
	int fd;

	if (!make_folder(path, error))
		return NULL;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		error_set(error, ERROR_INTERNAL, "cannot write %s: %m", path);
		return NULL;
	}
	/* Opened only to find out now, at the start, whether it can be written. */
	close(fd);
	log = alloc_zeroed(1, sizeof(*log));
	log->path = alloc_text(str_from(path));
	log->max_bytes = max_bytes;
	log->log = *service_log;
	return log;
}

void event_log_free(struct event_log **log)
{
	if (*log == NULL)
		return;
	free((*log)->path);
	free(*log);
	*log = NULL;
}

/* From the oldest on, so that no file is written over. A rename that fails (most often: there is
 * no such file yet) costs an old log at most. */
static void rotate(const struct event_log *log)
{
	char from[4096], to[4096];

	for (int i = KEPT_FILES; i >= 1; i--) {
		snprintf(to, sizeof(to), "%s.%d", log->path, i);
		snprintf(from, sizeof(from), "%s.%d", log->path, i - 1);
		rename(i == 1 ? log->path : from, to);
	}
}

static int open_file(const struct event_log *log)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
	int fd = open(log->path, flags, 0644);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) != 0 || (size_t)stat.st_size < log->max_bytes)
		return fd;
	close(fd);
	rotate(log);
	return open(log->path, flags, 0644);
}

/* A record is one write: lines of several runs do not mix. That it fails is no reason to stop. */
static void write_record(const struct event_log *log, const struct buf *record)
{
	int fd = open_file(log);
	ssize_t written = fd >= 0 ? write(fd, record->data, record->size) : -1;

	if (written < 0)
		log_warn(&log->log, "%s: not written: %s", log->path, strerror(errno));
	else if ((size_t)written < record->size)
		log_warn(&log->log, "%s: a record was cut short", log->path);
	if (fd >= 0)
		close(fd);
}

/* Python's logging format "%(asctime)s [%(levelname)s] %(name)s: %(message)s", in local time:
 * the recipes that people have are written for it. */
static void begin_line(struct buf *record, const char *level)
{
	int64_t now_ms = clock_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm tm;
	char text[32];

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	buf_printf(record, "%s,%03d [%s] call_tester: ", text, (int)(now_ms % 1000), level);
}

/* Words from outside stay on their line: nobody can write a record of his own. */
static void add_words(struct buf *record, struct str words)
{
	for (size_t i = 0; i < words.size; i++) {
		unsigned char c = (unsigned char)words.data[i];
		buf_add_char(record, c < 0x20 || c == 0x7f ? ' ' : words.data[i]);
	}
	buf_add_char(record, '\n');
}

/* Indented, as the old one wrote it: `grep -A 10` shows the event. What is no JSON stays one
 * line. */
static void add_json(struct buf *record, struct str text)
{
	struct json *json = json_parse(text, (struct json_limits){1 << 20, 64}, NULL);

	if (json != NULL) {
		json_print(record, json, true);
		buf_add_char(record, '\n');
	} else {
		add_words(record, text);
	}
	json_free(&json);
}

void event_log_request(struct event_log *log, struct str url, struct str event, struct str json)
{
	struct buf record;

	buf_init(&record, MAX_RECORD_BYTES);
	begin_line(&record, "INFO");
	buf_add(&record, STR("🚀 EMULATION REQUEST to "));
	add_words(&record, url);
	begin_line(&record, "INFO");
	buf_add(&record, STR("📤 Event Type: "));
	add_words(&record, event);
	begin_line(&record, "INFO");
	buf_add(&record, STR("📊 Event Data: "));
	add_json(&record, json);
	write_record(log, &record);
	buf_free(&record);
}

void event_log_response(struct event_log *log, struct str event, int status, struct str json)
{
	struct buf record;

	buf_init(&record, MAX_RECORD_BYTES);
	begin_line(&record, "INFO");
	buf_add(&record, STR("📥 EMULATION RESPONSE for "));
	add_words(&record, event);
	begin_line(&record, "INFO");
	buf_printf(&record, "📊 Response Status: %d\n", status);
	begin_line(&record, "INFO");
	buf_add(&record, STR("📊 Response Data: "));
	add_json(&record, json);
	write_record(log, &record);
	buf_free(&record);
}

void event_log_error(struct event_log *log, struct str event, struct str words)
{
	struct buf record;

	buf_init(&record, MAX_RECORD_BYTES);
	begin_line(&record, "ERROR");
	buf_add(&record, STR("❌ EMULATION ERROR for "));
	add_words(&record, event);
	begin_line(&record, "ERROR");
	buf_add(&record, STR("❌ Error: "));
	add_words(&record, words);
	write_record(log, &record);
	buf_free(&record);
}

void event_log_outcome(struct event_log *log, struct str event, bool sent, const char *why)
{
	struct buf record;

	buf_init(&record, MAX_RECORD_BYTES);
	begin_line(&record, sent ? "INFO" : "ERROR");
	if (sent)
		buf_printf(&record, "✅ Event %.*s sent successfully\n", STR_ARG(event));
	else
		buf_printf(&record, "❌ Event %.*s failed: %s\n", STR_ARG(event), why);
	write_record(log, &record);
	buf_free(&record);
}
