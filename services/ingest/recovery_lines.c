/*
 * recovery_lines: one JSON object a line.
 */
#include "alloc.h"
#include "recovery.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024, LINE_DEPTH = CALL_EVENT_JSON_DEPTH + 1 };

struct recovery_lines {
	int fd;
	off_t at;
	int64_t line;
	struct buf in;
	size_t used; /* of `in`, by earlier lines */
	bool ended;
	bool skipping;	   /* the rest of a line that is too long */
	struct json *last; /* its texts are in the item that was given out */
	struct buf body;
};

struct recovery_lines *recovery_lines_new(int fd)
{
	struct recovery_lines *lines = alloc_zeroed(1, sizeof(*lines));

	lines->fd = fd;
	buf_init(&lines->in, RECOVERY_LINE_MAX_BYTES + 2 * CHUNK_BYTES);
	buf_init(&lines->body, RECOVERY_LINE_MAX_BYTES);
	return lines;
}

void recovery_lines_free(struct recovery_lines **lines)
{
	if (*lines == NULL)
		return;
	json_free(&(*lines)->last);
	buf_free(&(*lines)->in);
	buf_free(&(*lines)->body);
	free(*lines);
	*lines = NULL;
}

static bool read_more(struct recovery_lines *lines, struct error *error)
{
	ssize_t got;

	buf_consume(&lines->in, lines->used);
	lines->used = 0;
	do {
		got = pread(
			lines->fd, buf_reserve(&lines->in, CHUNK_BYTES), CHUNK_BYTES, lines->at);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_set(
			error, ERROR_INTERNAL, "the file cannot be read: %s", strerror(errno));
	buf_grew(&lines->in, (size_t)got);
	lines->at += got;
	lines->ended = got == 0;
	return true;
}

/* The next line without its end. The last one may lack that. */
static enum recovery_next next_line(
	struct recovery_lines *lines, struct str *line, struct error *error)
{
	for (;;) {
		struct str rest =
			str_of(lines->in.data + lines->used, lines->in.size - lines->used);
		const char *end = rest.size > 0 ? memchr(rest.data, '\n', rest.size) : NULL;

		if (end != NULL || (lines->ended && rest.size > 0)) {
			size_t size = end != NULL ? (size_t)(end - rest.data) : rest.size;

			lines->used += size + (end != NULL);
			*line = str_of(rest.data, size);
			return RECOVERY_ITEM;
		}
		if (lines->ended)
			return RECOVERY_END;
		if (rest.size > RECOVERY_LINE_MAX_BYTES) {
			lines->skipping = true;
			lines->used = lines->in.size;
		}
		if (!read_more(lines, error))
			return RECOVERY_BROKEN;
	}
}

static bool take_line(struct recovery_lines *lines, struct str line, struct recovery_item *item,
	struct error *error)
{
	struct json_limits limits = {RECOVERY_LINE_MAX_BYTES, LINE_DEPTH};
	const struct json *body;

	if (lines->skipping || line.size > RECOVERY_LINE_MAX_BYTES) {
		lines->skipping = false;
		return error_set(
			error, ERROR_INPUT, "longer than %zu bytes", RECOVERY_LINE_MAX_BYTES);
	}
	lines->last = json_parse(line, limits, error);
	if (lines->last == NULL)
		return false;
	item->event = json_text(json_member(lines->last, "event"));
	item->time = json_text(json_member(lines->last, "time"));
	body = json_member(lines->last, "body");
	if (body == NULL || json_kind(body) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "body: not an object");
	buf_clear(&lines->body);
	json_print(&lines->body, body, false);
	item->body = buf_str(&lines->body);
	return !lines->body.failed || error_set(error, ERROR_INPUT, "body: too long");
}

enum recovery_next recovery_lines_next(
	struct recovery_lines *lines, struct recovery_item *item, struct error *error)
{
	struct str line = STR("");
	enum recovery_next next;

	json_free(&lines->last);
	do {
		lines->line++;
		next = next_line(lines, &line, error);
	} while (next == RECOVERY_ITEM && str_trim(line).size == 0 && !lines->skipping);
	if (next != RECOVERY_ITEM)
		return next;
	*item = (struct recovery_item){.place = lines->line};
	return take_line(lines, line, item, error) ? RECOVERY_ITEM : RECOVERY_BAD;
}
