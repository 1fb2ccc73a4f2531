/*
 * adapter: the process' parts, built and taken down.
 */
#include "adapter.h"

#include "alloc.h"
#include "crypto.h"
#include "lanes.h"
#include "learn.h"
#include "mirror.h"
#include "tokens.h"

#include <stdio.h>
#include <stdlib.h>

/* -- the root flow: waits for ever; what no request waits for are its children -------------------- */

enum { ROOT_MS = 60000 };

static enum flow_status root_wait(struct flow *flow)
{
	return await_sleep(flow, ROOT_MS);
}

static enum flow_status root_again(struct flow *flow)
{
	return flow_goto(flow, 0);
}

static void root_finally(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);

	adapter->root = NULL;
}

static const struct flow_step root_steps[] = {
	{"wait", root_wait}, {"again", root_again}, {NULL, NULL}};

static const struct flow_spec root_flow = {
	.name = "root", .steps = root_steps, .finally = root_finally, .deadline_ms = FLOW_FOREVER};

/* -- readiness ------------------------------------------------------------------------------------ */

static const char *database_why_not(void *context)
{
	const struct adapter *adapter = context;

	return pg_ready(adapter->pg) ? schema_why_not(adapter->schema) : pg_last_error(adapter->pg);
}

static const char *accounts_check(void *context)
{
	const struct adapter *adapter = context;

	return accounts_why_not(adapter->accounts);
}

const struct service_check adapter_checks[] = {
	{"postgresql", database_why_not},
	{"accounts", accounts_check},
	{NULL, NULL},
};

/* -- start and stop ------------------------------------------------------------------------------- */

static bool check_settings(struct adapter *adapter, struct error *error)
{
	if (service_internal_secret(adapter->service).size == 0)
		return error_set(error, ERROR_INPUT,
			"CALLWEAVE_INTERNAL_SECRET: missing, and nobody could prove to be one of "
			"us");
	if (!address_list_read(str_from(adapter->config->allow_private), &adapter->allowed, error))
		return error_prefix(error, "CALLWEAVE_CRM_ALLOW_PRIVATE: ");
	return true;
}

static void name_instance(struct adapter *adapter)
{
	char uuid[CRYPTO_UUID_TEXT];

	crypto_uuid4(uuid);
	(void)snprintf(
		adapter->name, sizeof(adapter->name), "%s %s", adapter->driver->program, uuid);
}

static void open_clients(struct adapter *adapter)
{
	const char *url = service_database_url(adapter->service);
	const struct pg_options pg = {
		.url = url, .application_name = adapter->name, .log = adapter->log};
	const struct http_client_options outside = {
		.user_agent = "callweave",
		/* One a job: CRMs that never answer do not keep others from theirs. */
		.max_connections = (unsigned)adapter->config->max_jobs,
		.deny_private = true,
		.allowed = &adapter->allowed,
	};

	adapter->pg = pg_new(adapter->loop, &pg);
	adapter->schema = schema_new(adapter->loop, adapter->pg, &adapter->log);
	adapter->accounts = accounts_new(adapter->loop, &(struct accounts_options){
								.pg = adapter->pg,
								.database_url = url,
								.application_name = adapter->name,
								.log = adapter->log,
							});
	adapter->outside = http_client_new(adapter->loop, &outside);
	adapter->inside = http_client_new(
		adapter->loop, &(struct http_client_options){.user_agent = "callweave"});
}

void *adapter_start(struct service *service, struct error *error)
{
	struct adapter *adapter = alloc_zeroed(1, sizeof(*adapter));

	adapter->service = service;
	adapter->loop = service_loop(service);
	adapter->log = *service_log(service);
	adapter->driver = service_argument(service);
	adapter->config = service_config(service);
	if (!check_settings(adapter, error)) {
		free(adapter);
		return NULL;
	}
	name_instance(adapter);
	meters_init(&adapter->meters, service_metrics(service));
	open_clients(adapter);
	adapter->rates = rates_new(adapter->driver, (unsigned)adapter->config->rate_percent);
	adapter->lanes = lanes_new();
	adapter->tokens = tokens_new();
	adapter->learner = learner_new();
	adapter->mirror = mirror_new();
	adapter->root = flow_start(adapter->loop, &root_flow, adapter, &adapter->log);
	mirror_start(adapter);
	return adapter;
}

void adapter_drain(void *context)
{
	struct adapter *adapter = context;

	adapter->draining = true;
}

bool adapter_drained(void *context)
{
	const struct adapter *adapter = context;

	return adapter->jobs == 0;
}

void adapter_stop(void *context)
{
	struct adapter *adapter = context;

	mirror_free(&adapter->mirror);
	learner_free(&adapter->learner);
	tokens_free(&adapter->tokens);
	lanes_free(&adapter->lanes);
	rates_free(&adapter->rates);
	http_client_free(&adapter->inside);
	http_client_free(&adapter->outside);
	accounts_free(&adapter->accounts);
	schema_free(&adapter->schema);
	pg_free(&adapter->pg);
	free(adapter);
}
