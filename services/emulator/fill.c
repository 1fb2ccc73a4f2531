/*
 * fill: templates are JSON trees and values go in while they are written again: a value cannot
 * break out of its string, whatever it holds.
 */
#include "fill.h"

/* Bodies are flat objects with a list or two; the bounds are for a damaged file. */
#define MAX_DEPTH      8
#define MAX_ITEMS      64
#define MAX_TEXT_BYTES 4096

static size_t index_of(const struct fill *fill, struct str name)
{
	size_t at = 0;

	while (at < fill->count && !str_equal(fill->names[at].name, name))
		at++;
	return at;
}

bool fill_add(struct fill *fill, struct str name, struct str value)
{
	size_t at = index_of(fill, name);

	/* index_of() is then neither a name nor room for one. */
	if (at == FILL_MAX_NAMES)
		return false;
	if (at == fill->count) {
		fill->names[fill->count++].name = name;
		fill->names[at].count = 0;
	}
	if (fill->names[at].count == FILL_MAX_VALUES)
		return false;
	fill->names[at].values[fill->names[at].count++] = value;
	return true;
}

bool fill_set(struct fill *fill, struct str name, struct str value)
{
	size_t at = index_of(fill, name);

	if (at < fill->count)
		fill->names[at].count = 0;
	return fill_add(fill, name, value);
}

struct str fill_get(const struct fill *fill, struct str name)
{
	size_t at = index_of(fill, name);

	return at < fill->count && fill->names[at].count > 0 ? fill->names[at].values[0]
							     : (struct str){0};
}

bool fill_uses(const struct fill *fill, struct str value)
{
	for (size_t i = 0; i < fill->count; i++) {
		for (size_t j = 0; j < fill->names[i].count; j++) {
			if (str_equal(fill->names[i].values[j], value))
				return true;
		}
	}
	return false;
}

/* The name in "{name}" at the beginning of `text`; empty when there is none. */
static struct str placeholder(struct str text)
{
	const char *end;

	if (text.size < 3 || text.data[0] != '{')
		return (struct str){0};
	end = memchr(text.data, '}', text.size);
	return end != NULL ? str_of(text.data + 1, (size_t)(end - text.data) - 1) : (struct str){0};
}

/* A value is never looked at again: a name in braces inside it stays text. */
static bool expand(const struct fill *fill, struct str text, struct buf *to, struct error *error)
{
	while (text.size > 0) {
		struct str name = placeholder(text);
		size_t at = index_of(fill, name), used = name.size + 2;
		if (name.size == 0) {
			buf_add_char(to, text.data[0]);
			used = 1;
		} else if (at < fill->count && fill->names[at].count > 0) {
			buf_add(to, fill->names[at].values[0]);
		} else {
			return error_set(error, ERROR_INPUT, "placeholder {%.*s} has no value",
				STR_ARG(name));
		}
		text = str_of(text.data + used, text.size - used);
	}
	return !to->failed || error_set(error, ERROR_INPUT, "a value is too long");
}

static bool write_value(const struct fill *fill, const struct json *json,
	struct json_writer *writer, struct error *error);

static bool write_text(
	const struct fill *fill, struct str text, struct json_writer *writer, struct error *error)
{
	struct buf expanded;
	bool good;

	buf_init(&expanded, MAX_TEXT_BYTES);
	good = expand(fill, text, &expanded, error);
	if (good)
		json_put_str(writer, buf_str(&expanded));
	buf_free(&expanded);
	return good;
}

struct items {
	struct str seen[MAX_ITEMS];
	size_t count;
};

static void write_new(struct items *items, struct str value, struct json_writer *writer)
{
	for (size_t i = 0; i < items->count; i++) {
		if (str_equal(items->seen[i], value))
			return;
	}
	if (items->count == MAX_ITEMS)
		return;
	items->seen[items->count++] = value;
	json_put_str(writer, value);
}

/* Only here does a placeholder stand for several values. */
static bool write_item(const struct fill *fill, const struct json *item, struct items *items,
	struct json_writer *writer, struct error *error)
{
	struct str text = json_text(item), name = placeholder(text);
	size_t at = index_of(fill, name);

	if (json_kind(item) != JSON_TEXT || name.size + 2 != text.size)
		return write_value(fill, item, writer, error);
	if (at == fill->count)
		return error_set(
			error, ERROR_INPUT, "placeholder {%.*s} has no value", STR_ARG(name));
	for (size_t i = 0; i < fill->names[at].count; i++)
		write_new(items, fill->names[at].values[i], writer);
	return true;
}

static bool write_array(const struct fill *fill, const struct json *json,
	struct json_writer *writer, struct error *error)
{
	struct items items = {.count = 0};

	json_open_array(writer);
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		if (!write_item(fill, at, &items, writer, error))
			return false;
	}
	json_close_array(writer);
	return true;
}

static bool write_object(const struct fill *fill, const struct json *json,
	struct json_writer *writer, struct error *error)
{
	json_open_object(writer);
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		json_put_name(writer, json_name(at));
		if (!write_value(fill, at, writer, error))
			return false;
	}
	json_close_object(writer);
	return true;
}

static bool write_value(const struct fill *fill, const struct json *json,
	struct json_writer *writer, struct error *error)
{
	if (writer->depth >= MAX_DEPTH)
		return error_set(error, ERROR_INPUT, "nested too deep");
	switch (json_kind(json)) {
	case JSON_OBJECT:
		return write_object(fill, json, writer, error);
	case JSON_ARRAY:
		return write_array(fill, json, writer, error);
	case JSON_TEXT:
		return write_text(fill, json_text(json), writer, error);
	case JSON_NUMBER:
		json_put_double(writer, json_number(json));
		break;
	case JSON_BOOLEAN:
		json_put_bool(writer, json_is_true(json));
		break;
	case JSON_NULL:
		json_put_null(writer);
		break;
	}
	return true;
}

bool fill_write(
	const struct fill *fill, const struct json *body, struct buf *to, struct error *error)
{
	struct json_writer writer;

	json_begin(&writer, to);
	return write_value(fill, body, &writer, error);
}
