/*
 * crm_click: a person clicks on a number in a CRM, and the CRM asks our side for a call, in its own
 * way: to the address that was registered with it, or to the one that the test names.
 */
#include "crm.h"

#include "clock.h"
#include "crm_bitrix.h"
#include "crypto.h"
#include "http_client.h"
#include "json_put.h"
#include "uri.h"

#include <ctype.h>
#include <stdio.h>

#define TIMEOUT_MS 10000
#define MAX_FORM   16384

struct click_input {
	struct str crm, key, phone, user, url, event, id;
	bool forged; /* signed by nobody who should */
};

static const struct json_field click_fields[] = {
	JSON_FIELD(struct click_input, crm, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct click_input, key, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct click_input, phone, JSON_STRING, 0),
	JSON_FIELD(struct click_input, user, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct click_input, url, JSON_STRING, 0),
	JSON_FIELD(struct click_input, event, JSON_STRING, 0),
	JSON_FIELD(struct click_input, id, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct click_input, forged, JSON_BOOL, 0),
	{NULL},
};

struct click {
	struct click_input input;
	struct http_call call;
	struct http_answer answer;
};

/* What a CRM's request is made of. */
struct maker {
	struct flow *flow;
	struct crm *crm;
	struct office *office;
	const struct click_input *input;
	struct str extension; /* of the user */
	struct http_call *call;
	struct buf form;
	int64_t now_ms;
};

static void add(struct maker *maker, const char *name, struct str value)
{
	if (maker->form.size > 0)
		buf_add_char(&maker->form, '&');
	uri_encode(&maker->form, str_from(name));
	buf_add_char(&maker->form, '=');
	uri_encode(&maker->form, value);
}

static const char *keep(struct maker *maker, struct str text)
{
	return arena_strndup(flow_arena(maker->flow), text.data, text.size);
}

/* As a GET with a query, or as a form. */
static void finish(struct maker *maker, const char *method, struct str url)
{
	struct str form = buf_str(&maker->form);
	bool has_query = url.size > 0 && memchr(url.data, '?', url.size) != NULL;

	maker->call->method = method;
	maker->call->timeout_ms = TIMEOUT_MS;
	if (strcmp(method, "GET") == 0) {
		maker->call->url = arena_printf(flow_arena(maker->flow), "%.*s%c%.*s", STR_ARG(url),
			has_query ? '&' : '?', STR_ARG(form));
		return;
	}
	maker->call->url = keep(maker, url);
	maker->call->content_type = "application/x-www-form-urlencoded";
	maker->call->body = str_from(keep(maker, form));
}

static struct str url_or(const struct maker *maker, struct str registered)
{
	return maker->input->url.size > 0 ? maker->input->url : registered;
}

/* -- each in its own way ---------------------------------------------------------------------------- */

static struct str make_retail(struct maker *maker)
{
	const struct card *module = maker->office->first[CARD_MODULE];
	struct str client = module != NULL ? card_get(module, "client_id") : (struct str){0};
	struct str url =
		url_or(maker, module != NULL ? card_get(module, "make_call_url") : (struct str){0});

	add(maker, "clientId", maker->input->forged ? STR("nobody") : client);
	add(maker, "code", maker->extension);
	add(maker, "phone", maker->input->phone);
	add(maker, "userId", maker->input->user);
	finish(maker, "GET", url);
	return url;
}

/* 47: a click on a number; 3, 4: a client was created or changed (`event`, with its `id`). */
static struct str make_uon(struct maker *maker)
{
	struct str type = maker->input->event.size > 0 ? maker->input->event : STR("47");
	const struct card *hook = maker->office->first[CARD_WEBHOOK];
	struct card *settings = office_settings(maker->office);
	char time[CLOCK_TEXT_BYTES];

	while (hook != NULL && !str_equal(card_get(hook, "type_id"), type))
		hook = hook->next;
	clock_format_rfc3339(maker->now_ms, time);
	time[10] = ' ';
	time[19] = '\0';
	add(maker, "uon_id", card_get(settings, "account_id"));
	add(maker, "uon_subdomain", card_get(settings, "subdomain"));
	add(maker, "datetime", str_from(time));
	add(maker, "type_id", type);
	add(maker, "client_id", maker->input->id);
	if (str_equal(type, STR("47"))) {
		add(maker, "method", STR("call"));
		add(maker, "user_id", maker->input->user);
		add(maker, "phone", maker->input->phone);
	}
	finish(maker, hook != NULL && card_is(hook, "method", "GET") ? "GET" : "POST",
		url_or(maker, hook != NULL ? card_get(hook, "url") : (struct str){0}));
	return url_or(maker, hook != NULL ? card_get(hook, "url") : (struct str){0});
}

