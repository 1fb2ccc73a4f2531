/*
 * journal: what came of attempts, written down: many outcomes share one transaction.
 *
 * The delivery's new state, what the driver remembers of the call, and the row of integration_logs are
 * stored together or not at all; so is the state of a channel's breaker. While the database is away
 * they wait here: no more than there are attempts, for an attempt ends when its outcome is stored.
 */
#ifndef INTEGRATION_CACHE_JOURNAL_H
#define INTEGRATION_CACHE_JOURNAL_H

#include "flow.h"
#include "json.h"

struct channel;
struct gateway;

/* Texts are borrowed until it is recorded. */
struct report {
	struct report *next;
	struct flow_queue recorded; /* who waits for it */
	bool is_recorded, in_line;

	int64_t id, epoch, call_id;
	struct str enterprise, crm, call_key, kind, trace;
	struct str state; /* of the delivery: done, skipped, failed, queued, dead */
	struct str reason;
	int64_t attempts, wait_ms; /* until the next one */
	struct str memory;	   /* JSON; "": as it was */

	struct str logged; /* success, error, skipped; "": no row in the journal */
	int64_t attempt, http_status, took_ms;
	struct str crm_success;	      /* true, false; "": it said nothing */
	struct str requests, replies; /* JSON; "" */
};

struct journal_writer {
	struct arena *arena;
	struct report *first, **last; /* to be written */
	struct report *taken;	      /* being written */
	struct channel *dirty;	      /* likewise */
	struct channel *taken_dirty;
	struct flow_queue wake;
	bool again; /* the answer to the last commit did not come */
	bool plain; /* it was refused for its data: without what the CRM said */
	unsigned waiting;
};

void journal_init(struct journal_writer *journal);
void journal_free(struct gateway *gateway); /* before its channels */
/* Then `return await_queue(flow, &report->recorded);` */
void journal_add(struct gateway *gateway, struct report *report);
/* Its flow ends first. */
void journal_forget(struct gateway *gateway, struct report *report);
void journal_channel(struct gateway *gateway, struct channel *channel);
bool journal_idle(const struct gateway *gateway);

extern const struct flow_spec journal_flow;
extern const struct flow_spec journal_keep_flow; /* partitions, retention, what is given up */

#endif
