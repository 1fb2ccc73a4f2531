/*
 * emulator: plays captured calls against ingest, by a form and by an API, and shows what came of
 * them. It knows the public wire only; from PostgreSQL it reads whom it may play.
 */
#include "emulator.h"

#include "alloc.h"

#include <stdlib.h>

/* The first four are the addresses that people have in their bookmarks from the old tester;
 * /api/runs is ours, the rest of /api is its contract. */
static const struct http_route routes[] = {
	{"GET", "/", &pages_flow, 0},
	{"GET", "/test-interface", &pages_flow, 0},
	{"GET", "/call-tester", &pages_flow, 0},
	{"GET", "/call-tester/", &pages_flow, 0},
	{"GET", "/static/*", &pages_flow, 0},
	{"GET", "/health", &api_health_flow, 0},
	{"GET", "/api/enterprises", &api_enterprises_flow, 0},
	{"GET", "/api/lines", &api_lines_flow, 0},
	{"GET", "/api/managers", &api_managers_flow, 0},
	{"GET", "/api/patterns", &api_patterns_flow, 0},
	{"GET", "/api/result", &api_result_flow, 0},
	{"POST", "/api/test-call", &api_test_call_flow, 0},
	{"POST", "/api/runs", &api_start_run_flow, 0},
	{"GET", "/api/runs/*", &api_run_events_flow, 0},
	{"POST", "/api/runs/*", &api_run_action_flow, 0},
	{"POST", "/api/log-event", &api_log_event_flow, 0},
	{"POST", "/api/webhook-event", &api_webhook_event_flow, 0},
	{NULL},
};

#define FIELD(member, setting, kind, fallback, low, high, words)                                   \
	CONFIG_FIELD(struct emulator_config, member, "CALLWEAVE_EMULATOR_" setting, kind,          \
		fallback, low, high, words)

static const struct config_field config[] = {
	FIELD(target, "TARGET", CONFIG_TEXT, "http://127.0.0.1:8000", 8, 500,
		"where events are posted: the URL of ingest"),
	FIELD(sandbox_url, "SANDBOX_URL", CONFIG_TEXT, "", 0, 500,
		"URL of the sandbox whose chat the page shows; empty in production"),
	FIELD(speed, "SPEED", CONFIG_INT, "1", 1, EMULATOR_MAX_SPEED,
		"how many times faster than real calls are played, when not said otherwise"),
	FIELD(log_path, "LOG", CONFIG_TEXT, "logs/call_tester_events.log", 1, 1000,
		"file of the log of events"),
	FIELD(log_bytes, "LOG_BYTES", CONFIG_INT, "10485760", 4096, 1000000000,
		"size in bytes at which the log of events is rotated; five old ones are kept"),
	{NULL},
};

static const char *database_why_not(void *context)
{
	const struct emulator *emulator = context;

	return directory_why_not(emulator->directory);
}

/* Not the target: that ingest is down is what a person may want to try. */
static const struct service_check checks[] = {
	{"postgresql", database_why_not},
	{NULL, NULL},
};

static void stop(void *context)
{
	struct emulator *emulator = context;

	/* First: runs hold patterns and use the client and the log. */
	runs_free(&emulator->runs);
	directory_free(&emulator->directory);
	patterns_free(&emulator->patterns);
	http_client_free(&emulator->http);
	event_log_free(&emulator->event_log);
	free(emulator);
}

/* Before anything that needs the loop, so that a wrong setting ends the start with words. */
static bool open_files(struct emulator *emulator, struct error *error)
{
	emulator->event_log = event_log_new(emulator->config->log_path,
		(size_t)emulator->config->log_bytes, service_log(emulator->service), error);
	if (emulator->event_log == NULL)
		return false;
	emulator->patterns = patterns_new(error);
	return emulator->patterns != NULL;
}

static void *start(struct service *service, struct error *error)
{
	struct emulator *emulator = alloc_zeroed(1, sizeof(*emulator));
	struct loop *loop = service_loop(service);

	emulator->service = service;
	emulator->config = service_config(service);
	if (!open_files(emulator, error)) {
		event_log_free(&emulator->event_log);
		free(emulator);
		return NULL;
	}
	emulator->http = http_client_new(
		loop, &(struct http_client_options){.user_agent = "callweave-emulator"});
	emulator->directory =
		directory_new(loop, service_database_url(service), service_log(service));
	emulator->runs = runs_new(loop, &(struct runs_options){
						.target = emulator->config->target,
						.http = emulator->http,
						.event_log = emulator->event_log,
						.log = *service_log(service),
					});
	return emulator;
}

/* A call may last hours; half a call is an honest outcome that the receiver must bear anyway. */
static void drain(void *context)
{
	struct emulator *emulator = context;

	runs_stop_all(emulator->runs);
}

static bool drained(void *context)
{
	const struct emulator *emulator = context;

	return runs_idle(emulator->runs);
}

int main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "emulator",
		.summary = "plays captured calls against ingest, by a form and by an API",
		.config = config,
		.config_bytes = sizeof(struct emulator_config),
		.default_host = "0.0.0.0",
		.default_port = 8025,
		.routes = routes,
		.checks = checks,
		.start = start,
		.drain = drain,
		.drained = drained,
		.stop = stop,
	};

	return service_main(argc, argv, &spec);
}
