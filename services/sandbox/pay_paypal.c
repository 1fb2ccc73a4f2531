/*
 * pay_paypal: PayPal's Orders v2 and webhooks as far as hooks uses them, as strict as their documents.
 *
 * A client's first secret is its secret from then on. Nobody clicks here: POST /_sandbox/paypal/event
 * {"order", "type", "webhook_id"} approves the order, and gives the webhook that PayPal would send, signed:
 * {"headers": {...}, "body": "..."}. Whether it is sent once, twice or changed is the test's business.
 */
#include "small.h"

#include "alloc.h"
#include "crypto.h"
#include "http_server.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_ORDERS  256 /* the oldest goes */
#define MAX_CLIENTS 16

enum order_state { ORDER_CREATED, ORDER_APPROVED, ORDER_COMPLETED };

struct order {
	char id[24], custom_id[64], currency[4], value[24], once[64];
	enum order_state state;
};

struct paypal {
	struct order orders[MAX_ORDERS];
	struct {
		char id[64], secret[96], token[64];
	} clients[MAX_CLIENTS];
	unsigned made, client_count, events;
	unsigned char key[32]; /* of signatures */
};

static bool owns(struct str path)
{
	return str_equal(path, STR("/v1/oauth2/token")) ||
	       str_starts(path, STR("/v2/checkout/orders")) ||
	       str_starts(path, STR("/v1/notifications/")) ||
	       str_starts(path, STR("/_sandbox/paypal/"));
}

static void *start(struct sandbox *sandbox)
{
	struct paypal *paypal = alloc_zeroed(1, sizeof(*paypal));

	crypto_random(paypal->key, sizeof(paypal->key));
	return paypal;
}

static void reset(void *state)
{
	struct paypal *paypal = state;

	*paypal = (struct paypal){.made = 0};
	crypto_random(paypal->key, sizeof(paypal->key));
}

static void refuse(struct outside_call *call, int status, const char *name, const char *issue)
{
	struct json_writer json;

	small_begin(call, status, &json);
	json_put_member_str(&json, "name", str_from(name));
	json_put_name(&json, "details");
	json_open_array(&json);
	json_open_object(&json);
	json_put_member_str(&json, "issue", str_from(issue));
	json_close_object(&json);
	json_close_array(&json);
	small_end(&json);
}

/* -- tokens ----------------------------------------------------------------------------------------- */

/* "Basic base64(id:secret)"; false: it is not. */
static bool read_basic(const struct outside_call *call, char *id, char *secret)
{
	struct str given = http_request_header(call->flow, "Authorization");
	unsigned char both[192];
	struct str rest;
	size_t size;

	if (!str_starts(given, STR("Basic ")) ||
		!crypto_base64_read(
			str_of(given.data + 6, given.size - 6), both, sizeof(both), &size))
		return false;
	rest = str_of((const char *)both, size);
	return str_copy(id, 64, str_cut(&rest, ':')) && rest.size > 0 && str_copy(secret, 96, rest);
}

static void give_token(struct paypal *paypal, struct outside_call *call)
{
	char id[64], secret[96], random[20];
	struct json_writer json;
	unsigned at = 0;

	if (!str_equal(args_get(&call->args, "grant_type"), STR("client_credentials"))) {
		small_refuse(call, 400, "error", "unsupported_grant_type");
		return;
	}
	if (!read_basic(call, id, secret)) {
		small_refuse(call, 401, "error", "invalid_client");
		return;
	}
	while (at < paypal->client_count && strcmp(paypal->clients[at].id, id) != 0)
		at++;
	if (at == MAX_CLIENTS ||
		(at < paypal->client_count && strcmp(paypal->clients[at].secret, secret) != 0)) {
		small_refuse(call, 401, "error", "invalid_client");
		return;
	}
	if (at == paypal->client_count)
		paypal->client_count++;
	memcpy(paypal->clients[at].id, id, sizeof(id));
	memcpy(paypal->clients[at].secret, secret, sizeof(secret));
	crypto_random(random, sizeof(random));
	crypto_hex(random, sizeof(random), paypal->clients[at].token);
	call->secret_reply = true;
	small_begin(call, 200, &json);
	json_put_member_str(&json, "access_token", str_from(paypal->clients[at].token));
	json_put_member_str(&json, "token_type", STR("Bearer"));
	json_put_member_int(&json, "expires_in", 32400);
	small_end(&json);
}

