/*
 * gateway: what it is made of, started in order and stopped in the reverse order.
 */
#include "gateway.h"

#include "alloc.h"
#include "gateway_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USER_AGENT "callweave/" CALLWEAVE_VERSION

/* -- the root flow: starts the others when the schema fits, and is their parent ---------------------- */

enum { SCHEMA_WAIT_MS = 5000, ACCOUNTS_WAIT_MS = 1000 };
enum { ROOT_SCHEMA, ROOT_ACCOUNTS, ROOT_RUN, ROOT_STAY };

static enum flow_status root_schema(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	return await_schema(flow, gateway->schema, SCHEMA_WAIT_MS);
}

/* Without them every integration would look switched off. */
static enum flow_status root_accounts(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	if (schema_why_not(gateway->schema) != NULL)
		return flow_goto(flow, ROOT_SCHEMA);
	if (accounts_why_not(gateway->accounts) == NULL)
		return FLOW_NEXT;
	(void)flow_goto(flow, ROOT_ACCOUNTS);
	return await_queue_for(flow, accounts_loaded(gateway->accounts), ACCOUNTS_WAIT_MS);
}

/* Order does not matter: each flow waits for what it needs. */
static enum flow_status root_run(struct flow *flow)
{
	static const struct flow_spec *const flows[] = {&dispatch_writer_flow, &channel_lease_flow,
		&channel_load_flow, &channel_notice_flow, &channel_clock_flow, &channel_watch_flow,
		&journal_flow, &journal_keep_flow};

	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++)
		(void)flow_spawn(flow, flows[i]);
	return FLOW_NEXT;
}

static enum flow_status root_stay(struct flow *flow)
{
	return await_children(flow);
}

static const struct flow_step root_steps[] = {
	[ROOT_SCHEMA] = {"schema", root_schema},
	[ROOT_ACCOUNTS] = {"accounts", root_accounts},
	[ROOT_RUN] = {"run", root_run},
	[ROOT_STAY] = {"stay", root_stay},
	{NULL, NULL},
};

static void root_finally(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	gateway->draining = true; /* nothing begins while the others are cancelled */
	gateway->root = NULL;
}

static const struct flow_spec root_flow = {
	.name = "gateway",
	.steps = root_steps,
	.finally = root_finally,
	.deadline_ms = FLOW_FOREVER,
};

/* -- start and stop --------------------------------------------------------------------------------- */

/* The same after a restart, so that a killed instance goes on with its channels at once. Two of the
 * same name notice (crm_instances.boot). */
static void choose_name(struct gateway *gateway, struct service *service)
{
	char host[64] = "";

	(void)gethostname(host, sizeof(host) - 1);
	if (gateway->settings->name[0] != '\0')
		(void)str_copy(
			gateway->name, sizeof(gateway->name), str_from(gateway->settings->name));
	else
		snprintf(
			gateway->name, sizeof(gateway->name), "%s:%d", host, service_port(service));
	crypto_uuid4(gateway->boot);
}

/* A connection for each kind of work: a slow look never holds up a commit that somebody waits for. */
static void connect(struct gateway *gateway, struct service *service)
{
	const struct pg_options options = {
		.url = service_database_url(service),
		.application_name = "callweave integration-cache gateway",
		.statement_timeout_ms = 5000,
		.max_queued_batches = 4096,
		.log = *gateway->log,
	};
	struct pg_options keep = options;

	keep.statement_timeout_ms = 30000;
	gateway->commit_pg = pg_new(gateway->loop, &options);
	gateway->work_pg = pg_new(gateway->loop, &options);
	gateway->look_pg = pg_new(gateway->loop, &options);
	gateway->keep_pg = pg_new(gateway->loop, &keep);
	gateway->listen = pg_listen_new(gateway->loop, &options, channel_notices);
	gateway->http = http_client_new(gateway->loop, &(struct http_client_options){
							       .max_connections = 4096,
							       .max_connections_per_host = 1024,
							       .user_agent = USER_AGENT,
						       });
}

struct gateway *gateway_start(const struct gateway_options *options)
{
	struct gateway *gateway = alloc_zeroed(1, sizeof(*gateway));

	gateway->settings = options->settings;
	gateway->loop = service_loop(options->service);
	gateway->log = service_log(options->service);
	gateway->accounts = options->accounts;
	gateway->schema = options->schema;
	gateway->adapters = options->adapters;
	gateway->secret = service_internal_secret(options->service);
	choose_name(gateway, options->service);
	gateway_meters_init(&gateway->meters, service_metrics(options->service));
	connect(gateway, options->service);
	channels_init(&gateway->channels);
	dispatch_line_init(&gateway->line);
	journal_init(&gateway->journal);
	gateway->root = flow_start(gateway->loop, &root_flow, gateway, gateway->log);
	return gateway;
}

void gateway_drain(struct gateway *gateway)
{
	gateway->draining = true;
	gateway->draining_ms = loop_now_ms(gateway->loop);
	flow_queue_wake_all(&gateway->channels.lease);
}

/* What is under way is finished and written down; without a database there is nobody to take leave of. */
bool gateway_drained(const struct gateway *gateway)
{
	if (gateway->line.rows > 0)
		return false;
	if (gateway->channels.left)
		return true;
	return gateway->channels.attempts == 0 &&
	       (gateway->channels.fresh || !pg_ready(gateway->look_pg));
}

void gateway_stop(struct gateway **stopped)
{
	struct gateway *gateway = *stopped;

	if (gateway == NULL)
		return;
	*stopped = NULL;
	if (gateway->root != NULL)
		flow_cancel(gateway->root);
	journal_free(gateway);
	dispatch_line_free(&gateway->line);
	channels_free(&gateway->channels);
	http_client_free(&gateway->http);
	pg_listen_free(&gateway->listen);
	pg_free(&gateway->keep_pg);
	pg_free(&gateway->look_pg);
	pg_free(&gateway->work_pg);
	pg_free(&gateway->commit_pg);
	free(gateway);
}

/* -- for others ------------------------------------------------------------------------------------- */

const char *gateway_why_not(void *context)
{
	const struct gateway *gateway = context;

	if (!pg_ready(gateway->commit_pg))
		return pg_last_error(gateway->commit_pg);
	return gateway->channels.superseded ? "another instance has this one's name" : NULL;
}

/* A fifth of jitter: what failed together need not come back together. */
int64_t gateway_backoff_ms(unsigned attempts, int64_t first_ms, int64_t max_ms)
{
	int64_t delay = attempts < 20 ? first_ms << attempts : max_ms;
	uint16_t noise;

	crypto_random(&noise, sizeof(noise));
	if (delay > max_ms)
		delay = max_ms;
	return delay - delay / 5 + delay * 2 / 5 * noise / UINT16_MAX;
}
