/*
 * bitrix24_tokens: the tokens of an installation, as they stand in crm_oauth.
 */
#ifndef CALLWEAVE_CRM_BITRIX24_TOKENS_H
#define CALLWEAVE_CRM_BITRIX24_TOKENS_H

#include "json.h"

struct bitrix24_tokens {
	struct str access_token, refresh_token;
	struct str domain, client_endpoint, member_id, application_token, scope;
	struct str user_id; /* who installed the application */
	int64_t expires_in; /* seconds */
};

/* False with words when there is no access or refresh token. */
bool bitrix24_tokens_read(const struct json *json, struct bitrix24_tokens *to, struct arena *arena,
	struct error *error);
/* As a JSON object, with expires_at (milliseconds since 1970) instead of expires_in. */
struct str bitrix24_tokens_write(
	const struct bitrix24_tokens *tokens, int64_t now_ms, struct arena *arena);

#endif
