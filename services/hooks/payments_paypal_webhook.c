/*
 * payments_paypal_webhook: PayPal tells what became of an order. Nothing of it is believed before PayPal
 * itself has said that it sent it; then amount, currency and order must be those of our row.
 *
 * An event's id is kept in the statement that changes the payment: the second time nothing happens.
 * What cannot be done now is answered by 503, and PayPal comes again (for three days).
 */
#include "json_put.h"
#include "payments.h"

#include <stdio.h>

#define MAX_DEPTH	 16
#define VERIFY_MAX_BYTES ((size_t)512 << 10)

struct paypal_event {
	struct json *body; /* freed in `finally` */
	const struct json *resource;
	struct str id, type, custom_id, order;
	int64_t payment;
	struct payment_config config;
	struct payment *row;
	struct pg_batch *batch;
	struct http_answer answer;
	struct str token;
};

enum { EVENT_READ, EVENT_FOUND, EVENT_TOKEN, EVENT_VERIFIED, EVENT_CAPTURED, EVENT_STORED };

static struct str text_at(const struct json *json, const char *name)
{
	const struct json *member = json_member(json, name);

	return member != NULL ? json_text(member) : STR("");
}

static enum flow_status pass_over(struct flow *flow, const char *why)
{
	struct paypal_event *event = flow_state(flow);

	log_info(flow_log(flow), "PayPal: %.*s is passed over: %s", STR_ARG(event->type), why);
	return hook_reply_nothing(flow);
}

static enum flow_status refuse(struct flow *flow, const char *why)
{
	log_warn(flow_log(flow), "PayPal: a webhook is refused: %s", why);
	return http_reply_detail(flow, 403, "Forbidden");
}

/* -- whose is it ------------------------------------------------------------------------------------ */

/* Of an order it is in its unit; of a capture in itself, and the order is a related id. */
static void find_ids(struct paypal_event *event)
{
	const struct json *unit = json_item(json_member(event->resource, "purchase_units"), 0);
	const struct json *related =
		json_member(json_member(event->resource, "supplementary_data"), "related_ids");

	event->custom_id = text_at(unit, "custom_id");
	event->order = text_at(event->resource, "id");
	if (unit != NULL)
		return;
	event->custom_id = text_at(event->resource, "custom_id");
	event->order = text_at(related, "order_id");
}

static enum flow_status event_read(struct flow *flow)
{
	const struct json_limits limits = {(size_t)256 << 10, MAX_DEPTH};
	const struct hooks *hooks = flow_context(flow);
	struct paypal_event *event = flow_state(flow);
	struct str number;
	struct error error;

	if (!hooks->settings->payments_enabled)
		return http_reply_detail(flow, 501, "Payments system disabled");
	event->body = json_parse(http_request(flow)->body, limits, &error);
	if (event->body == NULL)
		return http_reply_detail(flow, 400, "%s", error.text);
	event->resource = json_member(event->body, "resource");
	event->id = text_at(event->body, "id");
	event->type = text_at(event->body, "event_type");
	find_ids(event);
	number = event->custom_id;
	(void)str_cut(&number, ':');
	if (event->id.size == 0 || event->id.size > 200 || !str_to_int64(number, &event->payment))
		return pass_over(flow, "it names no payment of ours");
	event->batch = pg_batch_new(flow_arena(flow));
	payment_ask(flow, event->batch, event->payment);
	return await_pg(flow, hooks->pg, event->batch);
}

/* The payment of this custom_id, and its enterprise's keys. */
static bool is_known(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct paypal_event *event = flow_state(flow);
	struct str enterprise = str_cut(&event->custom_id, ':');
	const struct account *account;

	event->row = payment_take(flow, event->batch, 0);
	if (event->row == NULL || !str_equal(enterprise, str_from(event->row->enterprise)) ||
		!str_equal(str_from(event->row->provider), STR("paypal")))
		return false;
	account = accounts_find(hooks->accounts, enterprise);
	return account != NULL && payment_config_read(account, flow_arena(flow), &event->config);
}

