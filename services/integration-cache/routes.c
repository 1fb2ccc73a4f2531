/*
 * routes: the ways in, by what they are about.
 */
#include "cache.h"
#include "gateway.h"

const struct http_route cache_routes[] = {
	{"POST", "/dispatch/call-event", &dispatch_flow, ROUTE_DETACHED},
	{"POST", "/dispatch/call-event/", &dispatch_flow, ROUTE_DETACHED},
	{"GET", "/dispatch/channels", &gateway_channels_flow, 0},
	{NULL},
};
