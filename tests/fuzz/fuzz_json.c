/*
 * fuzz_json: the parsers of the base layer on any bytes: JSON, query strings, configuration files,
 * times, and the masking of phone numbers.
 *
 * Beyond "does not crash": what JSON was taken prints as text that is taken again and prints the
 * same, compact and indented alike; what a string became in JSON or in a URL comes back.
 */
#include "clock.h"
#include "config_file.h"
#include "json.h"
#include "log_mask.h"
#include "uri.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY_MAX = 64 << 20 };

static const struct json_limits limits = {.max_bytes = 1 << 20, .max_depth = 64};

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Print, parse that, print again. */
static void check_printing(const struct json *json, bool indented)
{
	/* Indenting multiplies, and numbers may grow: 1e22 is 23 digits. */
	const struct json_limits wide = {.max_bytes = MEMORY_MAX, .max_depth = 64};
	struct buf first, second;
	struct json *again;

	buf_init(&first, MEMORY_MAX);
	buf_init(&second, MEMORY_MAX);
	json_print(&first, json, indented);
	require(!first.failed && first.size > 0);
	again = json_parse(buf_str(&first), wide, NULL);
	require(again != NULL);
	json_print(&second, again, indented);
	require(str_equal(buf_str(&first), buf_str(&second)));
	json_free(&again);
	buf_free(&first);
	buf_free(&second);
}

struct any {
	struct str a;
	int64_t b;
	double c;
	bool d;
	struct json_strings e;
	struct json_list f;
};

static const struct json_field inner_fields[] = {
	JSON_FIELD(struct any, a, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct any, b, JSON_INT64, 0),
	{0},
};

static const struct json_field any_fields[] = {
	JSON_FIELD(struct any, a, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct any, b, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct any, c, JSON_DOUBLE, 0),
	JSON_FIELD(struct any, d, JSON_BOOL, JSON_SKIP_EMPTY),
	JSON_FIELD(struct any, e, JSON_STRINGS, JSON_LAX),
	{.name = "f",
		.type = JSON_LIST,
		.offset = offsetof(struct any, f),
		.fields = inner_fields,
		.size_bytes = sizeof(struct any)},
	{0},
};

/* What a table of fields reads, it writes as a document. */
static void check_fields(const struct json *json, struct arena *arena)
{
	struct error error = {0};
	struct any any = {0};
	struct json *written;
	struct buf buf;

	if (!json_read(json, any_fields, &any, arena, &error)) {
		require(error.kind == ERROR_INPUT && error.text[0] != '\0');
		return;
	}
	buf_init(&buf, MEMORY_MAX);
	json_write(&buf, any_fields, &any);
	written = json_parse(buf_str(&buf), limits, NULL);
	require(written != NULL || buf.size > limits.max_bytes);
	json_free(&written);
	buf_free(&buf);
}

static void check_json(struct str text, struct arena *arena)
{
	struct error error = {0};
	struct json *json = json_parse(text, limits, &error);

	if (json == NULL) {
		require(error.kind == ERROR_INPUT && error.text[0] != '\0');
		return;
	}
	require(str_is_utf8(text));
	check_printing(json, false);
	check_printing(json, true);
	check_fields(json, arena);
	json_free(&json);
}

/* Any bytes make a string that can be read; UTF-8 without NUL comes back as it was. */
static void check_string(struct str text)
{
	const struct json_limits wide = {.max_bytes = MEMORY_MAX, .max_depth = 1};
	struct json *json;
	struct buf buf;

	buf_init(&buf, MEMORY_MAX);
	json_add_string(&buf, text);
	json = json_parse(buf_str(&buf), wide, NULL);
	require(json != NULL);
	if (str_is_utf8(text) && (text.size == 0 || memchr(text.data, '\0', text.size) == NULL))
		require(str_equal(json_text(json), text));
	json_free(&json);
	buf_free(&buf);
}

static void check_uri(struct str text, struct arena *arena)
{
	struct str decoded, again;
	struct buf buf;

	uri_query_value(text, "a", arena, &decoded);
	if (!uri_decode(text, true, arena, &decoded))
		return;
	buf_init(&buf, MEMORY_MAX);
	uri_encode(&buf, decoded);
	require(uri_decode(buf_str(&buf), false, arena, &again) && str_equal(decoded, again));
	buf_free(&buf);
}

static void check_config(struct str text, struct arena *arena)
{
	struct table *values = table_new();
	struct error error = {0};

	if (!config_file_parse(text, values, arena, &error))
		require(str_starts(str_from(error.text), STR("line ")));
	table_free(&values);
}

static void check_time(struct str text)
{
	char shown[CLOCK_TEXT_BYTES];
	int64_t wall_ms, again = 0;

	if (!clock_parse(text, NULL, &wall_ms))
		return;
	clock_format_rfc3339(wall_ms, shown);
	/* An offset may carry the first and last day out of the years that have four digits. */
	require(!clock_parse(str_from(shown), NULL, &again) || again == wall_ms);
}

static void check_mask(struct str text)
{
	struct buf buf;

	buf_init(&buf, MEMORY_MAX);
	log_mask(&buf, text);
	require(!buf.failed && str_is_utf8(text) <= str_is_utf8(buf_str(&buf)));
	buf_free(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_of((const char *)data, size);
	struct arena *arena = arena_new(MEMORY_MAX);

	check_json(text, arena);
	check_string(text);
	check_uri(text, arena);
	check_config(text, arena);
	check_time(text);
	check_mask(text);
	arena_free(&arena);
	return 0;
}
