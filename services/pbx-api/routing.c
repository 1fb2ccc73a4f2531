/*
 * routing: see routing.h.
 */
#include "routing.h"

#include "crm_driver.h"
#include "phone.h"

enum { MAX_TRUNK_BYTES = 40 };

/* -- rules ------------------------------------------------------------------------------------------ */

struct line_settings {
	bool enabled, do_routing;
	struct str algorithm;
	bool send_line_name, send_shop_name, send_customer_name;
	int64_t line_name_order, shop_name_order, customer_name_order;
};

static const struct json_field line_fields[] = {
	JSON_FIELD(struct line_settings, enabled, JSON_BOOL, 0),
	JSON_FIELD(struct line_settings, do_routing, JSON_BOOL, 0),
	JSON_FIELD(struct line_settings, algorithm, JSON_STRING, 0),
	JSON_FIELD(struct line_settings, send_line_name, JSON_BOOL, 0),
	JSON_FIELD(struct line_settings, send_shop_name, JSON_BOOL, 0),
	JSON_FIELD(struct line_settings, send_customer_name, JSON_BOOL, 0),
	JSON_FIELD(struct line_settings, line_name_order, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct line_settings, shop_name_order, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct line_settings, customer_name_order, JSON_INT64, JSON_LAX),
	{0},
};

const struct account_line *routing_line(const struct account *account, struct str trunk)
{
	const struct account_line *line = table_get(account->lines, trunk);

	return line != NULL ? line : table_get(account->lines, phone_line_id(trunk));
}

/* "gsm:0001363", "sip:3880003"; a line that is not known may stand there under either. */
static const struct json *settings_of(
	const struct account *account, const struct account_line *line, struct str trunk)
{
	const struct json *lines = json_member(account->smart, "lines");
	const struct json *found = NULL;
	struct str id = line != NULL ? str_from(line->id) : trunk;
	char key[MAX_TRUNK_BYTES + 8];
	struct buf text;

	for (int gsm = 1; gsm >= 0 && found == NULL; gsm--) {
		if (line != NULL && line->gsm != gsm)
			continue;
		buf_init(&text, sizeof(key) - 1);
		(void)buf_printf(&text, "%s:%.*s", gsm ? "gsm" : "sip", STR_ARG(id));
		if (str_copy(key, sizeof(key), buf_str(&text)) && !text.failed)
			found = json_member(lines, key);
		buf_free(&text);
	}
	return found;
}

static bool mode_is(const struct account *account, const char *mode)
{
	return str_equal(json_text(json_member(account->smart, "mode")), str_from(mode));
}

static int order_of(int64_t order, int fallback)
{
	return order >= 1 && order <= ROUTING_PARTS ? (int)order : fallback;
}

static void take_settings(struct routing_rule *rule, const struct line_settings *settings)
{
	rule->names = settings->enabled;
	rule->routes = rule->routes && settings->enabled && settings->do_routing;
	if (settings->algorithm.size > 0)
		rule->algorithm = settings->algorithm;
	rule->send[ROUTING_LINE] = settings->send_line_name;
	rule->send[ROUTING_SHOP] = settings->send_shop_name;
	rule->send[ROUTING_CUSTOMER] = settings->send_customer_name;
	rule->order[ROUTING_LINE] = order_of(settings->line_name_order, 1);
	rule->order[ROUTING_SHOP] = order_of(settings->shop_name_order, 2);
	rule->order[ROUTING_CUSTOMER] = order_of(settings->customer_name_order, 3);
}

struct routing_rule routing_rule_of(const struct account *account, const struct account_line *line,
	struct str trunk, struct arena *arena)
{
	struct line_settings settings = {
		.enabled = true, .do_routing = true, .send_customer_name = true};
	const struct json *own = settings_of(account, line, trunk);
	struct routing_rule rule = {.algorithm = str_from(account->primary)};

