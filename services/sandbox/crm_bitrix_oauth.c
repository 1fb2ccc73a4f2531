/*
 * crm_bitrix_oauth: tokens of Bitrix24: an access token lives an hour, a refresh token renews it once.
 *
 * Only declared portals have tokens. While none is declared, whatever comes as a token is a portal of
 * its own, so that a test of calls need not speak OAuth.
 */
#include "crm_bitrix.h"

#include "clock.h"
#include "crypto.h"
#include "http_server.h"
#include "json_put.h"

#define ACCESS_SECONDS 3600

static bool is_current(const struct card *tokens, int64_t now_ms)
{
	int64_t until_ms = 0;

	return str_to_int64(card_get(tokens, "until_ms"), &until_ms) && now_ms < until_ms;
}

struct office *bitrix_office_of_token(
	struct crm *crm, struct str token, int64_t now_ms, bool *expired)
{
	const struct card *tokens;

	*expired = false;
	for (struct office *at = crm->first; at != NULL && token.size > 0; at = at->next) {
		tokens = office_find(at, CARD_TOKEN, "access_token", token);
		if (tokens == NULL)
			continue;
		*expired = !is_current(tokens, now_ms);
		return *expired ? NULL : at;
	}
	if (crm_has_declared(crm) || !crm_key_is_well_formed(token))
		return NULL;
	return crm_office(crm, token);
}

struct token {
	char text[49];
};

static struct token random_token(void)
{
	unsigned char bytes[24];
	struct token token;

	crypto_random(bytes, sizeof(bytes));
	crypto_hex(bytes, sizeof(bytes), token.text);
	return token;
}

struct card *bitrix_issue_tokens(struct office *office, bool renews, int64_t now_ms)
{
	struct token access = random_token(), refresh = random_token();
	int64_t seconds = ACCESS_SECONDS;
	struct card *tokens;

	(void)str_to_int64(card_get(office_settings(office), "access_token_seconds"), &seconds);
	for (struct card *at = office->first[CARD_TOKEN]; at != NULL && renews; at = at->next)
		card_set(at, "refresh_state", STR("used"));
	tokens = office_add(office, CARD_TOKEN, now_ms);
	card_set_key(office, tokens, "access_token", str_from(access.text));
	card_set_key(office, tokens, "refresh_token", str_from(refresh.text));
	card_set(tokens, "refresh_state", renews ? STR("good") : STR("none"));
	card_set_int(tokens, "until_ms", now_ms + seconds * 1000);
	card_set_int(tokens, "seconds", seconds);
	return tokens;
}

static struct str or_else(struct str text, const char *other)
{
	return text.size > 0 ? text : str_from(other);
}

void bitrix_put_tokens(struct outside_call *call, struct office *office, const struct card *tokens,
	struct json_writer *writer)
{
	struct card *settings = office_settings(office);
	struct str host = http_request_header(call->flow, "Host");
	const char *endpoint = arena_printf(call->arena, "http://%.*s/rest/", STR_ARG(host));
	struct str domain = card_get(settings, "domain");
	int64_t until_ms = 0, seconds = ACCESS_SECONDS;

	(void)str_to_int64(card_get(tokens, "until_ms"), &until_ms);
	(void)str_to_int64(card_get(tokens, "seconds"), &seconds);
	json_put_member_str(writer, "access_token", card_get(tokens, "access_token"));
	json_put_member_str(writer, "refresh_token", card_get(tokens, "refresh_token"));
	json_put_member_int(writer, "expires", until_ms / 1000);
	json_put_member_int(writer, "expires_in", seconds);
	json_put_member_str(writer, "scope", STR("crm,telephony,user"));
	json_put_member_str(writer, "domain", domain.size > 0 ? domain : host);
	json_put_member_str(writer, "server_endpoint", str_from(endpoint));
	json_put_member_str(writer, "client_endpoint", str_from(endpoint));
	json_put_member_str(writer, "status", STR("L"));
	json_put_member_str(
		writer, "member_id", or_else(card_get(settings, "member_id"), office->key));
	json_put_member_int(writer, "user_id", 1);
}

/* -- /oauth/token/ ---------------------------------------------------------------------------------- */

static void answer(struct outside_call *call, struct office *office)
{
	struct card *tokens = bitrix_issue_tokens(office, true, call->at_ms);
	struct json_writer writer;

	crm_open_answer(call, 200, &writer);
	call->secret_reply = true;
	bitrix_put_tokens(call, office, tokens, &writer);
	json_close_object(&writer);
}

/* Whose code or refresh token it is; NULL: nobody's, or it was used before. */
static struct office *find_grant(struct crm *crm, const struct outside_call *call, bool by_code)
{
	struct str token = crm_secret(call, by_code ? "code" : "refresh_token");

	for (struct office *at = crm->first; at != NULL && token.size > 0; at = at->next) {
		struct card *settings = office_settings(at);
		const struct card *tokens = office_find(at, CARD_TOKEN, "refresh_token", token);
		if (by_code && str_equal_secret(card_get(settings, "code"), token)) {
			card_set(settings, "code", (struct str){0});
			return at;
		}
		if (!by_code && tokens != NULL && card_is(tokens, "refresh_state", "good"))
			return at;
	}
	return NULL;
}

static bool is_client(struct office *office, const struct outside_call *call)
{
	struct card *settings = office_settings(office);

	return str_equal_secret(
		       args_get(&call->args, "client_id"), card_get(settings, "client_id")) &&
	       str_equal_secret(
		       crm_secret(call, "client_secret"), card_get(settings, "client_secret"));
}

void bitrix_oauth(struct crm *crm, struct outside_call *call)
{
	struct str type = args_get(&call->args, "grant_type");
	bool by_code = str_equal(type, STR("authorization_code"));
	struct office *office;

	crm->revision++;
	if (!str_equal(call->http_method, STR("GET")) &&
		!str_equal(call->http_method, STR("POST"))) {
		bitrix_refuse(call, 405, "invalid_request", STR("Method Not Allowed"));
		return;
	}
	if (!by_code && !str_equal(type, STR("refresh_token"))) {
		bitrix_refuse(call, 400, "invalid_request", STR("Invalid grant_type"));
		return;
	}
	office = find_grant(crm, call, by_code);
	if (office == NULL || office->revoked)
		bitrix_refuse(call, 400, "invalid_grant", STR("Invalid grant"));
	else if (!is_client(office, call))
		bitrix_refuse(call, 401, "invalid_client", STR("Invalid client credentials"));
	else
		answer(call, office);
}
