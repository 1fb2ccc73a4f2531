/*
 * payments: the routes, those of old that are gone, and what all ways to pay share.
 */
#include "payments.h"

#include "clock.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_MINOR INT64_C(100000000000) /* a thousand million of anything is a mistake */

/* -- what was Stripe -------------------------------------------------------------------------------- */

static enum flow_status gone(struct flow *flow, const char *body)
{
	return http_reply(flow, 410, "application/json", str_from(body));
}

static enum flow_status stripe_gone(struct flow *flow)
{
	return gone(flow, "{\"error\":\"Stripe deprecated: POST /api/crm/payments/create\"}");
}

static enum flow_status stripe_webhook_gone(struct flow *flow)
{
	return gone(flow, "{\"error\":\"Stripe deprecated\",\"status\":\"deprecated\"}");
}

/* Whoever has paid at PayPal is sent here; what came of it the webhook tells. */
static enum flow_status thanks(struct flow *flow)
{
	return http_reply(flow, 200, "text/plain; charset=utf-8",
		STR("Thank you. The payment is being confirmed; you may close this page.\n"));
}

#define ONE_STEP(spec_name, step)                                                                  \
	static const struct flow_spec spec_name = {                                                \
		.name = #spec_name,                                                                \
		.steps = (const struct flow_step[]){{"answer", step}, {NULL, NULL}},               \
		.deadline_ms = 10000,                                                              \
	}

ONE_STEP(stripe_flow, stripe_gone);
ONE_STEP(stripe_webhook_flow, stripe_webhook_gone);
ONE_STEP(thanks_flow, thanks);

/* A payer who goes away does not end what was begun for him. */
const struct http_route payment_routes[] = {
	{"POST", "/api/payments/create-intent", &stripe_flow, 0},
	{"POST", "/api/crm/payments/create-intent", &stripe_flow, 0},
	{"POST", "/api/payments/webhook", &stripe_flow, 0},
	{"POST", "/api/webhook/stripe", &stripe_webhook_flow, 0},
	{"POST", "/api/crm/payments/create", &payment_create_flow, ROUTE_DETACHED},
	{"POST", "/api/crm/webhook/paypal", &paypal_webhook_flow, ROUTE_DETACHED},
	{"GET", "/api/crm/payments/paypal/return", &thanks_flow, 0},
	{"GET", "/api/crm/payments/tranzila/return/*", &tranzila_return_flow, ROUTE_DETACHED},
	{"POST", "/api/crm/payments/tranzila/return/*", &tranzila_return_flow, ROUTE_DETACHED},
	{NULL},
};

/* -- configuration ---------------------------------------------------------------------------------- */

/* As it stands in the database. */
struct written {
	bool enabled;
	struct str default_provider;
	struct {
		struct str client_id, secret, webhook_id;
	} paypal;
	struct {
		struct str terminal, app_key, secret, report_amounts;
	} tranzila;
};

#define PAYPAL(member)	 JSON_FIELD_AS(struct written, paypal.member, #member, JSON_STRING, 0)
#define TRANZILA(member) JSON_FIELD_AS(struct written, tranzila.member, #member, JSON_STRING, 0)

static const struct json_field paypal_fields[] = {
	PAYPAL(client_id), PAYPAL(secret), PAYPAL(webhook_id), {.name = NULL}};
static const struct json_field tranzila_fields[] = {TRANZILA(terminal), TRANZILA(app_key),
	TRANZILA(secret), TRANZILA(report_amounts), {.name = NULL}};
static const struct json_field written_fields[] = {
	JSON_FIELD(struct written, enabled, JSON_BOOL, 0),
	JSON_FIELD(struct written, default_provider, JSON_STRING, 0),
	{.name = NULL},
};

static bool read_part(const struct json *config, const char *name, const struct json_field *fields,
	struct written *to, struct arena *arena)
{
	const struct json *part = json_member(config, name);

	return part == NULL || json_kind(part) != JSON_OBJECT ||
	       json_read(part, fields, to, arena, NULL);
}

bool payment_config_read(
	const struct account *account, struct arena *arena, struct payment_config *config)
{
	const struct account_integration *found = account_integration(account, STR("payments"));
	struct written written = {.default_provider = STR("paypal")};

	*config = (struct payment_config){.enabled = false};
	if (found == NULL || !json_read(found->config, written_fields, &written, arena, NULL) ||
		!read_part(found->config, "paypal", paypal_fields, &written, arena) ||
		!read_part(found->config, "tranzila", tranzila_fields, &written, arena))
		return false;
	config->enabled = written.enabled;
	config->default_provider = written.default_provider;
	config->paypal.client_id = written.paypal.client_id;
	config->paypal.secret = written.paypal.secret;
	config->paypal.webhook_id = written.paypal.webhook_id;
	config->tranzila.terminal = written.tranzila.terminal;
	config->tranzila.app_key = written.tranzila.app_key;
	config->tranzila.secret = written.tranzila.secret;
	config->tranzila.reports_minor = str_equal(written.tranzila.report_amounts, STR("minor"));
	return true;
}

