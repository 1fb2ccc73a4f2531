/*
 * config: finds each setting's text by the order of sources, then checks and stores it.
 */
#include "config.h"

#include "config_file.h"
#include "config_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX_DEFAULT = 1000, NAME_MAX_BYTES = 100 };

/* What stays the same while the tables are walked. */
struct loading {
	const struct table *file; /* the lines of the file */
	struct arena *arena;
	struct error *error;
};

/* The two sources have the same rules, so they share the code. */
static const char *lookup(const struct loading *loading, const char *name, bool in_file)
{
	return in_file ? table_get(loading->file, str_from(name)) : getenv(name);
}

static bool read_value_file(const struct loading *loading, const struct config_field *field,
	const char *path, const char **value)
{
	const char *text = config_file_read(path, loading->arena, loading->error);
	struct str trimmed;

	if (text == NULL)
		return error_prefix(loading->error, "%s_FILE: ", field->name);
	trimmed = str_trim(str_from(text));
	/* Editors end files with a newline; no secret ends with white space. */
	*value = arena_strndup(loading->arena, trimmed.data, trimmed.size);
	return true;
}

/* From one source, the environment or the file. `*value` stays NULL when it has none. */
static bool find_in(const struct loading *loading, const struct config_field *field, bool in_file,
	const char **value)
{
	char name_file[NAME_MAX_BYTES];
	const char *path;

	*value = lookup(loading, field->name, in_file);
	if (!config_names_takes_file(field))
		return true;
	snprintf(name_file, sizeof(name_file), "%s_FILE", field->name);
	path = lookup(loading, name_file, in_file);
	if (path == NULL || path[0] == '\0')
		return true;
	if (*value != NULL)
		return error_set(loading->error, ERROR_INPUT, "%s and %s_FILE: set one of them",
			field->name, field->name);
	return read_value_file(loading, field, path, value);
}

/* The help text stands in the error: whoever reads it has no manual open. */
static bool refuse(
	const struct loading *loading, const struct config_field *field, const char *wanted)
{
	return error_set(loading->error, ERROR_INPUT, "%s: %s (%s)", field->name, wanted,
		field->help != NULL ? field->help : "");
}

static bool store_text(
	const struct loading *loading, const struct config_field *field, const char *text, void *to)
{
	int64_t max = field->max != 0 ? field->max : TEXT_MAX_DEFAULT;
	int64_t length = (int64_t)strlen(text);
	const char *copy;

	if (length < field->min || length > max)
		return error_set(loading->error, ERROR_INPUT,
			"%s: takes %lld to %lld characters, not %lld", field->name,
			(long long)field->min, (long long)max, (long long)length);
	copy = arena_strdup(loading->arena, text); /* getenv()'s may be overwritten */
	if (field->type == CONFIG_SECRET)
		((struct secret *)to)->value = copy;
	else
		*(const char **)to = copy;
	return true;
}

/* No suffixes such as 10m: they read well and are misread often; the unit stands in the name. */
static bool store_int(
	const struct loading *loading, const struct config_field *field, const char *text, void *to)
{
	int64_t number;

	if (!str_to_int64(str_from(text), &number) || number < field->min || number > field->max)
		return error_set(loading->error, ERROR_INPUT,
			"%s: takes a whole number from %lld to %lld, not \"%.40s\"", field->name,
			(long long)field->min, (long long)field->max, text);
	*(int64_t *)to = number;
	return true;
}

/* Pairs, false before true: the place in the table is the value. */
static bool store_bool(
	const struct loading *loading, const struct config_field *field, const char *text, void *to)
{
	static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "off", "on"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal_nocase(str_from(text), str_from(words[i]))) {
			*(bool *)to = i % 2 == 1;
			return true;
		}
	}
	return refuse(loading, field, "takes true or false");
}

static bool store(
	const struct loading *loading, const struct config_field *field, const char *text, void *to)
{
	switch (field->type) {
	case CONFIG_INT:
		return store_int(loading, field, text, to);
	case CONFIG_BOOL:
		return store_bool(loading, field, text, to);
	default:
		return store_text(loading, field, text, to);
	}
}

