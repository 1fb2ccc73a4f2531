/*
 * text_choice: see text_choice.h.
 */
#include "text_choice.h"

static const struct json *chat_config(const struct account *account)
{
	const struct account_integration *found = account_integration(account, STR("whatsapp"));

	return found != NULL ? found->config : NULL;
}

/* -- who could ------------------------------------------------------------------------------------- */

static bool has_twilio(const struct account *account)
{
	const struct account_integration *twilio = account_integration(account, STR("twilio"));

	return twilio != NULL && twilio->enabled;
}

/* Twilio's WhatsApp needs a sender; it may be switched off where the bridge is preferred. */
static bool can_twilio(const struct hooks *hooks, const struct account *account)
{
	const struct json *config = chat_config(account), *wanted = json_member(config, "twilio");
	const struct hook_number *number = text_chat_number(hooks, account->number);

	return has_twilio(account) && number != NULL && number->whatsapp &&
	       (wanted == NULL || json_is_true(wanted));
}

static bool can_baileys(const struct hooks *hooks, const struct account *account)
{
	return hooks->settings->baileys_url[0] != '\0' &&
	       hooks->settings->baileys_secret.value[0] != '\0' &&
	       json_is_true(json_member(chat_config(account), "baileys"));
}

static bool can(const struct hooks *hooks, const struct account *account, const char *provider)
{
	return strcmp(provider, "twilio") == 0 ? can_twilio(hooks, account)
					       : can_baileys(hooks, account);
}

/* -- who shall ------------------------------------------------------------------------------------- */

static bool choose_one(const struct hooks *hooks, const struct account *account, struct str asked,
	struct text_choice *choice, struct error *error)
{
	const char *provider = str_equal(asked, STR("twilio")) ? "twilio" : "baileys";

	if (!str_equal(asked, str_from(provider)))
		return error_set(error, ERROR_INPUT, "provider: not one of twilio, baileys, auto");
	if (!can(hooks, account, provider))
		return error_set(
			error, ERROR_CONFLICT, "%s is not set up for this enterprise", provider);
	choice->provider = provider;
	return true;
}

static bool choose_any(const struct hooks *hooks, const struct account *account,
	struct text_choice *choice, struct error *error)
{
	struct str order = json_text(json_member(chat_config(account), "priority"));
	const char *found[2] = {"", ""};
	unsigned count = 0;

	if (order.size == 0)
		order = STR("baileys,twilio");
	while (order.size > 0 && count < 2) {
		struct str name = str_trim(str_cut(&order, ','));
		const char *provider = str_equal(name, STR("twilio")) ? "twilio" : "baileys";

		if (str_equal(name, str_from(provider)) && can(hooks, account, provider) &&
			strcmp(found[0], provider) != 0)
			found[count++] = provider;
	}
	choice->provider = found[0];
	choice->other = found[1];
	return count > 0 || error_set(error, ERROR_CONFLICT,
				    "no provider for WhatsApp is set up for this enterprise");
}

bool text_choose(const struct hooks *hooks, const struct account *account, const char *channel,
	struct str asked, struct text_choice *choice, struct error *error)
{
	bool automatic = asked.size == 0 || str_equal(asked, STR("auto"));

	*choice = (struct text_choice){
		.provider = "twilio", .other = "", .bridge_number = text_bridge_number(account)};
	if (strcmp(channel, "sms") == 0) {
		if (!automatic && !str_equal(asked, STR("twilio")))
			return error_set(error, ERROR_INPUT, "provider: SMS goes by twilio");
		return has_twilio(account) ||
		       error_set(error, ERROR_CONFLICT, "Twilio is not set up for this enterprise");
	}
	return automatic ? choose_any(hooks, account, choice, error)
			 : choose_one(hooks, account, asked, choice, error);
}

/* -- the bridge's phone ---------------------------------------------------------------------------- */

struct str text_bridge_number(const struct account *account)
{
	return json_text(json_member(chat_config(account), "baileys_number"));
}

const struct account *text_bridge_account(const struct hooks *hooks, struct str our_number)
{
	const struct account *account, *only = NULL;
	unsigned count = 0;
	size_t at = 0;

	while ((account = accounts_next(hooks->accounts, &at)) != NULL) {
		if (!account->active || !json_is_true(json_member(chat_config(account), "baileys")))
			continue;
		if (our_number.size > 0 && str_equal(text_bridge_number(account), our_number))
			return account;
		only = account;
		count++;
	}
	return count == 1 ? only : NULL;
}

const struct hook_number *text_chat_number(const struct hooks *hooks, const char *enterprise)
{
	const struct hook_number *number, *any = NULL;
	size_t at = 0;

	while ((number = hook_numbers_next(hooks, &at)) != NULL) {
		if (strcmp(number->enterprise, enterprise) != 0)
			continue;
		if (number->whatsapp)
			return number;
		any = number;
	}
	return any;
}
