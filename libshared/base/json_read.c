/*
 * json_read: an object into a struct, as its table of fields says.
 */
#include "json.h"

enum { COUNT_DEFAULT = 256 };

/* One field while it is read: errors name it. */
struct reading {
	const struct json_field *field;
	struct arena *arena;
	struct error *error;
};

static bool refuse(const struct reading *r, const char *what)
{
	return error_set(r->error, ERROR_INPUT, "%s: %s", r->field->name, what);
}

/* The document may be freed before the struct is used up. */
static struct str copy(struct arena *arena, struct str text)
{
	return str_of(arena_strndup(arena, text.data, text.size), text.size);
}

/* A phone number that a careless sender wrote without quotes: digits stay digits, no exponent. */
static struct str number_text(struct arena *arena, double number)
{
	struct buf buf;
	struct str text;

	buf_init(&buf, 64);
	buf_add_double(&buf, number);
	text = copy(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

/* False leaves the words to the caller, who knows whether it is a field or an item. */
static bool as_string(const struct reading *r, const struct json *value, struct str *to)
{
	bool lax = (r->field->flags & JSON_LAX) != 0;

	if (json_kind(value) == JSON_TEXT)
		*to = copy(r->arena, json_text(value));
	else if (lax && json_kind(value) == JSON_NUMBER)
		*to = number_text(r->arena, json_number(value));
	else if (lax && json_kind(value) == JSON_BOOLEAN)
		*to = json_is_true(value) ? STR("true") : STR("false");
	else
		return false;
	return true;
}

static bool read_string(const struct reading *r, const struct json *value, void *to)
{
	return as_string(r, value, to) || refuse(r, "not a string");
}

/* White space around digits is taken in lax fields: PBX scripts pad them. */
static bool as_int64(const struct reading *r, const struct json *value, int64_t *to)
{
	double number = json_number(value);
	struct str text = str_trim(json_text(value));

	if (json_kind(value) == JSON_TEXT && (r->field->flags & JSON_LAX) != 0) {
		*to = 0;
		return text.size == 0 || str_to_int64(text, to);
	}
	/* 2^63 itself is a double, but no int64_t. */
	if (json_kind(value) != JSON_NUMBER || number < -0x1p63 || number >= 0x1p63 ||
		number != (double)(int64_t)number)
		return false;
	*to = (int64_t)number;
	return true;
}

static bool read_int64(const struct reading *r, const struct json *value, void *to)
{
	return as_int64(r, value, to) || refuse(r, "not a whole number");
}

static bool read_double(const struct reading *r, const struct json *value, void *to)
{
	if (json_kind(value) != JSON_NUMBER)
		return refuse(r, "not a number");
	*(double *)to = json_number(value);
	return true;
}

static bool read_bool(const struct reading *r, const struct json *value, void *to)
{
	if (json_kind(value) != JSON_BOOLEAN)
		return refuse(r, "not true or false");
	*(bool *)to = json_is_true(value);
	return true;
}

/* The bound is looked at before memory is taken for the items. */
static bool check_array(const struct reading *r, const struct json *value, size_t *count)
{
	size_t max_count = r->field->max_count != 0 ? r->field->max_count : COUNT_DEFAULT;

	if (json_kind(value) != JSON_ARRAY)
		return refuse(r, "not an array");
	*count = json_count(value);
	if (*count > max_count)
		return error_set(r->error, ERROR_INPUT, "%s: more than %zu items", r->field->name,
			max_count);
	return true;
}

static bool read_strings(const struct reading *r, const struct json *value, void *to)
{
	struct json_strings *strings = to;
	const struct json *item = json_first(value);
	size_t count = 0;

	if (!check_array(r, value, &count))
		return false;
	strings->items = arena_array(r->arena, count, sizeof(struct str));
	strings->count = count;
	for (size_t i = 0; i < count; i++, item = json_next(item)) {
		if (!as_string(r, item, &strings->items[i]))
			return error_set(
				r->error, ERROR_INPUT, "%s[%zu]: not a string", r->field->name, i);
	}
	return true;
}

/* The path grows from the inside: "from: missing" becomes "last.from: missing". */
static bool read_nested(const struct reading *r, const struct json *value, void *to)
{
	if (json_kind(value) != JSON_OBJECT)
		return refuse(r, "not an object");
	return json_read(value, r->field->fields, to, r->arena, r->error) ||
	       error_prefix(r->error, "%s.", r->field->name);
}

static bool read_item(const struct reading *r, size_t index, const struct json *item, void *to)
{
	if (json_kind(item) != JSON_OBJECT)
		return error_set(
			r->error, ERROR_INPUT, "%s[%zu]: not an object", r->field->name, index);
	return json_read(item, r->field->fields, to, r->arena, r->error) ||
	       error_prefix(r->error, "%s[%zu].", r->field->name, index);
}

static bool read_list(const struct reading *r, const struct json *value, void *to)
{
	struct json_list *list = to;
	const struct json *item = json_first(value);
	size_t count = 0;

	if (!check_array(r, value, &count))
		return false;
	list->items = arena_array(r->arena, count, r->field->size_bytes);
	list->count = count;
	for (size_t i = 0; i < count; i++, item = json_next(item)) {
		if (!read_item(r, i, item, (char *)list->items + i * r->field->size_bytes))
			return false;
	}
	return true;
}

/* Points into the document, which must outlive the struct. */
static bool read_raw(const struct reading *r, const struct json *value, void *to)
{
	*(const struct json **)to = value;
	return true;
}

/* In the order of enum json_type. */
static bool (*const readers[])(const struct reading *, const struct json *, void *) = {
	[JSON_STRING] = read_string,
	[JSON_INT64] = read_int64,
	[JSON_DOUBLE] = read_double,
	[JSON_BOOL] = read_bool,
	[JSON_STRINGS] = read_strings,
	[JSON_NESTED] = read_nested,
	[JSON_LIST] = read_list,
	[JSON_RAW] = read_raw,
};

/* null is the same as absent: PBX senders write either. */
bool json_read(const struct json *json, const struct json_field *fields, void *to,
	struct arena *arena, struct error *error)
{
	if (json_kind(json) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "not an object");
	for (const struct json_field *field = fields; field->name != NULL; field++) {
		struct reading r = {field, arena, error};
		const struct json *value = json_member(json, field->name);

		if (json_kind(value) == JSON_NULL) { /* also when it is absent */
			if ((field->flags & JSON_REQUIRED) != 0)
				return refuse(&r, "missing");
			continue;
		}
		if (!readers[field->type](&r, value, (char *)to + field->offset))
			return false;
	}
	return true;
}
