/*
 * debug_log: events of one turn of the loop are gathered and written together, behind the answers.
 */
#include "debug_log.h"

#include "alloc.h"
#include "buf.h"
#include "json.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_BYTES = 5 * 1000 * 1000,
	OLDER_FILES = 3,
	PENDING_BYTES = 1024 * 1024, /* of one enterprise */
	PATH_BYTES = 700,
	BODY_DEPTH = 64,
};

struct debug_log {
	const char *folder;
	struct metric *dropped;
	struct log_context log;
	struct flow *flow;
	struct flow_queue arrived;
	struct table *pending; /* number -> struct buf */
};

/* In the enterprise's own time: that is what the people who read it go by. */
static void stamp(struct buf *to, const struct debug_event *event)
{
	struct clock_civil at = clock_to_civil(event->at_ms, event->zone);

	buf_printf(to, "%04d-%02d-%02d %02d:%02d:%02d,%03d [INFO] ", at.year, at.month, at.day,
		at.hour, at.minute, at.second, at.millisecond);
}

static void write_records(struct buf *to, const struct debug_event *event)
{
	struct json_limits limits = {event->body.size, BODY_DEPTH};
	struct json *body = json_parse(event->body, limits, NULL);

	stamp(to, event);
	buf_printf(to, "🧪 TEST EVENT: %.*s\n", STR_ARG(event->type));
	stamp(to, event);
	buf_printf(to, "📋 Token: %.*s, UniqueId: %.*s\n", STR_ARG(event->token),
		STR_ARG(event->unique_id));
	stamp(to, event);
	buf_printf(to, "📦 Full Body: ");
	if (body != NULL)
		json_print(to, body, true);
	buf_add_char(to, '\n');
	json_free(&body);
}

void debug_log_add(struct debug_log *debug_log, const struct debug_event *event)
{
	struct buf *pending = table_get(debug_log->pending, event->number);
	size_t before;

	if (pending == NULL) {
		pending = alloc_zeroed(1, sizeof(*pending));
		buf_init(pending, PENDING_BYTES);
		table_put(debug_log->pending, event->number, pending);
	}
	before = pending->size;
	write_records(pending, event);
	if (pending->failed) { /* whole events or none */
		pending->size = before;
		metric_add(debug_log->dropped, 1);
	}
	flow_queue_wake(&debug_log->arrived, 1);
}

/* 0367.log.2 becomes 0367.log.3, and so on. */
static void rotate(const char *path)
{
	char from[PATH_BYTES + 16], to[PATH_BYTES + 16];

	for (int age = OLDER_FILES; age >= 1; age--) {
		snprintf(to, sizeof(to), "%s.%d", path, age);
		if (age > 1)
			snprintf(from, sizeof(from), "%s.%d", path, age - 1);
		else
			snprintf(from, sizeof(from), "%s", path);
		(void)rename(from, to); /* one that is not there yet */
	}
}

/* Opened anew each time: the file may have been moved or removed since. */
static bool append_to(const char *path, const struct buf *text, off_t *size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	struct stat file = {0};
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text->data, text->size) == (ssize_t)text->size && fstat(fd, &file) == 0;
	*size = file.st_size;
	return close(fd) == 0 && written;
}

/* Synchronous, but into the page cache and behind the answers. */
static void flush_one(struct debug_log *debug_log, struct str number, struct buf *pending)
{
	char path[PATH_BYTES];
	off_t size = 0;

	snprintf(path, sizeof(path), "%s/%.*s.log", debug_log->folder, STR_ARG(number));
	if (pending->size > 0 && !append_to(path, pending, &size)) {
		log_warn(&debug_log->log, "%s: %s", path, strerror(errno));
		metric_add(debug_log->dropped, 1);
	}
	if (size >= FILE_BYTES)
		rotate(path);
}

static void flush_all(struct debug_log *debug_log)
{
	size_t at = 0;
	struct str number;
	void *value;

	if (table_count(debug_log->pending) > 0)
		(void)mkdir(debug_log->folder, 0750);
	while (table_next(debug_log->pending, &at, &number, &value)) {
		struct buf *pending = value;

		flush_one(debug_log, number, pending);
		table_remove(debug_log->pending, number);
		buf_free(pending);
		free(pending);
	}
}

enum { LOG_WAIT, LOG_GATHER, LOG_WRITE };

static enum flow_status log_wait(struct flow *flow)
{
	struct debug_log *debug_log = flow_context(flow);

	return table_count(debug_log->pending) > 0 ? FLOW_NEXT
						   : await_queue(flow, &debug_log->arrived);
}

/* All events of a commit are answered in one turn: let them come first. */
static enum flow_status log_gather(struct flow *flow)
{
	return await_turn(flow);
}

static enum flow_status log_write(struct flow *flow)
{
	flush_all(flow_context(flow));
	return flow_goto(flow, LOG_WAIT);
}

static void log_finally(struct flow *flow)
{
	struct debug_log *debug_log = flow_context(flow);

	debug_log->flow = NULL;
}

static const struct flow_step log_steps[] = {
	[LOG_WAIT] = {"wait", log_wait},
	[LOG_GATHER] = {"gather", log_gather},
	[LOG_WRITE] = {"write", log_write},
	{NULL, NULL},
};

static const struct flow_spec log_flow = {
	.name = "debug_log",
	.steps = log_steps,
	.finally = log_finally,
	.deadline_ms = FLOW_FOREVER,
};

struct debug_log *debug_log_new(struct loop *loop, const char *folder, struct metric *dropped,
	const struct log_context *log)
{
	struct debug_log *debug_log = alloc_zeroed(1, sizeof(*debug_log));

	debug_log->folder = folder;
	debug_log->dropped = dropped;
	debug_log->log = *log;
	debug_log->pending = table_new();
	flow_queue_init(&debug_log->arrived);
	debug_log->flow = flow_start(loop, &log_flow, debug_log, log);
	return debug_log;
}

void debug_log_free(struct debug_log **debug_log)
{
	if (*debug_log == NULL)
		return;
	if ((*debug_log)->flow != NULL)
		flow_cancel((*debug_log)->flow);
	flush_all(*debug_log);
	table_free(&(*debug_log)->pending);
	free(*debug_log);
	*debug_log = NULL;
}
