/*
 * moysklad_hook: MoySklad asks for a call: srcNumber is to ring, then destNumber.
 *
 * Its header is the upper-case MD5 of the key and the values; in which order is written nowhere, so
 * every order that makes sense is taken. Each of them needs the key.
 */
#include "moysklad.h"

#include "crypto.h"

enum { SIGNED_MAX_BYTES = 4096 };

const struct crm_hook_route moysklad_hooks[] = {
	{"POST", "/ms/webhook/*"},
	{NULL, NULL},
};

bool moysklad_owner(const struct crm_hook *hook, struct crm_hook_owner *owner)
{
	owner->member = "webhook_uuid";
	owner->value = hook->tail;
	return hook->tail.size > 0;
}

static bool is_signature(const struct buf *text, struct str signature)
{
	unsigned char digest[CRYPTO_MD5_BYTES];
	char hex[2 * CRYPTO_MD5_BYTES + 1];

	if (text->failed)
		return false;
	crypto_md5(buf_str(text), digest);
	crypto_hex(digest, sizeof(digest), hex);
	for (size_t i = 0; hex[i] != '\0'; i++)
		hex[i] = hex[i] >= 'a' ? (char)(hex[i] - 'a' + 'A') : hex[i];
	return str_equal_secret(str_from(hex), signature);
}

/* The key and the values in the order of `names`; as they came when it is NULL. */
static bool is_signed_as(const struct crm_hook *hook, struct str key, const char *const *names)
{
	struct buf text;
	bool good;

	buf_init(&text, SIGNED_MAX_BYTES);
	buf_add(&text, key);
	for (size_t i = 0; names == NULL && i < hook->args.count; i++)
		buf_add(&text, hook->args.items[i].value);
	for (; names != NULL && *names != NULL; names++)
		buf_add(&text, args_get(&hook->args, *names));
	good = is_signature(&text, hook->signature);
	buf_free(&text);
	return good;
}

static bool is_signed(const struct crm_account *account, const struct crm_hook *hook)
{
	static const char *const documented[] = {"srcNumber", "destNumber", "uid", NULL};
	static const char *const sorted[] = {"destNumber", "srcNumber", "uid", NULL};
	struct str key = json_text(json_member(account->config, "integration_code"));
	bool good;

	if (key.size == 0 || hook->signature.size == 0)
		return false;
	good = is_signed_as(hook, key, documented);
	good |= is_signed_as(hook, key, sorted);
	good |= is_signed_as(hook, key, NULL);
	return good;
}

void moysklad_hear(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard)
{
	if (account == NULL) {
		crm_refuse(heard, 403, "{\"success\":false,\"error\":\"Invalid webhook UUID\"}",
			"no enterprise has this webhook_uuid");
		return;
	}
	if (!crm_config_bool(account, "enabled", false)) {
		crm_refuse(heard, 403, "{\"success\":false,\"error\":\"Integration disabled\"}",
			"the integration is switched off");
		return;
	}
	if (!is_signed(account, hook)) {
		crm_refuse(heard, 401, "{\"success\":false,\"error\":\"Invalid signature\"}",
			"Lognex-Content-MD5 does not fit");
		return;
	}
	heard->extension = args_get(&hook->args, "srcNumber");
	heard->phone = args_get(&hook->args, "destNumber");
	if (heard->extension.size == 0 || heard->phone.size == 0) {
		heard->kind = CRM_HEARD_NOTHING;
		crm_answer(heard, 200, "{\"success\":true,\"message\":\"Webhook processed\"}");
		return;
	}
	heard->kind = CRM_HEARD_CALL;
	crm_answer(heard, 200, "{\"success\":true,\"message\":\"Call initiation started\"}");
}
