/*
 * sse: see sse.h.
 */
#include "sse.h"

void sse_init(struct sse *sse, size_t max_bytes)
{
	*sse = (struct sse){0};
	buf_init(&sse->line, max_bytes);
	buf_init(&sse->data, max_bytes);
}

void sse_free(struct sse *sse)
{
	buf_free(&sse->line);
	buf_free(&sse->data);
}

struct str sse_data(const struct sse *sse)
{
	return buf_str(&sse->data);
}

static void begin_event(struct sse *sse)
{
	sse->ended = sse->has_data = false;
	sse->event[0] = '\0';
	buf_clear(&sse->data);
}

/* Lines of data are joined by a line feed. */
static void add_data(struct sse *sse, struct str value)
{
	if (sse->has_data)
		(void)buf_add_char(&sse->data, '\n');
	sse->has_data = true;
	if (!buf_add(&sse->data, value))
		sse->failed = true;
}

/* True when it ends an event that has data. */
static bool take_line(struct sse *sse, struct str line)
{
	struct str value = line, name;

	if (line.size == 0) {
		sse->ended = sse->has_data;
		if (!sse->ended)
			begin_event(sse);
		return sse->ended;
	}
	name = str_cut(&value, ':'); /* of a comment: empty */
	if (value.size > 0 && value.data[0] == ' ')
		value = str_of(value.data + 1, value.size - 1);
	if (str_equal(name, STR("data")))
		add_data(sse, value);
	else if (str_equal(name, STR("event")))
		(void)str_copy(sse->event, sizeof(sse->event), value);
	return false;
}

/* Bytes before the end of the line; all of them when it does not end here. */
static size_t line_size(struct str bytes)
{
	size_t size = 0;

	while (size < bytes.size && bytes.data[size] != '\n' && bytes.data[size] != '\r')
		size++;
	return size;
}

static void drop(struct str *bytes, size_t count)
{
	*bytes = str_of(bytes->data + count, bytes->size - count);
}

bool sse_next(struct sse *sse, struct str *bytes)
{
	if (sse->ended)
		begin_event(sse);
	while (bytes->size > 0 && !sse->failed) {
		size_t size;
		bool whole;

		if (sse->skip_feed && bytes->data[0] == '\n') /* the rest of a CR LF */
			drop(bytes, 1);
		sse->skip_feed = false;
		size = line_size(*bytes);
		if (!buf_append(&sse->line, bytes->data, size)) {
			sse->failed = true;
			break;
		}
		if (size == bytes->size) {
			drop(bytes, size);
			break;
		}
		sse->skip_feed = bytes->data[size] == '\r';
		drop(bytes, size + 1);
		whole = take_line(sse, buf_str(&sse->line));
		buf_clear(&sse->line);
		if (whole && !sse->failed)
			return true;
	}
	*bytes = (struct str){0};
	return false;
}
