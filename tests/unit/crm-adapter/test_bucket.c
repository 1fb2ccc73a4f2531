/* bucket, rates: no rate is ever passed, waits are fair, the background leaves room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rates.h"

static struct bucket bucket_of(double units_per_second, double burst)
{
	return (struct bucket){.rate = {.units_per_second = units_per_second, .burst = burst}};
}

/* Wait and take, as the adapter does; the wait. */
static int64_t take(struct bucket *bucket, unsigned weight, int64_t now_ms)
{
	int64_t wait_ms = bucket_wait_ms(bucket, weight, now_ms);

	bucket_take(bucket, weight, now_ms);
	return wait_ms;
}

static void test_a_burst_and_then_the_rate(void **state)
{
	struct bucket bucket = bucket_of(10, 3);

	for (int i = 0; i < 3; i++)
		assert_int_equal(take(&bucket, 1, 1000), 0);
	assert_int_equal(take(&bucket, 1, 1000), 100);
	assert_int_equal(take(&bucket, 1, 1000), 200);
	assert_int_equal(take(&bucket, 1, 1050), 250); /* behind those before it */
	assert_int_equal(take(&bucket, 1, 2000), 0);   /* seven units since, three owed */
}

static void test_asking_takes_nothing(void **state)
{
	struct bucket bucket = bucket_of(1, 1);

	for (int i = 0; i < 5; i++)
		assert_int_equal(bucket_wait_ms(&bucket, 1, 0), 0);
	assert_int_equal(take(&bucket, 1, 0), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(bucket_wait_ms(&bucket, 1, 500), 500);
}

static void test_idle_time_fills_to_the_burst_only(void **state)
{
	struct bucket bucket = bucket_of(10, 2);

	assert_int_equal(take(&bucket, 2, 0), 0);
	assert_int_equal(take(&bucket, 2, 1000000), 0);
	assert_int_equal(take(&bucket, 1, 1000000), 100);
}

static void test_heavy_requests(void **state)
{
	struct bucket bucket = bucket_of(5, 4);

	assert_int_equal(take(&bucket, 4, 0), 0);
	assert_int_equal(take(&bucket, 4, 0), 800);
	assert_int_equal(take(&bucket, 9, 0), 2600); /* more than the burst holds: it just waits */
}

static void test_closed_until(void **state)
{
	struct bucket bucket = bucket_of(10, 5);

	bucket_close(&bucket, 1000, 4000);
	assert_int_equal(bucket_wait_ms(&bucket, 1, 1000), 3000);
	assert_int_equal(take(&bucket, 1, 2000), 2000); /* one at once when it opens */
	assert_int_equal(take(&bucket, 1, 2000), 2100); /* then by the rate, no burst */
	bucket_close(&bucket, 2000, 2500);		/* does not open it sooner */
	assert_true(bucket_wait_ms(&bucket, 1, 2000) >= 2100);
}

/* Over any stretch not more than burst + rate * time leave, however they are asked for. */
static void test_the_rate_is_never_passed(void **state)
{
	struct bucket bucket = bucket_of(9, 4);
	int64_t sent_at[400];

	for (int i = 0; i < 400; i++) {
		int64_t now_ms = i * 7;

		sent_at[i] = now_ms + take(&bucket, 1, now_ms);
	}
	for (int i = 0; i < 400; i++) {
		for (int j = i; j < 400; j++) {
			double seconds = (double)(sent_at[j] - sent_at[i]) / 1000.0;

			assert_true(j - i + 1 <= 4 + 9 * seconds + 0.01);
		}
	}
}

/* -- rates ------------------------------------------------------------------------------------------ */

static const struct crm_driver driver = {
	.limits = {{.name = "api", .units_per_second = 10, .burst = 10},
		{.name = "telephony", .units_per_second = 40, .burst = 40, .at_once = 7}},
};

static void test_each_enterprise_and_limit_has_its_own(void **state)
{
	struct rates *rates = rates_new(&driver, 100);
	struct rate *one = rates_get(rates, STR("0367"), 0);

	assert_ptr_equal(rates_get(rates, STR("0367"), 0), one);
	assert_ptr_not_equal(rates_get(rates, STR("0367"), 1), one);
	assert_ptr_not_equal(rates_get(rates, STR("0368"), 0), one);
	assert_int_equal(one->at_once, 4);
	assert_int_equal(rates_get(rates, STR("0367"), 1)->at_once, 7);
	rate_take(one, RATE_LIVE, 10, 0);
	assert_int_equal(rate_wait_ms(one, RATE_LIVE, 1, 0), 100);
	assert_int_equal(rate_wait_ms(rates_get(rates, STR("0368"), 0), RATE_LIVE, 1, 0), 0);
	rates_free(&rates);
}

static void test_the_background_leaves_room(void **state)
{
	struct rates *rates = rates_new(&driver, 100);
	struct rate *rate = rates_get(rates, STR("0367"), 0);

	rate_take(rate, RATE_MIRROR, 1, 0);
	assert_int_equal(rate_wait_ms(rate, RATE_MIRROR, 1, 0), 1000); /* a tenth of ten a second */
	assert_int_equal(rate_wait_ms(rate, RATE_LIVE, 9, 0), 0);
	assert_int_equal(rate_wait_ms(rate, RATE_LIVE, 10, 0), 100); /* what it took counts */
	rate_take(rate, RATE_LIVE, 19, 0);
	assert_int_equal(
		rate_wait_ms(rate, RATE_MIRROR, 1, 0), 1100); /* and it waits behind people */
	rates_free(&rates);
}

static void test_a_part_of_the_rate(void **state)
{
	struct rates *rates = rates_new(&driver, 50);
	struct rate *rate = rates_get(rates, STR("0367"), 0);

	rate_take(rate, RATE_LIVE, 5, 0);
	assert_int_equal(rate_wait_ms(rate, RATE_LIVE, 1, 0), 200);
	rates_free(&rates);
}

static void test_closed_for_everybody(void **state)
{
	struct rates *rates = rates_new(&driver, 100);
	struct rate *rate = rates_get(rates, STR("0367"), 0);

	assert_false(rate_is_closed(rate, 0));
	rate_close(rate, 0, 5000);
	assert_true(rate_is_closed(rate, 4999));
	assert_false(rate_is_closed(rate, 5000));
	assert_int_equal(rate_wait_ms(rate, RATE_MIRROR, 1, 0), 5000);
	assert_int_equal(rate_wait_ms(rate, RATE_LIVE, 1, 0), 5000);
	rates_free(&rates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_and_then_the_rate),
		cmocka_unit_test(test_asking_takes_nothing),
		cmocka_unit_test(test_idle_time_fills_to_the_burst_only),
		cmocka_unit_test(test_heavy_requests),
		cmocka_unit_test(test_closed_until),
		cmocka_unit_test(test_the_rate_is_never_passed),
		cmocka_unit_test(test_each_enterprise_and_limit_has_its_own),
		cmocka_unit_test(test_the_background_leaves_room),
		cmocka_unit_test(test_a_part_of_the_rate),
		cmocka_unit_test(test_closed_for_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
