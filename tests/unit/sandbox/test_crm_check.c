/*
 * The strictness of the sandbox's CRMs: a field that is missing, misspelt, of a wrong type or form is
 * named; what the documentation allows passes, from JSON and from forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crm_check.h"

static const char *const ways[] = {"in", "out", NULL};
static const struct check_field inner[] = {MUST("number", CHECK_PHONE), {NULL}};
static const struct check_field fields[] = {
	MUST("phone", CHECK_PHONE),
	MUST_BE("way", ways),
	MAY("seconds", CHECK_INT),
	MAY("flag", CHECK_BOOL),
	MAY("at", CHECK_TIME),
	MAY("at_ms", CHECK_TIME_MS),
	MAY("at_iso", CHECK_TIME_ISO),
	MAY("url", CHECK_URL),
	MAY("codes", CHECK_TEXTS),
	MAY("ids", CHECK_INTS),
	MAY("urls", CHECK_URLS),
	MAY_HOLD("one", CHECK_OBJECT, inner),
	MAY_HOLD("many", CHECK_LIST, inner),
	{NULL},
};

#define GOOD "\"phone\":\"+375291112233\",\"way\":\"in\""

/* "": it is good; else the name that is complained of. */
static const char *problem_of(const char *json, unsigned flags)
{
	static struct check_problem problem;
	struct json *object = json_parse(str_from(json), (struct json_limits){4096, 8}, NULL);
	bool good;

	assert_non_null(object);
	good = check_object(object, fields, flags, &problem);
	json_free(&object);
	return good ? "" : problem.name;
}

static void test_what_is_documented_passes(void **state)
{
	static const char *const good[] = {
		"{" GOOD "}",
		"{" GOOD ",\"seconds\":0,\"flag\":true,\"at\":\"2026-11-21 12:00:00\"}",
		"{" GOOD ",\"at_ms\":\"2026-11-21 12:00:00.001\",\"url\":\"https://x.example/1\"}",
		"{" GOOD ",\"at_iso\":\"2026-11-21T12:00:00+03:00\"}",
		"{" GOOD ",\"at_iso\":\"2026-11-21T12:00:00Z\",\"seconds\":null}",
		"{" GOOD ",\"codes\":[\"150\"],\"ids\":[16,17],\"urls\":[],"
		"\"one\":{\"number\":\"8 (029) 111-22-33\"},\"many\":[{\"number\":\"102\"}]}",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_string_equal(problem_of(good[i], CHECK_NO_EXTRA), "");
}

static void test_each_fault_is_named(void **state)
{
	static const struct {
		const char *json, *name;
	} wrong[] = {
		{"{\"way\":\"in\"}", "phone"},
		{"{\"phone\":\"\",\"way\":\"in\"}", "phone"},
		{"{\"phone\":\"anonymous\",\"way\":\"in\"}", "phone"},
		{"{\"phone\":\"12\",\"way\":\"in\"}", "phone"},
		{"{\"phone\":\"37529+1112233\",\"way\":\"in\"}", "phone"},
		{"{\"phone\":375291112233,\"way\":\"in\"}", "phone"},
		{"{\"phone\":\"+375291112233\",\"way\":\"incoming\"}", "way"},
		{"{\"phone\":\"+375291112233\"}", "way"},
		{"{" GOOD ",\"seconds\":\"61\"}", "seconds"},
		{"{" GOOD ",\"seconds\":-1}", "seconds"},
		{"{" GOOD ",\"seconds\":1.5}", "seconds"},
		{"{" GOOD ",\"seconds\":1e300}", "seconds"},
		{"{" GOOD ",\"flag\":\"true\"}", "flag"},
		{"{" GOOD ",\"at\":\"2026-11-21T12:00:00\"}", "at"},
		{"{" GOOD ",\"at\":\"2026-02-30 12:00:00\"}", "at"},
		{"{" GOOD ",\"at_ms\":\"2026-11-21 12:00:00\"}", "at_ms"},
		{"{" GOOD ",\"at_iso\":\"2026-11-21T12:00:00\"}", "at_iso"},
		{"{" GOOD ",\"url\":\"ftp://x.example/1\"}", "url"},
		{"{" GOOD ",\"codes\":\"150\"}", "codes"},
		{"{" GOOD ",\"codes\":[150]}", "codes"},
		{"{" GOOD ",\"ids\":[\"16\"]}", "ids"},
		{"{" GOOD ",\"urls\":[\"x\"]}", "urls"},
		{"{" GOOD ",\"one\":{}}", "one.number"},
		{"{" GOOD ",\"one\":[]}", "one"},
		{"{" GOOD ",\"many\":[{\"number\":\"x\"}]}", "many.number"},
		{"{" GOOD ",\"Phone\":\"1\"}", "Phone"},
		{"{" GOOD ",\"one\":{\"number\":\"102\",\"nick\":1}}", "one.nick"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_string_equal(problem_of(wrong[i].json, CHECK_NO_EXTRA), wrong[i].name);
}

static void test_a_lax_one_takes_numbers_as_texts_and_what_it_does_not_know(void **state)
{
	assert_string_equal(problem_of("{" GOOD ",\"seconds\":\"61\",\"other\":1}", CHECK_LAX), "");
	assert_string_equal(problem_of("{" GOOD ",\"seconds\":\"a\"}", CHECK_LAX), "seconds");
}

static bool form_is_good(const char *type, const char *body, struct check_problem *problem)
{
	struct arena *arena = arena_new(1 << 20);
	struct args args;
	bool good;

	assert_true(args_read(&args,
		&(struct args_source){{NULL, 0}, str_from(type), str_from(body)}, arena, NULL));
	good = check_args(&args, fields, problem);
	arena_free(&arena);
	return good;
}

static void test_parameters_are_checked_as_a_form_or_json_carries_them(void **state)
{
	static const char *const form = "application/x-www-form-urlencoded";
	struct check_problem problem;

	assert_true(form_is_good(form, "phone=%2B375291112233&way=in&seconds=61&flag=1", &problem));
	assert_true(form_is_good("application/json",
		"{\"phone\":375291112233,\"way\":\"in\",\"seconds\":61,\"ids\":[16]}", &problem));
	assert_false(form_is_good(form, "phone=%2B375291112233&way=in&seconds=x", &problem));
	assert_string_equal(problem.name, "seconds");
	assert_int_equal(problem.fault, CHECK_WRONG_VALUE);
	assert_false(form_is_good(form, "way=in", &problem));
	assert_int_equal(problem.fault, CHECK_MISSING);
	assert_false(form_is_good("application/json", "{\"phone\":[1],\"way\":\"in\"}", &problem));
	assert_int_equal(problem.fault, CHECK_WRONG_TYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_documented_passes),
		cmocka_unit_test(test_each_fault_is_named),
		cmocka_unit_test(test_a_lax_one_takes_numbers_as_texts_and_what_it_does_not_know),
		cmocka_unit_test(test_parameters_are_checked_as_a_form_or_json_carries_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