static const char *md5_of(struct maker *maker, struct str uid)
{
	unsigned char digest[CRYPTO_MD5_BYTES];
	char hex[2 * CRYPTO_MD5_BYTES + 1];
	struct str key = maker->input->forged ? STR("nobody") : str_from(maker->office->key);
	const char *text = arena_printf(flow_arena(maker->flow), "%.*s%.*s%.*s%.*s", STR_ARG(key),
		STR_ARG(maker->extension), STR_ARG(maker->input->phone), STR_ARG(uid));

	crypto_md5(str_from(text), digest);
	crypto_hex(digest, sizeof(digest), hex);
	for (char *c = hex; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	return keep(maker, str_from(hex));
}

/* There is nothing to register: its page has a field for the address. */
static struct str make_moysklad(struct maker *maker)
{
	struct str url = url_or(maker, card_get(office_settings(maker->office), "hook_url"));
	struct str uid = str_from(
		arena_printf(flow_arena(maker->flow), "%.*s@sandbox", STR_ARG(maker->input->user)));

	add(maker, "srcNumber", maker->extension);
	add(maker, "destNumber", maker->input->phone);
	add(maker, "uid", uid);
	maker->call->headers[0][0] = "Lognex-Content-MD5";
	maker->call->headers[0][1] = md5_of(maker, uid);
	finish(maker, "POST", url);
	return url;
}

/* -- Bitrix24 --------------------------------------------------------------------------------------- */

/* auth[...]: new tokens, and the one by which the application knows the portal. */
static void add_auth(struct maker *maker, bool install)
{
	struct outside_call call = {.arena = flow_arena(maker->flow), .flow = maker->flow};
	struct card *settings = office_settings(maker->office);
	struct card *tokens = bitrix_issue_tokens(maker->office, install, maker->now_ms);
	struct json_writer writer;
	struct buf text;
	struct json *auth;

	buf_init(&text, MAX_FORM);
	json_begin(&writer, &text);
	json_open_object(&writer);
	bitrix_put_tokens(&call, maker->office, tokens, &writer);
	json_close_object(&writer);
	auth = json_parse(buf_str(&text), (struct json_limits){MAX_FORM, 4}, NULL);
	for (const struct json *at = json_first(auth); at != NULL; at = json_next(at)) {
		char name[64], number[32];
		struct str value = json_text(at);
		if (!install && strcmp(json_name(at), "refresh_token") == 0)
			continue;
		snprintf(name, sizeof(name), "auth[%s]", json_name(at));
		snprintf(number, sizeof(number), "%.0f", json_number(at));
		add(maker, name, json_kind(at) == JSON_NUMBER ? str_from(number) : value);
	}
	json_free(&auth);
	buf_free(&text);
	add(maker, "auth[application_token]",
		maker->input->forged ? STR("nobody") : card_get(settings, "application_token"));
}

/* The portal itself registers the call that its user begins; the application only ends it. */
static struct str begin_call(struct maker *maker)
{
	struct card *call = office_add(maker->office, CARD_CALL, maker->now_ms);
	const char *id = arena_printf(flow_arena(maker->flow), "externalCall.sandbox%lld.%lld",
		(long long)call->id, (long long)maker->now_ms / 1000);

	card_set_key(maker->office, call, "call_id", str_from(id));
	card_set(call, "external_id", (struct str){0});
	card_set(call, "direction", STR("out"));
	card_set(call, "phone", maker->input->phone);
	card_set(call, "registered_user", maker->input->user);
	popup_show(call, maker->input->user, maker->extension, maker->now_ms);
	card_told(call, STR("click"), maker->now_ms);
	return card_get(call, "call_id");
}

static struct str make_bitrix(struct maker *maker)
{
	struct str event =
		maker->input->event.size > 0 ? maker->input->event : STR("ONEXTERNALCALLSTART");
	const struct card *handler = maker->office->first[CARD_WEBHOOK];
	bool install = str_equal(event, STR("ONAPPINSTALL"));
	char ts[24];

	while (handler != NULL && !str_equal_nocase(card_get(handler, "event"), event))
		handler = handler->next;
	add(maker, "event", event);
	add(maker, "event_handler_id", STR("1"));
	if (install) {
		add(maker, "data[VERSION]", STR("1"));
		add(maker, "data[ACTIVE]", STR("Y"));
		add(maker, "data[INSTALLED]", STR("Y"));
		add(maker, "data[LANGUAGE_ID]", STR("ru"));
	} else if (str_equal(event, STR("ONEXTERNALCALLSTART"))) {
		add(maker, "data[PHONE_NUMBER]", maker->input->phone);
		add(maker, "data[PHONE_NUMBER_INTERNATIONAL]", maker->input->phone);
		add(maker, "data[USER_ID]", maker->input->user);
		add(maker, "data[CALL_ID]", begin_call(maker));
		add(maker, "data[LINE_NUMBER]", (struct str){0});
	} else {
		add(maker, "data[FIELDS][ID]", maker->input->id);
	}
	snprintf(ts, sizeof(ts), "%lld", (long long)maker->now_ms / 1000);
	add(maker, "ts", str_from(ts));
	add_auth(maker, install);
	finish(maker, "POST",
		url_or(maker, handler != NULL ? card_get(handler, "url") : (struct str){0}));
	return url_or(maker, handler != NULL ? card_get(handler, "url") : (struct str){0});
}

/* -- the story -------------------------------------------------------------------------------------- */

static const struct {
	const char *crm;
	struct str (*make)(struct maker *maker); /* gives the address; empty: there is none */
} makers[] = {
	{"retailcrm", make_retail},
	{"uon", make_uon},
	{"moysklad", make_moysklad},
	{"bitrix24", make_bitrix},
};

static bool make(struct maker *maker, struct str crm, struct error *error)
{
	struct str url = {0};

	buf_init(&maker->form, MAX_FORM);
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		if (str_equal(crm, str_from(makers[i].crm)))
			url = makers[i].make(maker);
	}
	buf_free(&maker->form);
	return url.size > 0 ||
	       error_set(error, ERROR_CONFLICT, "nobody has registered an address; give url");
}

