/*
 * backoff: how long to wait before the next try. Private to clients.
 *
 * Exponential with jitter, so that a hundred processes that lost one server do not come back to
 * it in one step.
 */
#ifndef CALLWEAVE_BACKOFF_H
#define CALLWEAVE_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t first_ms, max_ms;
	unsigned tries; /* since the last success; 0 it after one */
};

/* The next delay: between half of first_ms * 2^tries and all of it, at most max_ms. */
int64_t backoff_next_ms(struct backoff *backoff);

#endif
