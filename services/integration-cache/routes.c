/*
 * routes: the ways in, by what they are about.
 */
#include "cache.h"
#include "gateway.h"

#include "integration-cache_pages.h"

static enum flow_status send_openapi(struct flow *flow)
{
	return http_reply(flow, 200, "application/json",
		str_of((const char *)page_integration_cache_openapi_json,
			page_integration_cache_openapi_json_size));
}

static const struct flow_step openapi_steps[] = {
	{"send", send_openapi},
	{NULL, NULL},
};

static const struct flow_spec openapi_flow = {
	.name = "openapi",
	.steps = openapi_steps,
	.deadline_ms = 10000,
};

/* What changes something is not undone by a client that goes away. */
const struct http_route cache_routes[] = {
	{"GET", "/health", &health_flow, 0},
	{"GET", "/stats", &stats_flow, 0},
	{"GET", "/integrations/*", &integrations_flow, 0},
	{"GET", "/config/*", &config_flow, 0},
	{"PUT", "/config/*", &config_put_flow, ROUTE_DETACHED},
	{"POST", "/cache/invalidate/*", &invalidate_flow, 0},
	{"POST", "/cache/refresh", &refresh_flow, 0},
	{"GET", "/cache/entries", &entries_flow, 0},
	{"GET", "/incoming-transform/*", &transforms_flow, 0},
	{"POST", "/reload-incoming-transform/*", &transforms_reload_flow, 0},
	{"GET", "/customer-name/*", &customer_name_flow, 0},
	{"GET", "/customer-profile/*", &customer_profile_flow, 0},
	{"GET", "/responsible-extension/*", &responsible_flow, 0},
	{"POST", "/enrich-customer/*", &enrich_flow, 0},
	{"POST", "/notify/incoming", &notify_flow, 0},
	{"POST", "/lookup", &lookup_flow, 0},
	{"GET", "/metadata/stats", &metadata_stats_flow, 0},
	{"GET", "/metadata/*", &metadata_flow, 0},
	{"POST", "/metadata/refresh-all", &metadata_refresh_all_flow, 0},
	{"POST", "/metadata/*", &metadata_refresh_flow, 0},
	{"POST", "/telegram/message", &message_put_flow, ROUTE_DETACHED},
	{"GET", "/telegram/messages/*", &message_get_flow, 0},
	{"DELETE", "/telegram/messages/*", &message_delete_flow, ROUTE_DETACHED},
	{"POST", "/dispatch/call-event", &dispatch_flow, ROUTE_DETACHED},
	{"POST", "/dispatch/call-event/", &dispatch_flow, ROUTE_DETACHED},
	{"GET", "/dispatch/channels", &gateway_channels_flow, 0},
	{"GET", "/openapi.json", &openapi_flow, ROUTE_CORS},
	{NULL},
};
