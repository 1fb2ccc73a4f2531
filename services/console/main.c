/*
 * console: the pages that people open: of a call and of a customer, behind signed links.
 */
#include "console.h"

#include "alloc.h"
#include "call_link.h"

#include <stdlib.h>

static const struct http_route routes[] = {
	{"GET", "/", &home_flow, 0},
	{"GET", "/call/*", &call_flow, 0},
	{"GET", "/call/static/*", &file_flow, 0},
	{"GET", "/customer/*", &customer_flow, 0},
	{"GET", "/openapi.json", &openapi_flow, ROUTE_CORS},
	{NULL},
};

static const char *database_why_not(void *context)
{
	const struct console *console = context;

	return pg_ready(console->pg) ? schema_why_not(console->schema) : pg_last_error(console->pg);
}

static const char *link_key_why_not(void *context)
{
	const struct console *console = context;

	return service_link_key(console->service).size > 0 ? NULL : "CALLWEAVE_LINK_KEY is not set";
}

static const struct service_check checks[] = {
	{"postgresql", database_why_not},
	{"links", link_key_why_not},
	{NULL, NULL},
};

static void *start(struct service *service, struct error *error)
{
	struct console *console = alloc_zeroed(1, sizeof(*console));
	const struct pg_options options = {
		.url = service_database_url(service),
		.application_name = "callweave console",
		.log = *service_log(service),
	};

	if (options.url[0] == '\0') {
		(void)error_set(error, ERROR_INPUT, "DATABASE_URL: missing");
		free(console);
		return NULL;
	}
	console->service = service;
	console->pg = pg_new(service_loop(service), &options);
	console->schema = schema_new(service_loop(service), console->pg, service_log(service));
	return console;
}

static void stop(void *context)
{
	struct console *console = context;

	schema_free(&console->schema);
	pg_free(&console->pg);
	free(console);
}

const struct service_spec console_spec = {
	.name = "console",
	.summary = "the pages of calls and customers, for whoever has a link to them",
	.default_host = "127.0.0.1",
	.default_port = 8090,
	.routes = routes,
	.checks = checks,
	.start = start,
	.stop = stop,
};

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--link") == 0)
		return link_command(argc, argv);
	return service_main(argc, argv, &console_spec);
}
