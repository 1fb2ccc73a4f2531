/*
 * payments: what an enterprise may take money with, a payment's amount, and what its files share.
 *
 * Amounts are whole minor units (agorot, cents); nothing here computes with fractions.
 */
#ifndef HOOKS_PAYMENTS_H
#define HOOKS_PAYMENTS_H

#include "hooks.h"
#include "json.h"

#define PAYMENT_DEADLINE_MS 45000
#define PAYMENT_CALL_MS	    12000
#define PAYMENT_MONEY_BYTES 24

/* integrations_config.payments; texts are never NULL and live in the arena. */
struct payment_config {
	bool enabled;
	struct str default_provider;
	struct {
		struct str client_id, secret, webhook_id;
	} paypal;
	struct {
		struct str terminal, app_key, secret;
		bool reports_minor; /* the report's amounts are minor units */
	} tranzila;
};
/* False: nothing is configured. */
bool payment_config_read(
	const struct account *account, struct arena *arena, struct payment_config *config);

struct payment {
	int64_t id, amount_minor;
	const char *enterprise, *provider, *provider_ref, *currency, *status;
};
/* From the row that `sql_payment` gives; NULL: there is none. */
struct payment *payment_take(struct flow *flow, const struct pg_batch *batch, int statement);

/* "12.34", as many places as the currency has (ISO 4217). */
void payment_money(int64_t minor, struct str currency, char to[PAYMENT_MONEY_BYTES]);
/* The other way: false when it is no such amount ("12.345", "1e3", "-1"). */
bool payment_minor(struct str money, struct str currency, int64_t *minor);

/* What became of a payment, once for each event: a captured one is captured for good. */
struct payment_news {
	int64_t id;
	const char *provider, *event_id, *kind;
	const char *status;	  /* NULL: as it is */
	const char *provider_ref; /* NULL: as it is */
	const char *error;	  /* "": none */
};
void payment_tell(struct flow *flow, struct pg_batch *batch, const struct payment_news *news);

/* Ask for one payment; then payment_take(). */
void payment_ask(struct flow *flow, struct pg_batch *batch, int64_t id);

/* -- PayPal, Orders v2 (payments_paypal.c) ------------------------------------------------------------ */

/* A bearer token comes first: `return await_http(flow, hooks->http, paypal_token_call(...), &answer)`. */
const struct http_call *paypal_token_call(struct flow *flow, const struct payment_config *config);
struct str paypal_token_read(
	struct flow *flow, const struct http_answer *answer, struct error *error); /* empty: why */

/* A call with it. `once` is PayPal-Request-Id: the same twice is done once. NULL: none. */
struct paypal_ask {
	struct str token;
	const char *path; /* "/v2/checkout/orders" */
	const char *once;
	struct str body; /* JSON */
};
const struct http_call *paypal_call(struct flow *flow, const struct paypal_ask *ask);

struct str paypal_order_body(struct flow *flow, const struct payment *payment);
/* The order's id and where its payer goes on. */
bool paypal_order_read(struct flow *flow, const struct http_answer *answer, struct str *order,
	struct str *approve_url, struct error *error);

/* -- Tranzila (payments_tranzila.c) ------------------------------------------------------------------- */

/* Where the payer goes; false: a currency that it does not take. */
bool tranzila_url(struct flow *flow, const struct payment_config *config,
	const struct payment *payment, struct buf *to);

extern const struct flow_spec payment_create_flow; /* payments_create.c */
extern const struct flow_spec paypal_webhook_flow; /* payments_paypal_webhook.c */
extern const struct flow_spec tranzila_return_flow;

#endif
