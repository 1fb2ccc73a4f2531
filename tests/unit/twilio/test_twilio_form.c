/*
 * test_twilio_form: fields as they came, in order, not trimmed; what is malformed is refused.
 */
#include "twilio_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct read {
	struct arena *arena;
	struct twilio_form form;
	struct error error;
};

static bool read_form(struct read *read, const char *text)
{
	read->arena = arena_new((size_t)4 << 20);
	return twilio_form_read(str_from(text), read->arena, &read->form, &read->error);
}

static void assert_value(const struct read *read, const char *name, const char *value)
{
	struct str found = twilio_form_get(&read->form, name);

	assert_int_equal(found.size, strlen(value));
	assert_memory_equal(found.data, value, found.size);
}

static void test_values(void **state)
{
	struct read read;

	assert_true(read_form(&read, "Body=Horaires+&From=%2B3360&Z=&A=b=c&&flag"));
	assert_int_equal(read.form.count, 5);
	assert_value(&read, "Body", "Horaires ");
	assert_value(&read, "From", "+3360");
	assert_value(&read, "Z", "");
	assert_value(&read, "A", "b=c");
	assert_value(&read, "flag", "");
	assert_value(&read, "absent", "");
	arena_free(&read.arena);
}

static void test_first_of_a_name(void **state)
{
	struct read read;

	assert_true(read_form(&read, "A=1&A=2"));
	assert_value(&read, "A", "1");
	assert_int_equal(read.form.count, 2);
	arena_free(&read.arena);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"A=%zz", "A=%4", "%=1", "A=%00"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct read read;

		assert_false(read_form(&read, bad[i]));
		assert_int_equal(read.error.kind, ERROR_INPUT);
		arena_free(&read.arena);
	}
}

static void test_too_many(void **state)
{
	struct read read;
	char text[2 * TWILIO_MAX_FIELDS + 3];
	size_t size = 0;

	for (int i = 0; i <= TWILIO_MAX_FIELDS; i++) {
		text[size++] = 'a';
		text[size++] = '&';
	}
	text[size] = '\0';
	assert_false(read_form(&read, text));
	arena_free(&read.arena);
	text[size - 3] = '\0';
	assert_true(read_form(&read, text));
	assert_int_equal(read.form.count, TWILIO_MAX_FIELDS);
	arena_free(&read.arena);
	assert_true(read_form(&read, ""));
	assert_int_equal(read.form.count, 0);
	arena_free(&read.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_first_of_a_name),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
