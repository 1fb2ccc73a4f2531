/*
 * emulator: the process' own struct, and the stories of its routes.
 */
#ifndef EMULATOR_EMULATOR_H
#define EMULATOR_EMULATOR_H

#include "directory.h"
#include "event_log.h"
#include "http_server.h"
#include "patterns.h"
#include "runs.h"
#include "service.h"

struct emulator_config {
	const char *target;
	const char *sandbox_url; /* "": none */
	int64_t speed;
	const char *log_path;
	int64_t log_bytes;
};

struct emulator {
	struct service *service;
	const struct emulator_config *config;
	struct event_log *event_log;
	struct http_client *http;
	struct patterns *patterns;
	struct directory *directory;
	struct runs *runs;
};

#define EMULATOR_MAX_SPEED 1000

extern const struct flow_spec api_test_call_flow, api_start_run_flow;	/* api_calls.c */
extern const struct flow_spec api_run_events_flow, api_run_action_flow; /* api_runs.c */
extern const struct flow_spec api_enterprises_flow, api_lines_flow;	/* api_directory.c */
extern const struct flow_spec api_managers_flow, api_health_flow, api_patterns_flow;
extern const struct flow_spec api_result_flow;				  /* api_result.c */
extern const struct flow_spec api_log_event_flow, api_webhook_event_flow; /* api_log.c */
extern const struct flow_spec pages_flow;				  /* pages.c */

/* A story of one step. */
#define ONE_STEP(flow_name, step)                                                                  \
	{                                                                                          \
		.name = (flow_name),                                                               \
		.steps = (const struct flow_step[]){{(flow_name), (step)}, {NULL, NULL}},          \
		.arena_max_bytes = 8u << 20, .deadline_ms = 10000,                                 \
	}

/* The enterprise of that number, or the one that the query names; NULL when there is none: the
 * request is then answered. Valid until the step ends: a reload replaces all of them. */
const struct directory_enterprise *emulator_find(struct flow *flow, struct str number);
const struct directory_enterprise *emulator_enterprise(struct flow *flow);

#endif
