/*
 * args: one reader for query, form and JSON body, because clients of the Bot API and of the old
 * call tester use all three for the same parameters.
 */
#include "args.h"

#include "json.h"
#include "uri.h"

#define MAX_JSON_BYTES (1u << 20)

/* Repeated names are kept, all of them: they count for args_write(), the first for args_get(). */
static bool add(struct args *args, struct str name, struct str value, bool is_json)
{
	if (args->count == ARGS_MAX)
		return false;
	args->items[args->count].name = name;
	args->items[args->count].value = value;
	args->items[args->count].is_json = is_json;
	args->count++;
	return true;
}

static bool read_form(struct args *args, struct str form, struct arena *arena, struct error *error)
{
	while (form.size > 0) {
		struct str pair = str_cut(&form, '&');
		struct str name = str_cut(&pair, '='), value = {0};
		/* "a=1&&b=2" and "=x" come from careless clients and hurt nobody. */
		if (name.size == 0)
			continue;
		if (!uri_decode(name, true, arena, &name) || !uri_decode(pair, true, arena, &value))
			return error_set(error, ERROR_INPUT, "can't parse the form");
		if (!str_is_utf8(name) || !str_is_utf8(value))
			return error_set(error, ERROR_INPUT, "strings must be encoded in UTF-8");
		if (!add(args, name, value, false))
			return error_set(error, ERROR_INPUT, "too many parameters");
	}
	return true;
}

/* False when it is too long printed: 1e15 grows to sixteen digits, and half a value is no JSON. */
static bool read_value(const struct json *json, struct arena *arena, struct str *value)
{
	struct str text = json_text(json);
	struct buf printed;

	bool fits = true;

	buf_init(&printed, MAX_JSON_BYTES);
	if (json_kind(json) != JSON_TEXT) {
		json_print(&printed, json, false);
		fits = !printed.failed;
		text = buf_str(&printed);
	}
	if (fits)
		*value = str_of(arena_strndup(arena, text.data, text.size), text.size);
	buf_free(&printed);
	return fits;
}

static bool read_json(struct args *args, struct str body, struct arena *arena, struct error *error)
{
	struct json *json = json_parse(body, (struct json_limits){MAX_JSON_BYTES, 64}, NULL);
	bool fits = true;

	if (json == NULL || json_kind(json) != JSON_OBJECT) {
		json_free(&json);
		return error_set(error, ERROR_INPUT, "can't parse JSON object");
	}
	for (const struct json *at = json_first(json); at != NULL && fits; at = json_next(at)) {
		struct str value;

		/* null is the same as absent, as in json_read(). */
		if (json_kind(at) != JSON_NULL)
			fits = read_value(at, arena, &value) &&
			       add(args, str_from(arena_strdup(arena, json_name(at))), value,
				       json_kind(at) != JSON_TEXT);
	}
	json_free(&json);
	return fits || error_set(error, ERROR_INPUT, "too many or too long parameters");
}

bool args_read(struct args *args, const struct args_source *source, struct arena *arena,
	struct error *error)
{
	struct str parameters = source->content_type;
	struct str type = str_trim(str_cut(&parameters, ';'));

	args->count = 0;
	/* The query first: args_get() takes the first of a name, so it wins over the body. */
	if (!read_form(args, source->query, arena, error))
		return false;
	if (source->body.size == 0)
		return true;
	/* By the content type alone: guessing from the first byte would read a form's text as
	 * JSON. */
	if (str_equal_nocase(type, STR("application/json")))
		return read_json(args, source->body, arena, error);
	if (str_equal_nocase(type, STR("application/x-www-form-urlencoded")))
		return read_form(args, source->body, arena, error);
	return true; /* a body of any other kind holds no parameters that we know to read */
}

bool args_has(const struct args *args, const char *name)
{
	for (size_t i = 0; i < args->count; i++) {
		if (str_equal(args->items[i].name, str_from(name)))
			return true;
	}
	return false;
}

struct str args_get(const struct args *args, const char *name)
{
	for (size_t i = 0; i < args->count; i++) {
		if (str_equal(args->items[i].name, str_from(name)))
			return args->items[i].value;
	}
	return (struct str){0};
}

bool args_int(const struct args *args, const char *name, int64_t *value)
{
	return str_to_int64(args_get(args, name), value);
}

/* The words that FastAPI takes as true, which is what the systems before this one answered by. */
bool args_true(const struct args *args, const char *name)
{
	static const char *const yes[] = {"true", "1", "yes", "t", "y", "on"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (str_equal_nocase(args_get(args, name), str_from(yes[i])))
			return true;
	}
	return false;
}

void args_write(const struct args *args, struct buf *to)
{
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	for (size_t i = 0; i < args->count; i++) {
		/* json_put_name() wants a NUL; a longer name is cut, since it is for people to
		 * read. */
		char name[128];
		str_copy(name, sizeof(name), args->items[i].name);
		json_put_name(&writer, name);
		if (args->items[i].is_json)
			json_put_raw(&writer, args->items[i].value);
		else
			json_put_str(&writer, args->items[i].value);
	}
	json_close_object(&writer);
}
