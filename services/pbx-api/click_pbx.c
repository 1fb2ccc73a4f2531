/*
 * click_pbx: see click_pbx.h. Strict: a slip must not have the wrong phone ring.
 */
#include "click_pbx.h"

#include "config_file.h"

enum { DEFAULT_PORT = 5038, NAME_MAX_BYTES = 80 };

struct ami_settings {
	struct str host, user, secret, secret_file, channel, context, number;
	int64_t port;
	bool plain;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct ami_settings, host, JSON_STRING, 0),
	JSON_FIELD(struct ami_settings, port, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct ami_settings, user, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct ami_settings, secret, JSON_STRING, 0),
	JSON_FIELD(struct ami_settings, secret_file, JSON_STRING, 0),
	JSON_FIELD(struct ami_settings, plain, JSON_BOOL, 0),
	JSON_FIELD(struct ami_settings, channel, JSON_STRING, 0),
	JSON_FIELD(struct ami_settings, context, JSON_STRING, 0),
	JSON_FIELD(struct ami_settings, number, JSON_STRING, 0),
	{0},
};

static struct str or_else(struct str text, struct str fallback)
{
	return text.size > 0 ? text : fallback;
}

/* A plain file name: it must not lead out of the folder. */
static bool is_file_name(struct str name)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '_' || (c == '.' && i > 0)))
			return false;
	}
	return name.size > 0 && name.size <= NAME_MAX_BYTES;
}

static bool read_secret(const struct ami_settings *settings, const char *folder,
	struct arena *arena, struct str *to, struct error *error)
{
	const char *text;

	*to = settings->secret;
	if (settings->secret_file.size == 0)
		return to->size > 0 || error_set(error, ERROR_INPUT, "ami.secret: missing");
	if (folder[0] == '\0')
		return error_set(error, ERROR_INPUT,
			"ami.secret_file: CALLWEAVE_PBX_API_SECRETS_FOLDER is not set");
	if (!is_file_name(settings->secret_file))
		return error_set(error, ERROR_INPUT, "ami.secret_file: not a file name");
	text = config_file_read(
		arena_printf(arena, "%s/%.*s", folder, STR_ARG(settings->secret_file)), arena,
		error);
	if (text == NULL)
		return error_prefix(error, "ami.secret_file: ");
	*to = str_trim(str_from(text));
	return to->size > 0 || error_set(error, ERROR_INPUT, "ami.secret_file: empty");
}

/* "SIP/%s" with the extension in its place. */
static bool read_channel(struct str pattern, struct str extension, struct arena *arena,
	struct str *to, struct error *error)
{
	struct str rest = pattern;
	struct str before = str_cut(&rest, '%');
	const char *text;

	if (rest.size == 0 || rest.data[0] != 's' || memchr(rest.data, '%', rest.size) != NULL)
		return error_set(error, ERROR_INPUT,
			"ami.channel: must have one %%s for the extension, and no other %%");
	text = arena_printf(arena, "%.*s%.*s%.*s", STR_ARG(before), STR_ARG(extension),
		(int)(rest.size - 1), rest.data + 1);
	*to = str_from(text);
	return true;
}

static bool read_number(
	struct str form, const struct click_want *want, struct str *to, struct error *error)
{
	*to = want->phone;
	if (str_equal(form, STR("e164")))
		return true;
	if (form.size == 0 || str_equal(form, STR("digits")))
		*to = str_of(want->phone.data + 1, want->phone.size - 1);
	else if (str_equal(form, STR("as_sent")))
		*to = want->sent;
	else
		return error_set(error, ERROR_INPUT, "ami.number: none of digits, e164, as_sent");
	return true;
}

static bool read_address(const struct account *account, const struct ami_settings *settings,
	struct arena *arena, struct ami_call *call, struct error *error)
{
	struct str host =
		or_else(settings->host, or_else(str_from(account->ip), str_from(account->host)));

	if (host.size == 0)
		return error_set(error, ERROR_INPUT, "ami.host: missing");
	if (settings->port < 0 || settings->port > 65535)
		return error_set(error, ERROR_INPUT, "ami.port: not a port");
	call->address = arena_strndup(arena, host.data, host.size);
	call->port = settings->port > 0 ? (int)settings->port : DEFAULT_PORT;
	return true;
}

bool click_pbx_read(const struct click_source *source, struct arena *arena, struct ami_call *call,
	struct error *error)
{
	const struct account *account = source->account;
	const struct click_want *want = source->want;
	const struct json *ami =
		account->settings != NULL ? json_member(account->settings, "ami") : NULL;
	struct ami_settings settings = {0};

	if (ami == NULL)
		return error_set(error, ERROR_MISSING, "no ami in the enterprise's settings");
	if (!json_read(ami, fields, &settings, arena, error))
		return error_prefix(error, "ami.");
	call->user = settings.user;
	call->plain = settings.plain;
	call->context = or_else(settings.context, STR("inoffice"));
	return read_address(account, &settings, arena, call, error) &&
	       read_secret(&settings, source->secrets_folder, arena, &call->secret, error) &&
	       read_channel(or_else(settings.channel, STR("SIP/%s")), want->extension, arena,
		       &call->channel, error) &&
	       read_number(settings.number, want, &call->extension, error);
}
