/*
 * names: who asks, and how names are shown: what both ports need.
 */
#include "pbx_api.h"

enum { NAME_MAX_BYTES = 160 }; /* some 80 letters: as many as Asterisk's caller id has room for */

/* By any of its keys: the caller looks which it was. */
static const struct account *find_active(const struct pbx_api *api, struct str key)
{
	const struct account *account = key.size > 0 ? accounts_find_any(api->accounts, key) : NULL;

	return account != NULL && account->active ? account : NULL;
}

const struct account *pbx_api_by_token(const struct pbx_api *api, struct str token)
{
	const struct account *account = find_active(api, token);

	return account != NULL && str_equal_secret(str_from(account->token), token) ? account
										    : NULL;
}

const struct account *pbx_api_by_secret(const struct pbx_api *api, struct str secret)
{
	const struct account *account = find_active(api, secret);

	return account != NULL && str_equal_secret(str_from(account->secret), secret) ? account
										      : NULL;
}

struct str pbx_api_shown_name(struct str name, struct arena *arena)
{
	char *text = arena_alloc(arena, NAME_MAX_BYTES + 1);

	(void)str_copy(text, NAME_MAX_BYTES + 1, name);
	for (char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f || strchr("\"<>\\", *at) != NULL)
			*at = ' ';
	}
	return str_trim(str_from(text));
}
