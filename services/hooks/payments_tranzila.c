/*
 * payments_tranzila: a page to pay at, and what its return is worth: nothing by itself.
 *
 * The return (a browser's GET, or a POST of their server) carries no proof of Tranzila's. Two things are
 * taken of it: which payment, proven by a key of ours in the address, and the transaction's number. The
 * rest is asked of Tranzila's own API (api.tranzila.com, signed with the terminal's keys). Sources and
 * what they leave open: docs/protocol/payments.md.
 */
#include "args.h"
#include "clock.h"
#include "crypto.h"
#include "json_put.h"
#include "payments.h"
#include "uri.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NONCE_BYTES 20 /* as hex 40 characters, as they ask for */
#define SIGN_BYTES  32

struct tranzila_return {
	struct args args;
	int64_t payment, index;
	bool says_success;
	struct payment_config config;
	struct payment *row;
	struct pg_batch *batch;
	struct http_answer answer;
	const char *status, *error; /* what comes of it */
};

enum { RETURN_READ, RETURN_FOUND, RETURN_REPORT, RETURN_STORED };

/* -- the page --------------------------------------------------------------------------------------- */

/* Their numbers of currencies: 1 and 2 are their own, the others those of ISO 4217. */
static const char *currency_code(struct str currency)
{
	static const char *const codes[][2] = {
		{"ILS", "1"}, {"USD", "2"}, {"GBP", "826"}, {"EUR", "978"}};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (str_equal(currency, str_from(codes[i][0])))
			return codes[i][1];
	}
	return NULL;
}

/* That this return is of a page that we made, for this payment: not that anybody paid. */
static void make_sign(struct flow *flow, int64_t payment, char to[SIGN_BYTES + 1])
{
	const struct hooks *hooks = flow_context(flow);
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char text[64];

	snprintf(text, sizeof(text), "tranzila|%" PRId64, payment);
	crypto_hmac_sha256(service_internal_secret(hooks->service), str_from(text), digest);
	crypto_hex(digest, SIGN_BYTES / 2, to);
}

static void put_parameter(struct buf *to, const char *name, struct str value)
{
	buf_printf(to, "%s%s=", memchr(to->data, '?', to->size) != NULL ? "&" : "?", name);
	uri_encode(to, value);
}

static void put_return(
	struct flow *flow, const char *name, const char *path, int64_t payment, struct buf *to)
{
	char sign[SIGN_BYTES + 1];
	struct buf url;

	make_sign(flow, payment, sign);
	buf_init(&url, 1024);
	hook_url(flow, path, &url);
	buf_printf(&url, "?payment=%" PRId64 "&sign=%s", payment, sign);
	put_parameter(to, name, buf_str(&url));
	buf_free(&url);
}

bool tranzila_url(struct flow *flow, const struct payment_config *config,
	const struct payment *payment, struct buf *to)
{
	const struct hooks *hooks = flow_context(flow);
	const char *currency = currency_code(str_from(payment->currency));
	char money[PAYMENT_MONEY_BYTES], id[24];

	if (currency == NULL)
		return false;
	payment_money(payment->amount_minor, str_from(payment->currency), money);
	snprintf(id, sizeof(id), "%" PRId64, payment->id);
	buf_add(to, str_from(hooks->settings->tranzila_url));
	buf_add_char(to, '/');
	uri_encode(to, config->tranzila.terminal);
	buf_add(to, STR("/iframenew.php"));
	put_parameter(to, "sum", str_from(money));
	put_parameter(to, "currency", str_from(currency));
	put_parameter(to, "cred_type", STR("1"));
	put_parameter(to, "tranmode", STR("A"));
	put_parameter(to, "ordernum", str_from(id));
	put_parameter(to, "udf", str_from(payment->enterprise));
	put_return(flow, "success_url_address", "/api/crm/payments/tranzila/return/success",
		payment->id, to);
	put_return(flow, "fail_url_address", "/api/crm/payments/tranzila/return/fail", payment->id,
		to);
	put_return(flow, "notify_url_address", "/api/crm/payments/tranzila/return/notify",
		payment->id, to);
	return !to->failed;
}

/* -- the return ------------------------------------------------------------------------------------- */

static bool is_signed(struct flow *flow, int64_t payment, struct str given)
{
	const struct hooks *hooks = flow_context(flow);
	char sign[SIGN_BYTES + 1];

	make_sign(flow, payment, sign);
	return service_internal_secret(hooks->service).size > 0 &&
	       str_equal_secret(given, str_from(sign));
}

/* As the application before took them. */
static bool is_success(struct str response)
{
	static const char *const words[] = {"000", "0", "approved", "success"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal_nocase(response, str_from(words[i])))
			return true;
	}
	return false;
}

/* Their number of the transaction, whatever that return calls it. */
static int64_t index_of(const struct args *args)
{
	static const char *const names[] = {"index", "tranid", "tempref"};
	int64_t index = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (args_int(args, names[i], &index) && index > 0)
			return index;
	}
	return 0;
}

