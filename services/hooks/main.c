/*
 * hooks: what Twilio, WhatsApp and payment services post to us. docs/protocol/twilio.md is the wire.
 */
#include "hook_log.h"
#include "hooks.h"
#include "later.h"
#include "prompts.h"
#include "repeats.h"
#include "sender.h"
#include "voice.h"

#include "alloc.h"

#include <stdio.h>
#include <stdlib.h>

/* -- readiness ------------------------------------------------------------------------------------ */

/* With the journal at hand PostgreSQL may be away, once there was a table of numbers. */
static const char *numbers_missing(void *context)
{
	const struct hooks *hooks = context;

	return hook_numbers_why_not(hooks->numbers);
}

static const char *accounts_missing(void *context)
{
	const struct hooks *hooks = context;

	return accounts_why_not(hooks->accounts);
}

static const char *storage_missing(void *context)
{
	const struct hooks *hooks = context;

	if (pg_ready(hooks->pg) && schema_why_not(hooks->schema) == NULL)
		return NULL;
	return later_why_not(hooks->later);
}

static const struct service_check checks[] = {
	{"numbers", numbers_missing},
	{"enterprises", accounts_missing},
	{"storage", storage_missing},
	{NULL, NULL},
};

/* -- life ------------------------------------------------------------------------------------------- */

static void stop(void *context)
{
	struct hooks *hooks = context;

	sender_free(&hooks->sender);
	hook_prompts_free(&hooks->prompts);
	hook_log_free(&hooks->log);
	hook_numbers_free(&hooks->numbers);
	repeats_free(&hooks->repeats);
	later_free(&hooks->later);
	http_client_free(&hooks->http);
	accounts_free(&hooks->accounts);
	schema_free(&hooks->schema);
	pg_free(&hooks->pg);
	redis_free(&hooks->redis);
	free(hooks);
}

static void start_database(struct hooks *hooks)
{
	struct service *service = hooks->service;
	const struct pg_options pg = {
		.url = service_database_url(service),
		.application_name = "callweave hooks",
		.log = *service_log(service),
	};
	struct accounts_options accounts = {
		.database_url = pg.url,
		.application_name = pg.application_name,
		.log = pg.log,
	};

	hooks->pg = pg_new(hooks->loop, &pg);
	hooks->schema = schema_new(hooks->loop, hooks->pg, service_log(service));
	accounts.pg = hooks->pg;
	hooks->accounts = accounts_new(hooks->loop, &accounts);
}

/* Redis only saves dispatchers a second: its absence stops nothing. */
static bool start_redis(struct hooks *hooks, struct error *error)
{
	const struct redis_options options = {
		.url = service_redis_url(hooks->service), .log = *service_log(hooks->service)};

	if (options.url[0] == '\0')
		return true;
	hooks->redis = redis_new(hooks->loop, &options, error);
	return hooks->redis != NULL;
}

static bool read_trusted(struct hooks *hooks, struct error *error)
{
	return address_list_read(
		       str_from(hooks->settings->trusted_proxies), &hooks->trusted, error) ||
	       error_prefix(error, "CALLWEAVE_HOOKS_TRUSTED_PROXIES: ");
}

static void warn(const struct hooks *hooks)
{
	const struct log_context *log = service_log(hooks->service);

	if (hooks->settings->insecure_no_signature)
		log_warn(log, "CALLWEAVE_HOOKS_INSECURE_NO_SIGNATURE: anybody may post webhooks");
	if (hooks->settings->public_base_url[0] == '\0')
		log_warn(log, "CALLWEAVE_PUBLIC_BASE_URL is empty: URLs are made of headers");
}

static void *start(struct service *service, struct error *error)
{
	struct hooks *hooks = alloc_zeroed(1, sizeof(*hooks));
	const struct http_client_options http = {.user_agent = "callweave"};

	hooks->service = service;
	hooks->settings = service_config(service);
	hooks->loop = service_loop(service);
	warn(hooks);
	start_database(hooks);
	hooks->http = http_client_new(hooks->loop, &http);
	if (read_trusted(hooks, error) && start_redis(hooks, error))
		hooks->later = later_new(hooks, error);
	if (hooks->later == NULL) {
		flow_cancel_all(hooks->loop);
		stop(hooks);
		return NULL;
	}
	hooks->repeats = repeats_new();
	hooks->numbers = hook_numbers_new(hooks);
	hooks->log = hook_log_new(hooks);
	hooks->prompts = hook_prompts_new(hooks);
	hooks->sender = sender_new(hooks);
	housekeeper_start(hooks);
	flow_start(hooks->loop, &voice_sweep_flow, hooks, service_log(service));
	return hooks;
}

static void drain(void *context)
{
	const struct hooks *hooks = context;

	sender_drain(hooks->sender);
}

static bool drained(void *context)
{
	const struct hooks *hooks = context;

	return hook_log_idle(hooks->log) && sender_idle(hooks->sender);
}

int main(int argc, char **argv)
{
	const struct http_route *const rooms[] = {
		voice_routes, text_routes, payment_routes, about_routes, NULL};
	struct http_route routes[HOOK_MAX_ROUTES + 1];
	const struct service_spec spec = {
		.name = "hooks",
		.summary = "answers webhooks of Twilio, WhatsApp and payments, and sends texts",
		.config = hooks_settings_table,
		.config_bytes = sizeof(struct hooks_settings),
		.default_host = "0.0.0.0",
		.default_port = 8010,
		.max_body_bytes = (size_t)256 << 10,
		.loose_slashes = true,
		.show_trace = true,
		.seen = hook_log_seen,
		.routes = routes,
		.checks = checks,
		.needs_database = true,
		.start = start,
		.drain = drain,
		.drained = drained,
		.stop = stop,
	};
	struct error error;

	if (!hook_routes_join(rooms, routes, &error)) {
		(void)fprintf(stderr, "hooks: %s\n", error.text);
		return 1;
	}
	return service_main(argc, argv, &spec);
}
