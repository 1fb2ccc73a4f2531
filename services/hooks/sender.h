/*
 * sender: the outbox of texts: what is due is leased, sent, and what came of it is written down.
 *
 * A text is durable before anybody is told that it will be sent, and it leaves only while leased. A lease
 * that lapses means that nobody knows: the provider is then asked before anything is sent again.
 */
#ifndef HOOKS_SENDER_H
#define HOOKS_SENDER_H

#include "hooks.h"
#include "table.h"
#include "text_provider.h"

enum {
	SENDER_LEASE_MS = 25000, /* longer than a request and its place in the line */
	SENDER_MAX_FLYING = 64,
	SENDER_CLAIM = 16,
	SENDER_AHEAD_MS = 1000, /* what waits for its second longer than that is not leased */
};
#define SENDER_GIVE_UP_MS ((int64_t)24 * 3600 * 1000)

/* One of our numbers at one provider: how fast it may send. */
struct sender_lane {
	int64_t next_ms; /* of the loop: when the next one may leave */
};

/* Somebody who wants to know what becomes of a message: a request of /api. */
struct sender_wait {
	struct flow_queue queue;
	bool over; /* it left the outbox, or its first try is over */
};

struct sender {
	struct hooks *hooks;
	struct flow *flow;
	struct flow_queue wake;
	struct table *lanes;   /* "twilio:+331..." -> sender_lane */
	struct table *waiting; /* id -> sender_wait */
	unsigned flying;
	bool more; /* to be looked for at once */
	bool draining;
	struct metric *sent, *failed, *again, *doubtful;
};

/* After pg, accounts and http. NULL never: it waits for PostgreSQL by itself. */
struct sender *sender_new(struct hooks *hooks);
void sender_free(struct sender **sender);
void sender_drain(struct sender *sender);      /* nothing new leaves from now on */
bool sender_idle(const struct sender *sender); /* no request to a provider is under way */
void sender_wake(struct sender *sender);       /* something is in the outbox; NULL is allowed */

struct sender_lane *sender_lane(struct sender *sender, const char *provider, const char *ours);
/* When this one may leave; the next one then later. */
int64_t sender_slot(struct sender *sender, const struct text_message *message);
void sender_pause(struct sender *sender, const struct text_message *message, int64_t pause_ms);
/* A try of that message is over: wakes who waits for it, and looks for more. */
void sender_over(struct sender *sender, int64_t id);

/* Send one: a flow of its own (sender_send.c). Row `row` of a batch of text_claim(). */
void sender_send(struct sender *sender, const struct pg_batch *batch, int row);

/* Wait until a first try of it is over, at most so long: `return await_sent(...)`. `wait` is in the
 * flow's state and is registered by sender_watch() before the message is stored; sender_unwatch() in the
 * flow's finally. */
void sender_watch(struct sender *sender, int64_t id, struct sender_wait *wait);
void sender_unwatch(struct sender *sender, int64_t id, struct sender_wait *wait);

#endif
