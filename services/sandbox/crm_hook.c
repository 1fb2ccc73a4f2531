/*
 * crm_hook: a customer's own CRM that takes signed webhooks (Standard Webhooks 1.0): POST /hook/<name>.
 *
 * Each name is an office. With a declared "secret" (whsec_...) what is not signed by it, or is more
 * than five minutes old, is refused; without one everything is taken, and noted as not checked.
 */
#include "crm.h"

#include "crypto.h"
#include "http_server.h"
#include "json_put.h"

#include <stdlib.h>

#define MAX_AGE_S  300
#define MAX_SECRET 256

static void take(struct crm_request *request);

static const struct crm_route routes[] = {{"POST", "{}", take, 0}, {NULL}};

static bool owns(struct str path)
{
	return str_starts(path, STR("/hook/"));
}

static void refuse(struct outside_call *call, int status, const char *code, struct str words)
{
	struct json_writer writer;

	(void)code;
	crm_open_answer(call, status, &writer);
	json_put_member_str(&writer, "error", words);
	json_close_object(&writer);
}

static void slow_down(struct crm_request *request, unsigned limit, int64_t wait_ms)
{
	(void)limit;
	request->call->retry_after_s = (wait_ms + 999) / 1000;
	refuse(request->call, 429, "", STR("slower"));
}

/* No limit of its own; a test may set one. */
static const struct crm_spec spec = {
	.name = "webhook",
	.routes = routes,
	.limits = {{"api"}},
	.refuse = refuse,
	.slow_down = slow_down,
};

static void *start(struct sandbox *sandbox)
{
	return crm_start(sandbox, &spec);
}

static struct str name_of(const struct outside_call *call)
{
	return str_of(call->path.data + 6, call->path.size - 6);
}

static void read_call(void *state, struct outside_call *call)
{
	call->method = call->http_method;
	call->shown_path = call->path;
	crm_read_args(call, NULL);
	if (name_of(call).size > 0)
		(void)crm_enter(state, call, name_of(call), 0);
}

static void act(void *state, struct outside_call *call)
{
	struct crm_request request = crm_request_of(state, call);

	if (request.office == NULL)
		refuse(call, 404, "", STR("no such receiver"));
	else if (request.office->revoked)
		refuse(call, 410, "", STR("gone"));
	else
		crm_serve(&request, name_of(call));
}

/* -- the signature ---------------------------------------------------------------------------------- */

static struct str header(const struct crm_request *request, const char *name)
{
	return http_request_header(request->call->flow, name);
}

/* One of "v1,<base64> v1,<base64>" is HMAC-SHA256 of "<id>.<timestamp>.<body>". */
static bool is_signed_by(struct crm_request *request, struct str secret)
{
	struct str signatures = header(request, "webhook-signature");
	unsigned char key[MAX_SECRET], digest[CRYPTO_SHA256_BYTES];
	char text[CRYPTO_BASE64_TEXT(CRYPTO_SHA256_BYTES)];
	struct buf signed_text;
	bool good = false;
	size_t size;

	if (str_starts(secret, STR("whsec_")))
		secret = str_of(secret.data + 6, secret.size - 6);
	if (!crypto_base64_read(secret, key, sizeof(key), &size))
		return false;
	buf_init(&signed_text, request->call->body.size + 512);
	buf_printf(&signed_text, "%.*s.%.*s.", STR_ARG(header(request, "webhook-id")),
		STR_ARG(header(request, "webhook-timestamp")));
	buf_add(&signed_text, request->call->body);
	crypto_hmac_sha256(str_of((const char *)key, size), buf_str(&signed_text), digest);
	buf_free(&signed_text);
	crypto_base64(digest, sizeof(digest), text);
	while (signatures.data != NULL && signatures.size > 0) {
		struct str one = str_cut(&signatures, ' ');
		good |= str_starts(one, STR("v1,")) &&
			str_equal_secret(str_of(one.data + 3, one.size - 3), str_from(text));
	}
	return good;
}

