/* clicks: what is the same click, how many are let through, and that nothing is forgotten too early. */
#include "clicks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static struct clicks *make(int64_t per_minute, int64_t at_once)
{
	return clicks_new(&(struct clicks_options){.per_minute = per_minute, .at_once = at_once});
}

static enum clicks_say say(
	struct clicks *clicks, const char *phone, int64_t now_ms, struct click **click)
{
	const struct click_key key = {STR("0367"), STR("150"), str_from(phone)};

	return clicks_begin(clicks, &key, now_ms, click);
}

static void a_repetition_is_the_same_click(void **state)
{
	struct clicks *clicks = make(60, 4);
	struct click *first, *again, *later;

	assert_int_equal(say(clicks, "+1", 1000, &first), CLICKS_FIRST);
	assert_int_equal(say(clicks, "+1", 20000, &again), CLICKS_SAME); /* it is still under way */
	assert_ptr_equal(first, again);
	clicks_leave(again);
	clicks_end(first);
	clicks_leave(first);
	assert_int_equal(say(clicks, "+1", 20001, &later), CLICKS_FIRST); /* long ago: a new one */
	clicks_end(later);
	clicks_leave(later);
	assert_int_equal(say(clicks, "+1", 23000, &again), CLICKS_SAME); /* within three seconds */
	assert_ptr_equal(later, again);
	clicks_leave(again);
	assert_int_equal(say(clicks, "+1", 23001, &again), CLICKS_FIRST);
	clicks_free(&clicks);
}

/* Who still reads an outcome has it, also when the same number was clicked anew meanwhile. */
static void an_outcome_stays_for_its_readers(void **state)
{
	struct clicks *clicks = make(60, 4);
	struct click *slow, *other;

	assert_int_equal(say(clicks, "+1", 0, &slow), CLICKS_FIRST);
	slow->outcome.result = AMI_BUSY;
	clicks_end(slow);
	assert_int_equal(say(clicks, "+1", 5000, &other), CLICKS_FIRST);
	assert_ptr_not_equal(slow, other);
	clicks_end(other);
	clicks_leave(other);
	assert_int_equal(say(clicks, "+2", 60000, &other), CLICKS_FIRST);
	assert_int_equal(slow->outcome.result, AMI_BUSY);
	clicks_leave(slow);
	clicks_free(&clicks);
}

static void make_call(
	struct clicks *clicks, const char *phone, int64_t now_ms, enum clicks_say want)
{
	struct click *click;

	assert_int_equal(say(clicks, phone, now_ms, &click), want);
	if (want == CLICKS_FIRST) {
		clicks_end(click);
		clicks_leave(click);
	}
}

/* 12 a minute: two at once, then one in five seconds. */
static void the_rate_of_an_enterprise(void **state)
{
	struct clicks *clicks = make(12, 100);
	const struct click_key other = {STR("0368"), STR("150"), STR("+1")};
	struct click *click;

	make_call(clicks, "+1", 0, CLICKS_FIRST);
	make_call(clicks, "+2", 0, CLICKS_FIRST);
	make_call(clicks, "+3", 0, CLICKS_TOO_FAST);
	make_call(clicks, "+3", 4999, CLICKS_TOO_FAST);
	assert_int_equal(clicks_begin(clicks, &other, 4999, &click), CLICKS_FIRST);
	make_call(clicks, "+3", 5001, CLICKS_FIRST);
	make_call(clicks, "+4", 5001, CLICKS_TOO_FAST);
	make_call(clicks, "+4", 3600000,
		CLICKS_FIRST); /* an hour's silence saves up no more than two */
	make_call(clicks, "+5", 3600000, CLICKS_FIRST);
	make_call(clicks, "+6", 3600000, CLICKS_TOO_FAST);
	clicks_free(&clicks);
}

static void so_many_at_once(void **state)
{
	struct clicks *clicks = make(6000, 2);
	struct click *one, *two, *three;

	assert_int_equal(say(clicks, "+1", 0, &one), CLICKS_FIRST);
	assert_int_equal(say(clicks, "+2", 0, &two), CLICKS_FIRST);
	assert_int_equal(say(clicks, "+3", 0, &three), CLICKS_TOO_MANY);
	assert_null(three);
	clicks_end(one);
	assert_int_equal(say(clicks, "+3", 0, &three), CLICKS_FIRST);
	clicks_free(&clicks);
}

/* Clicks do not pile up: of a hundred thousand only the last seconds' are kept. */
static void old_ones_are_forgotten(void **state)
{
	struct clicks *clicks = make(6000, 1000);
	char phone[32];

	for (int i = 0; i < 100000; i++) {
		(void)snprintf(phone, sizeof(phone), "+%d", i);
		make_call(clicks, phone, (int64_t)i * 10, CLICKS_FIRST);
	}
	clicks_free(&clicks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repetition_is_the_same_click),
		cmocka_unit_test(an_outcome_stays_for_its_readers),
		cmocka_unit_test(the_rate_of_an_enterprise),
		cmocka_unit_test(so_many_at_once),
		cmocka_unit_test(old_ones_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
