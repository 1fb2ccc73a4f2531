/*
 * json_print: a parsed tree as text. Not through the writer, whose nesting is bounded by 16.
 */
#include "json.h"

static void print_value(struct buf *to, const struct json *json, bool indented, unsigned depth);

/* Two spaces a level, as Python's json.dumps(indent=2): logs of the system before this one are
 * read with the same recipes. */
static void new_line(struct buf *to, bool indented, unsigned depth)
{
	if (indented)
		buf_printf(to, "\n%*s", (int)(2 * depth), "");
}

static void print_children(struct buf *to, const struct json *json, bool indented, unsigned depth)
{
	for (const struct json *child = json_first(json); child != NULL; child = json_next(child)) {
		if (child != json_first(json))
			buf_add_char(to, ',');
		new_line(to, indented, depth);
		if (json_name(child) != NULL) {
			json_add_string(to, str_from(json_name(child)));
			buf_add(to, indented ? STR(": ") : STR(":"));
		}
		print_value(to, child, indented, depth);
	}
}

static void print_container(struct buf *to, const struct json *json, bool indented, unsigned depth)
{
	bool is_object = json_kind(json) == JSON_OBJECT;

	buf_add_char(to, is_object ? '{' : '[');
	print_children(to, json, indented, depth + 1);
	/* [] and {} stay on one line. */
	if (json_first(json) != NULL)
		new_line(to, indented, depth);
	buf_add_char(to, is_object ? '}' : ']');
}

/* Recursion is bounded by the depth that json_parse() allows. */
static void print_value(struct buf *to, const struct json *json, bool indented, unsigned depth)
{
	switch (json_kind(json)) {
	case JSON_NULL:
		buf_add(to, STR("null"));
		break;
	case JSON_BOOLEAN:
		buf_add(to, json_is_true(json) ? STR("true") : STR("false"));
		break;
	case JSON_NUMBER:
		buf_add_double(to, json_number(json));
		break;
	case JSON_TEXT:
		json_add_string(to, json_text(json));
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		print_container(to, json, indented, depth);
		break;
	}
}

void json_print(struct buf *to, const struct json *json, bool indented)
{
	print_value(to, json, indented, 0);
}
