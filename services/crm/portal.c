/*
 * portal: see portal.h.
 */
#include "portal.h"

#include "json_put.h"

enum { CONFIG_MAX_BYTES = 1 << 20, CONFIG_DEPTH = 32 };

static struct json *parse(const struct buf *text)
{
	return json_parse(
		buf_str(text), (struct json_limits){CONFIG_MAX_BYTES, CONFIG_DEPTH}, NULL);
}

static struct json *copy(const struct json *json)
{
	struct json *copied;
	struct buf text;

	buf_init(&text, CONFIG_MAX_BYTES);
	json_print(&text, json, false);
	copied = text.failed ? NULL : parse(&text);
	buf_free(&text);
	return copied;
}

/* Whatever proves somebody to us or to the CRM, wherever it may turn up. */
static void learn_secrets(
	struct portal *portal, struct adapter *adapter, const struct account *account)
{
	struct mask *mask = &portal->mask;

	mask_add(mask, str_from(account->token));
	mask_add(mask, str_from(account->secret));
	mask_add(mask, service_internal_secret(adapter->service));
	mask_add_members(mask, portal->config);
}

static void fill(struct portal *portal, struct adapter *adapter, const struct account *account,
	struct arena *arena)
{
	portal->account = (struct crm_account){
		.number = arena_strdup(arena, account->number),
		.name = arena_strdup(arena, account->name),
		.country = arena_strdup(arena, account->country),
		.locale = arena_strdup(arena, account->locale),
		.zone = account->zone, /* zones stay as long as accounts do */
		.config = portal->config,
		.hook_url = adapter->config->hook_url,
		.oauth_url = adapter->config->bitrix_oauth_url,
	};
	mask_init(&portal->mask, adapter->driver->secrets, arena);
	learn_secrets(portal, adapter, account);
}

bool portal_open_account(struct portal *portal, struct adapter *adapter,
	const struct account *account, struct arena *arena, struct error *error)
{
	const struct account_integration *integration =
		account_integration(account, str_from(adapter->driver->code));

	*portal = (struct portal){0};
	if (integration == NULL || json_kind(integration->config) != JSON_OBJECT)
		return error_set(error, ERROR_MISSING, "%s is not configured for enterprise %s",
			adapter->driver->title, account->number);
	portal->config = copy(integration->config);
	if (portal->config == NULL)
		return error_set(error, ERROR_INPUT, "the configuration of %s is too large",
			adapter->driver->title);
	portal->enabled = account->active && integration->enabled;
	fill(portal, adapter, account, arena);
	return true;
}

bool portal_open(struct portal *portal, struct adapter *adapter, struct str enterprise,
	struct arena *arena, struct error *error)
{
	const struct account *account = accounts_find(adapter->accounts, enterprise);

	*portal = (struct portal){0};
	if (account == NULL)
		return error_set(error, ERROR_MISSING, "Enterprise not found");
	return portal_open_account(portal, adapter, account, arena, error);
}

void portal_set_oauth(struct portal *portal, struct str tokens)
{
	json_free(&portal->oauth);
	portal->oauth =
		tokens.size == 0
			? NULL
			: json_parse(tokens, (struct json_limits){CONFIG_MAX_BYTES, CONFIG_DEPTH},
				  NULL);
	portal->account.oauth = portal->oauth;
	mask_add_members(&portal->mask, portal->oauth);
}

void portal_set_config(struct portal *portal, const char *member, struct str value)
{
	struct json_writer writer;
	struct json *changed;
	struct buf text;

	buf_init(&text, CONFIG_MAX_BYTES);
	json_begin(&writer, &text);
	json_open_object(&writer);
	for (const struct json *at = json_first(portal->config); at != NULL; at = json_next(at)) {
		struct buf item;

		if (strcmp(json_name(at), member) == 0)
			continue;
		buf_init(&item, CONFIG_MAX_BYTES);
		json_print(&item, at, false);
		json_put_member_raw(&writer, json_name(at), buf_str(&item));
		buf_free(&item);
	}
	json_put_member_str(&writer, member, value);
	json_close_object(&writer);
	changed = text.failed ? NULL : parse(&text);
	buf_free(&text);
	if (changed == NULL)
		return;
	json_free(&portal->config);
	portal->config = changed;
	portal->account.config = changed;
	mask_add_members(&portal->mask, changed);
}

void portal_close(struct portal *portal)
{
	json_free(&portal->config);
	json_free(&portal->oauth);
}