static bool has_token(const struct paypal *paypal, const struct outside_call *call)
{
	struct str given = http_request_header(call->flow, "Authorization");

	for (unsigned i = 0; i < paypal->client_count && str_starts(given, STR("Bearer ")); i++) {
		if (str_equal(str_of(given.data + 7, given.size - 7),
			    str_from(paypal->clients[i].token)))
			return true;
	}
	return false;
}

/* -- orders ----------------------------------------------------------------------------------------- */

static struct order *find(struct paypal *paypal, struct str id)
{
	for (unsigned i = 0; i < MAX_ORDERS; i++) {
		if (id.size > 0 && str_equal(str_from(paypal->orders[i].id), id))
			return &paypal->orders[i];
	}
	return NULL;
}

/* Two decimals, but for currencies that have none at PayPal. */
static bool is_money(struct str value, struct str currency)
{
	static const char *const whole[] = {"HUF", "JPY", "TWD"};
	struct str rest = value, head = str_cut(&rest, '.');
	bool none = false;
	int64_t number;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		none = none || str_equal(currency, str_from(whole[i]));
	return str_to_int64(head, &number) && number >= 0 &&
	       (none ? rest.data == NULL : rest.size == 2 && str_is_digits(rest));
}

static void say_order(struct outside_call *call, int status, const struct order *order)
{
	static const char *const states[] = {"CREATED", "APPROVED", "COMPLETED"};
	struct json_writer json;

	small_begin(call, status, &json);
	json_put_member_str(&json, "id", str_from(order->id));
	json_put_member_str(&json, "status", str_from(states[order->state]));
	json_put_name(&json, "links");
	json_open_array(&json);
	json_open_object(&json);
	json_put_member_str(&json, "rel", STR("approve"));
	json_put_member_str(&json, "method", STR("GET"));
	json_put_member_str(&json, "href",
		str_from(arena_printf(call->arena,
			"https://www.sandbox.paypal.com/checkoutnow?token=%s", order->id)));
	json_close_object(&json);
	json_close_array(&json);
	small_end(&json);
}

static const char *why_no_order(const struct json *body)
{
	const struct json *unit = json_item(json_member(body, "purchase_units"), 0);
	const struct json *amount = json_member(unit, "amount");
	struct str currency = small_text(amount, "currency_code");

	if (!str_equal(small_text(body, "intent"), STR("CAPTURE")))
		return "MISSING_REQUIRED_PARAMETER";
	if (currency.size != 3 || !is_money(small_text(amount, "value"), currency))
		return "INVALID_PARAMETER_SYNTAX";
	return small_text(unit, "custom_id").size > 63 ? "INVALID_STRING_LENGTH" : NULL;
}

/* PayPal-Request-Id: the same request twice is the same order. */
static struct order *order_for(struct paypal *paypal, struct str once)
{
	struct order *order;

	for (unsigned i = 0; i < MAX_ORDERS && once.size > 0; i++) {
		if (str_equal(str_from(paypal->orders[i].once), once))
			return &paypal->orders[i];
	}
	order = &paypal->orders[paypal->made++ % MAX_ORDERS];
	*order = (struct order){.state = ORDER_CREATED};
	snprintf(order->id, sizeof(order->id), "5O1901%010uT", paypal->made);
	(void)str_copy(order->once, sizeof(order->once), once);
	return order;
}

static void make_order(struct paypal *paypal, struct outside_call *call)
{
	struct json *body = small_body(call);
	const char *why = body != NULL ? why_no_order(body) : "MALFORMED_REQUEST_JSON";
	const struct json *unit = json_item(json_member(body, "purchase_units"), 0);
	struct order *order;

	if (why != NULL) {
		refuse(call, 400, "INVALID_REQUEST", why);
		json_free(&body);
		return;
	}
	order = order_for(paypal, http_request_header(call->flow, "PayPal-Request-Id"));
	(void)str_copy(order->custom_id, sizeof(order->custom_id), small_text(unit, "custom_id"));
	(void)str_copy(order->currency, sizeof(order->currency),
		small_text(json_member(unit, "amount"), "currency_code"));
	(void)str_copy(order->value, sizeof(order->value),
		small_text(json_member(unit, "amount"), "value"));
	say_order(call, 201, order);
	json_free(&body);
}

static void put_amount(struct json_writer *json, const struct order *order)
{
	json_put_name(json, "amount");
	json_open_object(json);
	json_put_member_str(json, "currency_code", str_from(order->currency));
	json_put_member_str(json, "value", str_from(order->value));
	json_close_object(json);
}

