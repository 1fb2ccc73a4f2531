/*
 * gateway: calls on their way to the CRMs: taken durably, delivered in order, a person can see how.
 *
 * dispatch.h takes them, channel.h keeps what is open in memory, deliver.h makes the attempts,
 * journal.h writes down what came of them. This is what the program needs of it all.
 */
#ifndef INTEGRATION_CACHE_GATEWAY_H
#define INTEGRATION_CACHE_GATEWAY_H

#include "accounts.h"
#include "adapters.h"
#include "gateway_settings.h"
#include "schema.h"
#include "service.h"

struct gateway;

struct gateway_options {
	struct service *service;
	const struct gateway_settings *settings; /* borrowed, as all of these */
	struct accounts *accounts;
	struct schema *schema;
	const struct adapters *adapters;
};

struct gateway *gateway_start(const struct gateway_options *options);
void gateway_drain(struct gateway *gateway);
bool gateway_drained(const struct gateway *gateway);
void gateway_stop(struct gateway **gateway);

/* For /readyz: NULL, or why calls cannot be taken or delivered. */
const char *gateway_why_not(void *gateway);

/* For the program's table of routes; their context is struct integration_cache. */
extern const struct flow_spec dispatch_flow;	     /* POST /dispatch/call-event, detached */
extern const struct flow_spec gateway_channels_flow; /* GET /dispatch/channels */

#endif
