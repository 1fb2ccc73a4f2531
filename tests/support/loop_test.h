/*
 * loop_test: running a loop inside a test, with a limit so that a lost wake-up fails the test
 * instead of hanging it.
 */
#ifndef CALLWEAVE_TESTS_LOOP_TEST_H
#define CALLWEAVE_TESTS_LOOP_TEST_H

#include "loop.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOP_TEST_LIMIT_MS = 40000 };

static inline void loop_test_too_late(void *owner)
{
	(void)fprintf(stderr, "nothing ended the loop within %d ms\n", LOOP_TEST_LIMIT_MS);
	abort();
}

static inline void loop_test_stop(void *owner)
{
	loop_stop(owner);
}

/* Until somebody calls loop_stop(). */
static inline void loop_test_run(struct loop *loop)
{
	struct loop_timer *guard = loop_timer_new(loop, loop_test_too_late, NULL);

	loop_timer_set(guard, LOOP_TEST_LIMIT_MS);
	loop_run(loop);
	loop_timer_free(&guard);
}

/* For tests of what does NOT happen within some time. */
static inline void loop_test_run_for(struct loop *loop, int64_t duration_ms)
{
	struct loop_timer *timer = loop_timer_new(loop, loop_test_stop, loop);

	loop_timer_set(timer, duration_ms);
	loop_run(loop);
	loop_timer_free(&timer);
}

#endif
