/*
 * integration-cache: configuration and customers for everyone, and the way of calls to the CRMs.
 */
#include "cache.h"

int main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "integration-cache",
		.summary = "looks up enterprises and customers, and tells CRMs of calls",
		.config = cache_settings_table,
		.config_bytes = sizeof(struct cache_settings),
		.default_host = "127.0.0.1",
		.default_port = 8020,
		.max_body_bytes = (size_t)512 << 10, /* a configuration */
		.routes = cache_routes,
		.checks = cache_checks,
		.needs_database = true,
		.start = cache_start,
		.drain = cache_drain,
		.drained = cache_drained,
		.stop = cache_stop,
	};
	return service_main(argc, argv, &spec);
}