static enum flow_status event_found(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct paypal_event *event = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(event->batch, &error))
		return flow_fail(flow, ERROR_BUSY, "the database does not answer");
	if (!is_known(flow))
		return pass_over(flow, "it names no payment of ours");
	flow_set_enterprise(flow, event->row->enterprise);
	if (event->config.paypal.webhook_id.size == 0)
		return refuse(
			flow, "payments.paypal.webhook_id is not set: nothing can be verified");
	return await_http(
		flow, hooks->http, paypal_token_call(flow, &event->config), &event->answer);
}

/* -- is it true ------------------------------------------------------------------------------------- */

static bool put_headers(struct flow *flow, struct json_writer *json)
{
	static const char *const names[][2] = {
		{"auth_algo", "PAYPAL-AUTH-ALGO"},
		{"cert_url", "PAYPAL-CERT-URL"},
		{"transmission_id", "PAYPAL-TRANSMISSION-ID"},
		{"transmission_sig", "PAYPAL-TRANSMISSION-SIG"},
		{"transmission_time", "PAYPAL-TRANSMISSION-TIME"},
	};
	bool all = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct str value = http_request_header(flow, names[i][1]);

		all = all && value.size > 0;
		json_put_member_str(json, names[i][0], value);
	}
	return all;
}

/* The event goes back byte for byte: the signature is of its bytes. */
static bool verify_body(struct flow *flow, struct str *body)
{
	const struct paypal_event *event = flow_state(flow);
	struct json_writer json;
	struct buf buf;
	bool all;

	buf_init(&buf, VERIFY_MAX_BYTES);
	json_begin(&json, &buf);
	json_open_object(&json);
	all = put_headers(flow, &json);
	json_put_member_str(&json, "webhook_id", event->config.paypal.webhook_id);
	json_put_member_raw(&json, "webhook_event", http_request(flow)->body);
	json_close_object(&json);
	*body = str_of(arena_strndup(flow_arena(flow), buf.data, buf.size), buf.size);
	buf_free(&buf);
	return all;
}

static enum flow_status event_token(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct paypal_event *event = flow_state(flow);
	struct paypal_ask ask = {.path = "/v1/notifications/verify-webhook-signature"};
	struct error error;

	event->token = paypal_token_read(flow, &event->answer, &error);
	if (event->token.size == 0)
		return flow_fail(flow, ERROR_BUSY, "%s", error.text);
	if (!verify_body(flow, &ask.body))
		return refuse(flow, "a header of its signature is missing");
	ask.token = event->token;
	return await_http(flow, hooks->http, paypal_call(flow, &ask), &event->answer);
}

/* 0: no; 1: yes; -1: nobody knows now. */
static int says_success(const struct http_answer *answer)
{
	const struct json_limits limits = {(size_t)16 << 10, 4};
	struct json *json;
	int verdict;

	if (answer->reach != HTTP_ANSWERED || answer->status >= 500 || answer->status == 429)
		return -1;
	json = answer->status == 200 ? json_parse(answer->body, limits, NULL) : NULL;
	verdict = json != NULL && str_equal(text_at(json, "verification_status"), STR("SUCCESS"));
	json_free(&json);
	return verdict;
}

/* -- what of it ------------------------------------------------------------------------------------- */

/* {"currency_code": "ILS", "value": "12.34"} */
static bool is_amount(const struct json *amount, const struct payment *payment)
{
	struct str currency = text_at(amount, "currency_code");
	int64_t minor = 0;

	return str_equal(currency, str_from(payment->currency)) &&
	       payment_minor(text_at(amount, "value"), currency, &minor) &&
	       minor == payment->amount_minor;
}

static enum flow_status tell(struct flow *flow, const char *status, const char *error)
{
	const struct hooks *hooks = flow_context(flow);
	struct paypal_event *event = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	const struct payment_news news = {.id = event->row->id,
		.provider = "paypal",
		.event_id = arena_strndup(arena, event->id.data, event->id.size),
		.kind = arena_strndup(arena, event->type.data, event->type.size),
		.status = status,
		.error = error};

	if (error[0] != '\0')
		log_warn(flow_log(flow), "payment %lld: %s", (long long)event->row->id, error);
	event->batch = pg_batch_new(arena);
	payment_tell(flow, event->batch, &news);
	(void)flow_goto(flow, EVENT_STORED);
	return await_pg(flow, hooks->pg, event->batch);
}

