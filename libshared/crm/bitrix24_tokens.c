/*
 * bitrix24_tokens: read from the token server, written for crm_oauth, the same from both sides.
 */
#include "bitrix24_tokens.h"

#include "crm_make.h"
#include "json_put.h"

enum { HOUR_SECONDS = 3600 };

#define TOKEN(member, flags) JSON_FIELD(struct bitrix24_tokens, member, JSON_STRING, flags)

static const struct json_field fields[] = {
	TOKEN(access_token, JSON_REQUIRED),
	TOKEN(refresh_token, JSON_REQUIRED),
	TOKEN(domain, 0),
	TOKEN(client_endpoint, 0),
	TOKEN(member_id, 0),
	TOKEN(application_token, 0),
	TOKEN(scope, 0),
	TOKEN(user_id, JSON_LAX),
	JSON_FIELD(struct bitrix24_tokens, expires_in, JSON_INT64, JSON_LAX),
	{0},
};

bool bitrix24_tokens_read(const struct json *json, struct bitrix24_tokens *to, struct arena *arena,
	struct error *error)
{
	if (!json_read(json, fields, to, arena, error))
		return false;
	if (to->access_token.size == 0 || to->refresh_token.size == 0)
		return error_set(error, ERROR_INPUT, "an empty token");
	return true;
}

static void put(struct json_writer *writer, const char *name, struct str text)
{
	if (text.size > 0)
		json_put_member_str(writer, name, text);
}

struct str bitrix24_tokens_write(
	const struct bitrix24_tokens *tokens, int64_t now_ms, struct arena *arena)
{
	bool is_sane = tokens->expires_in > 0 && tokens->expires_in < INT32_MAX;
	int64_t seconds = is_sane ? tokens->expires_in : HOUR_SECONDS;
	struct json_writer writer;
	struct buf text;

	crm_json_begin(&writer, &text);
	put(&writer, "access_token", tokens->access_token);
	put(&writer, "refresh_token", tokens->refresh_token);
	put(&writer, "domain", tokens->domain);
	put(&writer, "client_endpoint", tokens->client_endpoint);
	put(&writer, "member_id", tokens->member_id);
	put(&writer, "application_token", tokens->application_token);
	put(&writer, "scope", tokens->scope);
	put(&writer, "user_id", tokens->user_id);
	json_put_member_int(&writer, "expires_at", now_ms + seconds * 1000);
	json_close_object(&writer);
	return crm_take(&text, arena);
}
