/*
 * gateway: calls on their way to the CRMs: taken durably, delivered in order, a person can see how.
 *
 * dispatch.h takes them, channel.h keeps what is open in memory, deliver.h makes the attempts,
 * journal.h writes down what came of them. This is what the program needs of it all.
 */
#ifndef INTEGRATION_CACHE_GATEWAY_H
#define INTEGRATION_CACHE_GATEWAY_H

#include "accounts.h"
#include "schema.h"
#include "service.h"

/* Part of the program's settings. */
struct gateway_settings {
	const char *adapters; /* "retailcrm=http://... uon=..."; "": the drivers' own ports here */
	const char *name;     /* of this instance; "": host and port */
	int64_t at_once;      /* attempts beside each channel's own one */
	int64_t lease_ms;
	int64_t attempt_ms; /* an adapter's answer must be there by then */
	int64_t journal_days, done_days, call_days;
};

struct gateway;

struct gateway_options {
	struct service *service;
	const struct gateway_settings *settings; /* borrowed, as all of these */
	struct accounts *accounts;
	struct schema *schema;
};

struct gateway *gateway_start(const struct gateway_options *options);
void gateway_drain(struct gateway *gateway);
bool gateway_drained(const struct gateway *gateway);
void gateway_stop(struct gateway **gateway);

/* For /readyz: NULL, or why calls cannot be taken or delivered. */
const char *gateway_why_not(void *gateway);

/* Where the adapter of a CRM is asked: "http://127.0.0.1:8019" for "retailcrm"; NULL: no such CRM. */
const char *gateway_adapter(const struct gateway *gateway, struct str code);

/* For the program's table of routes; their context is struct integration_cache. */
extern const struct flow_spec dispatch_flow;	     /* POST /dispatch/call-event, detached */
extern const struct flow_spec gateway_channels_flow; /* GET /dispatch/channels */

#endif
