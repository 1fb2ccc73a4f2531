/*
 * ingest: the door for PBX events. docs/protocol/pbx-events.md is its wire.
 */
#include "ingest.h"

int main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "ingest",
		.summary = "takes PBX events over HTTP and makes them durable before it answers",
		.config = ingest_settings_table,
		.config_bytes = sizeof(struct ingest_settings),
		.default_host = "0.0.0.0",
		.default_port = 8000,
		.routes = ingest_routes,
		.checks = ingest_checks,
		.start = ingest_start,
		.drained = ingest_drained,
		.stop = ingest_stop,
	};
	return service_main(argc, argv, &spec);
}