	rule.routes = !mode_is(account, "name-only");
	/* One that is set up wrongly is as good as switched off: nobody is sent anywhere by it. */
	if (own != NULL && !json_read(own, line_fields, &settings, arena, NULL))
		settings = (struct line_settings){0};
	take_settings(&rule, &settings);
	if (mode_is(account, "off"))
		rule.names = rule.routes = false;
	return rule;
}

bool routing_by_history(const struct routing_rule *rule)
{
	return str_equal(rule->algorithm, STR("first_call")) ||
	       str_equal(rule->algorithm, STR("last_call"));
}

bool routing_phone(const struct account *account, const struct account_line *line, struct str phone,
	char to[PHONE_TEXT_BYTES])
{
	const struct number_transform *transform =
		line != NULL ? number_rule_of(account->numbers, str_from(line->id)) : NULL;
	char own[PHONE_TEXT_BYTES];

	to[0] = '\0';
	if (phone_is_hidden(phone) || number_is_internal(account->numbers, phone))
		return false;
	if (transform != NULL && number_transform_apply(transform, phone, own))
		phone = str_from(own);
	return phone_e164(phone, account->country, to);
}

/* -- the name ---------------------------------------------------------------------------------------- */

struct str routing_name(const struct routing_rule *rule, const struct account_line *line,
	struct str customer, struct arena *arena)
{
	const struct str parts[ROUTING_PARTS] = {
		[ROUTING_LINE] = str_from(line != NULL ? line->name : ""),
		[ROUTING_SHOP] = str_from(line != NULL ? line->shop : ""),
		[ROUTING_CUSTOMER] = customer,
	};
	const char *name = "";

	if (!rule->names)
		return (struct str){0};
	for (int order = 1; order <= ROUTING_PARTS; order++) {
		for (int i = 0; i < ROUTING_PARTS; i++) {
			struct str part = str_trim(parts[i]);

			if (rule->order[i] != order || !rule->send[i] || part.size == 0)
				continue;
			name = arena_printf(
				arena, "%s%s%.*s", name, name[0] != '\0' ? " " : "", STR_ARG(part));
		}
	}
	return str_from(name);
}

/* -- the route ---------------------------------------------------------------------------------------- */

/* It becomes part of the name of a context in the PBX's dialplan. */
static bool is_plain(struct str trunk)
{
	for (size_t i = 0; i < trunk.size; i++) {
		char c = trunk.data[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    c == '-' || c == '.' || c == '+' || c == '_'))
			return false;
	}
	return trunk.size > 0 && trunk.size <= MAX_TRUNK_BYTES;
}

static struct str extension_by_crm(const struct account *account, struct str crm,
	const struct customer_facts *facts, struct arena *arena)
{
	const struct account_integration *integration = account_integration(account, crm);
	struct crm_account seen = {.number = account->number, .name = account->name};
	struct str extension = {0};

	if (integration == NULL || !integration->enabled)
		return extension;
	seen.config = integration->config;
	if (facts->manager.size > 0)
		extension = crm_extension_of(&seen, facts->manager, arena);
	if (extension.size == 0 && str_equal(crm, str_from(account->primary)))
		extension = facts->responsible;
	return extension;
}

struct str routing_plan(const struct account *account, const struct routing_rule *rule,
	const struct customer_facts *facts, struct str trunk, struct arena *arena)
{
	const struct account_manager *manager;
	struct str extension;

	if (!rule->routes || !is_plain(trunk))
		return (struct str){0};
	if (str_equal(rule->algorithm, STR("first_call")))
		extension = facts->first;
	else if (str_equal(rule->algorithm, STR("last_call")))
		extension = facts->last;
	else
		extension = extension_by_crm(account, rule->algorithm, facts, arena);
	manager = extension.size > 0 ? table_get(account->managers, extension) : NULL;
	if (manager == NULL || manager->phone_id == 0)
		return (struct str){0};
	return str_from(arena_printf(
		arena, "mngr%lld_%.*s_1", (long long)manager->phone_id, STR_ARG(trunk)));
}
