/*
 * loop_private: what the rest of io sees of the loop.
 *
 * Alarms are timers for the many: embedded in their owner, kept in one heap behind one libevent
 * timer, so that a deadline for each request costs a few comparisons and no allocation.
 */
#ifndef CALLWEAVE_LOOP_PRIVATE_H
#define CALLWEAVE_LOOP_PRIVATE_H

#include "loop.h"

struct evdns_base;
struct flow;
struct tls_context;

struct loop_alarm {
	loop_fire_fn *fire;
	void *owner;
	int64_t at_ms; /* monotonic */
	size_t place;  /* in the heap, from 1; 0: not set */
};

/* Fires once after `delay_ms`; replaces an earlier setting. */
void loop_alarm_set(struct loop *loop, struct loop_alarm *alarm, int64_t delay_ms);
void loop_alarm_stop(struct loop *loop, struct loop_alarm *alarm); /* no effect when not set */

/* Clients' TLS contexts, one a file of certificates: reading the system's takes milliseconds. */
enum { LOOP_TLS_MAX = 8 };
struct loop_tls {
	char *ca_file; /* NULL: the system's */
	struct tls_context *context;
};

void resolve_loop_free(struct loop *loop);
void tls_loop_free(struct loop *loop);

struct loop {
	struct event_base *base;
	struct evdns_base *dns; /* resolve.c's; NULL: never asked */
	struct loop_tls tls[LOOP_TLS_MAX];
	unsigned tls_count;
	struct loop_task *first,
		**last;		 /* linked tasks, in the order in which they were deferred */
	struct loop_task *batch; /* what is left of those that run in this turn */
	struct loop_timer *alarm_timer;
	int64_t alarm_timer_at_ms;  /* what it is set to; INT64_MAX: not set */
	struct loop_alarm **alarms; /* heap[1..alarm_count], the earliest first */
	size_t alarm_count;
	size_t alarm_capacity;
	struct flow *flows; /* the roots */
	int64_t now_ms;
	bool now_is_old; /* the loop has slept since */

	int64_t gather_us;    /* 0: turns begin as soon as there is something to do */
	int64_t turn_us;      /* when the last one began */
	int64_t window_us;    /* since when `ready_count` counts */
	uint64_t ready_count; /* descriptors that were served */
	bool crowded;	      /* so many that it is worth while to let them gather */
	bool running;
	bool stopped;
};

#endif