static void put_capture(struct json_writer *json, const struct order *order)
{
	char id[32];

	snprintf(id, sizeof(id), "C-%s", order->id);
	json_open_object(json);
	json_put_member_str(json, "id", str_from(id));
	json_put_member_str(json, "status", STR("COMPLETED"));
	json_put_member_str(json, "custom_id", str_from(order->custom_id));
	put_amount(json, order);
	json_put_name(json, "supplementary_data");
	json_open_object(json);
	json_put_name(json, "related_ids");
	json_open_object(json);
	json_put_member_str(json, "order_id", str_from(order->id));
	json_close_object(json);
	json_close_object(json);
	json_close_object(json);
}

static void say_captured(struct outside_call *call, const struct order *order)
{
	struct json_writer json;

	small_begin(call, 201, &json);
	json_put_member_str(&json, "id", str_from(order->id));
	json_put_member_str(&json, "status", STR("COMPLETED"));
	json_put_name(&json, "purchase_units");
	json_open_array(&json);
	json_open_object(&json);
	json_put_name(&json, "payments");
	json_open_object(&json);
	json_put_name(&json, "captures");
	json_open_array(&json);
	put_capture(&json, order);
	json_close_array(&json);
	json_close_object(&json);
	json_close_object(&json);
	json_close_array(&json);
	small_end(&json);
}

