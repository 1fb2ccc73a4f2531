/*
 * bitrix24_hook: what Bitrix24 tells us.
 *
 * An installation is trusted by the path that only its portal was told, the first one for good: a
 * second portal is refused. Every event after it must carry the token of that installation.
 */
#include "bitrix24_hook.h"

#include "bitrix24_tokens.h"
#include "crm_make.h"
#include "crm_steps.h"

#include <stdio.h>

enum { NAME_BYTES = 64, URL_MAX_BYTES = 300 };

static const char *const success = "{\"status\":\"success\",\"result\":{}}";

/* The page that Bitrix24 shows in its frame while the application is installed. */
static const char *const installed_page =
	"<!doctype html><meta charset=\"utf-8\"><title>callweave</title>"
	"<script src=\"https://api.bitrix24.com/api/v1/\"></script>"
	"<script>BX24.init(function(){BX24.installFinish();});</script><p>OK</p>";

const struct crm_hook_route bitrix24_hooks[] = {
	{"POST", "/24/install/*"},
	{"POST", "/api/bitrix24-crm/*"},
	{NULL, NULL},
};

bool bitrix24_owner(const struct crm_hook *hook, struct crm_hook_owner *owner)
{
	owner->member = "webhook_uuid";
	owner->value = hook->tail;
	return hook->tail.size > 0;
}

/* "auth[domain]" of a form; of JSON, member "domain" of "auth". */
static struct str part(const struct crm_hook *hook, const char *group, const char *name)
{
	char bracketed[NAME_BYTES];
	struct str text;

	snprintf(bracketed, sizeof(bracketed), "%s[%s]", group, name);
	text = args_get(&hook->args, bracketed);
	if (text.size > 0)
		return text;
	return json_text(json_member(json_member(hook->json, group), name));
}

/* -- installation -------------------------------------------------------------------------------- */

/* An event brings auth[...]; the page of the installation, fields of its own. */
static struct bitrix24_tokens tokens_of(const struct crm_hook *hook)
{
	struct bitrix24_tokens tokens = {
		.access_token = part(hook, "auth", "access_token"),
		.refresh_token = part(hook, "auth", "refresh_token"),
		.domain = part(hook, "auth", "domain"),
		.client_endpoint = part(hook, "auth", "client_endpoint"),
		.member_id = part(hook, "auth", "member_id"),
		.application_token = part(hook, "auth", "application_token"),
		.scope = part(hook, "auth", "scope"),
		.user_id = part(hook, "auth", "user_id"),
	};

	(void)str_to_int64(part(hook, "auth", "expires_in"), &tokens.expires_in);
	if (tokens.access_token.size > 0)
		return tokens;
	tokens.access_token = args_get(&hook->args, "AUTH_ID");
	tokens.refresh_token = args_get(&hook->args, "REFRESH_ID");
	tokens.domain = args_get(&hook->args, "DOMAIN");
	tokens.member_id = args_get(&hook->args, "member_id");
	(void)args_int(&hook->args, "AUTH_EXPIRES", &tokens.expires_in);
	return tokens;
}

static struct str kept(const struct crm_account *account, const char *member)
{
	return json_text(json_member(account->oauth, member));
}

/* The token of the installation; before one is known, the one that was entered by hand. */
static struct str application_token(const struct crm_account *account)
{
	struct str token = kept(account, "application_token");

	return token.size > 0 ? token : json_text(json_member(account->config, "webhook_token"));
}

/* "https://portal.example/rest/" -> "portal.example" */
static struct str host_of(struct str address)
{
	const struct str schemes[] = {STR("https://"), STR("http://")};

	for (size_t i = 0; i < 2; i++) {
		if (str_starts(address, schemes[i]))
			address = str_of(
				address.data + schemes[i].size, address.size - schemes[i].size);
	}
	return str_cut(&address, '/');
}

/* NULL, or why an installation does not fit the one before it. */
static const char *why_not_again(
	const struct crm_account *account, const struct bitrix24_tokens *tokens, struct str from)
{
	struct str token = kept(account, "application_token");
	struct str before = kept(account, "client_endpoint");
	bool proves = token.size > 0 && tokens->application_token.size > 0;

	if (kept(account, "member_id").size == 0)
		return NULL;
	if (!str_equal(kept(account, "member_id"), tokens->member_id))
		return "another portal has installed the application before";
	if (proves && str_equal_secret(token, tokens->application_token))
		return NULL;
	if (proves)
		return "another application_token than that of the installation";
	if (before.size == 0)
		before = kept(account, "domain");
	if (!str_equal_nocase(host_of(before), host_of(from)))
		return "the portal has another address than when it was installed";
	return NULL;
}

