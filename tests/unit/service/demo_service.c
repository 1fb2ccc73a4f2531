/*
 * demo_service: the service of demo.h.
 */
#include "demo.h"

#include "schema.h"
#include "service.h"

#include <stdlib.h>

struct demo_settings {
	const char *words;
	struct secret token;
};

struct demo {
	const struct demo_settings *settings;
	const struct log_context *log;
	struct pg *pg; /* NULL when there is no DATABASE_URL */
	struct schema *schema;
	unsigned slow; /* requests for /slow under way */
};

static const struct config_field demo_table[] = {
	CONFIG_FIELD(struct demo_settings, words, "CALLWEAVE_DEMO_WORDS", CONFIG_TEXT, "hello", 1,
		40, "what /hello says; \"refuse\": do not start"),
	CONFIG_FIELD(struct demo_settings, token, "CALLWEAVE_DEMO_TOKEN", CONFIG_SECRET, "", 0, 0,
		"a secret"),
	{0},
};

static enum flow_status demo_say_hello(struct flow *flow)
{
	const struct demo *demo = flow_context(flow);

	log_debug(flow_log(flow), "said hello");
	return http_reply(flow, 200, "text/plain", str_from(demo->settings->words));
}

static enum flow_status demo_begin_slow(struct flow *flow)
{
	struct demo *demo = flow_context(flow);

	demo->slow++;
	log_info(flow_log(flow), "slow request under way");
	return await_sleep(flow, 1000);
}

static enum flow_status demo_end_slow(struct flow *flow)
{
	return http_reply(flow, 200, "text/plain", STR("slow"));
}

static void demo_slow_over(struct flow *flow)
{
	struct demo *demo = flow_context(flow);

	demo->slow--;
}

static const struct flow_step demo_hello_steps[] = {{"say", demo_say_hello}, {NULL, NULL}};
static const struct flow_spec demo_hello = {.name = "hello", .steps = demo_hello_steps};
static const struct flow_step demo_slow_steps[] = {
	{"begin", demo_begin_slow}, {"end", demo_end_slow}, {NULL, NULL}};
static const struct flow_spec demo_slow = {
	.name = "slow", .steps = demo_slow_steps, .finally = demo_slow_over};

static const struct http_route demo_routes[] = {
	{"GET", "/hello", &demo_hello, 0}, {"GET", "/slow", &demo_slow, 0}, {NULL, NULL, NULL, 0}};

static const char *demo_why_not_postgresql(void *context)
{
	const struct demo *demo = context;

	return demo->schema != NULL ? schema_why_not(demo->schema) : NULL;
}

static const struct service_check demo_checks[] = {
	{"postgresql", demo_why_not_postgresql}, {NULL, NULL}};

static void *demo_begin(struct service *service, struct error *error)
{
	const struct demo_settings *settings = service_config(service);
	struct demo *demo;

	if (strcmp(settings->words, "refuse") == 0) {
		error_set(error, ERROR_INTERNAL, "demo: told to refuse");
		return NULL;
	}
	demo = calloc(1, sizeof(*demo));
	demo->settings = settings;
	demo->log = service_log(service);
	if (service_database_url(service)[0] != '\0') {
		struct pg_options options = {
			.url = service_database_url(service), .log = *demo->log};

		demo->pg = pg_new(service_loop(service), &options);
		demo->schema = schema_new(service_loop(service), demo->pg, demo->log);
	}
	return demo;
}

static void demo_drain(void *context)
{
	const struct demo *demo = context;

	log_info(demo->log, "demo drains with %u slow", demo->slow);
}

static bool demo_drained(void *context)
{
	const struct demo *demo = context;

	return demo->slow == 0;
}

static void demo_end(void *context)
{
	struct demo *demo = context;

	schema_free(&demo->schema);
	pg_free(&demo->pg);
	free(demo);
}

int demo_main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "demo",
		.summary = "a service for tests",
		.config = demo_table,
		.config_bytes = sizeof(struct demo_settings),
		.default_host = "127.0.0.1",
		.default_port = 8999,
		.routes = demo_routes,
		.checks = demo_checks,
		.start = demo_begin,
		.drain = demo_drain,
		.drained = demo_drained,
		.stop = demo_end,
	};

	return service_main(argc, argv, &spec);
}
