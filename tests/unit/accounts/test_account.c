/* account: what is made of the rows of one enterprise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "account.h"

static struct held *with_config(const char *text)
{
	struct held *held = held_new(STR("0367"));
	struct error error = {.text = ""};

	if (!held_read_config(held, str_from(text), &error))
		assert_true(error.text[0] != '\0');
	return held;
}

static void test_objects_are_integrations(void **state)
{
	struct held *held =
		with_config("{\"smart\":{\"primary\":\"uon\"},\"uon\":{\"enabled\":true},"
			    "\"ms\":{\"enabled\":\"true\"},\"bitrix24\":{\"enabled\":1},"
			    "\"retailcrm\":{\"enabled\":null},\"version\":7}");
	const struct account *account = &held->account;

	assert_int_equal(account->integration_count, 5);
	assert_string_equal(account->primary, "uon");
	assert_true(account_integration(account, STR("uon"))->enabled);
	assert_true(account_integration(account, STR("ms"))->enabled);
	assert_true(account_integration(account, STR("bitrix24"))->enabled);
	assert_false(account_integration(account, STR("retailcrm"))->enabled);
	assert_false(account_integration(account, STR("smart"))->enabled);
	assert_null(account_integration(account, STR("version")));
	held_free(held);
}

static void test_texts_that_hold_objects(void **state)
{
	struct held *held = with_config("\"{\\\"uon\\\":\\\"{\\\\\\\"enabled\\\\\\\":true}\\\"}\"");

	assert_true(account_integration(&held->account, STR("uon"))->enabled);
	assert_string_equal(held->account.primary, "uon");
	held_free(held);
}

static void test_the_primary_is_never_guessed(void **state)
{
	static const struct {
		const char *config, *primary;
	} cases[] = {
		{"{}", ""},
		{"{\"uon\":{\"enabled\":false}}", ""},
		{"{\"uon\":{\"enabled\":true},\"ms\":{\"enabled\":true}}", ""},
		{"{\"uon\":{\"enabled\":true},\"ms\":{\"enabled\":false}}", "uon"},
		{"{\"uon\":{\"enabled\":true},\"smart\":{\"primary\":\"ms\"}}", "ms"},
		{"{\"uon\":{\"enabled\":true},\"twilio\":{\"enabled\":true},"
		 "\"whatsapp\":{\"enabled\":true},\"payments\":{\"enabled\":true}}",
			"uon"},
		{"{\"twilio\":{\"enabled\":true}}", ""},
		{"{\"uon\":{\"enabled\":true},\"smart\":{\"primary\":7,\"enabled\":true}}", "uon"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct held *held = with_config(cases[i].config);

		assert_string_equal(held->account.primary, cases[i].primary);
		held_free(held);
	}
}

static void test_what_is_no_configuration(void **state)
{
	static const char *const wrong[] = {
		"", "null", "7", "[]", "\"x\"", "\"[1]\"", "{", "\"{\""};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct held *held = with_config(wrong[i]);

		assert_int_equal(held->account.integration_count, 0);
		assert_string_equal(held->account.primary, "");
		held_free(held);
	}
}

/* As many members as anybody likes: the first ones count, and nothing breaks. */
static void test_too_many_members(void **state)
{
	struct buf text;
	struct held *held;

	buf_init(&text, 1 << 16);
	buf_add_char(&text, '{');
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "%s\"crm%d\":\"{\\\"enabled\\\":true}\"", i > 0 ? "," : "", i);
	buf_add_char(&text, '}');
	held = with_config(text.data);
	assert_in_range(held->account.integration_count, 1, 99);
	buf_free(&text);
	held_free(held);
}

static void test_people_and_lines(void **state)
{
	struct held *held = held_new(STR("0367"));
	const struct account_manager manager = {.extension = "20150",
		.last_name = "Лис",
		.first_name = "",
		.patronymic = "",
		.personal_phone = ""};
	struct account_line line = {.id = "3880004",
		.internal_id = "",
		.phone = "",
		.name = "Офис",
		.prefix = "",
		.in_schema = "",
		.out_schema = "",
		.shop = "",
		.transform = "+375{9}"};
	struct error error;

	assert_true(held_read_settings(held, STR("{\"extensions\":[\"77001\",7,\"\"]}"), &error));
	held_add_manager(held, &manager);
	assert_true(held_add_line(held, &line, &error));
	line.id = "0001363";
	line.transform = "{99}";
	assert_false(held_add_line(held, &line, &error));
	held_add_named_extensions(held);
	assert_true(number_is_internal(held->account.numbers, STR("20150")));
	assert_true(number_is_internal(held->account.numbers, STR("77001")));
	assert_false(number_is_internal(held->account.numbers, STR("77002")));
	assert_non_null(number_rule_of(held->account.numbers, STR("3880004")));
	assert_null(number_rule_of(held->account.numbers, STR("0001363")));
	assert_non_null(table_get(held->account.lines, STR("0001363")));
	assert_int_equal(table_count(held->account.managers), 1);
	held_free(held);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_are_integrations),
		cmocka_unit_test(test_texts_that_hold_objects),
		cmocka_unit_test(test_the_primary_is_never_guessed),
		cmocka_unit_test(test_what_is_no_configuration),
		cmocka_unit_test(test_too_many_members),
		cmocka_unit_test(test_people_and_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
