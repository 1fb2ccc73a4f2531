/*
 * mask: see mask.h.
 */
#include "mask.h"

#include "uri.h"

enum {
	VALUE_MIN_BYTES = 5,
	VALUE_MAX_BYTES = 4096,
	DEPTH = 12, /* json_writer nests to 16 */
	PIECE_BYTES = 1 << 20,
};

static const char *const usual_names[] = {"access_token", "apikey", "api_key", "application_token",
	"auth", "authorization", "client_secret", "password", "refresh_token", "secret", "token",
	"x-api-key", NULL};

void mask_init(struct mask *mask, const char *const *names, struct arena *arena)
{
	*mask = (struct mask){.arena = arena, .names = names};
}

static bool has_name(const char *const *names, struct str name)
{
	for (; names != NULL && *names != NULL; names++) {
		if (str_equal_nocase(str_from(*names), name))
			return true;
	}
	return false;
}

static bool is_secret_name(const struct mask *mask, struct str name)
{
	return name.size > 0 && (has_name(usual_names, name) || has_name(mask->names, name));
}

/* -- the values -------------------------------------------------------------------------------------- */

static void add_value(struct mask *mask, struct str value)
{
	for (unsigned i = 0; i < mask->count; i++) {
		if (str_equal(mask->values[i], value))
			return;
	}
	if (mask->count < MASK_MAX_VALUES)
		mask->values[mask->count++] = value;
}

static struct str kept(const struct mask *mask, const struct buf *buf)
{
	return str_of(arena_strndup(mask->arena, buf->data, buf->size), buf->size);
}

/* PHP writes "/" as "\/" in JSON. */
static void escape_slashes(struct str text, struct buf *to)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '/')
			(void)buf_add_char(to, '\\');
		(void)buf_add_char(to, text.data[i]);
	}
}

void mask_add(struct mask *mask, struct str secret)
{
	struct buf text;

	if (secret.size < VALUE_MIN_BYTES || secret.size > VALUE_MAX_BYTES)
		return;
	buf_init(&text, 3 * VALUE_MAX_BYTES);
	(void)buf_add(&text, secret);
	add_value(mask, kept(mask, &text));
	buf_clear(&text);
	uri_encode(&text, secret);
	add_value(mask, kept(mask, &text));
	for (size_t i = 0; i + 2 < text.size; i++) {
		for (size_t j = i + 1; text.data[i] == '%' && j <= i + 2; j++)
			text.data[j] = (char)(text.data[j] | 0x20); /* %2F and %2f are the same */
	}
	add_value(mask, kept(mask, &text));
	buf_clear(&text);
	escape_slashes(secret, &text);
	add_value(mask, kept(mask, &text));
	buf_free(&text);
}

static bool is_container(const struct json *json)
{
	return json_kind(json) == JSON_OBJECT || json_kind(json) == JSON_ARRAY;
}

/* Documents are at most 32 deep. */
static void add_members(struct mask *mask, const struct json *json)
{
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		if (is_container(at))
			add_members(mask, at);
		else if (is_secret_name(mask, str_from(json_name(at))))
			mask_add(mask, json_text(at));
	}
}

void mask_add_members(struct mask *mask, const struct json *json)
{
	if (json != NULL && is_container(json))
		add_members(mask, json);
}

/* -- masking ----------------------------------------------------------------------------------------- */

/* The longest secret that `text` begins with; 0: none. */
static size_t secret_at(const struct mask *mask, struct str text)
{
	size_t longest = 0;

	for (unsigned i = 0; i < mask->count; i++) {
		if (mask->values[i].size > longest && str_starts(text, mask->values[i]))
			longest = mask->values[i].size;
	}
	return longest;
}

void mask_text(const struct mask *mask, struct str text, struct buf *to)
{
	size_t plain = 0, at = 0;

	while (at < text.size) {
		size_t secret = secret_at(mask, str_of(text.data + at, text.size - at));

		if (secret == 0) {
			at++;
			continue;
		}
		(void)buf_add(to, str_of(text.data + plain, at - plain));
		(void)buf_add(to, STR(MASK_TEXT));
		at += secret;
		plain = at;
	}
	(void)buf_add(to, str_of(text.data + plain, text.size - plain));
}

void mask_url(const struct mask *mask, struct str url, struct buf *to)
{
	struct str rest = url, path = str_cut(&rest, '?');
	const char *separator = "?";

	mask_text(mask, path, to);
	while (rest.data != NULL) {
		struct str value = str_cut(&rest, '&'), name = str_cut(&value, '=');

		(void)buf_add(to, str_from(separator));
		mask_text(mask, name, to);
		if (value.data != NULL)
			(void)buf_add_char(to, '=');
		if (value.size > 0 && is_secret_name(mask, name))
			(void)buf_add(to, STR(MASK_TEXT));
		else
			mask_text(mask, value, to);
		separator = "&";
	}
}

/* A text, or a number and the like in which something had to be masked, as a text. */
static void put_scalar(const struct mask *mask, const struct json *json, struct json_writer *writer)
{
	struct buf plain, masked;

	buf_init(&plain, PIECE_BYTES);
	buf_init(&masked, PIECE_BYTES);
	if (json_kind(json) == JSON_TEXT)
		(void)buf_add(&plain, json_text(json));
	else
		json_print(&plain, json, false);
	mask_text(mask, buf_str(&plain), &masked);
	if (json_kind(json) == JSON_TEXT || !str_equal(buf_str(&plain), buf_str(&masked)))
		json_put_str(writer, buf_str(&masked));
	else
		json_put_raw(writer, buf_str(&plain));
	buf_free(&masked);
	buf_free(&plain);
}

static bool is_empty(const struct json *json)
{
	return json_kind(json) == JSON_NULL ||
	       (json_kind(json) == JSON_TEXT && json_text(json).size == 0);
}

static void put(const struct mask *mask, const struct json *json, struct json_writer *writer);

static void put_items(const struct mask *mask, const struct json *json, struct json_writer *writer)
{
	bool is_object = json_kind(json) == JSON_OBJECT;
	struct buf name;

	buf_init(&name, PIECE_BYTES);
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		if (is_object) {
			buf_clear(&name);
			mask_text(mask, str_from(json_name(at)), &name);
			json_put_name(writer, name.size > 0 ? name.data : "");
		}
		put(mask, at, writer);
	}
	buf_free(&name);
}

static void put(const struct mask *mask, const struct json *json, struct json_writer *writer)
{
	bool is_object = json_kind(json) == JSON_OBJECT;

	if (!is_container(json)) {
		if (is_secret_name(mask, str_from(json_name(json))) && !is_empty(json))
			json_put_str(writer, STR(MASK_TEXT));
		else
			put_scalar(mask, json, writer);
	} else if (writer->depth >= DEPTH) {
		json_put_str(writer, STR("..."));
	} else {
		(is_object ? json_open_object : json_open_array)(writer);
		put_items(mask, json, writer);
		(is_object ? json_close_object : json_close_array)(writer);
	}
}

void mask_json(const struct mask *mask, const struct json *json, struct buf *to)
{
	struct json_writer writer;

	json_begin(&writer, to);
	put(mask, json, &writer);
}
