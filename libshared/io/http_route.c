/*
 * http_route: whose request is it?
 *
 * Two dozen routes at most a process: lengths are measured once, then a walk along the table beats
 * any cleverness.
 */
#include "alloc.h"
#include "http_private.h"

#include <stdlib.h>

struct entry {
	struct str method, path;
	bool has_tail; /* the path ended in * */
	const struct http_route *route;
	void *context;
};

struct http_routes {
	size_t count;
	struct entry entries[];
};

static size_t count(const struct http_route *table)
{
	size_t found = 0;

	while (table != NULL && table[found].method != NULL)
		found++;
	return found;
}

static void add(struct http_routes *routes, const struct http_route *table, void *context)
{
	for (; table != NULL && table->method != NULL; table++) {
		struct entry *entry = &routes->entries[routes->count++];

		entry->method = str_from(table->method);
		entry->path = str_from(table->path);
		entry->has_tail = str_ends(entry->path, STR("*"));
		entry->path.size -= entry->has_tail;
		entry->route = table;
		entry->context = context;
	}
}

struct http_routes *http_routes_new(const struct http_server_options *options)
{
	size_t total = count(options->routes) + count(options->more_routes);
	struct http_routes *routes =
		alloc_zeroed(1, sizeof(*routes) + total * sizeof(struct entry));

	add(routes, options->routes, options->context);
	add(routes, options->more_routes, options->more_context);
	return routes;
}

struct str http_plain_path(struct str path, char room[HTTP_PLAIN_PATH_BYTES])
{
	size_t size = 0;

	if (path.size >= HTTP_PLAIN_PATH_BYTES || path.size < 2 ||
		(memmem(path.data, path.size, "//", 2) == NULL && !str_ends(path, STR("/"))))
		return path;
	for (size_t i = 0; i < path.size; i++) {
		if (path.data[i] != '/' || size == 0 || room[size - 1] != '/')
			room[size++] = path.data[i];
	}
	if (size > 1 && room[size - 1] == '/')
		size--;
	return str_of(room, size);
}

void http_routes_free(struct http_routes **routes)
{
	free(*routes);
	*routes = NULL;
}

static bool fits(const struct entry *entry, struct str path)
{
	return entry->has_tail ? str_starts(path, entry->path) : str_equal(path, entry->path);
}

static bool serves(const struct entry *entry, struct str method)
{
	return str_equal(entry->method, method) ||
	       (str_equal(method, STR("HEAD")) && str_equal(entry->method, STR("GET")));
}

/* The whole path before a tail, a long beginning before a short one. */
static bool better(const struct entry *entry, const struct entry *best)
{
	if (best == NULL || entry->has_tail != best->has_tail)
		return best == NULL || best->has_tail;
	return entry->path.size > best->path.size;
}

void http_routes_find(const struct http_routes *routes, struct str method, struct str path,
	struct http_match *match)
{
	const struct entry *best = NULL;

	*match = (struct http_match){0};
	for (size_t i = 0; i < routes->count; i++) {
		const struct entry *entry = &routes->entries[i];

		if (!fits(entry, path))
			continue;
		match->path_known = true;
		match->cors = match->cors || (entry->route->flags & ROUTE_CORS) != 0;
		if (serves(entry, method) && better(entry, best))
			best = entry;
	}
	if (best == NULL)
		return;
	match->route = best->route;
	match->context = best->context;
	if (best->has_tail)
		match->tail = str_of(path.data + best->path.size, path.size - best->path.size);
}

static bool named_before(const struct http_routes *routes, size_t place, struct str path)
{
	for (size_t i = 0; i < place; i++) {
		if (fits(&routes->entries[i], path) &&
			str_equal(routes->entries[i].method, routes->entries[place].method))
			return true;
	}
	return false;
}

void http_routes_methods(const struct http_routes *routes, struct str path, struct buf *to)
{
	bool cors = false;

	for (size_t i = 0; i < routes->count; i++) {
		const struct entry *entry = &routes->entries[i];

		if (!fits(entry, path))
			continue;
		cors = cors || (entry->route->flags & ROUTE_CORS) != 0;
		if (named_before(routes, i, path))
			continue;
		buf_add(to, to->size > 0 ? STR(", ") : STR(""));
		buf_add(to, entry->method);
		if (str_equal(entry->method, STR("GET")))
			buf_add(to, STR(", HEAD"));
	}
	if (cors)
		buf_add(to, STR(", OPTIONS"));
}
