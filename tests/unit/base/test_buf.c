/* buf: growth, the hard maximum, the sticky failure, and HTML. */
#include "buf.h"

#include "check.h"

#include <math.h>

static void appends_and_stays_terminated(void **state)
{
	struct buf buf;

	buf_init(&buf, 1000);
	assert_str(buf_str(&buf), "");
	assert_true(buf_add(&buf, STR("one ")));
	assert_true(buf_add_char(&buf, '2'));
	assert_true(buf_printf(&buf, " %s %d", "three", 4));
	assert_string_equal(buf.data, "one 2 three 4");
	assert_int_equal(strlen(buf.data), buf.size);
	assert_true(buf_add(&buf, str_of(NULL, 0)));
	buf_free(&buf);
	assert_null(buf.data);
	assert_true(buf_add(&buf, STR("again"))); /* the maximum outlives the memory */
	buf_free(&buf);
}

static void printf_grows_as_needed(void **state)
{
	struct buf buf;

	buf_init(&buf, 5000);
	assert_true(buf_printf(&buf, "%3000d", 7));
	assert_int_equal(buf.size, 3000);
	assert_true(buf_printf(&buf, "%s", ""));
	assert_int_equal(buf.size, 3000);
	buf_free(&buf);
}

static void maximum_is_exact_and_failure_stays(void **state)
{
	struct buf buf;

	buf_init(&buf, 100);
	for (int i = 0; i < 100; i++)
		assert_true(buf_add_char(&buf, 'x'));
	assert_false(buf.failed);
	assert_false(buf_add_char(&buf, 'y'));
	assert_int_equal(buf.size, 100);
	assert_true(buf.failed);
	assert_int_equal(buf.data[100], '\0');
	buf_consume(&buf, 50);
	assert_false(buf_add_char(&buf, 'z')); /* a gap would be worse than a cut */
	buf_clear(&buf);
	assert_true(buf_add_char(&buf, 'z'));
	buf_free(&buf);
}

static void printf_over_the_maximum_adds_nothing(void **state)
{
	struct buf buf;

	buf_init(&buf, 10);
	assert_true(buf_add(&buf, STR("12345")));
	assert_false(buf_printf(&buf, "%s", "123456"));
	assert_string_equal(buf.data, "12345");
	assert_false(buf_printf(&buf, "6"));
	buf_clear(&buf);
	assert_true(buf_printf(&buf, "%s", "1234567890"));
	buf_free(&buf);
}

static void nothing_fits_in_no_room(void **state)
{
	struct buf buf;

	buf_init(&buf, 0);
	assert_true(buf_add(&buf, STR("")));
	assert_false(buf_add(&buf, STR("x")));
	buf_free(&buf);
}

static void reserve_and_grew(void **state)
{
	struct buf buf;
	char *room;

	buf_init(&buf, 200);
	buf_add(&buf, STR("ab"));
	room = buf_reserve(&buf, 198);
	assert_non_null(room);
	memset(room, 'c', 198);
	buf_grew(&buf, 3);
	assert_string_equal(buf.data, "abccc");
	assert_null(buf_reserve(&buf, 196));
	assert_false(buf.failed); /* asking is no append */
	buf_free(&buf);
}

static void grew_more_than_reserved(void)
{
	struct buf buf;

	buf_init(&buf, 1000);
	buf_reserve(&buf, 10);
	buf_grew(&buf, 900);
}

static void consume_too_much(void)
{
	struct buf buf;

	buf_init(&buf, 10);
	buf_add(&buf, STR("abc"));
	buf_consume(&buf, 4);
}

static void misuse_aborts(void **state)
{
	assert_true(check_aborts(grew_more_than_reserved));
	assert_true(check_aborts(consume_too_much));
}

static void consume_drops_the_front(void **state)
{
	struct buf buf;

	buf_init(&buf, 100);
	buf_consume(&buf, 0);
	buf_add(&buf, STR("header body"));
	buf_consume(&buf, 7);
	assert_string_equal(buf.data, "body");
	buf_consume(&buf, 4);
	assert_int_equal(buf.size, 0);
	assert_string_equal(buf.data, "");
	buf_free(&buf);
}

static void html_is_escaped(void **state)
{
	struct buf buf;

	buf_init(&buf, 1000);
	buf_add_html(&buf, STR("<a href=\"x\">O'Neil & Сын</a>"));
	assert_string_equal(buf.data, "&lt;a href=&quot;x&quot;&gt;O&#39;Neil &amp; Сын&lt;/a&gt;");
	assert_true(buf_add_html(&buf, str_of(NULL, 0)));
	buf_free(&buf);
	buf_init(&buf, 3);
	assert_false(buf_add_html(&buf, STR("<")));
	assert_int_equal(buf.size, 0); /* no half escape */
	buf_free(&buf);
}

static void doubles_are_short_and_exact(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0, "0"},
		{0.1, "0.1"},
		{-2.5, "-2.5"},
		{375290000367, "375290000367"},
		{1e15, "1000000000000000"},
		{9007199254740991, "9007199254740991"},
		{1.0 / 3, "0.3333333333333333"},
		{1e300, "1e+300"},
		{5e-324, "4.94065645841247e-324"},
		{0.1 + 0.2, "0.30000000000000004"},
		{(double)INFINITY, "null"},
		{(double)NAN, "null"},
	};
	struct buf buf;

	buf_init(&buf, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&buf);
		assert_true(buf_add_double(&buf, cases[i].value));
		assert_string_equal(buf.data, cases[i].text);
	}
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_stays_terminated),
		cmocka_unit_test(printf_grows_as_needed),
		cmocka_unit_test(maximum_is_exact_and_failure_stays),
		cmocka_unit_test(printf_over_the_maximum_adds_nothing),
		cmocka_unit_test(nothing_fits_in_no_room),
		cmocka_unit_test(reserve_and_grew),
		cmocka_unit_test(misuse_aborts),
		cmocka_unit_test(consume_drops_the_front),
		cmocka_unit_test(html_is_escaped),
		cmocka_unit_test(doubles_are_short_and_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
