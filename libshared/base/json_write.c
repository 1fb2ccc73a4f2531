/*
 * json_write: text from a writer, from a table of fields, or from a parsed tree.
 */
#include "json.h"

#include <stdlib.h>

/* The escape of a character that may not stand in a string as it is; NULL: \u00xx. */
static const char *short_escape(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	default:
		return NULL;
	}
}

/* Append the first character of `text` in a form that a JSON string may hold; its size. */
static size_t add_special(struct buf *to, struct str text)
{
	size_t size = str_utf8_size(text);
	const char *escape = short_escape(text.data[0]);

	if (size == 0 || text.data[0] == '\0') {
		buf_add(to, STR("\xef\xbf\xbd"));
		return 1;
	}
	if (size > 1)
		buf_append(to, text.data, size);
	else if (escape != NULL)
		buf_add(to, str_from(escape));
	else
		buf_printf(to, "\\u%04x", text.data[0]);
	return size;
}

/* DEL and everything wide may stand as it is; only the first 32, quote and backslash may not. */
static bool is_plain(char c)
{
	return (unsigned char)c >= ' ' && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* Runs of plain characters are copied whole. */
void json_add_string(struct buf *to, struct str text)
{
	size_t at = 0;

	buf_add_char(to, '"');
	while (at < text.size) {
		size_t from = at;

		while (at < text.size && is_plain(text.data[at]))
			at++;
		buf_append(to, text.data + from, at - from);
		if (at < text.size)
			at += add_special(to, str_of(text.data + at, text.size - at));
	}
	buf_add_char(to, '"');
}

/* The buffer is not emptied: answers are built behind what stands there already, such as "data:
 * " of an event stream. */
void json_begin(struct json_writer *writer, struct buf *buf)
{
	*writer = (struct json_writer){.buf = buf};
}

/* Before each value and name: the comma, unless it is the first or stands behind its name. */
static void separate(struct json_writer *writer)
{
	if (writer->after_name) {
		writer->after_name = false;
		return;
	}
	if (writer->has_member[writer->depth])
		buf_add_char(writer->buf, ',');
	writer->has_member[writer->depth] = true;
}

/* An array or object is a value of what is around it, and begins without members. */
static void open_with(struct json_writer *writer, char bracket)
{
	separate(writer);
	if (++writer->depth >= sizeof(writer->has_member) / sizeof(writer->has_member[0]))
		abort(); /* the program's own nesting, not an input's */
	writer->has_member[writer->depth] = false;
	buf_add_char(writer->buf, bracket);
}

static void close_with(struct json_writer *writer, char bracket)
{
	if (writer->depth-- == 0)
		abort();
	buf_add_char(writer->buf, bracket);
}

void json_open_object(struct json_writer *writer)
{
	open_with(writer, '{');
}

void json_close_object(struct json_writer *writer)
{
	close_with(writer, '}');
}

void json_open_array(struct json_writer *writer)
{
	open_with(writer, '[');
}

void json_close_array(struct json_writer *writer)
{
	close_with(writer, ']');
}

/* A name is written like a value, comma and all; `after_name` then keeps the value itself from
 * getting one. */
void json_put_name(struct json_writer *writer, const char *name)
{
	json_put_str(writer, str_from(name));
	buf_add_char(writer->buf, ':');
	writer->after_name = true;
}

void json_put_str(struct json_writer *writer, struct str text)
{
	separate(writer);
	json_add_string(writer->buf, text);
}

void json_put_int(struct json_writer *writer, int64_t value)
{
	separate(writer);
	buf_printf(writer->buf, "%lld", (long long)value);
}

/* As buf_add_double() has it: no locale's comma, no NaN, and the same number when it is read
 * again. */
void json_put_double(struct json_writer *writer, double value)
{
	separate(writer);
	buf_add_double(writer->buf, value);
}

void json_put_bool(struct json_writer *writer, bool value)
{
	separate(writer);
	buf_add(writer->buf, value ? STR("true") : STR("false"));
}

void json_put_null(struct json_writer *writer)
{
	separate(writer);
	buf_add(writer->buf, STR("null"));
}

/* Unchecked, so only for text that json_print(), another writer or PostgreSQL made. Half of a
 * text that did not fit its buffer breaks the whole document: look at buf.failed first. */
void json_put_raw(struct json_writer *writer, struct str json_text)
{
	separate(writer);
	buf_add(writer->buf, json_text);
}

static void put_fields(
	struct json_writer *writer, const struct json_field *fields, const void *from);

static void put_strings(struct json_writer *writer, const struct json_strings *strings)
{
	json_open_array(writer);
	for (size_t i = 0; i < strings->count; i++)
		json_put_str(writer, strings->items[i]);
	json_close_array(writer);
}

/* Items lie one behind the other, as json_read() put them. */
static void put_list(
	struct json_writer *writer, const struct json_field *field, const struct json_list *list)
{
	json_open_array(writer);
	for (size_t i = 0; i < list->count; i++)
		put_fields(
			writer, field->fields, (const char *)list->items + i * field->size_bytes);
	json_close_array(writer);
}

static void put_value(struct json_writer *writer, const struct json_field *field, const void *from)
{
	switch (field->type) {
	case JSON_STRING:
		json_put_str(writer, *(const struct str *)from);
		break;
	case JSON_INT64:
		json_put_int(writer, *(const int64_t *)from);
		break;
	case JSON_DOUBLE:
		json_put_double(writer, *(const double *)from);
		break;
	case JSON_BOOL:
		json_put_bool(writer, *(const bool *)from);
		break;
	case JSON_STRINGS:
		put_strings(writer, from);
		break;
	case JSON_NESTED:
		put_fields(writer, field->fields, from);
		break;
	case JSON_LIST:
		put_list(writer, field, from);
		break;
	case JSON_RAW:
		break; /* never reached: put_fields() leaves it out */
	}
}

/* A nested object is never empty: its own fields decide. */
static bool is_empty(const struct json_field *field, const void *from)
{
	switch (field->type) {
	case JSON_STRING:
		return ((const struct str *)from)->size == 0;
	case JSON_INT64:
		return *(const int64_t *)from == 0;
	case JSON_DOUBLE:
		return *(const double *)from == 0;
	case JSON_BOOL:
		return !*(const bool *)from;
	case JSON_STRINGS:
		return ((const struct json_strings *)from)->count == 0;
	case JSON_LIST:
		return ((const struct json_list *)from)->count == 0;
	default:
		return false;
	}
}

/* Members that were read raw are left out: they point into a document that may be gone. */
static void put_fields(
	struct json_writer *writer, const struct json_field *fields, const void *from)
{
	json_open_object(writer);
	for (const struct json_field *field = fields; field->name != NULL; field++) {
		const void *member = (const char *)from + field->offset;

		if (field->type == JSON_RAW ||
			((field->flags & JSON_SKIP_EMPTY) != 0 && is_empty(field, member)))
			continue;
		json_put_name(writer, field->name);
		put_value(writer, field, member);
	}
	json_close_object(writer);
}

void json_write(struct buf *to, const struct json_field *fields, const void *from)
{
	struct json_writer writer;

	json_begin(&writer, to);
	put_fields(&writer, fields, from);
}
