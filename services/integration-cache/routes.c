/*
 * routes: the ways in, by what they are about.
 */
#include "cache.h"

const struct http_route cache_routes[] = {
	{NULL},
};
