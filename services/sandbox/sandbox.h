/*
 * sandbox: the process' own struct, and what its files offer each other.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "faults.h"
#include "http_client.h"
#include "http_server.h"
#include "json.h"
#include "outside.h"
#include "requests.h"
#include "service.h"

struct sandbox {
	struct service *service;
	struct requests *requests;
	struct faults *faults;
	void *outside[OUTSIDE_MAX]; /* states of outside_services[], same index */
	struct flow_queue changed;  /* pages that wait for news */
	struct flow_queue delayed;  /* requests that a fault holds up */
	struct flow_queue held;	    /* long polls */
	struct http_client *http;   /* webhooks */
	bool draining;		    /* nobody is kept waiting any more */
	int64_t resets;		    /* a held-up request of an earlier world must not act in this */
};

/* Each is one route's story. */
extern const struct flow_spec exchange_flow;			     /* exchange.c */
extern const struct flow_spec admin_requests_flow, admin_stats_flow; /* admin.c */
extern const struct flow_spec admin_faults_flow, admin_add_fault_flow;
extern const struct flow_spec admin_clear_faults_flow, admin_reset_flow;
extern const struct flow_spec telegram_messages_flow, telegram_chats_flow; /* telegram_admin.c */
extern const struct flow_spec telegram_bots_flow, telegram_limits_flow;
extern const struct flow_spec telegram_write_flow, telegram_press_flow; /* telegram_people.c */
extern const struct flow_spec telegram_presses_flow, telegram_members_flow, telegram_leave_flow;
extern const struct flow_spec pbx_declare_flow, pbx_commands_flow; /* pbx_admin.c */
extern const struct flow_spec baileys_bring_flow;		   /* baileys.c */
extern const struct flow_spec events_flow;			   /* events.c */
extern const struct flow_spec pages_flow;			   /* pages.c */

/* A story of one step. */
#define ONE_STEP(flow_name, step)                                                                  \
	{                                                                                          \
		.name = (flow_name),                                                               \
		.steps = (const struct flow_step[]){{(flow_name), (step)}, {NULL, NULL}},          \
		.deadline_ms = 10000,                                                              \
	}

struct telegram *sandbox_telegram(struct sandbox *sandbox);

/* webhook.c: deliver what waits, if nobody does yet. */
struct listener;
void webhook_kick(struct sandbox *sandbox, struct listener *listener);

enum flow_status admin_say_ok(struct flow *flow); /* {"ok":true} */

/* Read the request's body by a table of fields; on false say why by flow_fail_error(). */
bool admin_read_body(
	struct flow *flow, const struct json_field *fields, void *to, struct error *error);

/* A number from the query of the request; `fallback` when it is absent. False when it is no
 * number: the request is answered. */
bool admin_query_int(struct flow *flow, const char *name, int64_t fallback, int64_t *value);

#endif
