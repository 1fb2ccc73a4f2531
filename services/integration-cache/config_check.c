/*
 * config_check: see configs.h. Pure.
 */
#include "configs.h"
#include "crm_driver.h"
#include "json_put.h"

#define MAX_CONFIG_BYTES ((size_t)256 << 10)
#define MAX_CODE	 20
#define MAX_HOST	 300

/* -- checking ------------------------------------------------------------------------------------- */

static bool is_code(struct str code)
{
	for (size_t i = 0; i < code.size; i++) {
		char c = code.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return code.size > 0 && code.size <= MAX_CODE;
}

/* "shop.retailcrm.ru", "https://shop.example:8443/path". No name and password: they would be shown. */
static bool is_host(struct str text)
{
	struct str rest = text, host;

	if (str_starts(rest, STR("https://")))
		rest = str_of(rest.data + 8, rest.size - 8);
	else if (str_starts(rest, STR("http://")))
		rest = str_of(rest.data + 7, rest.size - 7);
	host = str_cut(&rest, '/');
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c <= ' ' || c == 0x7f || c == '\\' || c == '"')
			return false;
	}
	for (size_t i = 0; i < host.size; i++) {
		if (host.data[i] == '@' || host.data[i] == '?' || host.data[i] == '#')
			return false;
	}
	return host.size > 0 && text.size <= MAX_HOST;
}

static bool check_hosts(
	const struct crm_driver *driver, const struct json *config, struct error *error)
{
	if (driver == NULL || driver->hosts == NULL)
		return true;
	for (const char *const *name = driver->hosts; *name != NULL; name++) {
		const struct json *member = json_member(config, *name);

		if (member == NULL || json_kind(member) == JSON_NULL ||
			(json_kind(member) == JSON_TEXT && json_text(member).size == 0))
			continue;
		if (!is_host(json_text(member)))
			return error_set(error, ERROR_INPUT, "%s: not a host or URL", *name);
	}
	return true;
}

bool config_check(struct str code, struct str config, struct error *error)
{
	const struct json_limits limits = {MAX_CONFIG_BYTES, 14};
	struct json *json;
	bool good;

	if (!is_code(code))
		return error_set(error, ERROR_INPUT, "the name of an integration is a-z, 0-9, _");
	json = json_parse(config, limits, error);
	if (json == NULL)
		return false;
	if (json_kind(json) != JSON_OBJECT)
		good = error_set(error, ERROR_INPUT, "the configuration is not an object");
	else
		good = check_hosts(crm_driver_of_code(code), json, error);
	json_free(&json);
	return good;
}

/* -- masking -------------------------------------------------------------------------------------- */

/* Names of members of configurations that have been seen to hold secrets. */
static bool looks_secret(struct str name)
{
	static const char *const words[] = {
		"key", "token", "secret", "password", "webhook", "code", "auth"};

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		struct str word = str_from(words[w]);

		for (size_t at = 0; at + word.size <= name.size; at++) {
			if (str_equal_nocase(str_of(name.data + at, word.size), word))
				return true;
		}
	}
	return false;
}

static void mask_by_name(const struct json *config, struct buf *to)
{
	struct json_writer json;

	json_begin(&json, to);
	json_open_object(&json);
	for (const struct json *at = json_first(config); at != NULL; at = json_next(at)) {
		struct buf text;

		buf_init(&text, MAX_CONFIG_BYTES * 2);
		json_print(&text, at, false);
		json_put_name(&json, json_name(at));
		if (json_kind(at) == JSON_TEXT && looks_secret(str_from(json_name(at))))
			json_put_str(&json, STR("***"));
		else
			json_put_raw(&json, buf_str(&text));
		buf_free(&text);
	}
	json_close_object(&json);
}

void config_mask(struct str code, const struct json *config, struct buf *to)
{
	const struct crm_driver *driver = crm_driver_of_code(code);

	if (driver != NULL)
		crm_config_masked(driver, config, to);
	else
		mask_by_name(config, to);
}
