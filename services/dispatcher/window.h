/*
 * window: at most so many requests in any so long stretch of time.
 *
 * A sliding window of departure times, exact where a token bucket would let twice its size through
 * across a border. Slots can be taken ahead of time: who asks first goes first. Memory only while
 * in use.
 */
#ifndef DISPATCHER_WINDOW_H
#define DISPATCHER_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct window {
	unsigned limit;
	int64_t width_ms;
	int64_t *times; /* ring of the last `limit` departures, past or promised */
	unsigned head, used;
};

void window_init(struct window *window, unsigned limit, int64_t width_ms);
void window_free(struct window *window); /* forgets the past, keeps the rule */

/* When will `slots` be free? Not before `now_ms`. `slots` beyond the limit count as the limit. */
int64_t window_when(const struct window *window, unsigned slots, int64_t now_ms);

/* Take the next slot: the time from which it may be used. */
int64_t window_take(struct window *window, int64_t now_ms);

bool window_idle(const struct window *window, int64_t now_ms);

#endif
