/*
 * test_payments: amounts, there and back: no fraction of a cent is won or lost.
 */
#include "payments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void money_has_the_places_of_its_currency(void **state)
{
	static const struct {
		int64_t minor;
		const char *currency, *money;
	} cases[] = {
		{1, "ILS", "0.01"},
		{1234, "ILS", "12.34"},
		{1200, "EUR", "12.00"},
		{1234, "JPY", "1234"},
		{1234, "KWD", "1.234"},
		{INT64_C(100000000000), "USD", "1000000000.00"},
	};
	char money[PAYMENT_MONEY_BYTES];
	int64_t minor;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		payment_money(cases[i].minor, str_from(cases[i].currency), money);
		assert_string_equal(money, cases[i].money);
		assert_true(payment_minor(str_from(money), str_from(cases[i].currency), &minor));
		assert_int_equal(minor, cases[i].minor);
	}
}

static void what_is_no_amount_is_refused(void **state)
{
	static const char *const wrong[] = {"", ".", "12.", "12.345", "-1", "+1", "1e3", "1,00",
		" 1", "0x10", "12.3.4", "99999999999999999999", "NaN"};
	int64_t minor;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(payment_minor(str_from(wrong[i]), STR("ILS"), &minor));
	assert_false(payment_minor(STR("12.0"), STR("JPY"), &minor));
	assert_true(payment_minor(STR("12"), STR("ILS"), &minor));
	assert_int_equal(minor, 1200);
	assert_true(payment_minor(STR("12.3"), STR("ILS"), &minor));
	assert_int_equal(minor, 1230);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(money_has_the_places_of_its_currency),
		cmocka_unit_test(what_is_no_amount_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