static const char *why_not(struct crm_request *request, struct str secret)
{
	int64_t sent_s;

	if (header(request, "webhook-id").size == 0)
		return "webhook-id is missing";
	if (!str_to_int64(header(request, "webhook-timestamp"), &sent_s))
		return "webhook-timestamp is no number";
	if (llabs(request->now_ms / 1000 - sent_s) > MAX_AGE_S)
		return "webhook-timestamp is too old or too new";
	if (secret.size > 0 && !is_signed_by(request, secret))
		return "webhook-signature does not fit";
	return NULL;
}

/* -- what it keeps ---------------------------------------------------------------------------------- */

static void set_moment(struct card *call, const char *name, const struct json *at)
{
	if (json_kind(at) == JSON_NUMBER && json_number(at) > 0)
		card_set_int(call, name, (int64_t)json_number(at));
}

static void set_call(struct crm_request *request, struct card *call, const struct json *data)
{
	static const char *const names[][2] = {{"phone", "phone"}, {"extension", "extension"},
		{"result", "result"}, {"record_url", "record_url"}, {"line", "line"},
		{"customer_name", "customer_name"}};
	static const char *const numbers[][2] = {
		{"duration", "talk_seconds"}, {"waiting", "wait_seconds"}};

	card_set(call, "direction",
		json_is_true(json_member(data, "outgoing")) ? STR("out") : STR("in"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (json_member(data, names[i][1]) != NULL)
			card_set(call, names[i][0], crm_member(request, data, names[i][1]));
	}
	for (size_t i = 0; i < 2; i++) {
		const struct json *number = json_member(data, numbers[i][1]);
		if (json_kind(number) == JSON_NUMBER && json_number(number) >= 0)
			card_set_int(call, numbers[i][0], (int64_t)json_number(number));
	}
	set_moment(call, "started_at", json_member(data, "started_at"));
	set_moment(call, "ended_at", json_member(data, "ended_at"));
	card_set(call, "started", card_get(call, "started_at"));
}

static void note_call(struct crm_request *request, struct str type, bool again)
{
	const struct json *data = json_member(request->json, "data");
	struct str key = json_text(json_member(data, "key"));
	struct card *call;

	if (key.size == 0)
		return;
	call = office_find(request->office, CARD_CALL, "external_id", key);
	if (call == NULL) {
		call = office_add(request->office, CARD_CALL, request->now_ms);
		card_set_key(request->office, call, "external_id", key);
	}
	card_told(call,
		again ? str_from(arena_printf(request->call->arena, "again %.*s", STR_ARG(type)))
		      : type,
		request->now_ms);
	if (again)
		return;
	set_call(request, call, data);
	if (str_equal(type, STR("call.hangup")) || str_equal(type, STR("call.recovered")))
		call->entries++;
	else if (str_equal(type, STR("call.recording")))
		call->updates++;
}

/* One card a webhook-id; a repetition is counted, as a receiver that knows its ids would. */
static void take(struct crm_request *request)
{
	struct str secret = card_get(office_settings(request->office), "secret");
	struct str id = header(request, "webhook-id"), type;
	const char *words = why_not(request, secret);
	struct card *message;

	if (words == NULL && json_kind(request->json) != JSON_OBJECT)
		words = "the body is no JSON object";
	if (words != NULL) {
		crm_refuse(request, secret.size > 0 ? 401 : 400, "", "%s", words);
		return;
	}
	type = json_text(json_member(request->json, "type"));
	message = office_find(request->office, CARD_NOTIFICATION, "id", id);
	note_call(request, type, message != NULL);
	if (message == NULL) {
		message = office_add(request->office, CARD_NOTIFICATION, request->now_ms);
		card_set_key(request->office, message, "id", id);
		card_set(message, "type", type);
		card_set_raw(message, "body", request->call->body);
		card_set(message, "timestamp", header(request, "webhook-timestamp"));
		card_set(message, "signature", header(request, "webhook-signature"));
		card_set_raw(message, "verified", secret.size > 0 ? STR("true") : STR("false"));
	}
	message->entries++;
	crm_no_content(request);
}

static void refuse_fault(
	struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	call->retry_after_s = retry_after_s;
	refuse(call, status, "", words.size > 0 ? words : STR("out of order"));
}

const struct outside_service crm_hook_service = {
	.name = "webhook",
	CRM_SERVICE_COMMON,
	.owns = owns,
	.start = start,
	.read = read_call,
	.act = act,
	.refuse = refuse_fault,
};
