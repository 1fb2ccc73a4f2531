/*
 * notify: an incoming call is to pop up in the enterprise's primary CRM, now and without a queue. Only
 * U-ON's adapter offers it; calls go their durable way by /dispatch/call-event.
 */
#include "answer.h"

#define NOTIFY_MS 5000

struct notice {
	struct str enterprise_number, phone, extension;
	struct json_strings extensions_all;
};

static const struct json_field notice_fields[] = {
	JSON_FIELD(struct notice, enterprise_number, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct notice, phone, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct notice, extension, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct notice, extensions_all, JSON_STRINGS, JSON_LAX),
	{0},
};

struct notify {
	struct notice notice;
	struct http_call call;
	struct http_answer answer;
};

static enum flow_status refuse(struct flow *flow, const char *provider, const char *words)
{
	struct answer answer;

	answer_begin_object(&answer);
	json_put_member_bool(&answer.json, "success", false);
	json_put_name(&answer.json, "provider");
	if (provider[0] != '\0')
		json_put_str(&answer.json, str_from(provider));
	else
		json_put_null(&answer.json);
	json_put_member_str(&answer.json, "error", str_from(words));
	return answer_send_object(flow, 200, &answer);
}

static bool read_notice(struct flow *flow, struct notice *notice, struct error *error)
{
	const struct json_limits limits = {(size_t)64 << 10, 8};
	struct json *json = json_parse(http_request(flow)->body, limits, error);
	bool good;

	if (json == NULL)
		return false;
	good = json_kind(json) == JSON_OBJECT
		       ? json_read(json, notice_fields, notice, flow_arena(flow), error)
		       : error_set(error, ERROR_INPUT, "not an object");
	json_free(&json);
	return good;
}

static struct str body_of(struct flow *flow, const struct notice *notice, const char *phone)
{
	struct answer body;
	struct str text;

	answer_begin(&body);
	json_open_object(&body.json);
	json_put_member_str(&body.json, "enterprise_number", notice->enterprise_number);
	json_put_member_str(&body.json, "phone", str_from(phone));
	json_put_member_str(&body.json, "extension", notice->extension);
	json_put_name(&body.json, "extensions_all");
	json_open_array(&body.json);
	for (size_t i = 0; i < notice->extensions_all.count; i++)
		json_put_str(&body.json, notice->extensions_all.items[i]);
	json_close_array(&body.json);
	json_put_member_str(&body.json, "direction", STR("in"));
	json_close_object(&body.json);
	text = str_of(arena_strndup(flow_arena(flow), body.buf.data, body.buf.size), body.buf.size);
	buf_free(&body.buf);
	return text;
}

static enum flow_status notify_post(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct notify *notify = flow_state(flow);
	const struct account *account;
	char phone[PHONE_TEXT_BYTES];
	struct error error;

	if (!read_notice(flow, &notify->notice, &error))
		return answer_invalid(flow, "body", NULL, error.text);
	if (notify->notice.enterprise_number.size == 0)
		return http_reply_detail(flow, 400, "enterprise_number required");
	account = answer_account(flow, notify->notice.enterprise_number);
	if (account == NULL)
		return refuse(flow, "", "Enterprise not found");
	if (strcmp(account->primary, "uon") != 0)
		return refuse(flow, account->primary, "provider_not_implemented");
	if (!phone_e164(notify->notice.phone, account->country, phone))
		return refuse(flow, account->primary, "no such phone");
	if (!adapters_call(cache->adapters, STR("uon"), "/internal/uon/notify-incoming",
		    flow_arena(flow), &notify->call))
		return refuse(flow, account->primary, "provider_not_implemented");
	notify->notice.enterprise_number =
		str_from(arena_strdup(flow_arena(flow), account->number));
	notify->call.body = body_of(flow, &notify->notice, phone);
	notify->call.timeout_ms = NOTIFY_MS;
	return await_http(flow, cache->http, &notify->call, &notify->answer);
}

static bool said_success(const struct http_answer *from)
{
	const struct json_limits limits = {(size_t)64 << 10, 16};
	struct error ignored;
	struct json *json = json_parse(from->body, limits, &ignored);
	bool success = json != NULL && json_is_true(json_member(json, "success"));

	json_free(&json);
	return from->status == 200 && success;
}

static enum flow_status notify_answer(struct flow *flow)
{
	const struct notify *notify = flow_state(flow);
	struct answer answer;

	if (notify->answer.reach != HTTP_ANSWERED)
		return refuse(flow, "uon", notify->answer.error.text);
	answer_begin_object(&answer);
	json_put_member_bool(&answer.json, "success", said_success(&notify->answer));
	json_put_member_str(&answer.json, "provider", STR("uon"));
	json_put_member_int(&answer.json, "status", notify->answer.status);
	return answer_send_object(flow, 200, &answer);
}

static const struct flow_step notify_steps[] = {
	{"post", notify_post},
	{"answer", notify_answer},
	{NULL, NULL},
};

const struct flow_spec notify_flow = {
	.name = "notify-incoming",
	.steps = notify_steps,
	.state_bytes = sizeof(struct notify),
	.deadline_ms = 10000,
};
