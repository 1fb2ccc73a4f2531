/*
 * webhook: a customer's own CRM, told of calls by signed requests (Standard Webhooks 1.0).
 *
 * What the specification leaves to us: ids come of the PBX's, so that they stay the same over
 * retries; two secrets may live at a time, so that a receiver can change them without a gap.
 */
#include "crm_make.h"
#include "crm_steps.h"
#include "crypto.h"

#include <inttypes.h>
#include <stdio.h>

enum { WEBHOOK_SEND, WEBHOOK_TEST };
static const char *const operations[] = {"webhook", "test", NULL};
/* Of a secret, as the specification demands. */
enum { SECRET_MIN_BYTES = 24, SECRET_MAX_BYTES = 64 };
/* "v1," and the signature, twice. */
enum { SIGNATURES_BYTES = 2 * (CRYPTO_BASE64_TEXT(CRYPTO_SHA256_BYTES) + 4) };

/* -- secrets and signatures ---------------------------------------------------------------------- */

static bool read_secret(struct str text, unsigned char *key, size_t *key_bytes)
{
	struct str prefix = STR("whsec_");

	if (str_starts(text, prefix))
		text = str_of(text.data + prefix.size, text.size - prefix.size);
	return crypto_base64_read(text, key, SECRET_MAX_BYTES, key_bytes) &&
	       *key_bytes >= SECRET_MIN_BYTES;
}

/* Append " v1,<signature>" by one secret of the config; false when that is no secret. */
static bool add_signature(
	struct crm_job *job, const char *member, struct str content, char *signatures)
{
	struct str secret = crm_config_text(job->account, member, NULL, job->arena);
	unsigned char key[SECRET_MAX_BYTES], digest[CRYPTO_SHA256_BYTES];
	char text[CRYPTO_BASE64_TEXT(CRYPTO_SHA256_BYTES)];
	size_t key_bytes, length = strlen(signatures);

	if (!read_secret(secret, key, &key_bytes))
		return false;
	crypto_hmac_sha256(str_of((const char *)key, key_bytes), content, digest);
	crypto_base64(digest, sizeof(digest), text);
	snprintf(signatures + length, SIGNATURES_BYTES - length, "%sv1,%s", length > 0 ? " " : "",
		text);
	return true;
}

/* The receiver takes whichever signature it can check: while a secret is being replaced, the one
 * by the old. */
static bool sign(struct crm_job *job, const char *id, struct crm_request *request)
{
	const char *seconds = arena_printf(job->arena, "%" PRId64, job->now_ms / 1000);
	char signatures[SIGNATURES_BYTES] = "";
	struct str content = str_from(
		arena_printf(job->arena, "%s.%s.%.*s", id, seconds, STR_ARG(request->body)));

	if (!add_signature(job, "secret", content, signatures))
		return error_set(&job->why, ERROR_INPUT, "secret: not whsec_ and base64");
	add_signature(job, "previous_secret", content, signatures);
	request->headers[0][0] = "webhook-id";
	request->headers[0][1] = id;
	request->headers[1][0] = "webhook-timestamp";
	request->headers[1][1] = seconds;
	request->headers[2][0] = "webhook-signature";
	request->headers[2][1] = arena_strdup(job->arena, signatures);
	return true;
}

/* -- what is sent -------------------------------------------------------------------------------- */

/* "0367-1763740800_1-ringing-1". Full stops delimit what is signed, so an id has none; a UniqueId
 * of a strange PBX may hold anything, and a header line may not. */
