/*
 * The sandbox's limits: who keeps to the rate is never refused, who does not is told for how long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rate.h"

struct bot {
	struct rate_limits limits;
	struct rate_bucket bucket;
	struct rate_chat chat;
};

static struct bot fresh(void)
{
	return (struct bot){.limits = rate_default()};
}

static int64_t take(struct bot *bot, bool is_group, int64_t at_ms)
{
	return rate_take(&bot->limits, &bot->bucket, &bot->chat, is_group, 1000000 + at_ms);
}

static void test_a_burst_of_five_then_one_a_second(void **state)
{
	struct bot bot = fresh();

	for (int i = 0; i < 5; i++)
		assert_int_equal(take(&bot, false, 0), 0);
	assert_int_equal(take(&bot, false, 0), 1000);
	assert_int_equal(take(&bot, false, 400), 600); /* asking again costs nothing */
	assert_int_equal(take(&bot, false, 1000), 0);
	assert_int_equal(take(&bot, false, 1001), 999);
	for (int second = 2; second < 500; second++)
		assert_int_equal(take(&bot, false, 1000 * second), 0);
}

static void test_an_idle_chat_gets_its_burst_back(void **state)
{
	struct bot bot = fresh();

	for (int i = 0; i < 5; i++)
		assert_int_equal(take(&bot, false, 0), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(take(&bot, false, 5000), 0);
	assert_int_equal(take(&bot, false, 5000), 1000);
}

static void test_a_group_takes_twenty_in_any_minute(void **state)
{
	struct bot bot = fresh();

	for (int i = 0; i < 20; i++)
		assert_int_equal(take(&bot, true, 2000 * i), 0);
	assert_int_equal(take(&bot, true, 40000), 20000);
	assert_int_equal(take(&bot, true, 59999), 1);
	assert_int_equal(take(&bot, true, 60000), 0);
	assert_int_equal(take(&bot, true, 60001), 1999);
	assert_int_equal(take(&bot, true, 62000), 0);
}

static void test_a_private_chat_has_no_minute(void **state)
{
	struct bot bot = fresh();

	for (int i = 0; i < 60; i++)
		assert_int_equal(take(&bot, false, 1000 * i), 0);
}

static void test_a_bot_takes_thirty_a_second_over_all_chats(void **state)
{
	struct bot bot = fresh();
	struct rate_chat chats[31] = {0};

	for (int i = 0; i < 30; i++)
		assert_int_equal(rate_take(&bot.limits, &bot.bucket, &chats[i], false, 5000), 0);
	assert_int_equal(rate_take(&bot.limits, &bot.bucket, &chats[30], false, 5000), 34);
	assert_int_equal(rate_take(&bot.limits, &bot.bucket, &chats[30], false, 5034), 0);
}

static void test_switched_off_still_counts(void **state)
{
	struct bot bot = fresh();

	bot.limits.enabled = false;
	for (int i = 0; i < 100; i++)
		assert_int_equal(take(&bot, true, 0), 0);
	bot.limits.enabled = true;
	assert_true(take(&bot, true, 0) >= 60000);
}

static void test_a_clock_set_back_costs_nothing(void **state)
{
	struct bot bot = fresh();

	assert_int_equal(take(&bot, false, 3600000), 0);
	assert_int_equal(take(&bot, false, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_of_five_then_one_a_second),
		cmocka_unit_test(test_an_idle_chat_gets_its_burst_back),
		cmocka_unit_test(test_a_group_takes_twenty_in_any_minute),
		cmocka_unit_test(test_a_private_chat_has_no_minute),
		cmocka_unit_test(test_a_bot_takes_thirty_a_second_over_all_chats),
		cmocka_unit_test(test_switched_off_still_counts),
		cmocka_unit_test(test_a_clock_set_back_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
