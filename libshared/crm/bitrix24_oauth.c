/*
 * bitrix24_oauth: access tokens live for an hour; renewing one gives a new refresh token, too, and
 * the old one is worth nothing any more.
 *
 * Bitrix24 demands the secrets in the address of this one request; adapters mask them by value.
 */
#include "bitrix24.h"

#include "bitrix24_tokens.h"

static const char *const vendor = "https://oauth.bitrix.info";

int bitrix24_plan_token(struct crm_job *job)
{
	if (crm_config_text(job->account, "client_id", NULL, job->arena).size == 0 ||
		crm_config_text(job->account, "client_secret", NULL, job->arena).size == 0)
		return crm_stop(
			job, "client_id and client_secret of the application are not given");
	if (job->code.size == 0 && bitrix24_token(job->account, "refresh_token").size == 0)
		return crm_stop(
			job, "the application is not installed: there is no token to renew");
	crm_steps_add(&bitrix24_own(job)->steps, B24_TOKEN, str_of(NULL, 0));
	return 0;
}

static const char *form(struct crm_job *job, const char *name, struct str value)
{
	return crm_form(name, value, job->arena).data;
}

static const char *setting(struct crm_job *job, const char *name)
{
	return form(job, name, crm_config_text(job->account, name, NULL, job->arena));
}

bool bitrix24_build_token(struct crm_job *job, struct crm_request *request)
{
	const char *base = job->account->oauth_url;
	const char *proof =
		job->code.size > 0
			? form(job, "code", job->code)
			: form(job, "refresh_token", bitrix24_token(job->account, "refresh_token"));

	if (base == NULL || base[0] == '\0')
		base = vendor;
	request->method = "GET";
	request->limit = 1;
	request->url = crm_url(job->arena, base, "/oauth/token/?grant_type=%s&%s&%s&%s",
		job->code.size > 0 ? "authorization_code" : "refresh_token",
		setting(job, "client_id"), setting(job, "client_secret"), proof);
	return request->url != NULL ||
	       error_set(&job->why, ERROR_INPUT, "the tokens are longer than an address may be");
}

/* A token server of a proxy, or a mistyped portal, might answer for somebody else. */
static bool is_same_portal(struct crm_job *job, const struct bitrix24_tokens *tokens)
{
	struct str member_id = bitrix24_token(job->account, "member_id");

	return member_id.size == 0 || tokens->member_id.size == 0 ||
	       str_equal(member_id, tokens->member_id);
}

enum crm_verdict bitrix24_read_token(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = crm_verdict_of_status(job, reply);
	struct bitrix24_tokens tokens = {0};

	if (verdict != CRM_WELL || json_member(reply->json, "error") != NULL) {
		verdict = bitrix24_verdict(job, reply, wait_ms);
		/* There is nothing to renew a renewal with. */
		return verdict == CRM_EXPIRED ? CRM_LOCKED : verdict;
	}
	if (!bitrix24_tokens_read(reply->json, &tokens, job->arena, &job->why)) {
		error_prefix(&job->why, "the answer of the token server: ");
		return CRM_REFUSED;
	}
	if (!is_same_portal(job, &tokens)) {
		error_set(&job->why, ERROR_AUTH, "the token server answered for another portal");
		return CRM_LOCKED;
	}
	/* Its `domain` is the token server itself. */
	tokens.domain = bitrix24_token(job->account, "domain");
	tokens.application_token = bitrix24_token(job->account, "application_token");
	if (tokens.client_endpoint.size == 0)
		tokens.client_endpoint = bitrix24_token(job->account, "client_endpoint");
	if (tokens.user_id.size == 0)
		tokens.user_id = bitrix24_token(job->account, "user_id");
	if (tokens.member_id.size == 0)
		tokens.member_id = bitrix24_token(job->account, "member_id");
	job->oauth_after = bitrix24_tokens_write(&tokens, job->now_ms, job->arena);
	return bitrix24_on(job);
}
