/*
 * account: see account.h. Pure: rows come from accounts_load.c.
 */
#include "account.h"

#include "alloc.h"

#include <stdlib.h>

#define ARENA_BYTES	 ((size_t)16 << 20) /* some 50,000 people */
#define MAX_INTEGRATIONS 16

static const struct json_limits config_limits = {.max_bytes = 256 << 10, .max_depth = 16};

struct held *held_new(struct str number)
{
	struct held *held = alloc_zeroed(1, sizeof(*held));

	held->arena = arena_new(ARENA_BYTES);
	held->numbers = number_rules_new();
	held->account = (struct account){
		.number = held_text(held, number),
		.name = "",
		.token = "",
		.secret = "",
		.country = "",
		.locale = "",
		.zone_name = "",
		.host = "",
		.ip = "",
		.primary = "",
		.managers = table_new(),
		.lines = table_new(),
		.numbers = held->numbers,
	};
	return held;
}

void held_free(struct held *held)
{
	if (held == NULL)
		return;
	for (unsigned i = 0; i < held->document_count; i++)
		json_free(&held->documents[i]);
	json_free(&held->settings);
	table_free(&held->account.managers);
	table_free(&held->account.lines);
	number_rules_free(&held->numbers);
	arena_free(&held->arena);
	free(held);
}

const char *held_text(struct held *held, struct str text)
{
	return arena_strndup(held->arena, text.size > 0 ? text.data : "", text.size);
}

/* -- integrations --------------------------------------------------------------------------------- */

static const struct json *parse(struct held *held, struct str text, struct error *error)
{
	struct json *json;

	if (held->document_count == ACCOUNT_MAX_DOCUMENTS) {
		(void)error_set(error, ERROR_INPUT, "too many members that are texts");
		return NULL;
	}
	json = json_parse(text, config_limits, error);
	if (json != NULL)
		held->documents[held->document_count++] = json;
	return json;
}

/* Some writers store an object as a text: both are read. NULL: it is neither. */
static const struct json *object_of(struct held *held, const struct json *json, struct error *error)
{
	if (json != NULL && json_kind(json) == JSON_TEXT)
		json = parse(held, json_text(json), error);
	return json != NULL && json_kind(json) == JSON_OBJECT ? json : NULL;
}

/* Also "true" and 1, which pages of old wrote. */
static bool is_on(const struct json *json)
{
	if (json == NULL)
		return false;
	return json_is_true(json) || str_equal(json_text(json), STR("true")) ||
	       json_number(json) == 1;
}

static void add_integration(struct held *held, const char *code, const struct json *config)
{
	struct account *account = &held->account;

	account->integrations[account->integration_count++] = (struct account_integration){
		.code = code,
		.enabled = is_on(json_member(config, "enabled")),
		.config = config,
	};
	if (strcmp(code, "smart") == 0)
		account->smart = config;
}

/* Integrations that are no CRM: how an enterprise is reached, and what it is paid by. */
static bool is_crm(const char *code)
{
	static const char *const others[] = {"smart", "twilio", "whatsapp", "voice", "payments"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(code, others[i]) == 0)
			return false;
	}
	return true;
}

/* What the enterprise chose; when it chose nothing, there is no doubt if it has one only. */
static const char *primary_of(struct held *held)
{
	const struct account *account = &held->account;
	struct str chosen = {0};
	const char *only = "";
	unsigned enabled = 0;

	if (account->smart != NULL)
		chosen = json_text(json_member(account->smart, "primary"));
	if (chosen.size > 0)
		return held_text(held, chosen);
	for (unsigned i = 0; i < account->integration_count; i++) {
		const struct account_integration *at = &account->integrations[i];

		if (!at->enabled || !is_crm(at->code))
			continue;
		only = at->code;
		enabled++;
	}
	return enabled == 1 ? only : "";
}

bool held_read_config(struct held *held, struct str text, struct error *error)
{
	struct account *account = &held->account;
	const struct json *config = parse(held, text, error);

	if (config == NULL)
		return false;
	config = object_of(held, config, error);
	if (config == NULL)
		return error_set(error, ERROR_INPUT, "integrations_config: not an object");
	account->integrations =
		arena_array(held->arena, MAX_INTEGRATIONS, sizeof(account->integrations[0]));
	for (const struct json *at = json_first(config); at != NULL; at = json_next(at)) {
		struct error ignored;
		const struct json *object = object_of(held, at, &ignored);

		if (object != NULL && account->integration_count < MAX_INTEGRATIONS)
			add_integration(held, json_name(at), object);
	}
	account->primary = primary_of(held);
	return true;
}

bool held_read_settings(struct held *held, struct str text, struct error *error)
{
	held->settings = json_parse(text, config_limits, error);
	held->account.settings = held->settings;
	return held->settings != NULL;
}

/* -- people and lines ----------------------------------------------------------------------------- */

void held_add_manager(struct held *held, const struct account_manager *manager)
{
	struct account_manager *own = arena_alloc(held->arena, sizeof(*own));
	struct str extension;

	*own = *manager;
	own->extension = held_text(held, str_from(manager->extension));
	own->last_name = held_text(held, str_from(manager->last_name));
	own->first_name = held_text(held, str_from(manager->first_name));
	own->patronymic = held_text(held, str_from(manager->patronymic));
	own->personal_phone = held_text(held, str_from(manager->personal_phone));
	extension = str_from(own->extension);
	(void)table_put(held->account.managers, extension, own);
	number_rules_add_extension(held->numbers, extension);
}

bool held_add_line(struct held *held, const struct account_line *line, struct error *error)
{
	struct account_line *own = arena_alloc(held->arena, sizeof(*own));

	*own = *line;
	own->id = held_text(held, str_from(line->id));
	own->internal_id = held_text(held, str_from(line->internal_id));
	own->phone = held_text(held, str_from(line->phone));
	own->name = held_text(held, str_from(line->name));
	own->prefix = held_text(held, str_from(line->prefix));
	own->in_schema = held_text(held, str_from(line->in_schema));
	own->out_schema = held_text(held, str_from(line->out_schema));
	own->shop = held_text(held, str_from(line->shop));
	own->transform = held_text(held, str_from(line->transform));
	(void)table_put(held->account.lines, str_from(own->id), own);
	return number_rules_add_line(
		held->numbers, str_from(own->id), str_from(own->transform), error);
}

void held_add_named_extensions(struct held *held)
{
	const struct json *named =
		held->settings != NULL ? json_member(held->settings, "extensions") : NULL;

	if (named == NULL || json_kind(named) != JSON_ARRAY)
		return;
	for (const struct json *at = json_first(named); at != NULL; at = json_next(at)) {
		if (json_text(at).size > 0)
			number_rules_add_extension(held->numbers, json_text(at));
	}
}
