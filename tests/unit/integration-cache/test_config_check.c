/* config_check: which configurations are taken, and what is shown of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters.h"
#include "configs.h"
#include "people.h"

static void test_what_is_taken(void **state)
{
	struct error error = {.text = ""};

	assert_true(config_check(STR("smart"), STR("{\"primary\":\"uon\"}"), &error));
	assert_true(config_check(STR("retailcrm"),
		STR("{\"domain\":\"https://june.retailcrm.ru\",\"api_key\":\"x\"}"), &error));
	assert_true(
		config_check(STR("retailcrm"), STR("{\"domain\":\"june.retailcrm.ru\"}"), &error));
	assert_true(config_check(STR("retailcrm"), STR("{\"domain\":\"\"}"), &error));
	assert_true(config_check(STR("another_crm2"), STR("{}"), &error));
}

static void test_what_is_not(void **state)
{
	static const char *const wrong[][2] = {
		{"", "{}"},
		{"Retail", "{}"},
		{"a-b", "{}"},
		{"abcdefghijklmnopqrstu", "{}"},
		{"uon", ""},
		{"uon", "[]"},
		{"uon", "null"},
		{"uon", "{\"a\":}"},
		{"retailcrm", "{\"domain\":7}"},
		{"retailcrm", "{\"domain\":\"https://user:pass@june.retailcrm.ru\"}"},
		{"retailcrm", "{\"domain\":\"june.retailcrm.ru\\r\\nX: y\"}"},
		{"retailcrm", "{\"domain\":\"https:///x\"}"},
		{"retailcrm", "{\"domain\":\"a b\"}"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct error error = {.text = ""};

		assert_false(config_check(str_from(wrong[i][0]), str_from(wrong[i][1]), &error));
		assert_true(error.text[0] != '\0');
	}
}

static void test_what_looks_secret_is_masked(void **state)
{
	const struct json_limits limits = {4096, 8};
	struct error error;
	struct json *json =
		json_parse(STR("{\"enabled\":true,\"Api_Key\":\"hidden\",\"login\":\"june\","
			       "\"user_extensions\":{\"16\":\"150\"},\"refreshToken\":\"hidden\"}"),
			limits, &error);
	struct buf text;

	buf_init(&text, 4096);
	config_mask(STR("unknown"), json, &text);
	assert_string_equal(text.data,
		"{\"enabled\":true,\"Api_Key\":\"***\",\"login\":\"june\",\"user_extensions\":"
		"{\"16\":\"150\"},\"refreshToken\":\"***\"}");
	buf_free(&text);
	json_free(&json);
}

static void test_where_adapters_are(void **state)
{
	struct error error = {.text = ""};
	struct adapters *adapters =
		adapters_new(STR(" retailcrm=http://10.0.0.5:8019/ moysklad=https://ms.local"),
			"secret", &error);

	assert_non_null(adapters);
	assert_string_equal(adapters_url(adapters, STR("retailcrm")), "http://10.0.0.5:8019");
	assert_string_equal(adapters_url(adapters, STR("ms")), "https://ms.local");
	assert_string_equal(adapters_url(adapters, STR("uon")), "http://127.0.0.1:8022");
	assert_null(adapters_url(adapters, STR("smart")));
	adapters_free(&adapters);
	assert_null(adapters_new(STR("retailcrm"), "secret", &error));
	assert_non_null(strstr(error.text, "CALLWEAVE_INTEGRATION_CACHE_ADAPTERS"));
	assert_null(adapters_new(STR("retailcrm=ftp://x"), "secret", &error));
	assert_null(adapters_new(STR("=http://x"), "secret", &error));
}

static void must_name(const struct account_manager *manager, const char *full, const char *brief)
{
	struct arena *arena = arena_new(4096);

	assert_true(str_equal(manager_full_name(manager, arena), str_from(full)));
	assert_true(str_equal(manager_short_name(manager, arena), str_from(brief)));
	arena_free(&arena);
}

static void test_names_of_people(void **state)
{
	struct account_manager manager = {.extension = "150",
		.last_name = "Ковалёва",
		.first_name = "Анна",
		.patronymic = "Петровна",
		.personal_phone = ""};

	must_name(&manager, "Ковалёва Анна Петровна", "Ковалёва А.П.");
	manager.first_name = "";
	must_name(&manager, "Ковалёва Петровна", "Ковалёва П.");
	manager.patronymic = "";
	must_name(&manager, "Ковалёва", "Ковалёва");
	manager.last_name = "";
	must_name(&manager, "Доб.150", "Доб.150");
	manager.first_name = "Анна";
	must_name(&manager, "Анна", "Анна");
}

static void test_operators(void **state)
{
	static const struct {
		const char *name, *operator_name;
		bool gsm;
	} cases[] = {{"МТС-1", "МТС", true}, {"mts main", "МТС", true}, {"А1-2", "A1", true},
		{"a1", "A1", true}, {"Life:) 3", "life:)", true}, {"Офис", "SIP", false},
		{"", "GSM", true}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct account_line line = {.name = cases[i].name, .gsm = cases[i].gsm};

		assert_string_equal(line_operator(&line), cases[i].operator_name);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_taken),
		cmocka_unit_test(test_what_is_not),
		cmocka_unit_test(test_what_looks_secret_is_masked),
		cmocka_unit_test(test_where_adapters_are),
		cmocka_unit_test(test_names_of_people),
		cmocka_unit_test(test_operators),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