static void capture(struct paypal *paypal, struct outside_call *call, struct str id)
{
	struct order *order = find(paypal, id);

	if (order == NULL) {
		refuse(call, 404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID");
	} else if (order->state == ORDER_CREATED) {
		refuse(call, 422, "UNPROCESSABLE_ENTITY", "ORDER_NOT_APPROVED");
	} else if (order->state == ORDER_COMPLETED) {
		refuse(call, 422, "UNPROCESSABLE_ENTITY", "ORDER_ALREADY_CAPTURED");
	} else {
		order->state = ORDER_COMPLETED;
		say_captured(call, order);
	}
}

/* -- webhooks --------------------------------------------------------------------------------------- */

/* Like theirs: over the transmission, its time, the webhook and a checksum of the body. Theirs is RSA. */
static void sign(const struct paypal *paypal, const struct str parts[4], char to[65])
{
	unsigned char digest[CRYPTO_SHA256_BYTES];
	struct buf text;

	buf_init(&text, (size_t)2 << 20);
	for (int i = 0; i < 4; i++) {
		buf_add(&text, parts[i]);
		buf_add_char(&text, '|');
	}
	crypto_hmac_sha256(
		str_of((const char *)paypal->key, sizeof(paypal->key)), buf_str(&text), digest);
	crypto_hex(digest, sizeof(digest), to);
	buf_free(&text);
}

static void write_event(
	const struct paypal *paypal, const struct order *order, struct str type, struct buf *to)
{
	bool of_capture = str_starts(type, STR("PAYMENT."));
	struct json_writer json;
	char id[24];

	snprintf(id, sizeof(id), "WH-%u", paypal->events);

	json_begin(&json, to);
	json_open_object(&json);
	json_put_member_str(&json, "id", str_from(id));
	json_put_member_str(&json, "event_type", type);
	json_put_name(&json, "resource");
	if (of_capture) {
		put_capture(&json, order);
	} else {
		json_open_object(&json);
		json_put_member_str(&json, "id", str_from(order->id));
		json_put_name(&json, "purchase_units");
		json_open_array(&json);
		json_open_object(&json);
		json_put_member_str(&json, "custom_id", str_from(order->custom_id));
		put_amount(&json, order);
		json_close_object(&json);
		json_close_array(&json);
		json_close_object(&json);
	}
	json_close_object(&json);
}

static void say_event(
	struct outside_call *call, const struct str parts[4], const char *signature, struct str id)
{
	const char *const names[][2] = {{"PAYPAL-TRANSMISSION-ID", id.data},
		{"PAYPAL-TRANSMISSION-TIME", parts[1].data}, {"PAYPAL-TRANSMISSION-SIG", signature},
		{"PAYPAL-AUTH-ALGO", "SHA256withRSA"},
		{"PAYPAL-CERT-URL", "https://api.paypal.com/v1/notifications/certs/CERT-1"}};
	struct json_writer json;

	small_begin(call, 200, &json);
	json_put_name(&json, "headers");
	json_open_object(&json);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_put_member_str(&json, names[i][0], str_from(names[i][1]));
	json_close_object(&json);
	json_put_member_str(&json, "body", parts[3]);
	small_end(&json);
}

static void make_event(struct paypal *paypal, struct outside_call *call)
{
	struct order *order = find(paypal, args_get(&call->args, "order"));
	struct str type = args_get(&call->args, "type");
	char id[32], signature[65];
	struct buf body;

	if (order == NULL || type.size == 0) {
		small_refuse(call, 404, "error", "order, type, webhook_id");
		return;
	}
	paypal->events++;
	if (str_equal(type, STR("CHECKOUT.ORDER.APPROVED")) && order->state == ORDER_CREATED)
		order->state = ORDER_APPROVED;
	buf_init(&body, (size_t)64 << 10);
	write_event(paypal, order, type, &body);
	snprintf(id, sizeof(id), "transmission-%u", paypal->events);
	const struct str parts[4] = {str_from(id), STR("2026-11-21T12:00:00Z"),
		args_get(&call->args, "webhook_id"), buf_str(&body)};
	sign(paypal, parts, signature);
	say_event(call, parts, signature, str_from(id));
	buf_free(&body);
}

/* What is behind "webhook_event": in the request's own bytes: a signature is of bytes. */
static struct str event_bytes(struct outside_call *call)
{
	static const char name[] = "\"webhook_event\":";
	const char *at = memmem(call->body.data, call->body.size, name, sizeof(name) - 1);
	struct str rest;

	if (at == NULL)
		return STR("");
	at += sizeof(name) - 1;
	rest = str_trim(str_of(at, (size_t)(call->body.data + call->body.size - at)));
	return rest.size > 0 ? str_trim(str_of(rest.data, rest.size - 1)) : rest;
}

static void verify(struct paypal *paypal, struct outside_call *call)
{
	struct json *body = small_body(call);
	const struct str parts[4] = {small_text(body, "transmission_id"),
		small_text(body, "transmission_time"), small_text(body, "webhook_id"),
		event_bytes(call)};
	char signature[65];
	bool same;

	if (body == NULL || parts[0].size == 0 || parts[2].size == 0 ||
		small_text(body, "cert_url").size == 0 || small_text(body, "auth_algo").size == 0) {
		refuse(call, 400, "VALIDATION_ERROR", "MISSING_REQUIRED_PARAMETER");
		json_free(&body);
		return;
	}
	sign(paypal, parts, signature);
	same = str_equal(small_text(body, "transmission_sig"), str_from(signature));
	json_free(&body);
	small_refuse(call, 200, "verification_status", same ? "SUCCESS" : "FAILURE");
}

/* -- the service ------------------------------------------------------------------------------------ */

static void act(void *state, struct outside_call *call)
{
	struct paypal *paypal = state;
	struct str captured = small_between(call->path, "/v2/checkout/orders/", "/capture");

	if (!str_equal(call->http_method, STR("POST")))
		refuse(call, 405, "METHOD_NOT_SUPPORTED", "");
	else if (str_equal(call->path, STR("/_sandbox/paypal/event")))
		make_event(paypal, call);
	else if (str_equal(call->path, STR("/v1/oauth2/token")))
		give_token(paypal, call);
	else if (!has_token(paypal, call))
		refuse(call, 401, "AUTHENTICATION_FAILURE", "invalid_token");
	else if (str_equal(call->path, STR("/v2/checkout/orders")))
		make_order(paypal, call);
	else if (captured.size > 0)
		capture(paypal, call, captured);
	else if (str_equal(call->path, STR("/v1/notifications/verify-webhook-signature")))
		verify(paypal, call);
	else
		refuse(call, 404, "RESOURCE_NOT_FOUND", "");
}

static void refuse_fault(
	struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	call->retry_after_s = retry_after_s;
	refuse(call, status, "INTERNAL_SERVICE_ERROR", words.size > 0 ? words.data : "");
}

static void stats(void *state, struct buf *to)
{
	const struct paypal *paypal = state;

	buf_printf(to, "{\"orders\":%u,\"events\":%u}", paypal->made, paypal->events);
}

const struct outside_service paypal_service = {
	.name = "paypal",
	.owns = owns,
	.start = start,
	.stop = free,
	.reset = reset,
	.read = small_read,
	.act = act,
	.refuse = refuse_fault,
	.stats = stats,
};
