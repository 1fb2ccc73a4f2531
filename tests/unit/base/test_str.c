/* str: comparing, cutting, numbers, UTF-8 and copying, with the empty slice at every door. */
#include "str.h"

#include "check.h"

#include <stdio.h>

static const struct str nothing = {NULL, 0};

static void equality(void **state)
{
	assert_true(str_equal(STR("abc"), STR("abc")));
	assert_false(str_equal(STR("abc"), STR("abd")));
	assert_false(str_equal(STR("abc"), STR("ab")));
	assert_true(str_equal(nothing, STR("")));
	assert_true(str_equal(str_from(NULL), nothing));
	assert_true(str_equal_nocase(STR("Content-TYPE"), STR("content-type")));
	assert_false(str_equal_nocase(STR("@"), STR("`")));
	assert_false(str_equal_nocase(STR("ab"), STR("abc")));
}

static void secrets(void **state)
{
	assert_true(str_equal_secret(STR("token"), STR("token")));
	assert_false(str_equal_secret(STR("token"), STR("tokem")));
	assert_false(str_equal_secret(STR("xoken"), STR("token")));
	assert_false(str_equal_secret(STR("token"), STR("token1")));
	assert_true(str_equal_secret(nothing, nothing));
}

static void starts_and_ends(void **state)
{
	assert_true(str_starts(STR("callweave"), STR("call")));
	assert_false(str_starts(STR("cal"), STR("call")));
	assert_true(str_starts(STR("x"), nothing));
	assert_true(str_ends(STR("callweave"), STR("weave")));
	assert_false(str_ends(STR("eave"), STR("weave")));
	assert_true(str_ends(nothing, nothing));
	assert_false(str_ends(nothing, STR("x")));
}

static void trimming(void **state)
{
	assert_str(str_trim(STR(" \t\r\n a b \v\f")), "a b");
	assert_str(str_trim(STR("  ")), "");
	assert_str(str_trim(nothing), "");
}

static void digits(void **state)
{
	assert_true(str_is_digits(STR("0012")));
	assert_false(str_is_digits(STR("12a")));
	assert_false(str_is_digits(STR("-1")));
	assert_false(str_is_digits(nothing));
	assert_int_equal(str_hex_digit('7'), 7);
	assert_int_equal(str_hex_digit('a'), 10);
	assert_int_equal(str_hex_digit('F'), 15);
	assert_int_equal(str_hex_digit('g'), -1);
	assert_int_equal(str_hex_digit('@'), -1);
	assert_int_equal(str_hex_digit('\0'), -1);
}

static void cutting(void **state)
{
	struct str rest = STR("a,,b");

	assert_str(str_cut(&rest, ','), "a");
	assert_str(str_cut(&rest, ','), "");
	assert_non_null(rest.data);
	assert_str(str_cut(&rest, ','), "b");
	assert_null(rest.data);
	assert_str(str_cut(&rest, ','), "");
	rest = STR("a,");
	str_cut(&rest, ',');
	assert_non_null(rest.data); /* an empty part follows */
	assert_int_equal(rest.size, 0);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool fits;
		int64_t value;
	} cases[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"007", true, 7},
		{"9223372036854775807", true, INT64_MAX},
		{"-9223372036854775808", true, INT64_MIN},
		{"9223372036854775808", false, 0},
		{"-9223372036854775809", false, 0},
		{"99999999999999999999999", false, 0},
		{"", false, 0},
		{"-", false, 0},
		{"+1", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"1.0", false, 0},
		{"0x10", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t value = 42;

		assert_int_equal(str_to_int64(str_from(cases[i].text), &value), cases[i].fits);
		assert_true(value == (cases[i].fits ? cases[i].value : 42));
	}
}

static bool utf8_within_ascii(const char *bytes, int before)
{
	char text[64];
	int size = snprintf(text, sizeof(text), "%.*s%s%s", before, "abcdefghijklmnopqrstuvw",
		bytes, before % 3 != 0 ? "xyz and more of it" : "");

	return str_is_utf8(str_of(text, (size_t)size));
}

static void utf8(void **state)
{
	static const struct {
		const char *bytes;
		bool fine;
	} cases[] = {
		{"plain", true},
		{"жизнь", true},
		{"\xe2\x82\xac", true},	     /* U+20AC */
		{"\xf0\x9f\x93\x9e", true},  /* U+1F4DE */
		{"\xed\x9f\xbf", true},	     /* U+D7FF, the last before the surrogates */
		{"\xee\x80\x80", true},	     /* U+E000, the first behind them */
		{"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF */
		{"\xc0\xaf", false},	     /* overlong / */
		{"\xc1\xbf", false},	     /* overlong */
		{"\xe0\x80\xaf", false},     /* overlong */
		{"\xe0\x9f\xbf", false},     /* overlong */
		{"\xf0\x8f\xbf\xbf", false}, /* overlong */
		{"\xed\xa0\x80", false},     /* U+D800 */
		{"\xed\xbf\xbf", false},     /* U+DFFF */
		{"\xf4\x90\x80\x80", false}, /* U+110000 */
		{"\xf5\x80\x80\x80", false}, /* beyond */
		{"\x80", false},	     /* continues nothing */
		{"\xd0", false},	     /* ends early */
		{"\xd0z", false},	     /* not continued */
		{"\xe2\x82", false},	     /* ends early */
		{"\xf0\x9f\x93", false},     /* ends early */
		{"\xff", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(str_is_utf8(str_from(cases[i].bytes)), cases[i].fine);
		for (int before = 0; before < 20; before++) /* ASCII is read in words */
			assert_int_equal(utf8_within_ascii(cases[i].bytes, before), cases[i].fine);
	}
	assert_true(str_is_utf8(nothing));
	assert_int_equal(str_utf8_size(STR("жa")), 2);
	assert_int_equal(str_utf8_size(STR("a")), 1);
	assert_int_equal(str_utf8_size(nothing), 0);
}

static void copying(void **state)
{
	char to[6];

	assert_true(str_copy(to, sizeof(to), STR("12345")));
	assert_string_equal(to, "12345");
	assert_false(str_copy(to, sizeof(to), STR("123456")));
	assert_string_equal(to, "12345");
	assert_false(str_copy(to, sizeof(to), STR("1234ж")));
	assert_string_equal(to, "1234"); /* not half a letter */
	assert_false(str_copy(to, sizeof(to), STR("12\xf0\x9f\x93\x9e")));
	assert_string_equal(to, "12");
	assert_false(str_copy(to, sizeof(to), STR("\x80\x80\x80\x80\x80\x80\x80")));
	assert_string_equal(to, "\x80\x80\x80\x80\x80"); /* no UTF-8: nothing to respect */
	assert_true(str_copy(to, sizeof(to), nothing));
	assert_string_equal(to, "");
	assert_false(str_copy(to, 0, STR("x")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality),
		cmocka_unit_test(secrets),
		cmocka_unit_test(starts_and_ends),
		cmocka_unit_test(trimming),
		cmocka_unit_test(digits),
		cmocka_unit_test(cutting),
		cmocka_unit_test(numbers),
		cmocka_unit_test(utf8),
		cmocka_unit_test(copying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
