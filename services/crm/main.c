/*
 * crm: one CRM's adapter: tells it of calls, asks it for customers, hears what it says.
 *
 * One program for all of them: the name under which it is started chooses the driver.
 */
#include "adapter.h"
#include "routes.h"

#include <stdio.h>

enum { EXIT_USAGE = 2, BODY_BYTES = 1 << 20 };

static struct str program_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return str_from(slash != NULL ? slash + 1 : path);
}

static int say_names(const char *path)
{
	(void)fprintf(stderr, "%s: the name chooses the CRM; start it as one of:", path);
	for (const struct crm_driver *const *at = crm_drivers; *at != NULL; at++)
		(void)fprintf(stderr, " %s", (*at)->program);
	(void)fputs("\n", stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct crm_driver *driver = crm_driver_of_program(program_name(argv[0]));
	struct routes routes = {.count = 0};
	struct service_spec spec = {
		.summary = "tells a CRM of calls, and hears what it says",
		.config = crm_config_fields,
		.config_bytes = sizeof(struct crm_config),
		.default_host = "127.0.0.1",
		.checks = adapter_checks,
		.max_body_bytes = BODY_BYTES,
		.needs_database = true,
		.start = adapter_start,
		.drain = adapter_drain,
		.drained = adapter_drained,
		.stop = adapter_stop,
	};

	if (driver == NULL)
		return say_names(argv[0]);
	routes_make(&routes, driver);
	spec.name = driver->program;
	spec.default_port = driver->port;
	spec.argument = driver;
	spec.routes = routes.items;
	return service_main(argc, argv, &spec);
}
