/*
 * payments_paypal: PayPal's requests and answers, as pure as can be.
 *
 * Source: developer.paypal.com: Orders v2, Webhooks v1, OAuth 2.0 client credentials.
 */
#include "crypto.h"
#include "json_put.h"
#include "payments.h"

#define BODY_MAX_BYTES ((size_t)16 << 10)
#define MAX_DEPTH      12

static struct str keep(struct flow *flow, struct buf *buf)
{
	struct str text = str_of(arena_strndup(flow_arena(flow), buf->data, buf->size), buf->size);

	buf_free(buf);
	return text;
}

static const char *url_of(struct flow *flow, const char *path)
{
	const struct hooks *hooks = flow_context(flow);

	return arena_printf(flow_arena(flow), "%s%s", hooks->settings->paypal_url, path);
}

/* -- calls ------------------------------------------------------------------------------------------ */

static const char *basic(struct flow *flow, const struct payment_config *config)
{
	struct arena *arena = flow_arena(flow);
	char *both = arena_printf(arena, "%.*s:%.*s", STR_ARG(config->paypal.client_id),
		STR_ARG(config->paypal.secret));
	char *text = arena_alloc(arena, CRYPTO_BASE64_TEXT(strlen(both)));

	crypto_base64(both, strlen(both), text);
	return arena_printf(arena, "Basic %s", text);
}

const struct http_call *paypal_token_call(struct flow *flow, const struct payment_config *config)
{
	struct http_call *call = arena_alloc(flow_arena(flow), sizeof(*call));

	*call = (struct http_call){.method = "POST",
		.url = url_of(flow, "/v1/oauth2/token"),
		.content_type = "application/x-www-form-urlencoded",
		.body = STR("grant_type=client_credentials"),
		.headers = {{"Authorization", basic(flow, config)}},
		.timeout_ms = PAYMENT_CALL_MS};
	return call;
}

const struct http_call *paypal_call(struct flow *flow, const struct paypal_ask *ask)
{
	struct http_call *call = arena_alloc(flow_arena(flow), sizeof(*call));

	*call = (struct http_call){.method = "POST",
		.url = url_of(flow, ask->path),
		.content_type = "application/json",
		.body = ask->body,
		.timeout_ms = PAYMENT_CALL_MS};
	call->headers[0][0] = "Authorization";
	call->headers[0][1] = arena_printf(flow_arena(flow), "Bearer %.*s", STR_ARG(ask->token));
	call->headers[1][0] = ask->once != NULL ? "PayPal-Request-Id" : NULL;
	call->headers[1][1] = ask->once;
	return call;
}

/* -- answers ---------------------------------------------------------------------------------------- */

/* NULL with words; else to be freed. */
static struct json *answered(
	const struct http_answer *answer, const char *what, struct error *error)
{
	const struct json_limits limits = {(size_t)256 << 10, MAX_DEPTH};
	struct json *json;

	if (answer->reach != HTTP_ANSWERED) {
		error_set(error, ERROR_UPSTREAM, "PayPal does not answer (%s): %s", what,
			answer->error.text);
		return NULL;
	}
	if (answer->status < 200 || answer->status > 299) {
		error_set(error, ERROR_UPSTREAM, "PayPal refuses (%s): %d", what, answer->status);
		return NULL;
	}
	json = json_parse(answer->body, limits, error);
	if (json == NULL)
		error_prefix(error, "PayPal (%s): ", what);
	return json;
}

struct str paypal_token_read(
	struct flow *flow, const struct http_answer *answer, struct error *error)
{
	struct json *json = answered(answer, "token", error);
	struct str token = json != NULL ? json_text(json_member(json, "access_token")) : STR("");

	if (json != NULL && token.size == 0)
		error_set(error, ERROR_UPSTREAM, "PayPal gives no token");
	token = str_of(
		arena_strndup(flow_arena(flow), token.size > 0 ? token.data : "", token.size),
		token.size);
	json_free(&json);
	return token;
}

static void put_amount(struct json_writer *json, const struct payment *payment)
{
	char money[PAYMENT_MONEY_BYTES];

	payment_money(payment->amount_minor, str_from(payment->currency), money);
	json_put_name(json, "amount");
	json_open_object(json);
	json_put_member_str(json, "currency_code", str_from(payment->currency));
	json_put_member_str(json, "value", str_from(money));
	json_close_object(json);
}

static void put_context(struct flow *flow, struct json_writer *json)
{
	struct buf url;

	buf_init(&url, 1024);
	hook_url(flow, "/api/crm/payments/paypal/return", &url);
	json_put_name(json, "application_context");
	json_open_object(json);
	json_put_member_str(json, "user_action", STR("PAY_NOW"));
	json_put_member_str(json, "shipping_preference", STR("NO_SHIPPING"));
	json_put_member_str(json, "return_url", buf_str(&url));
	json_put_member_str(json, "cancel_url", buf_str(&url));
	json_close_object(json);
	buf_free(&url);
}

/* custom_id comes back in each webhook: whose payment it is. */
struct str paypal_order_body(struct flow *flow, const struct payment *payment)
{
	struct json_writer json;
	struct buf body;

	buf_init(&body, BODY_MAX_BYTES);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_str(&json, "intent", STR("CAPTURE"));
	json_put_name(&json, "purchase_units");
	json_open_array(&json);
	json_open_object(&json);
	json_put_member_str(&json, "custom_id",
		str_from(arena_printf(
			flow_arena(flow), "%s:%lld", payment->enterprise, (long long)payment->id)));
	put_amount(&json, payment);
	json_close_object(&json);
	json_close_array(&json);
	put_context(flow, &json);
	json_close_object(&json);
	return keep(flow, &body);
}

static struct str approve_link(const struct json *order)
{
	for (const struct json *at = json_first(json_member(order, "links")); at != NULL;
		at = json_next(at)) {
		struct str rel = json_text(json_member(at, "rel"));

		if (str_equal(rel, STR("approve")) || str_equal(rel, STR("payer-action")))
			return json_text(json_member(at, "href"));
	}
	return STR("");
}

bool paypal_order_read(struct flow *flow, const struct http_answer *answer, struct str *order,
	struct str *approve_url, struct error *error)
{
	struct json *json = answered(answer, "order", error);
	struct str id = json != NULL ? json_text(json_member(json, "id")) : STR("");
	struct str url = json != NULL ? approve_link(json) : STR("");
	struct arena *arena = flow_arena(flow);
	bool ok = id.size > 0 && url.size > 0;

	if (json != NULL && !ok)
		error_set(error, ERROR_UPSTREAM, "PayPal gives no page to approve the order at");
	if (ok) {
		*order = str_of(arena_strndup(arena, id.data, id.size), id.size);
		*approve_url = str_of(arena_strndup(arena, url.data, url.size), url.size);
	}
	json_free(&json);
	return ok;
}