/* The first source that has a value decides, even when the value is wrong: falling back to a
 * default would hide the mistake. */
static bool load_field(
	const struct loading *loading, const struct config_field *field, void *target)
{
	/* The environment before the file, so that one start can be different without an edit. */
	const char *text = NULL;

	if (!find_in(loading, field, false, &text))
		return false;
	if (text == NULL && !find_in(loading, field, true, &text))
		return false;
	if (text == NULL)
		text = field->fallback;
	if (text == NULL)
		return refuse(loading, field, "is required");
	return store(loading, field, text, (char *)target + field->offset);
}

/* Before any value is read: "no such setting" explains a missing value better than "is required"
 * does. */
static bool check_environment(const struct config_field *const *tables, struct error *error)
{
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		struct str rest = str_from(*entry);
		struct str name = str_cut(&rest, '=');

		if (config_names_misspelt(tables, name))
			return error_set(
				error, ERROR_INPUT, "%.*s: no such setting", STR_ARG(name));
	}
	return true;
}

/* Words such as PATH belong into the environment, never into our file. */
static bool check_file(
	const struct config_field *const *tables, const struct table *file, struct error *error)
{
	struct str name;
	size_t at = 0;

	while (table_next(file, &at, &name, NULL)) {
		bool is_foreign = str_starts(name, STR("CALLWEAVE_"));

		if (is_foreign ? config_names_misspelt(tables, name)
			       : !config_names_know(tables, name))
			return error_set(
				error, ERROR_INPUT, "%.*s: no such setting", STR_ARG(name));
	}
	return true;
}

static bool read_file(const struct config_field *const *tables, const char *path,
	struct table *file, const struct loading *loading)
{
	const char *text;

	if (path == NULL || path[0] == '\0')
		return true;
	text = config_file_read(path, loading->arena, loading->error);
	if (text == NULL)
		return false;
	return (config_file_parse(str_from(text), file, loading->arena, loading->error) &&
		       check_file(tables, file, loading->error)) ||
	       error_prefix(loading->error, "%s: ", path);
}

static bool load_tables(const struct config_field *const *tables, void *const *targets,
	const struct loading *loading)
{
	for (size_t i = 0; tables[i] != NULL; i++) {
		for (const struct config_field *field = tables[i]; field->name != NULL; field++) {
			if (!load_field(loading, field, targets[i]))
				return false;
		}
	}
	return true;
}

/* The table of the file's lines lives only while the settings are taken from it. */
bool config_load(const struct config_field *const *tables, void *const *targets, const char *path,
	struct arena *arena, struct error *error)
{
	struct table *file = table_new();
	struct loading loading = {file, arena, error};
	bool loaded = check_environment(tables, error) && read_file(tables, path, file, &loading) &&
		      load_tables(tables, targets, &loading);

	table_free(&file);
	return loaded;
}

static void print_value(struct buf *to, const struct config_field *field, const void *from)
{
	switch (field->type) {
	case CONFIG_TEXT:
		buf_add(to, str_from(*(const char *const *)from));
		break;
	case CONFIG_SECRET:
		buf_add(to, ((const struct secret *)from)->value[0] != '\0' ? STR("***") : STR(""));
		break;
	case CONFIG_INT:
		buf_printf(to, "%lld", (long long)*(const int64_t *)from);
		break;
	case CONFIG_BOOL:
		buf_add(to, *(const bool *)from ? STR("true") : STR("false"));
		break;
	}
}

/* The output is a valid file again, with the secrets to be filled in. */
void config_print(struct buf *to, const struct config_field *const *tables, void *const *targets)
{
	for (size_t i = 0; tables[i] != NULL; i++) {
		for (const struct config_field *field = tables[i]; field->name != NULL; field++) {
			if (field->help != NULL)
				buf_printf(to, "# %s\n", field->help);
			buf_printf(to, "%s=", field->name);
			print_value(to, field, (const char *)targets[i] + field->offset);
			buf_add_char(to, '\n');
		}
	}
}