static enum flow_status return_read(struct flow *flow)
{
	const struct http_request *request = http_request(flow);
	const struct hooks *hooks = flow_context(flow);
	struct tranzila_return *back = flow_state(flow);
	const struct args_source source = {.query = request->query,
		.content_type = http_request_header(flow, "Content-Type"),
		.body = request->body};
	struct error error;

	if (!hooks->settings->payments_enabled)
		return http_reply_detail(flow, 501, "Payments system disabled");
	if (!args_read(&back->args, &source, flow_arena(flow), &error))
		return http_reply_detail(flow, 400, "%s", error.text);
	if (!args_int(&back->args, "payment", &back->payment) ||
		!is_signed(flow, back->payment, args_get(&back->args, "sign"))) {
		log_warn(flow_log(flow), "Tranzila: a return is refused: it is of no page of ours");
		return http_reply_detail(flow, 403, "Forbidden");
	}
	back->says_success = is_success(args_get(&back->args, "Response")) &&
			     !str_equal(request->tail, STR("fail"));
	back->index = index_of(&back->args);
	back->batch = pg_batch_new(flow_arena(flow));
	payment_ask(flow, back->batch, back->payment);
	return await_pg(flow, hooks->pg, back->batch);
}

/* -- the report ------------------------------------------------------------------------------------- */

/* hash_hmac('sha256', app key, secret . time . nonce), in milliseconds. */
static void put_auth(struct flow *flow, struct http_call *call)
{
	const struct tranzila_return *back = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	unsigned char random[NONCE_BYTES], digest[CRYPTO_SHA256_BYTES];
	char nonce[2 * NONCE_BYTES + 1], token[2 * CRYPTO_SHA256_BYTES + 1];
	const char *now = arena_printf(arena, "%" PRId64, clock_wall_ms());
	struct str app_key = back->config.tranzila.app_key;

	crypto_random(random, sizeof(random));
	crypto_hex(random, sizeof(random), nonce);
	crypto_hmac_sha256(str_from(arena_printf(arena, "%.*s%s%s",
				   STR_ARG(back->config.tranzila.secret), now, nonce)),
		app_key, digest);
	crypto_hex(digest, sizeof(digest), token);
	const char *const headers[][2] = {
		{"X-tranzila-api-app-key", arena_strndup(arena, app_key.data, app_key.size)},
		{"X-tranzila-api-request-time", now},
		{"X-tranzila-api-nonce", arena_strdup(arena, nonce)},
		{"X-tranzila-api-access-token", arena_strdup(arena, token)}};
	memcpy(call->headers, headers, sizeof(headers));
}

static enum flow_status ask_report(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct tranzila_return *back = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct http_call *call = arena_alloc(arena, sizeof(*call));
	struct json_writer json;
	struct buf body;

	buf_init(&body, 1024);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_str(&json, "terminal_name", back->config.tranzila.terminal);
	json_put_member_int(&json, "transaction_index", back->index);
	json_close_object(&json);
	*call = (struct http_call){.method = "POST",
		.url = arena_printf(arena, "%s/v1/transactions", hooks->settings->tranzila_api_url),
		.content_type = "application/json",
		.body = str_of(arena_strndup(arena, body.data, body.size), body.size),
		.timeout_ms = PAYMENT_CALL_MS};
	put_auth(flow, call);
	buf_free(&body);
	return await_http(flow, hooks->http, call, &back->answer);
}

/* -- what comes of it ------------------------------------------------------------------------------- */

static enum flow_status tell(struct flow *flow, const char *status, const char *error)
{
	const struct hooks *hooks = flow_context(flow);
	struct tranzila_return *back = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	const char *ref = arena_printf(arena, "%" PRId64, back->index);
	/* A transaction pays one payment of its terminal; what failed may be told again. */
	const struct payment_news news = {.id = back->payment,
		.provider = "tranzila",
		.event_id = str_equal(str_from(status), STR("captured"))
				    ? arena_printf(arena, "%.*s:%s",
					      STR_ARG(back->config.tranzila.terminal), ref)
				    : arena_printf(arena, "%" PRId64 ":%s:%s", back->payment,
					      status, ref),
		.kind = status,
		.status = status,
		.provider_ref = back->index > 0 ? ref : NULL,
		.error = error};

	back->status = status;
	back->error = error;
	if (error[0] != '\0')
		log_warn(flow_log(flow), "payment %" PRId64 ": %s", back->payment, error);
	back->batch = pg_batch_new(arena);
	payment_tell(flow, back->batch, &news);
	payment_ask(flow, back->batch, back->payment);
	(void)flow_goto(flow, RETURN_STORED);
	return await_pg(flow, hooks->pg, back->batch);
}

