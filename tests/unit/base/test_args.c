/*
 * Parameters are the same wherever they stand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "args.h"

#define JSON STR("application/json; charset=utf-8")
#define FORM STR("application/x-www-form-urlencoded")

struct world {
	struct arena *arena;
	struct args args;
	struct error error;
};

static bool read(struct world *world, struct str query, struct str type, struct str body)
{
	struct args_source source = {query, type, body};

	world->arena = arena_new(1 << 20);
	return args_read(&world->args, &source, world->arena, &world->error);
}

static void check_value(struct world *world, const char *name, const char *value)
{
	assert_true(str_equal(args_get(&world->args, name), str_from(value)));
}

static void test_query_form_and_json(void **state)
{
	struct world world = {.arena = NULL};

	assert_true(read(&world, STR("a=1&b=x%20y+z&flag"), FORM, STR("c=%D1%8F&&d=")));
	check_value(&world, "a", "1");
	check_value(&world, "b", "x y z");
	check_value(&world, "c", "я");
	assert_true(args_has(&world.args, "flag") && args_has(&world.args, "d"));
	assert_false(args_has(&world.args, "e"));
	arena_free(&world.arena);
	assert_true(read(&world, STR(""), JSON,
		STR("{\"a\":\"x\",\"b\":-5,\"c\":{\"d\":[1]},\"e\":true,\"f\":null}")));
	check_value(&world, "a", "x");
	check_value(&world, "b", "-5");
	check_value(&world, "c", "{\"d\":[1]}");
	assert_true(args_true(&world.args, "e"));
	assert_false(args_has(&world.args, "f"));
	arena_free(&world.arena);
}

static void test_the_first_of_a_name_counts(void **state)
{
	struct world world = {.arena = NULL};
	int64_t number = 0;

	assert_true(read(&world, STR("a=1&a=2"), JSON, STR("{\"a\":3}")));
	assert_true(args_int(&world.args, "a", &number));
	assert_int_equal(number, 1);
	arena_free(&world.arena);
}

static void test_they_are_written_as_json_again(void **state)
{
	struct world world = {.arena = NULL};
	struct buf json;

	assert_true(read(&world, STR("q=%22"), JSON, STR("{\"n\":1,\"o\":{\"p\":2}}")));
	buf_init(&json, 1000);
	args_write(&world.args, &json);
	assert_string_equal(json.data, "{\"q\":\"\\\"\",\"n\":1,\"o\":{\"p\":2}}");
	buf_free(&json);
	arena_free(&world.arena);
}

static void test_what_cannot_be_read_says_why(void **state)
{
	static const struct {
		const char *query, *type, *body, *words;
	} samples[] = {
		{"a=%zz", "", "", "can't parse the form"},
		{"a=%ff", "", "", "strings must be encoded in UTF-8"},
		{"", "application/json", "[1]", "can't parse JSON object"},
		{"", "application/json", "{", "can't parse JSON object"},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct world world = {.arena = NULL};
		assert_false(read(&world, str_from(samples[i].query), str_from(samples[i].type),
			str_from(samples[i].body)));
		assert_string_equal(world.error.text, samples[i].words);
		arena_free(&world.arena);
	}
}

static void test_too_many_are_refused(void **state)
{
	struct world world = {.arena = NULL};
	struct buf query;

	buf_init(&query, 1000);
	for (int i = 0; i <= ARGS_MAX; i++)
		buf_printf(&query, "a%d=1&", i);
	assert_false(read(&world, buf_str(&query), FORM, STR("")));
	assert_string_equal(world.error.text, "too many parameters");
	buf_free(&query);
	arena_free(&world.arena);
}

/* 1e15 is four bytes sent and sixteen written. Half of a value would be no JSON any more. */
static void test_a_value_that_grows_too_long_is_refused(void **state)
{
	struct world world = {.arena = NULL};
	struct buf body;

	buf_init(&body, 1 << 20);
	buf_add(&body, STR("{\"a\":[1e15"));
	for (int i = 0; i < 100000; i++)
		buf_add(&body, STR(",1e15"));
	buf_add(&body, STR("]}"));
	assert_false(body.failed);
	assert_false(read(&world, STR(""), JSON, buf_str(&body)));
	assert_string_equal(world.error.text, "too many or too long parameters");
	buf_free(&body);
	arena_free(&world.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_form_and_json),
		cmocka_unit_test(test_the_first_of_a_name_counts),
		cmocka_unit_test(test_they_are_written_as_json_again),
		cmocka_unit_test(test_what_cannot_be_read_says_why),
		cmocka_unit_test(test_too_many_are_refused),
		cmocka_unit_test(test_a_value_that_grows_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
