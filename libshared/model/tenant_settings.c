/*
 * tenant_settings: an enterprise's choices, read strictly: who saves a slip must be told of it then,
 * not wonder later why nothing changed.
 */
#include "tenant_settings.h"

#include "message_template.h"

enum { JSON_DEPTH = 16, MAX_EXTENSIONS = 2000, MAX_URL = 500 };
/* Of extensions besides the three- and four-digit ones that are internal anyway. */
enum { EXTENSION_MIN = 2, EXTENSION_MAX = 15 };

struct telegram_members {
	struct str mode;
	struct json_strings quiet;
	bool silent;
	const struct json *templates;
};

struct members {
	const struct json *telegram;
	struct str fallback_extension;
	struct json_strings extensions;
	struct str control_url;
};

static const struct json_field telegram_fields[] = {
	JSON_FIELD(struct telegram_members, mode, JSON_STRING, 0),
	JSON_FIELD(struct telegram_members, quiet, JSON_STRINGS, 0),
	JSON_FIELD(struct telegram_members, silent, JSON_BOOL, 0),
	JSON_FIELD(struct telegram_members, templates, JSON_RAW, 0),
	{0},
};

static const struct json_field fields[] = {
	JSON_FIELD(struct members, telegram, JSON_RAW, 0),
	JSON_FIELD(struct members, fallback_extension, JSON_STRING, 0),
	{.name = "extensions",
		.type = JSON_STRINGS,
		.offset = offsetof(struct members, extensions),
		.flags = JSON_LAX,
		.max_count = MAX_EXTENSIONS},
	JSON_FIELD(struct members, control_url, JSON_STRING, 0),
	{0},
};

static const struct {
	const char *name;
	unsigned bit;
} quiet_kinds[] = {
	{"incoming", QUIET_INCOMING},
	{"outgoing", QUIET_OUTGOING},
	{"internal", QUIET_INTERNAL},
	{"answered", QUIET_ANSWERED},
	{"progress", QUIET_PROGRESS},
};

/* -- the parts ------------------------------------------------------------------------------------ */

static bool known_members(
	const struct json *object, const struct json_field *known, struct error *error)
{
	for (const struct json *at = json_first(object); at != NULL; at = json_next(at)) {
		const struct json_field *field = known;
		while (field->name != NULL &&
			!str_equal(str_from(field->name), str_from(json_name(at))))
			field++;
		if (field->name == NULL)
			return error_set(error, ERROR_INPUT, "%.60s: there is no such setting",
				json_name(at));
	}
	return true;
}

static bool read_mode(struct str mode, enum live_mode *to, struct error *error)
{
	*to = str_equal(mode, STR("replace")) ? LIVE_REPLACE : LIVE_EDIT;
	return mode.size == 0 || *to == LIVE_REPLACE || str_equal(mode, STR("live")) ||
	       error_set(error, ERROR_INPUT, "mode: \"%.40s\" is neither live nor replace",
		       mode.data);
}

static bool read_quiet(const struct json_strings *kinds, unsigned *to, struct error *error)
{
	for (size_t i = 0; i < kinds->count; i++) {
		unsigned bit = 0;
		for (size_t k = 0; k < sizeof(quiet_kinds) / sizeof(quiet_kinds[0]); k++) {
			if (str_equal(kinds->items[i], str_from(quiet_kinds[k].name)))
				bit = quiet_kinds[k].bit;
		}
		if (bit == 0)
			return error_set(error, ERROR_INPUT,
				"quiet[%zu]: \"%.40s\" is none of incoming, outgoing, internal, "
				"answered, progress",
				i, kinds->items[i].data);
		*to |= bit;
	}
	return true;
}

/* An empty text means the default, as null does: a form sends its empty fields, too. */
static bool read_template(
	const struct json *member, struct arena *arena, const char **texts, struct error *error)
{
	enum message_template which = TEMPLATE_GREETING;
	struct str text = json_text(member);
	if (!message_template_from(str_from(json_name(member)), &which))
		return error_set(error, ERROR_INPUT, "there is no such message");
	if (json_kind(member) == JSON_NULL)
		return true;
	if (json_kind(member) != JSON_TEXT)
		return error_set(error, ERROR_INPUT, "not a string");
	if (text.size == 0)
		return true;
	texts[which] = arena_strndup(arena, text.data, text.size);
	return message_template_check(text, error);
}