static enum flow_status capture(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct paypal_event *event = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	const struct paypal_ask ask = {.token = event->token,
		.path = arena_printf(
			arena, "/v2/checkout/orders/%s/capture", event->row->provider_ref),
		.once = arena_printf(arena, "callweave-capture-%lld", (long long)event->row->id),
		.body = STR("{}")};

	return await_http(flow, hooks->http, paypal_call(flow, &ask), &event->answer);
}

static enum flow_status event_verified(struct flow *flow)
{
	struct paypal_event *event = flow_state(flow);
	int verdict = says_success(&event->answer);

	if (verdict < 0)
		return flow_fail(flow, ERROR_BUSY, "PayPal does not answer");
	if (verdict == 0)
		return refuse(flow, "PayPal says that it did not send it");
	if (!str_equal(event->order, str_from(event->row->provider_ref)))
		return pass_over(flow, "it is of another order than its payment");
	if (str_equal(event->type, STR("CHECKOUT.ORDER.APPROVED")))
		return capture(flow);
	if (str_equal(event->type, STR("PAYMENT.CAPTURE.COMPLETED")))
		return is_amount(json_member(event->resource, "amount"), event->row)
			       ? tell(flow, "captured", "")
			       : tell(flow, "failed",
					 "another amount was captured than was asked for");
	if (str_equal(event->type, STR("PAYMENT.CAPTURE.DENIED")) ||
		str_equal(event->type, STR("PAYMENT.CAPTURE.DECLINED")))
		return tell(flow, "failed", "PayPal: the capture was denied");
	return pass_over(flow, "it changes no payment");
}

static enum flow_status take_capture(struct flow *flow, const struct json *order)
{
	const struct paypal_event *event = flow_state(flow);
	const struct json *unit = json_item(json_member(order, "purchase_units"), 0);
	const struct json *captured =
		json_item(json_member(json_member(unit, "payments"), "captures"), 0);

	if (!str_equal(text_at(captured, "status"), STR("COMPLETED")))
		return tell(flow, "approved", ""); /* pending: its own event will tell */
	if (!is_amount(json_member(captured, "amount"), event->row))
		return tell(flow, "failed", "another amount was captured than was asked for");
	return tell(flow, "captured", "");
}

/* 422 is a no for good: captured before (its own event tells of that), or the payer's card is refused. */
static enum flow_status event_captured(struct flow *flow)
{
	const struct json_limits limits = {(size_t)256 << 10, MAX_DEPTH};
	struct paypal_event *event = flow_state(flow);
	bool answered = event->answer.reach == HTTP_ANSWERED;
	enum flow_status done;
	struct json *order;

	if (answered && event->answer.status == 422)
		return tell(flow, "approved", "PayPal: the order could not be captured");
	order = answered && event->answer.status / 100 == 2
			? json_parse(event->answer.body, limits, NULL)
			: NULL;
	if (order == NULL)
		return flow_fail(flow, ERROR_BUSY, "PayPal does not capture");
	done = take_capture(flow, order);
	json_free(&order);
	return done;
}

static enum flow_status event_stored(struct flow *flow)
{
	const struct paypal_event *event = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(event->batch, &error))
		return flow_fail(flow, ERROR_BUSY, "the database does not answer");
	return hook_reply_nothing(flow);
}

static void event_over(struct flow *flow)
{
	struct paypal_event *event = flow_state(flow);

	json_free(&event->body);
}

static const struct flow_step event_steps[] = {
	[EVENT_READ] = {"read", event_read},
	[EVENT_FOUND] = {"found", event_found},
	[EVENT_TOKEN] = {"token", event_token},
	[EVENT_VERIFIED] = {"verified", event_verified},
	[EVENT_CAPTURED] = {"captured", event_captured},
	[EVENT_STORED] = {"stored", event_stored},
	{NULL, NULL},
};

const struct flow_spec paypal_webhook_flow = {
	.name = "paypal_webhook",
	.steps = event_steps,
	.finally = event_over,
	.state_bytes = sizeof(struct paypal_event),
	.arena_max_bytes = (size_t)4 << 20,
	.deadline_ms = PAYMENT_DEADLINE_MS,
};