static bool find_config(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct tranzila_return *back = flow_state(flow);
	const struct account *account;

	back->row = payment_take(flow, back->batch, 0);
	if (back->row == NULL || !str_equal(str_from(back->row->provider), STR("tranzila")))
		return false;
	account = accounts_find(hooks->accounts, str_from(back->row->enterprise));
	return account != NULL && payment_config_read(account, flow_arena(flow), &back->config);
}

static enum flow_status return_found(struct flow *flow)
{
	struct tranzila_return *back = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(back->batch, &error))
		return flow_fail(flow, ERROR_BUSY, "the database does not answer");
	if (!find_config(flow))
		return http_reply_detail(flow, 404, "no such payment");
	flow_set_enterprise(flow, back->row->enterprise);
	if (str_equal(str_from(back->row->status), STR("captured")))
		return http_reply(
			flow, 200, "text/plain; charset=utf-8", STR("Paid. Thank you.\n"));
	if (!back->says_success)
		return tell(flow, "failed", "Tranzila: the payment did not succeed");
	if (back->index == 0)
		return tell(
			flow, "approved", "Tranzila: the return names no transaction to ask for");
	if (back->config.tranzila.app_key.size == 0 || back->config.tranzila.secret.size == 0)
		return tell(flow, "approved",
			"not verified: payments.tranzila.app_key and secret are not set");
	return ask_report(flow);
}

/* Which unit their report's amounts have, their documents leave open: the setting says. Never both. */
static bool is_amount(const struct tranzila_return *back, const struct json *amount)
{
	struct str currency = str_from(back->row->currency);
	int64_t minor = 0;
	struct buf text;
	bool same;

	buf_init(&text, 64);
	if (amount != NULL && json_kind(amount) == JSON_TEXT)
		buf_add(&text, json_text(amount));
	else if (amount != NULL && json_kind(amount) == JSON_NUMBER)
		json_print(&text, amount, false);
	same = back->config.tranzila.reports_minor
		       ? str_to_int64(buf_str(&text), &minor)
		       : payment_minor(buf_str(&text), currency, &minor);
	same = same && minor == back->row->amount_minor;
	buf_free(&text);
	return same;
}

static struct str code_of(const struct json *transaction)
{
	const struct json *code = json_member(transaction, "processor_response_code");

	return code != NULL ? json_text(code) : STR("");
}

static enum flow_status judge(struct flow *flow, const struct json *report)
{
	struct tranzila_return *back = flow_state(flow);
	const struct json *transaction = json_item(json_member(report, "transactions"), 0);
	double index = json_number(json_member(transaction, "index"));

	if (transaction == NULL || (int64_t)index != back->index)
		return tell(flow, "failed", "Tranzila knows no such transaction");
	if (!str_equal(code_of(transaction), STR("000")))
		return tell(flow, "approved", "Tranzila: the transaction has not succeeded yet");
	if (!is_amount(back, json_member(transaction, "amount")))
		return tell(flow, "failed", "another amount was paid than was asked for");
	return tell(flow, "captured", "");
}

static enum flow_status return_report(struct flow *flow)
{
	const struct json_limits limits = {(size_t)128 << 10, 10};
	struct tranzila_return *back = flow_state(flow);
	struct json *report = NULL;
	enum flow_status done;

	if (back->answer.reach == HTTP_ANSWERED && back->answer.status == 200)
		report = json_parse(back->answer.body, limits, NULL);
	if (report == NULL)
		return tell(flow, "approved", "not verified: Tranzila's API does not answer");
	done = judge(flow, report);
	json_free(&report);
	return done;
}

/* What the row says now, not what this return wished. */
static enum flow_status return_stored(struct flow *flow)
{
	struct tranzila_return *back = flow_state(flow);
	const struct payment *row;
	struct error error;

	if (!pg_batch_ok(back->batch, &error))
		return flow_fail(flow, ERROR_BUSY, "the database does not answer");
	row = payment_take(flow, back->batch, 1);
	if (row != NULL && str_equal(str_from(row->status), STR("captured")))
		return http_reply(
			flow, 200, "text/plain; charset=utf-8", STR("Paid. Thank you.\n"));
	if (str_equal(str_from(back->status), STR("approved")))
		return http_reply(flow, 202, "text/plain; charset=utf-8",
			STR("The payment is being checked.\n"));
	return http_reply(
		flow, 400, "text/plain; charset=utf-8", STR("The payment did not succeed.\n"));
}

static const struct flow_step return_steps[] = {
	[RETURN_READ] = {"read", return_read},
	[RETURN_FOUND] = {"found", return_found},
	[RETURN_REPORT] = {"report", return_report},
	[RETURN_STORED] = {"stored", return_stored},
	{NULL, NULL},
};

const struct flow_spec tranzila_return_flow = {
	.name = "tranzila_return",
	.steps = return_steps,
	.state_bytes = sizeof(struct tranzila_return),
	.deadline_ms = PAYMENT_DEADLINE_MS,
};
