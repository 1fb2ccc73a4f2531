/*
 * dispatcher: folds the event log into calls and keeps their live messages in Telegram.
 */
#include "dispatcher.h"

static const struct service_check checks[] = {
	{"postgresql", dispatcher_why_no_database},
	{"schema", dispatcher_why_no_schema},
	{"directory", dispatcher_why_no_directory},
	{"partitions", dispatcher_why_no_shards},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	const struct service_spec spec = {
		.name = "dispatcher",
		.summary = "folds PBX events into calls and delivers them to Telegram",
		.config = dispatcher_config_fields,
		.config_bytes = sizeof(struct dispatcher_config),
		.default_host = "127.0.0.1",
		.default_port = 8001,
		.checks = checks,
		.start = dispatcher_start,
		.drain = dispatcher_drain,
		.drained = dispatcher_drained,
		.stop = dispatcher_stop,
	};
	return service_main(argc, argv, &spec);
}
