/*
 * breaker: may anything be sent to a CRM that has just failed?
 *
 * After so many failures in a row it opens; when its pause is over one attempt goes through to try,
 * and what comes of that closes it or makes the next pause twice as long. Where credentials were
 * refused it is locked: the same, with a pause that does not shrink to seconds. Pure: times are the
 * caller's.
 */
#ifndef INTEGRATION_CACHE_BREAKER_H
#define INTEGRATION_CACHE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BREAKER_FAILURES = 5, /* in a row */
	BREAKER_FIRST_MS = 5000,
	BREAKER_MAX_MS = 300000,
};
#define BREAKER_NEVER INT64_MAX

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_LOCKED };
#define BREAKER_STATES 3

struct breaker { /* zeroed: closed */
	enum breaker_state state;
	unsigned failures; /* in a row */
	int64_t until_ms;  /* not closed: when one may go to try; BREAKER_NEVER */
	int64_t pause_ms;  /* how long it was open the last time */
	bool trying;	   /* that one is under way */
};

const char *breaker_state_name(enum breaker_state state);

/* May an attempt begin now? */
bool breaker_lets(const struct breaker *breaker, int64_t now_ms);
/* It begins. True: it is the one that tries; say so when it ends. */
bool breaker_begin(struct breaker *breaker);

/* How it ended. True when the state or the count changed: it is worth writing down. */
bool breaker_good(struct breaker *breaker, bool trial);
bool breaker_bad(struct breaker *breaker, bool trial, int64_t now_ms);
/* It says nothing about the CRM: over a rate, our own adapter away. Another may try. */
void breaker_unsaid(struct breaker *breaker, bool trial);
/* Nothing goes until a person acts; one is tried at `until_ms` all the same. */
bool breaker_lock(struct breaker *breaker, int64_t until_ms);

#endif
