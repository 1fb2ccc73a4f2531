/*
 * payments_create: POST /api/crm/payments/create: checks in their order, a row, and a page to pay at.
 *
 * The row comes before PayPal is asked: whatever becomes of the request, there is something that a
 * person can look at. A provider that fails is a 202 with "ok": false, never a success.
 */
#include "api_key.h"
#include "json_put.h"
#include "payments.h"

#include <stdio.h>

#define BODY_MAX_BYTES ((size_t)16 << 10)

struct create {
	struct api_key key;
	struct payment_config config;
	struct payment *payment;
	struct pg_batch *batch;
	struct http_answer answer;
	struct str token, order, url;
	struct error error;
};

struct wish {
	struct str business_id, currency, provider;
	int64_t amount;
};

static const struct json_field wish_fields[] = {
	JSON_FIELD(struct wish, business_id, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct wish, amount, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct wish, currency, JSON_STRING, 0),
	JSON_FIELD(struct wish, provider, JSON_STRING, 0),
	{.name = NULL},
};

enum { CREATE_KEY, CREATE_CHECK, CREATE_STORED, CREATE_TOKEN, CREATE_ORDER, CREATE_SAVED };

static const char sql_insert[] =
	"INSERT INTO payments (enterprise_number, provider, amount_minor, currency)"
	" VALUES ($1, $2, $3::bigint, $4)"
	" RETURNING id, amount_minor, enterprise_number, provider, provider_ref, currency, status";
static const char sql_order[] = "UPDATE payments SET provider_ref = $2, error = $3,"
				" updated_at = now() WHERE id = $1::bigint";

static enum flow_status refuse(struct flow *flow, int status, const char *words)
{
	struct buf body;
	struct json_writer json;
	enum flow_status done;

	buf_init(&body, 1024);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_bool(&json, "ok", false);
	json_put_member_str(&json, "error", str_from(words));
	json_close_object(&json);
	done = http_reply_json(flow, status, &body);
	buf_free(&body);
	return done;
}

static enum flow_status create_key(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct create *create = flow_state(flow);

	if (!hooks->settings->payments_enabled)
		return refuse(flow, 501, "Payments system disabled");
	return await_api_key(flow, &create->key);
}

/* -- checks ----------------------------------------------------------------------------------------- */

/* The key's own enterprise, by number or as an int without its zeros; of others nobody learns anything. */
static bool is_own(struct str business, const char *enterprise)
{
	struct str own = str_from(enterprise);
	int64_t asked = 0, number = 0;

	if (business.size == 0 || str_equal(business, own))
		return true;
	return str_to_int64(business, &asked) && str_to_int64(own, &number) && asked == number;
}

static bool is_currency(struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < 'A' || text.data[i] > 'Z')
			return false;
	}
	return text.size == 3;
}

/* 0 and no words: all is well. */
static int check_wish(struct create *create, struct wish *wish, const char **words)
{
	if (wish->currency.size == 0)
		wish->currency = STR("ILS");
	if (wish->provider.size == 0)
		wish->provider = create->config.default_provider;
	*words = "amount: a whole number of minor units, above 0";
	if (wish->amount <= 0 || wish->amount > INT64_C(100000000000))
		return 400;
	*words = "currency: three letters, as in ISO 4217";
	if (!is_currency(wish->currency))
		return 400;
	*words = "PayPal not configured";
	if (str_equal(wish->provider, STR("paypal")))
		return create->config.paypal.client_id.size > 0 &&
				       create->config.paypal.secret.size > 0
			       ? 0
			       : 501;
	*words = "Tranzila not configured";
	if (str_equal(wish->provider, STR("tranzila")))
		return create->config.tranzila.terminal.size > 0 ? 0 : 501;
	*words = "provider: paypal or tranzila";
	return 400;
}

static enum flow_status store_wish(struct flow *flow, const struct wish *wish)
{
	const struct hooks *hooks = flow_context(flow);
	struct create *create = flow_state(flow);
	struct pg_params params = {0};

	pg_put_text(&params, create->key.enterprise);
	pg_put_str(&params, flow_arena(flow), wish->provider);
	pg_put_int(&params, flow_arena(flow), wish->amount);
	pg_put_str(&params, flow_arena(flow), wish->currency);
	return await_pg_query(flow, hooks->pg, &create->batch, sql_insert, &params);
}

/* 404 before 403 before 400: who may not pay need not learn what is wrong with the amount. */
static enum flow_status create_check(struct flow *flow)
{
	const struct json_limits limits = {BODY_MAX_BYTES, 4};
	const struct hooks *hooks = flow_context(flow);
	struct create *create = flow_state(flow);
	struct wish wish = {.amount = 0};
	struct error error = {.kind = ERROR_NONE};
	const struct account *account = NULL;
	const char *words = "";
	struct json *body;
	bool read;
	int status;