static bool read_templates(const struct json *templates, struct arena *arena,
	struct tenant_settings *to, struct error *error)
{
	if (json_kind(templates) == JSON_NULL)
		return true;
	if (json_kind(templates) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "templates: not an object");
	const char **texts = arena_array(arena, MESSAGE_TEMPLATES, sizeof(*texts));
	for (const struct json *at = json_first(templates); at != NULL; at = json_next(at)) {
		if (!read_template(at, arena, texts, error))
			return error_prefix(error, "templates.%.40s: ", json_name(at));
	}
	to->templates = texts;
	return true;
}

static bool read_telegram(const struct json *telegram, struct arena *arena,
	struct tenant_settings *to, struct error *error)
{
	struct telegram_members members = {0};
	if (json_kind(telegram) == JSON_NULL)
		return true;
	if (json_kind(telegram) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "telegram: not an object");
	if (!known_members(telegram, telegram_fields, error) ||
		!json_read(telegram, telegram_fields, &members, arena, error) ||
		!read_mode(members.mode, &to->mode, error) ||
		!read_quiet(&members.quiet, &to->quiet, error) ||
		!read_templates(members.templates, arena, to, error))
		return error_prefix(error, "telegram.");
	to->silent = members.silent;
	return true;
}

static bool is_extension(struct str text)
{
	return text.size >= EXTENSION_MIN && text.size <= EXTENSION_MAX && str_is_digits(text);
}

static bool check_extensions(const struct members *members, struct error *error)
{
	if (members->fallback_extension.size > 0 && !is_extension(members->fallback_extension))
		return error_set(error, ERROR_INPUT,
			"fallback_extension: \"%.40s\" is not an extension: %d to %d digits",
			members->fallback_extension.data, EXTENSION_MIN, EXTENSION_MAX);
	for (size_t i = 0; i < members->extensions.count; i++) {
		if (!is_extension(members->extensions.items[i]))
			return error_set(error, ERROR_INPUT,
				"extensions[%zu]: \"%.40s\" is not an extension: %d to %d digits",
				i, members->extensions.items[i].data, EXTENSION_MIN, EXTENSION_MAX);
	}
	return true;
}

/* Only what a request can be sent to. A password in it would get into logs. */
static bool check_url(struct str url, struct error *error)
{
	struct str rest = url;
	if (url.size == 0)
		return true;
	if (!str_starts(url, STR("https://")) && !str_starts(url, STR("http://")))
		return error_set(error, ERROR_INPUT, "control_url: not an http:// or https:// URL");
	str_cut(&rest, '/');
	str_cut(&rest, '/');
	struct str authority = str_cut(&rest, '/');
	if (authority.size == 0 || url.size > MAX_URL)
		return error_set(
			error, ERROR_INPUT, "control_url: no host, or longer than %d", MAX_URL);
	if (memchr(authority.data, '@', authority.size) != NULL)
		return error_set(error, ERROR_INPUT,
			"control_url: a user or password in a URL gets into logs: leave it out");
	for (size_t i = 0; i < url.size; i++) {
		if ((unsigned char)url.data[i] <= ' ' || (unsigned char)url.data[i] >= 0x7f)
			return error_set(error, ERROR_INPUT,
				"control_url: a character at byte %zu that no URL has", i);
	}
	return true;
}

/* -- the whole ------------------------------------------------------------------------------------ */

static bool read_members(const struct json *json, struct arena *arena, struct tenant_settings *to,
	struct error *error)
{
	struct members members = {0};
	if (!json_read(json, fields, &members, arena, error) ||
		!read_telegram(members.telegram, arena, to, error) ||
		!check_extensions(&members, error) || !check_url(members.control_url, error))
		return false;
	to->extensions = members.extensions;
	if (members.fallback_extension.size > 0)
		to->fallback_extension = members.fallback_extension.data;
	if (members.control_url.size > 0)
		to->control_url = members.control_url.data;
	return true;
}

bool tenant_settings_read(
	struct str text, struct arena *arena, struct tenant_settings *to, struct error *error)
{
	static const struct tenant_settings defaults = {
		.fallback_extension = "", .control_url = ""};
	const struct json_limits limits = {TENANT_SETTINGS_MAX_BYTES, JSON_DEPTH};
	*to = defaults;
	if (text.size == 0)
		return true;
	struct json *json = json_parse(text, limits, error);
	bool ok = json != NULL && read_members(json, arena, to, error);
	if (!ok)
		*to = defaults;
	json_free(&json);
	return ok;
}
