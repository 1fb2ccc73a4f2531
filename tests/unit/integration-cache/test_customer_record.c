/* customer_record: what Redis and PostgreSQL hold of a customer, read and shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "customer_record.h"

#include <stdlib.h>

static const char ivanov[] =
	"{\"name\":\"Иванов Пётр\",\"last_name\":\"Иванов\",\"first_name\":\"Пётр\",\"source\":"
	"\"retailcrm\",\"person_uid\":\"retailcrm:815\",\"ids\":{\"retailcrm\":[\"814\",\"815\"],"
	"\"uon\":\"u1\"},\"responsible\":{\"retailcrm\":\"16\",\"ms\":\"m1\"},\"black_list\":true,"
	"\"phones\":[\"+375291110001\"],\"new\":{}}";

static char *profile_of(const char *json)
{
	struct customer customer;
	struct json_writer writer;
	struct error error;
	struct buf text;
	char *texts;

	assert_true(customer_read(str_from(json), &customer, &texts, &error));
	buf_init(&text, 4096);
	json_begin(&writer, &text);
	customer_write_profile(&writer, &customer);
	free(texts);
	return text.data;
}

static void must_show(const char *json, const char *expected)
{
	char *profile = profile_of(json);

	assert_string_equal(profile, expected);
	free(profile);
}

static void test_a_record(void **state)
{
	struct customer customer;
	struct error error;
	char *texts;

	assert_true(customer_read(str_from(ivanov), &customer, &texts, &error));
	assert_true(customer.known && customer.black_list);
	assert_true(str_equal(customer.name, STR("Иванов Пётр")));
	assert_int_equal(customer.middle_name.size, 0);
	assert_int_equal(customer.crm_count, 3);
	assert_true(str_equal(customer_crm(&customer, STR("retailcrm"))->id, STR("815")));
	assert_true(str_equal(customer_crm(&customer, STR("retailcrm"))->manager, STR("16")));
	assert_true(str_equal(customer_crm(&customer, STR("uon"))->id, STR("u1")));
	assert_true(str_equal(customer_crm(&customer, STR("ms"))->manager, STR("m1")));
	assert_int_equal(customer_crm(&customer, STR("ms"))->id.size, 0);
	assert_null(customer_crm(&customer, STR("bitrix24")));
	free(texts);
}

static void test_nobody(void **state)
{
	struct customer customer;
	struct error error;
	char *texts;

	assert_true(customer_read(STR("null"), &customer, &texts, &error));
	assert_non_null(texts);
	assert_false(customer.known || customer.black_list);
	free(texts);
	must_show("null", "{\"last_name\":null,\"first_name\":null,\"middle_name\":null,"
			  "\"enterprise_name\":null}");
}

static void test_profiles(void **state)
{
	must_show(ivanov, "{\"last_name\":\"Иванов\",\"first_name\":\"Пётр\",\"middle_name\":null,"
			  "\"enterprise_name\":null,\"source\":{\"raw\":{\"id\":\"815\"},\"type\":"
			  "\"retailcrm\"}}");
	must_show("{\"enterprise_name\":\"Ромашка\",\"source\":\"uon\",\"person_uid\":"
		  "\"uon_corp:7\",\"ids\":{\"uon\":[\"7\"]}}",
		"{\"last_name\":null,\"first_name\":null,\"middle_name\":null,\"enterprise_name\":"
		"\"Ромашка\",\"source\":{\"raw\":{\"id\":\"7\"},\"type\":\"uon_corporate\"}}");
	must_show("{\"last_name\":\"По руке\",\"source\":\"hand\",\"ids\":{\"uon\":[\"7\"]}}",
		"{\"last_name\":\"По руке\",\"first_name\":null,\"middle_name\":null,"
		"\"enterprise_name\":null}");
}

static void test_what_is_no_record(void **state)
{
	static const char *const wrong[] = {
		"", "{", "7", "[]", "\"x\"", "true", "{\"name\":7}", "{\"black_list\":\"yes\"}"};
	struct customer customer;
	struct error error;
	char *texts;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(customer_read(str_from(wrong[i]), &customer, &texts, &error));
		assert_null(texts);
		assert_true(error.text[0] != '\0');
	}
}

/* More CRMs than there is room for, and lists of something else. */
static void test_odd_ids(void **state)
{
	struct customer customer;
	struct error error;
	struct buf text;
	char *texts;

	buf_init(&text, 4096);
	buf_printf(&text, "{\"responsible\":[],\"ids\":{\"x\":[7,null]");
	for (int i = 0; i < 20; i++)
		buf_printf(&text, ",\"crm%d\":[\"%d\"]", i, i);
	buf_printf(&text, "}}");
	assert_true(customer_read(buf_str(&text), &customer, &texts, &error));
	assert_int_equal(customer.crm_count, CUSTOMER_MAX_CRMS);
	assert_int_equal(customer_crm(&customer, STR("x"))->id.size, 0);
	free(texts);
	buf_free(&text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_what_is_no_record),
		cmocka_unit_test(test_odd_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