/* -- money ------------------------------------------------------------------------------------------ */

/* ISO 4217; the few that have no places, or three, of those that people name here. */
static int places_of(struct str currency)
{
	static const char *const none[] = {"JPY", "KRW", "CLP", "VND", "ISK", "XAF", "XOF"};
	static const char *const three[] = {"BHD", "JOD", "KWD", "OMR", "TND"};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (str_equal(currency, str_from(none[i])))
			return 0;
	}
	for (size_t i = 0; i < sizeof(three) / sizeof(three[0]); i++) {
		if (str_equal(currency, str_from(three[i])))
			return 3;
	}
	return 2;
}

static int64_t unit_of(int places)
{
	int64_t unit = 1;

	while (places-- > 0)
		unit *= 10;
	return unit;
}

void payment_money(int64_t minor, struct str currency, char to[PAYMENT_MONEY_BYTES])
{
	int places = places_of(currency);
	int64_t unit = unit_of(places);

	if (places == 0)
		snprintf(to, PAYMENT_MONEY_BYTES, "%" PRId64, minor);
	else
		snprintf(to, PAYMENT_MONEY_BYTES, "%" PRId64 ".%0*" PRId64, minor / unit, places,
			minor % unit);
}

bool payment_minor(struct str money, struct str currency, int64_t *minor)
{
	struct str rest = money;
	struct str whole = str_cut(&rest, '.');
	int places = places_of(currency);
	int64_t number = 0, part = 0;

	if (!str_is_digits(whole) || !str_to_int64(whole, &number) || number > MAX_MINOR)
		return false;
	if (rest.data != NULL && (!str_is_digits(rest) || rest.size > (size_t)places))
		return false;
	if (rest.size > 0 && !str_to_int64(rest, &part))
		return false;
	for (size_t i = rest.size; i < (size_t)places; i++)
		part *= 10;
	*minor = number * unit_of(places) + part;
	return true;
}

/* -- the table -------------------------------------------------------------------------------------- */

static const char sql_payment[] = "SELECT id, amount_minor, enterprise_number, provider,"
				  " provider_ref, currency, status FROM payments"
				  " WHERE id = $1::bigint";

/* One statement: the event and what it changes, or neither. */
static const char sql_tell[] =
	"WITH event AS (INSERT INTO payment_events (provider, event_id, payment_id, kind)"
	" VALUES ($1, $2, $3::bigint, $4) ON CONFLICT DO NOTHING RETURNING payment_id)"
	" UPDATE payments p SET status = coalesce($5, p.status),"
	" provider_ref = coalesce($6, p.provider_ref), error = $7, updated_at = now()"
	" FROM event e WHERE p.id = e.payment_id AND p.status <> 'captured'"
	" RETURNING p.status";

void payment_ask(struct flow *flow, struct pg_batch *batch, int64_t id)
{
	struct pg_params params = {0};

	pg_put_int(&params, flow_arena(flow), id);
	pg_batch_add(batch, sql_payment, &params);
}

static const char *kept(struct flow *flow, const struct pg_batch *batch, int statement, int column)
{
	struct str text = pg_text(batch, statement, 0, column);

	return arena_strndup(flow_arena(flow), text.data != NULL ? text.data : "", text.size);
}

struct payment *payment_take(struct flow *flow, const struct pg_batch *batch, int statement)
{
	struct payment *payment;

	if (pg_rows(batch, statement) == 0)
		return NULL;
	payment = arena_alloc(flow_arena(flow), sizeof(*payment));
	payment->id = pg_int(batch, statement, 0, 0);
	payment->amount_minor = pg_int(batch, statement, 0, 1);
	payment->enterprise = kept(flow, batch, statement, 2);
	payment->provider = kept(flow, batch, statement, 3);
	payment->provider_ref = kept(flow, batch, statement, 4);
	payment->currency = kept(flow, batch, statement, 5);
	payment->status = kept(flow, batch, statement, 6);
	return payment;
}

void payment_tell(struct flow *flow, struct pg_batch *batch, const struct payment_news *news)
{
	struct pg_params params = {0};

	pg_put_text(&params, news->provider);
	pg_put_text(&params, news->event_id);
	pg_put_int(&params, flow_arena(flow), news->id);
	pg_put_text(&params, news->kind);
	pg_put_text(&params, news->status);
	pg_put_text(&params, news->provider_ref);
	pg_put_text(&params, news->error);
	pg_batch_add(batch, sql_tell, &params);
}