static enum flow_status click_send(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct click *click = flow_state(flow);
	struct maker maker = {.flow = flow, .input = &click->input, .call = &click->call};
	const struct card *user;
	struct error error;

	if (!admin_read_body(flow, click_fields, &click->input, &error))
		return flow_fail_error(flow, &error);
	maker.crm = crm_named(sandbox, click->input.crm);
	maker.office = maker.crm != NULL ? crm_known_office(maker.crm, click->input.key) : NULL;
	if (maker.office == NULL)
		return flow_fail(flow, ERROR_MISSING, "crm, key: there is no such account");
	user = office_by_id(maker.office, CARD_USER, click->input.user);
	maker.extension = user != NULL ? card_get(user, "code") : (struct str){0};
	maker.now_ms = clock_wall_ms();
	if (!make(&maker, click->input.crm, &error))
		return flow_fail_error(flow, &error);
	maker.crm->revision++;
	flow_queue_wake_all(&sandbox->changed);
	return await_http(flow, sandbox->http, &click->call, &click->answer);
}

static enum flow_status click_answer(struct flow *flow)
{
	const struct click *click = flow_state(flow);
	const struct http_answer *answer = &click->answer;
	enum flow_status status;
	struct json_writer writer;
	struct buf json;

	if (answer->reach != HTTP_ANSWERED)
		return flow_fail(flow, ERROR_UPSTREAM, "no answer: %s", answer->error.text);
	buf_init(&json, 2u << 20);
	json_begin(&writer, &json);
	json_open_object(&writer);
	json_put_member_int(&writer, "status", answer->status);
	json_put_member_str(&writer, "body", answer->body);
	json_close_object(&writer);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

static const struct flow_step click_steps[] = {
	{"send", click_send}, {"answer", click_answer}, {NULL, NULL}};

const struct flow_spec crm_click_flow = {
	.name = "crm_click",
	.steps = click_steps,
	.state_bytes = sizeof(struct click),
	.deadline_ms = TIMEOUT_MS + 1000,
};