/* NULL, or why not. */
static const char *why_not_install(
	const struct crm_account *account, const struct bitrix24_tokens *tokens)
{
	struct str portal = json_text(json_member(account->config, "portal_domain"));
	struct str token = json_text(json_member(account->config, "webhook_token"));
	struct str from =
		tokens->client_endpoint.size > 0 ? tokens->client_endpoint : tokens->domain;

	if (tokens->access_token.size == 0 || tokens->refresh_token.size == 0 ||
		tokens->member_id.size == 0 || from.size == 0 || from.size > URL_MAX_BYTES)
		return "an installation without tokens, member_id or domain";
	if (token.size > 0 && tokens->application_token.size > 0 &&
		!str_equal_secret(token, tokens->application_token))
		return "another application_token than the webhook_token of the settings";
	if (portal.size > 0 && !str_equal_nocase(host_of(portal), host_of(from)))
		return "the installation is not from the portal_domain of the settings";
	return why_not_again(account, tokens, from);
}

static void hear_install(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard)
{
	struct bitrix24_tokens tokens = tokens_of(hook);
	const char *why = why_not_install(account, &tokens);

	if (why != NULL) {
		crm_refuse(heard, 403, "{\"detail\":\"installation refused\"}", why);
		return;
	}
	if (tokens.application_token.size == 0)
		tokens.application_token = kept(account, "application_token");
	heard->kind = CRM_HEARD_INSTALL;
	heard->oauth_after = bitrix24_tokens_write(&tokens, hook->now_ms, heard->arena);
	crm_answer(heard, 200, success);
	if (args_has(&hook->args, "AUTH_ID")) {
		heard->content_type = "text/html; charset=utf-8";
		heard->answer = str_from(installed_page);
	}
}

/* -- events -------------------------------------------------------------------------------------- */

static void hear_call(const struct crm_hook *hook, struct crm_heard *heard)
{
	heard->phone = part(hook, "data", "PHONE_NUMBER_INTERNATIONAL");
	if (heard->phone.size == 0)
		heard->phone = part(hook, "data", "PHONE_NUMBER");
	heard->user = part(hook, "data", "USER_ID");
	heard->origin_call = part(hook, "data", "CALL_ID");
	heard->kind =
		heard->phone.size > 0 && heard->user.size > 0 ? CRM_HEARD_CALL : CRM_HEARD_NOTHING;
}

/* data[FIELDS][ID] */
static void hear_deleted(const struct crm_hook *hook, bool company, struct crm_heard *heard)
{
	struct str id = args_get(&hook->args, "data[FIELDS][ID]");

	if (!str_is_digits(id) || heard->customers == NULL)
		return;
	heard->kind = CRM_HEARD_CUSTOMERS;
	heard->customers[0] = (struct crm_customer){
		.id = str_from(
			arena_printf(heard->arena, "%s_%.*s", company ? "CO" : "C", STR_ARG(id))),
		.company = company,
		.deleted = true};
	heard->customer_count = 1;
}

static void hear_event(const struct crm_hook *hook, struct str event, struct crm_heard *heard)
{
	bool company = str_starts(event, STR("ONCRMCOMPANY"));

	if (str_equal_nocase(event, STR("ONEXTERNALCALLSTART")))
		hear_call(hook, heard);
	else if (str_equal_nocase(event, STR("ONAPPUNINSTALL")))
		heard->kind = CRM_HEARD_REMOVED;
	else if (str_ends(event, STR("DELETE")) &&
		 (company || str_starts(event, STR("ONCRMCONTACT"))))
		hear_deleted(hook, company, heard);
	else if (company || str_starts(event, STR("ONCRMCONTACT")))
		heard->kind = CRM_HEARD_CHANGES;
}

static bool is_proven(const struct crm_account *account, const struct crm_hook *hook)
{
	struct str expected = application_token(account);

	return expected.size > 0 &&
	       str_equal_secret(expected, part(hook, "auth", "application_token"));
}

void bitrix24_hear(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard)
{
	struct str event = args_get(&hook->args, "event");

	if (account == NULL) {
		crm_refuse(heard, 403, "{\"detail\":\"unknown webhook\"}",
			"no enterprise has this webhook_uuid");
		return;
	}
	if (!crm_config_bool(account, "enabled", false)) {
		crm_refuse(heard, 403, "{\"detail\":\"integration disabled\"}",
			"the integration is switched off");
		return;
	}
	if (str_equal_nocase(event, STR("ONAPPINSTALL")) ||
		str_starts(hook->path, STR("/24/install/"))) {
		hear_install(account, hook, heard);
		return;
	}
	if (!is_proven(account, hook)) {
		crm_refuse(heard, 403, "{\"detail\":\"wrong application_token\"}",
			"application_token does not fit");
		return;
	}
	heard->kind = CRM_HEARD_NOTHING;
	crm_answer(heard, 200, success);
	hear_event(hook, event, heard);
}
