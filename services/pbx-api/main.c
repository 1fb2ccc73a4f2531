/*
 * pbx-api: clicks of CRMs become calls of the PBX (8018); PBXs learn who calls them (8021).
 */
#include "pbx_api.h"

#include "alloc.h"
#include "pbx-api_pages.h"

#include <stdio.h>
#include <stdlib.h>

static enum flow_status send_openapi(struct flow *flow)
{
	return http_reply(flow, 200, "application/json",
		str_of((const char *)page_pbx_api_openapi_json, page_pbx_api_openapi_json_size));
}

static const struct flow_step openapi_steps[] = {{"openapi", send_openapi}, {NULL, NULL}};
static const struct flow_spec openapi_flow = {
	.name = "openapi", .steps = openapi_steps, .deadline_ms = 10000};

const struct http_route pbx_api_routes[] = {
	{"GET", "/api/makecallexternal", &click_flow, ROUTE_DETACHED},
	{"POST", "/api/makecallexternal", &click_flow, ROUTE_DETACHED},
	{"GET", "/openapi.json", &openapi_flow, ROUTE_CORS},
	{NULL},
};

/* -- readiness --------------------------------------------------------------------------------------- */

static const char *database_why_not(void *context)
{
	const struct pbx_api *api = context;

	return pg_ready(api->pg) ? schema_why_not(api->schema) : pg_last_error(api->pg);
}

static const char *accounts_missing(void *context)
{
	const struct pbx_api *api = context;

	return accounts_why_not(api->accounts);
}

static const struct service_check checks[] = {
	{"postgresql", database_why_not},
	{"enterprises", accounts_missing},
	{NULL, NULL},
};

/* -- life -------------------------------------------------------------------------------------------- */

static void stop(void *context)
{
	struct pbx_api *api = context;

	http_server_free(&api->routing);
	routing_stats_free(&api->stats);
	routing_cache_free(&api->cache);
	clicks_free(&api->clicks);
	http_client_free(&api->http);
	accounts_free(&api->accounts);
	schema_free(&api->schema);
	pg_free(&api->pg);
	free(api);
}

static void start_database(struct pbx_api *api)
{
	struct service *service = api->service;
	const struct pg_options pg = {
		.url = service_database_url(service),
		.application_name = "callweave pbx-api",
		.log = *service_log(service),
	};
	struct accounts_options accounts = {
		.database_url = pg.url,
		.application_name = pg.application_name,
		.log = pg.log,
	};

	api->pg = pg_new(service_loop(service), &pg);
	api->schema = schema_new(service_loop(service), api->pg, service_log(service));
	accounts.pg = api->pg;
	api->accounts = accounts_new(service_loop(service), &accounts);
}

static void start_meters(struct pbx_api *api)
{
	struct metrics *metrics = service_metrics(api->service);
	char label[64];

	api->stats = routing_stats_new(metrics);
	for (int i = 0; i < AMI_RESULTS; i++) {
		snprintf(label, sizeof(label), "result=\"%s\"", ami_result_name(i));
		api->results[i] = metrics_counter(
			metrics, "callweave_clicks_total", label, "Clicks, by what came of them");
	}
}

/* The second port: few requests, but each wants its answer at once. */
static bool listen_for_pbxs(struct pbx_api *api, struct error *error)
{
	const struct http_server_options options = {
		.host = api->settings->routing_host,
		.port = (int)api->settings->routing_port,
		.max_body_bytes = (size_t)16 << 10,
		.routes = routing_routes,
		.context = api,
		.log = *service_log(api->service),
	};

	api->routing = http_server_new(service_loop(api->service), &options, error);
	if (api->routing == NULL)
		return error_prefix(error, "CALLWEAVE_PBX_API_ROUTING_PORT: ");
	log_info(service_log(api->service), "PBXs ask on %s port %d", options.host,
		http_server_port(api->routing));
	return true;
}

static void *start(struct service *service, struct error *error)
{
	struct pbx_api *api = alloc_zeroed(1, sizeof(*api));
	const struct http_client_options http = {.user_agent = "callweave"};

	api->service = service;
	api->settings = service_config(service);
	start_database(api);
	start_meters(api);
	api->http = http_client_new(service_loop(service), &http);
	api->clicks = clicks_new(&(struct clicks_options){
		.per_minute = api->settings->clicks_per_minute,
		.at_once = api->settings->clicks_at_once,
	});
	api->cache = routing_cache_new((size_t)api->settings->max_cached);
	if (listen_for_pbxs(api, error))
		return api;
	flow_cancel_all(service_loop(service));
	stop(api);
	return NULL;
}

static void drain(void *context)
{
	struct pbx_api *api = context;

	http_server_drain(api->routing);
}

static bool drained(void *context)
{
	const struct pbx_api *api = context;

	return http_server_busy(api->routing) == 0;
}

int main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "pbx-api",
		.summary = "has PBXs call for clicks in CRMs, and tells them who calls",
		.config = pbx_api_settings_table,
		.config_bytes = sizeof(struct pbx_api_settings),
		.default_host = "127.0.0.1",
		.default_port = 8018,
		.routes = pbx_api_routes,
		.checks = checks,
		.needs_database = true,
		.start = start,
		.drain = drain,
		.drained = drained,
		.stop = stop,
	};
	return service_main(argc, argv, &spec);
}
