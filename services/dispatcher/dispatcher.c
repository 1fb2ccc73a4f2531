/*
 * dispatcher: start and stop of the process's parts.
 */
#include "dispatcher.h"

#include "crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USER_AGENT "callweave/" CALLWEAVE_VERSION

/* -- the root flow: starts the others when the schema fits, and is their parent -------------------- */

#define SCHEMA_WAIT_MS 5000

static enum flow_status root_wait(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	return await_schema(flow, d->schema, SCHEMA_WAIT_MS);
}

/* Order does not matter: each flow waits for what it needs. */
static enum flow_status root_run(struct flow *flow)
{
	static const struct flow_spec *const flows[] = {&listen_flow, &directory_flow, &lease_flow,
		&recovery_flow, &round_flow, &writer_flow, &gateway_flow, &recordings_flow,
		&refolding_flow, &maintenance_flow};
	struct dispatcher *d = flow_context(flow);
	if (d->draining)
		return FLOW_END;
	if (schema_why_not(d->schema) != NULL)
		return flow_goto(flow, 0);
	d->running = true;
	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++)
		(void)flow_spawn(flow, flows[i]);
	return FLOW_NEXT;
}

static enum flow_status root_stay(struct flow *flow)
{
	return await_children(flow);
}

static const struct flow_step root_steps[] = {
	{"wait", root_wait},
	{"run", root_run},
	{"stay", root_stay},
	{NULL, NULL},
};

static void root_finally(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	d->root = NULL;
}

static const struct flow_spec root_flow = {
	.name = "root", .steps = root_steps, .finally = root_finally, .deadline_ms = FLOW_FOREVER};

/* -- start ---------------------------------------------------------------------------------------- */

static void dispatcher_name(struct dispatcher *d)
{
	char host[48] = "", id[CRYPTO_UUID_TEXT];
	(void)gethostname(host, sizeof(host) - 1);
	crypto_uuid4(id);
	snprintf(d->name, sizeof(d->name), "%s/%ld/%.8s", host, (long)getpid(), id);
}

/* Nothing here waits: connections come up in the background, and /readyz tells how far they are. */
static bool dispatcher_connect(struct dispatcher *d, struct error *error)
{
	struct pg_options pg = {
		.url = service_database_url(d->service),
		.application_name = "callweave-dispatcher",
		.max_queued_batches = 4096,
		.log = d->log,
	};
	const struct redis_options redis = {.url = service_redis_url(d->service),
		.log = d->log,
		.subscribe = "callweave:events"};
	const struct http_client_options http = {
		.max_connections = (unsigned)d->config->max_connections,
		.max_connections_per_host = (unsigned)d->config->max_connections,
		.user_agent = USER_AGENT,
	};
	d->pg = pg_new(d->loop, &pg);
	d->side_pg = pg_new(d->loop, &pg);
	d->lease_pg = pg_new(d->loop, &pg);
	pg.statement_timeout_ms = REFOLDING_STATEMENT_MS;
	d->refolding.pg = pg_new(d->loop, &pg);
	pg.statement_timeout_ms = 0;
	d->listen = pg_listen_new(d->loop, &pg, listen_channels);
	d->http = http_client_new(d->loop, &http);
	gateway_connect(d);
	d->redis = redis_new(d->loop, &redis, error);
	return d->redis != NULL;
}

static void dispatcher_init(struct dispatcher *d)
{
	meters_init(&d->meters, service_metrics(d->service));
	lease_init(&d->lease);
	recovery_init(&d->recovery);
	directory_init(&d->directory);
	folding_init(&d->folding, d->config->linger_seconds * 1000);
	people_init(&d->people);
	round_init(&d->round);
	bots_init(&d->bots);
	outbox_init(&d->outbox);
	writer_init(&d->writer);
	told_init(&d->told);
	gateway_init(&d->gateway, service_metrics(d->service));
	recordings_init(&d->recordings);
	refolding_init(&d->refolding, service_metrics(d->service));
	maintenance_init(&d->maintenance);
}

void *dispatcher_start(struct service *service, struct error *error)
{
	struct dispatcher *d = alloc_zeroed(1, sizeof(*d));
	d->service = service;
	d->config = service_config(service);
	d->loop = service_loop(service);
	d->log = *service_log(service);
	dispatcher_name(d);
	dispatcher_init(d);
	if (!dispatcher_connect(d, error)) {
		dispatcher_stop(d);
		return NULL;
	}
	d->schema = schema_new(d->loop, d->side_pg, &d->log);
	d->root = flow_start(d->loop, &root_flow, d, &d->log);
	return d;
}

/* -- drain and stop ------------------------------------------------------------------------------- */

void dispatcher_drain(void *context)
{
	struct dispatcher *d = context;
	d->draining = true;
	flow_queue_wake_all(&d->lease.wake);
}

/* What is under way has ended and the shards are given back; without PostgreSQL that cannot be told. */
bool dispatcher_drained(void *context)
{
	const struct dispatcher *d = context;
	if (d->lease.released || !d->running)
		return true;
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		if (d->shards.items[i].busy > 0)
			return false;
	}
	return !pg_ready(d->lease_pg);
}

static void dispatcher_disconnect(struct dispatcher *d)
{
	if (d->redis != NULL)
		redis_free(&d->redis);
	http_client_free(&d->http);
	pg_listen_free(&d->listen);
	pg_free(&d->refolding.pg);
	pg_free(&d->lease_pg);
	pg_free(&d->side_pg);
	pg_free(&d->pg);
}

void dispatcher_stop(void *context)
{
	struct dispatcher *d = context;
	if (d->root != NULL)
		flow_cancel(d->root);
	schema_free(&d->schema);
	dispatcher_disconnect(d);
	maintenance_free(&d->maintenance);
	refolding_free(&d->refolding);
	recordings_free(&d->recordings);
	gateway_free(&d->gateway);
	told_free(&d->told);
	writer_free(&d->writer);
	outbox_free(d);
	bots_free(&d->bots);
	round_free(&d->round);
	people_free(&d->people);
	folding_free(&d->folding);
	directory_free(&d->directory);
	recovery_free(&d->recovery);
	lease_free(&d->lease);
	free(d);
}

/* -- readiness ------------------------------------------------------------------------------------ */

const char *dispatcher_why_no_database(void *context)
{
	const struct dispatcher *d = context;
	return pg_ready(d->pg) ? NULL : pg_last_error(d->pg);
}

const char *dispatcher_why_no_schema(void *context)
{
	const struct dispatcher *d = context;
	return schema_why_not(d->schema);
}

const char *dispatcher_why_no_directory(void *context)
{
	const struct dispatcher *d = context;
	return d->directory.loads > 0 ? NULL : "enterprises have not been read yet";
}

const char *dispatcher_why_no_shards(void *context)
{
	const struct dispatcher *d = context;
	if (shards_count(&d->shards, SHARD_OWNED) > 0)
		return NULL;
	return d->shards.others && pg_ready(d->lease_pg) ? NULL
							 : "no partition of the work is owned yet";
}
