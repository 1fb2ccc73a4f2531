/*
 * deliver: one attempt to tell one CRM one thing: claim the row, ask the adapter, judge, write down.
 */
#ifndef INTEGRATION_CACHE_DELIVER_H
#define INTEGRATION_CACHE_DELIVER_H

#include "gateway_parts.h"

struct attempt {
	struct channel *channel;
	struct delivery *delivery;
	bool trial; /* the breaker's */
	bool extra; /* not the channel's own place */
	bool over;  /* the row is of no interest to memory any more */

	struct pg_batch *claim;
	int64_t age_ms;	  /* since it was dispatched */
	int64_t given_ms; /* the same, or since a person sent it again */
	bool late;
	struct str memory;
	struct http_call call;
	struct http_answer answer;
	struct report report;
};

/* The delivery is DELIVERY_SENDING; channel_settle() is called when it is over. */
void deliver_start(struct gateway *gateway, struct channel *channel, struct delivery *delivery);

/* What the adapter's answer (or its absence) means: fills the report, moves breaker and channel. */
void deliver_judge(struct gateway *gateway, struct attempt *attempt, struct arena *arena);
/* The same without a request. */
void deliver_skip(
	struct gateway *gateway, struct attempt *attempt, struct arena *arena, const char *reason);
void deliver_away(
	struct gateway *gateway, struct attempt *attempt, struct arena *arena, const char *reason);

#endif
