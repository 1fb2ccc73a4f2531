/*
 * patterns: the captured calls, built into the program, read once at the start. Data and not code,
 * so that a new capture is a new file.
 */
#include "patterns.h"

#include "alloc.h"
#include "emulator_pages.h"
#include "json_put.h"

#include <stdlib.h>

#define MAX_PATTERNS 100

struct catalogue_entry {
	int64_t id;
	struct str key;
	bool captured;
};

/* Patterns point into their documents, so these live as long. */
struct patterns {
	struct arena *arena;
	struct json *catalogue;
	struct json_list entries; /* struct catalogue_entry */
	struct json *documents[MAX_PATTERNS];
	struct pattern list[MAX_PATTERNS];
	size_t count;
};

static const struct json_field field_fields[] = {
	JSON_FIELD(struct pattern_field, name, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pattern_field, kind, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pattern_field, role, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pattern_field, usual, JSON_STRING, 0),
	JSON_FIELD(struct pattern_field, required, JSON_BOOL, 0),
	{NULL},
};

static const struct json_field derived_fields[] = {
	JSON_FIELD(struct pattern_derived, role, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pattern_derived, from, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pattern_derived, column, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pattern_derived, fallback, JSON_STRING, JSON_REQUIRED),
	{NULL},
};

static const struct json_field step_fields[] = {
	JSON_FIELD(struct pattern_step, event, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pattern_step, delay_ms, JSON_INT64, 0),
	JSON_FIELD(struct pattern_step, talk, JSON_BOOL, 0),
	JSON_FIELD(struct pattern_step, body, JSON_RAW, JSON_REQUIRED),
	{NULL},
};

#define LIST(owner, member, element, table)                                                        \
	{                                                                                          \
		.name = #member, .type = JSON_LIST, .offset = offsetof(struct owner, member),      \
		.flags = JSON_REQUIRED, .fields = (table), .size_bytes = sizeof(struct element)    \
	}

static const struct json_field pattern_fields[] = {
	JSON_FIELD(struct pattern, id, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct pattern, key, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pattern, primary, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pattern, lead_ms, JSON_INT64, 0),
	LIST(pattern, fields, pattern_field, field_fields),
	LIST(pattern, derived, pattern_derived, derived_fields),
	LIST(pattern, steps, pattern_step, step_fields),
	{NULL},
};

static const struct json_field entry_fields[] = {
	JSON_FIELD(struct catalogue_entry, id, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct catalogue_entry, key, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct catalogue_entry, captured, JSON_BOOL, 0),
	{NULL},
};

static const struct json_field catalogue_fields[] = {
	{.name = "patterns",
		.type = JSON_LIST,
		.offset = offsetof(struct patterns, entries),
		.flags = JSON_REQUIRED,
		.fields = entry_fields,
		.size_bytes = sizeof(struct catalogue_entry)},
	{NULL},
};

static bool read_catalogue(struct patterns *patterns, struct json *json, struct error *error)
{
	patterns->catalogue = json;
	return json_read(json, catalogue_fields, patterns, patterns->arena, error);
}

/* Counted even when reading fails: patterns_free() then frees the document. */
static bool read_pattern(struct patterns *patterns, struct json *json, struct error *error)
{
	if (patterns->count == MAX_PATTERNS) {
		json_free(&json);
		return error_set(error, ERROR_INPUT, "more than %d patterns", MAX_PATTERNS);
	}
	patterns->documents[patterns->count] = json;
	return json_read(
		json, pattern_fields, &patterns->list[patterns->count++], patterns->arena, error);
}

static bool read_file(
	struct patterns *patterns, const struct emulator_file *file, struct error *error)
{
	struct str name = str_from(file->name);
	struct json *json;
	bool good;

	if (!str_ends(name, STR(".json")))
		return true;
	json = json_parse(str_of((const char *)file->data, *file->size),
		(struct json_limits){1 << 20, 16}, error);
	if (json == NULL)
		return error_prefix(error, "%s: ", file->name);
	good = str_equal(name, STR("catalogue.json")) ? read_catalogue(patterns, json, error)
						      : read_pattern(patterns, json, error);
	return good || error_prefix(error, "%s: ", file->name);
}

/* At the start and all of them: a damaged file is found by the first test, not by the first
 * caller. */
struct patterns *patterns_new(struct error *error)
{
	struct patterns *patterns = alloc_zeroed(1, sizeof(*patterns));

	patterns->arena = arena_new(16u << 20);
	for (const struct emulator_file *file = emulator_files; file->name != NULL; file++) {
		if (read_file(patterns, file, error))
			continue;
		patterns_free(&patterns);
		return NULL;
	}
	return patterns;
}

void patterns_free(struct patterns **patterns)
{
	if (*patterns == NULL)
		return;
	for (size_t i = 0; i < (*patterns)->count; i++)
		json_free(&(*patterns)->documents[i]);
	json_free(&(*patterns)->catalogue);
	arena_free(&(*patterns)->arena);
	free(*patterns);
	*patterns = NULL;
}

static const struct pattern *by_id(const struct patterns *patterns, int64_t id)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (patterns->list[i].id == id)
			return &patterns->list[i];
	}
	return NULL;
}

const struct pattern *patterns_find(const struct patterns *patterns, int64_t id, struct str *key)
{
	const struct catalogue_entry *entries = patterns->entries.items;

	*key = (struct str){0};
	for (size_t i = 0; i < patterns->entries.count; i++) {
		if (entries[i].id == id)
			*key = entries[i].key;
	}
	return by_id(patterns, id);
}

/* The catalogue's own members (titles in two languages) go to the page untouched: this program
 * has no use for them. */
static void put_json(struct json_writer *writer, const char *name, const struct json *json)
{
	struct buf printed;

	buf_init(&printed, 1 << 20);
	json_print(&printed, json, false);
	json_put_member_raw(writer, name, buf_str(&printed));
	buf_free(&printed);
}

static void put_events(struct json_writer *writer, const struct pattern *pattern)
{
	const struct pattern_step *steps = pattern->steps.items;

	json_put_name(writer, "events");
	json_open_array(writer);
	for (size_t i = 0; i < pattern->steps.count; i++)
		json_put_str(writer, steps[i].event);
	json_close_array(writer);
}

static void write_entry(
	const struct patterns *patterns, const struct json *entry, struct json_writer *writer)
{
	int64_t id = (int64_t)json_number(json_member(entry, "id"));

	json_open_object(writer);
	for (const struct json *at = json_first(entry); at != NULL; at = json_next(at))
		put_json(writer, json_name(at), at);
	for (size_t i = 0; i < patterns->count; i++) {
		if (patterns->list[i].id != id)
			continue;
		put_json(writer, "fields", json_member(patterns->documents[i], "fields"));
		put_events(writer, &patterns->list[i]);
	}
	json_close_object(writer);
}

void patterns_write(const struct patterns *patterns, struct buf *to)
{
	const struct json *entries = json_member(patterns->catalogue, "patterns");
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_name(&writer, "patterns");
	json_open_array(&writer);
	for (const struct json *at = json_first(entries); at != NULL; at = json_next(at))
		write_entry(patterns, at, &writer);
	json_close_array(&writer);
	json_close_object(&writer);
}