static const char *event_id(const struct crm_job *job)
{
	struct str key = crm_external_id(job);
	struct buf id;

	buf_init(&id, 4 * key.size + 64);
	for (size_t i = 0; i < key.size; i++) {
		char c = key.data[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z') || c == '-';

		if (plain)
			buf_add_char(&id, c);
		else if (c == '.')
			buf_add_char(&id, '_');
		else
			buf_printf(&id, "~%02x", (unsigned char)c);
	}
	buf_printf(&id, "-%s", crm_kind_name(job->kind));
	if (job->turn > 0)
		buf_printf(&id, "-%u", job->turn);
	return crm_take(&id, job->arena).data;
}

/* When it happened, which stays the same over retries; not when it is told. */
static int64_t event_time(const struct crm_job *job)
{
	int64_t at = CRM_NO_TIME;

	if (job->kind == CRM_RINGING)
		at = job->call->started_ms;
	else if (job->kind == CRM_ANSWERED)
		at = job->call->answered_ms;
	else if (job->kind != CRM_RECORDING)
		at = job->call->ended_ms;
	return at != CRM_NO_TIME ? at : job->now_ms;
}

static bool put_payload(
	struct crm_job *job, const char *type, struct str data, struct crm_request *request)
{
	struct json_writer writer;
	char time[CLOCK_TEXT_BYTES];
	struct buf body;

	clock_format_rfc3339(job->call != NULL ? event_time(job) : job->now_ms, time);
	crm_json_begin(&writer, &body);
	json_put_name(&writer, "type");
	json_put_str(&writer, str_from(type));
	json_put_name(&writer, "timestamp");
	json_put_str(&writer, str_from(time));
	json_put_name(&writer, "data");
	json_put_raw(&writer, data);
	return crm_json_end(&writer, job, request);
}

static bool build_call(struct crm_job *job, struct crm_request *request)
{
	const char *type = arena_printf(job->arena, "call.%s", crm_kind_name(job->kind));
	struct buf data;

	buf_init(&data, CRM_BODY_MAX_BYTES);
	crm_call_write(&data, job->call);
	return put_payload(job, type, crm_take(&data, job->arena), request) &&
	       sign(job, event_id(job), request);
}

/* A request of its own type, which a receiver passes over; its id is new each time. */
static bool build_test(struct crm_job *job, struct crm_request *request)
{
	const char *id =
		arena_printf(job->arena, "%s-test-%" PRId64, job->account->number, job->now_ms);

	return put_payload(job, "test", STR("{}"), request) && sign(job, id, request);
}

static bool build(struct crm_job *job, int operation, struct crm_request *request)
{
	struct str url = crm_config_text(job->account, "url", NULL, job->arena);

	request->name = operations[operation];
	request->method = "POST";
	request->url = arena_strndup(job->arena, url.data, url.size);
	return operation == WEBHOOK_TEST ? build_test(job, request) : build_call(job, request);
}

/* -- which is next, and what the answer means ---------------------------------------------------- */

/* Without `kinds` in the config, all of them. */
static bool wants(const struct crm_job *job)
{
	const struct json *kinds = json_member(job->account->config, "kinds");

	if (json_kind(kinds) != JSON_ARRAY)
		return true;
	for (const struct json *at = json_first(kinds); at != NULL; at = json_next(at)) {
		if (str_equal(json_text(at), str_from(crm_kind_name(job->kind))))
			return true;
	}
	return false;
}

/* A path and a query are the receiver's own business; a user in the address would be a password. */
static bool is_address(struct str url)
{
	struct str host;

	if (str_starts(url, STR("https://")))
		host = str_of(url.data + 8, url.size - 8);
	else if (str_starts(url, STR("http://")))
		host = str_of(url.data + 7, url.size - 7);
	else
		return false;
	for (size_t i = 0; i < host.size; i++) {
		if ((unsigned char)host.data[i] <= ' ' || strchr("@\\\"<>", host.data[i]) != NULL)
			return false;
	}
	return host.size > 0 && host.data[0] != '/';
}

static int next(struct crm_job *job)
{
	struct str secret = crm_config_text(job->account, "secret", NULL, job->arena);
	unsigned char key[SECRET_MAX_BYTES];
	size_t key_bytes;

	if (job->done > 0)
		return CRM_DONE;
	if (job->task != CRM_TELL && job->task != CRM_TEST)
		return crm_skip(job, "a webhook is only told of calls");
	if (job->task == CRM_TELL && !wants(job))
		return crm_skip(job, "the receiver does not want this kind");
	if (!is_address(crm_config_text(job->account, "url", NULL, job->arena)))
		return crm_stop(job, "url: no http address");
	if (!read_secret(secret, key, &key_bytes))
		return crm_stop(job, "secret: not whsec_ and the base64 of 24 to 64 bytes");
	return job->task == CRM_TEST ? WEBHOOK_TEST : WEBHOOK_SEND;
}

/* 2xx alone is success, whatever the body; a receiver that is over its limits says 429, 502 or 504.
 * Refusals are tried again, too: the receiver may be mended before the delivery is too old. */
static enum crm_verdict read(
	struct crm_job *job, int operation, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict;

	(void)operation;
	if (reply->status >= 200 && reply->status < 300)
		return CRM_WELL;
	verdict = crm_verdict_of_status(job, reply);
	if (reply->status == 502 || reply->status == 504)
		verdict = CRM_SLOWER;
	if (verdict == CRM_REFUSED && reply->status >= 400)
		verdict = CRM_AGAIN;
	*wait_ms = reply->retry_after_ms;
	return verdict;
}

static const char *const secrets[] = {"secret", "previous_secret", NULL};
static const char *const hosts[] = {"url", NULL};

const struct crm_driver webhook_driver = {
	.program = "webhook",
	.code = "webhook",
	.title = "Webhook",
	.port = 8026,
	.limits = {{.name = "requests", .units_per_second = 9, .burst = 18}},
	.secrets = secrets,
	.hosts = hosts,
	.kinds = 1u << CRM_RINGING | 1u << CRM_ANSWERED | 1u << CRM_HANGUP | 1u << CRM_RECORDING |
		 1u << CRM_RECOVERED,
	.operations = operations,
	.next = next,
	.build = build,
	.read = read,
};
