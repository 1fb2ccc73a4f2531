/*
 * A template becomes an event; nothing of a placeholder is ever left in one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fill.h"

#include <stdio.h>

static const char *fill(const struct fill *values, const char *body, char to[500])
{
	struct json *json = json_parse(str_from(body), (struct json_limits){4096, 16}, NULL);
	struct error error = {0};
	struct buf out;

	assert_non_null(json);
	buf_init(&out, 499);
	if (fill_write(values, json, &out, &error))
		snprintf(to, 500, "%.*s", STR_ARG(buf_str(&out)));
	else
		snprintf(to, 500, "! %s", error.text);
	buf_free(&out);
	json_free(&json);
	return to;
}

static struct fill sample(void)
{
	struct fill values = {.count = 0};

	fill_add(&values, STR("external"), STR("375290000001"));
	fill_add(&values, STR("line"), STR("0001363"));
	fill_add(&values, STR("group"), STR("150"));
	fill_add(&values, STR("group"), STR("151"));
	fill_add(&values, STR("answered"), STR("151"));
	return values;
}

static void test_values_replace_placeholders_anywhere(void **state)
{
	struct fill values = sample();
	char got[500];

	assert_string_equal(
		fill(&values, "{\"Phone\":\"{external}\",\"Name\":\"-{external}\"}", got),
		"{\"Phone\":\"375290000001\",\"Name\":\"-375290000001\"}");
	assert_string_equal(fill(&values, "{\"Channel\":\"SIP/{line}-0000001c\"}", got),
		"{\"Channel\":\"SIP/0001363-0000001c\"}");
}

static void test_what_is_no_placeholder_stays(void **state)
{
	struct fill values = sample();
	char got[500];

	assert_string_equal(
		fill(&values, "{\"a\":1,\"b\":true,\"c\":null,\"d\":\"<unknown>\",\"e\":\"{\"}",
			got),
		"{\"a\":1,\"b\":true,\"c\":null,\"d\":\"<unknown>\",\"e\":\"{\"}");
}

static void test_a_list_takes_all_values_once(void **state)
{
	struct fill values = sample();
	char got[500];

	assert_string_equal(
		fill(&values, "{\"E\":[\"{group}\",\"{answered}\",\"{external}\"]}", got),
		"{\"E\":[\"150\",\"151\",\"375290000001\"]}");
	assert_string_equal(fill(&values, "{\"E\":[\"\"]}", got), "{\"E\":[\"\"]}");
}

static void test_a_value_cannot_break_out_of_its_string(void **state)
{
	struct fill values = {.count = 0};
	char got[500];

	fill_add(&values, STR("external"), STR("1\",\"Token\":\"x"));
	assert_string_equal(fill(&values, "{\"Phone\":\"{external}\"}", got),
		"{\"Phone\":\"1\\\",\\\"Token\\\":\\\"x\"}");
}

static void test_a_missing_value_is_an_error(void **state)
{
	struct fill values = sample();
	char got[500];

	assert_string_equal(
		fill(&values, "{\"a\":\"{nobody}\"}", got), "! placeholder {nobody} has no value");
	assert_string_equal(fill(&values, "{\"a\":[\"{nobody}\"]}", got),
		"! placeholder {nobody} has no value");
}

static void test_set_replaces_add_adds(void **state)
{
	struct fill values = sample();

	assert_true(fill_set(&values, STR("group"), STR("9")));
	assert_false(fill_uses(&values, STR("150")));
	assert_true(str_equal(fill_get(&values, STR("group")), STR("9")));
	for (int i = 1; i < FILL_MAX_VALUES; i++)
		assert_true(fill_add(&values, STR("group"), STR("x")));
	assert_false(fill_add(&values, STR("group"), STR("one too many")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_replace_placeholders_anywhere),
		cmocka_unit_test(test_what_is_no_placeholder_stays),
		cmocka_unit_test(test_a_list_takes_all_values_once),
		cmocka_unit_test(test_a_value_cannot_break_out_of_its_string),
		cmocka_unit_test(test_a_missing_value_is_an_error),
		cmocka_unit_test(test_set_replaces_add_adds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
