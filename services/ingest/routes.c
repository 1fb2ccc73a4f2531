/*
 * routes: the ways in. A lost client does not take its event back: what was accepted is stored.
 */
#include "ingest.h"
#include "recovery.h"

#include "ingest_pages.h"

static enum flow_status send_openapi(struct flow *flow)
{
	return http_reply(flow, 200, "application/json",
		str_of((const char *)page_ingest_openapi_json, page_ingest_openapi_json_size));
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

#define EVENT(path)                                                                                \
	{                                                                                          \
		"POST", (path), &event_flow, ROUTE_DETACHED | ROUTE_CORS                           \
	}

const struct http_route ingest_routes[] = {
	EVENT("/start"),
	EVENT("/dial"),
	EVENT("/bridge"),
	EVENT("/hangup"),
	EVENT("/bridge_create"),
	EVENT("/bridge_leave"),
	EVENT("/bridge_destroy"),
	EVENT("/new_callerid"),
	{"POST", "/recovery/events", &recovery_flow, ROUTE_SPOOL},
	{"GET", "/openapi.json", &openapi_flow, ROUTE_CORS},
	{0},
};