	if (create->key.enterprise == NULL)
		return flow_fail_error(flow, &create->key.error);
	flow_set_enterprise(flow, create->key.enterprise);
	body = json_parse(http_request(flow)->body, limits, &error);
	read = body != NULL && json_read(body, wish_fields, &wish, flow_arena(flow), &error);
	json_free(&body);
	if (is_own(wish.business_id, create->key.enterprise))
		account = accounts_find(hooks->accounts, str_from(create->key.enterprise));
	if (account == NULL)
		return refuse(flow, 404, "Business not found");
	if (!payment_config_read(account, flow_arena(flow), &create->config) ||
		!create->config.enabled)
		return refuse(flow, 403, "Payment processing not authorized for this business");
	if (!read)
		return refuse(flow, 400, error.text);
	status = check_wish(create, &wish, &words);
	return status != 0 ? refuse(flow, status, words) : store_wish(flow, &wish);
}

/* -- the answer ------------------------------------------------------------------------------------- */

static enum flow_status answer(struct flow *flow)
{
	const struct create *create = flow_state(flow);
	bool paypal = str_equal(str_from(create->payment->provider), STR("paypal"));
	bool ok = create->url.size > 0;
	struct json_writer json;
	struct buf body;
	enum flow_status done;

	buf_init(&body, BODY_MAX_BYTES);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_bool(&json, "ok", ok);
	json_put_member_int(&json, "payment_id", create->payment->id);
	json_put_member_str(&json, "provider", str_from(create->payment->provider));
	json_put_member_str(&json, "order_id", create->order);
	json_put_member_str(&json, "note",
		ok ? STR("Send the payer to the page") : str_from(create->error.text));
	if (ok) {
		json_put_member_str(&json, paypal ? "approve_url" : "redirect_url", create->url);
		json_put_member_str(&json, "payment_url", create->url);
	}
	json_close_object(&json);
	done = http_reply_json(flow, ok ? 200 : 202, &body);
	buf_free(&body);
	return done;
}

static enum flow_status answer_tranzila(struct flow *flow)
{
	struct create *create = flow_state(flow);
	struct buf url;

	buf_init(&url, 4096);
	if (tranzila_url(flow, &create->config, create->payment, &url) && !url.failed)
		create->url = str_of(arena_strndup(flow_arena(flow), url.data, url.size), url.size);
	else
		error_set(&create->error, ERROR_INPUT, "Tranzila does not take this currency");
	buf_free(&url);
	create->order =
		str_from(arena_printf(flow_arena(flow), "%lld", (long long)create->payment->id));
	return answer(flow);
}

static enum flow_status create_stored(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct create *create = flow_state(flow);

	if (!pg_batch_ok(create->batch, &create->error))
		return flow_fail_error(flow, &create->error);
	create->payment = payment_take(flow, create->batch, 0);
	if (str_equal(str_from(create->payment->provider), STR("tranzila")))
		return answer_tranzila(flow);
	return await_http(
		flow, hooks->http, paypal_token_call(flow, &create->config), &create->answer);
}

/* What a person finds in the row, and the answer says. */
static enum flow_status save(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct create *create = flow_state(flow);
	struct pg_params params = {0};

	if (create->url.size == 0)
		log_warn(flow_log(flow), "payment %lld: %s", (long long)create->payment->id,
			create->error.text);
	pg_put_int(&params, flow_arena(flow), create->payment->id);
	pg_put_str(&params, flow_arena(flow), create->order);
	pg_put_text(&params, create->url.size > 0 ? "" : create->error.text);
	(void)flow_goto(flow, CREATE_SAVED);
	return await_pg_query(flow, hooks->pg, &create->batch, sql_order, &params);
}

static enum flow_status create_token(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct create *create = flow_state(flow);
	struct paypal_ask ask = {.path = "/v2/checkout/orders"};

	create->token = paypal_token_read(flow, &create->answer, &create->error);
	if (create->token.size == 0)
		return save(flow);
	ask.token = create->token;
	ask.once = arena_printf(
		flow_arena(flow), "callweave-order-%lld", (long long)create->payment->id);
	ask.body = paypal_order_body(flow, create->payment);
	return await_http(flow, hooks->http, paypal_call(flow, &ask), &create->answer);
}

static enum flow_status create_order(struct flow *flow)
{
	struct create *create = flow_state(flow);

	(void)paypal_order_read(
		flow, &create->answer, &create->order, &create->url, &create->error);
	return save(flow);
}

/* Without the order's id in the row no callback would be believed: then there is no page to pay at. */
static enum flow_status create_saved(struct flow *flow)
{
	struct create *create = flow_state(flow);

	if (!pg_batch_ok(create->batch, &create->error))
		return flow_fail_error(flow, &create->error);
	return answer(flow);
}

static const struct flow_step create_steps[] = {
	[CREATE_KEY] = {"key", create_key},
	[CREATE_CHECK] = {"check", create_check},
	[CREATE_STORED] = {"stored", create_stored},
	[CREATE_TOKEN] = {"token", create_token},
	[CREATE_ORDER] = {"order", create_order},
	[CREATE_SAVED] = {"saved", create_saved},
	{NULL, NULL},
};

const struct flow_spec payment_create_flow = {
	.name = "payment_create",
	.steps = create_steps,
	.state_bytes = sizeof(struct create),
	.deadline_ms = PAYMENT_DEADLINE_MS,
};
