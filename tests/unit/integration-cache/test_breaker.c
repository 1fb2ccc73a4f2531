/*
 * The breaker of a channel: opens after failures in a row, lets one try, closes, doubles, locks.
 */
#include "breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void fail_times(struct breaker *breaker, unsigned times, int64_t now_ms)
{
	while (times-- > 0)
		breaker_bad(breaker, false, now_ms);
}

static void five_failures_in_a_row_open_it(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	fail_times(&breaker, BREAKER_FAILURES - 1, 1000);
	assert_true(breaker_lets(&breaker, 1000));
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	fail_times(&breaker, 1, 1000);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_false(breaker_lets(&breaker, 1000));
	assert_false(breaker_lets(&breaker, 1000 + BREAKER_FIRST_MS - 1));
	assert_true(breaker_lets(&breaker, 1000 + BREAKER_FIRST_MS));
}

static void a_success_between_begins_the_count_anew(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	fail_times(&breaker, BREAKER_FAILURES - 1, 0);
	assert_true(breaker_good(&breaker, false));
	assert_false(breaker_good(&breaker, false)); /* nothing changed: nothing to write */
	fail_times(&breaker, BREAKER_FAILURES - 1, 0);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void half_open_lets_one_through(void **state)
{
	struct breaker breaker = {0};
	int64_t later = BREAKER_FIRST_MS;

	(void)state;
	fail_times(&breaker, BREAKER_FAILURES, 0);
	assert_true(breaker_begin(&breaker));
	assert_false(breaker_lets(&breaker, later));
	assert_true(breaker_good(&breaker, true));
	assert_true(breaker_lets(&breaker, later));
	assert_false(breaker_begin(&breaker));
}

static void each_failed_try_doubles_the_pause_up_to_the_longest(void **state)
{
	struct breaker breaker = {0};
	int64_t now = 0, pause = BREAKER_FIRST_MS;

	(void)state;
	fail_times(&breaker, BREAKER_FAILURES, now);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(breaker.until_ms, now + pause);
		now = breaker.until_ms;
		assert_true(breaker_begin(&breaker));
		breaker_bad(&breaker, true, now);
		pause = pause * 2 > BREAKER_MAX_MS ? BREAKER_MAX_MS : pause * 2;
	}
	assert_int_equal(pause, BREAKER_MAX_MS);
}

static void what_left_before_it_opened_does_not_prolong_the_pause(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	fail_times(&breaker, BREAKER_FAILURES, 0);
	fail_times(&breaker, 3, 4000);
	assert_int_equal(breaker.until_ms, BREAKER_FIRST_MS);
	assert_true(breaker_good(&breaker, false)); /* but its success says that all is well */
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void a_try_that_says_nothing_leaves_the_door_to_the_next(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	fail_times(&breaker, BREAKER_FAILURES, 0);
	assert_true(breaker_begin(&breaker));
	breaker_unsaid(&breaker, true);
	assert_true(breaker_lets(&breaker, BREAKER_FIRST_MS));
	assert_int_equal(breaker.state, BREAKER_OPEN);
}

static void a_locked_one_tries_late_or_never(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	assert_true(breaker_lock(&breaker, 900000));
	assert_false(breaker_lets(&breaker, 899999));
	assert_false(breaker_good(&breaker, false)); /* of one that left before */
	assert_int_equal(breaker.state, BREAKER_LOCKED);
	assert_true(breaker_lets(&breaker, 900000));
	assert_true(breaker_begin(&breaker));
	breaker_lock(&breaker, BREAKER_NEVER);
	assert_false(breaker_lets(&breaker, INT64_MAX - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_failures_in_a_row_open_it),
		cmocka_unit_test(a_success_between_begins_the_count_anew),
		cmocka_unit_test(half_open_lets_one_through),
		cmocka_unit_test(each_failed_try_doubles_the_pause_up_to_the_longest),
		cmocka_unit_test(what_left_before_it_opened_does_not_prolong_the_pause),
		cmocka_unit_test(a_try_that_says_nothing_leaves_the_door_to_the_next),
		cmocka_unit_test(a_locked_one_tries_late_or_never),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
