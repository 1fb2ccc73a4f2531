/*
 * routes: the rooms' tables as one, with a check: of two routes for the same path one would never be
 * asked, and nobody would notice (P18).
 */
#include "hooks.h"

static bool check(const struct http_route *route, const struct http_route *others, size_t count,
	struct error *error)
{
	struct str path = str_from(route->path);

	if (path.size > 1 && (memmem(path.data, path.size, "//", 2) || str_ends(path, STR("/"))))
		return error_set(error, ERROR_INTERNAL, "route %s %s: nobody can reach it",
			route->method, route->path);
	if (service_has_path(path))
		return error_set(error, ERROR_INTERNAL, "route %s %s: every service has it",
			route->method, route->path);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(others[i].path, route->path) == 0 &&
			strcmp(others[i].method, route->method) == 0)
			return error_set(error, ERROR_INTERNAL, "route %s %s: twice", route->method,
				route->path);
	}
	return true;
}

bool hook_routes_join(
	const struct http_route *const *tables, struct http_route *to, struct error *error)
{
	size_t count = 0;

	for (; *tables != NULL; tables++) {
		for (const struct http_route *at = *tables; at->method != NULL; at++) {
			if (count == HOOK_MAX_ROUTES)
				return error_set(error, ERROR_INTERNAL, "routes: more than %d",
					HOOK_MAX_ROUTES);
			if (!check(at, to, count, error))
				return false;
			to[count++] = *at;
		}
	}
	to[count] = (struct http_route){0};
	return true;
}
