/*
 * routes: see routes.h.
 */
#include "routes.h"

#include "adapter.h"
#include "told.h"

#include <stdio.h>

static const struct {
	const char *method, *verb;
	const struct flow_spec *flow;
	unsigned flags;
} inner_routes[] = {
	{"GET", "customer-by-phone", &lookup_flow, 0},
	{"GET", "customer-profile", &lookup_flow, 0},
	{"GET", "customer-name", &lookup_flow, 0},
	{"GET", "responsible-extension", &lookup_flow, 0},
	{"GET", "employees", &manage_flow, 0},
	{"POST", "register", &manage_flow, ROUTE_DETACHED},
	{"POST", "unregister", &manage_flow, ROUTE_DETACHED},
	{"POST", "test", &manage_flow, 0},
	{"POST", "authorize", &manage_flow, ROUTE_DETACHED},
	{"POST", "learn", &learn_flow, 0},
};

static void add(struct routes *routes, const char *method, const char *path,
	const struct flow_spec *flow, unsigned flags)
{
	if (routes->count < ROUTES_MAX)
		routes->items[routes->count++] = (struct http_route){
			.method = method, .path = path, .flow = flow, .flags = flags};
}

static void add_inner(struct routes *routes, const struct crm_driver *driver, const char *verb,
	const struct http_route *route)
{
	char *path = routes->paths[routes->count % ROUTES_MAX];

	(void)snprintf(path, ROUTES_PATH_MAX, "/internal/%s/%s", driver->code, verb);
	add(routes, route->method, path, route->flow, route->flags);
}

void routes_make(struct routes *routes, const struct crm_driver *driver)
{
	const char *verb;

	add(routes, "POST", "/internal/deliver", &deliver_flow, ROUTE_DETACHED);
	for (size_t i = 0; i < sizeof(inner_routes) / sizeof(inner_routes[0]); i++)
		add_inner(routes, driver, inner_routes[i].verb,
			&(struct http_route){.method = inner_routes[i].method,
				.flow = inner_routes[i].flow,
				.flags = inner_routes[i].flags});
	for (size_t i = 0; (verb = told_verb(str_from(driver->code), i)) != NULL; i++)
		add_inner(routes, driver, verb,
			&(struct http_route){
				.method = "POST", .flow = &tell_flow, .flags = ROUTE_DETACHED});
	for (const struct crm_hook_route *hook = driver->hooks;
		hook != NULL && hook->method != NULL; hook++)
		add(routes, hook->method, hook->path, &hook_flow, ROUTE_DETACHED);
}
