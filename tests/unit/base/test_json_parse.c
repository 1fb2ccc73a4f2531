/* json_parse: what is taken, what is refused and with which words, and what the tree then holds. */
#include "json.h"

#include "check.h"
#include "json_cases.h"

#include <stdlib.h>

static const struct json_limits limits = {.max_bytes = 65536, .max_depth = 16};

static struct json *parse(struct str text)
{
	struct error error = {0};
	struct json *json = json_parse(text, limits, &error);

	if (json == NULL)
		fail_msg("%s", error.text);
	return json;
}

static void cases_are_taken_or_refused(void **state)
{
	for (size_t i = 0; i < json_case_count; i++) {
		struct error error = {0};
		struct json *json = json_parse(json_cases[i].text, limits, &error);

		if ((json == NULL) != (json_cases[i].error != NULL))
			fail_msg("%.*s: %s", STR_ARG(json_cases[i].text), error.text);
		if (json == NULL) {
			assert_int_equal(error.kind, ERROR_INPUT);
			assert_string_equal(error.text, json_cases[i].error);
		}
		json_free(&json);
	}
}

static void nothing_is_taken_that_jsonb_refuses(void **state)
{
	for (size_t i = 0; i < json_case_count; i++)
		assert_true(json_cases[i].jsonb || json_cases[i].error != NULL);
}

/* A case that is cut anywhere is refused, or is a document of its own; it never reads on. */
static void cut_cases_do_not_read_on(void **state)
{
	for (size_t i = 0; i < json_case_count; i++) {
		for (size_t size = 0; size < json_cases[i].text.size; size++) {
			char *exact = malloc(size + 1); /* so that the sanitizer sees a byte more */
			struct json *json;

			memcpy(exact, json_cases[i].text.data, size);
			exact = realloc(exact, size != 0 ? size : 1);
			json = json_parse(str_of(exact, size), limits, NULL);
			json_free(&json);
			free(exact);
		}
	}
}

static void refuse(struct str text, struct json_limits with, const char *words)
{
	struct error error = {0};

	assert_null(json_parse(text, with, &error));
	assert_string_equal(error.text, words);
	assert_int_equal(error.kind, ERROR_INPUT);
}

static void size_is_limited(void **state)
{
	struct json_limits six = {.max_bytes = 6, .max_depth = 2};
	struct json *json = json_parse(STR("[1234]"), six, NULL);

	assert_non_null(json);
	json_free(&json);
	refuse(STR("[12345]"), six, "longer than 6 bytes");
}

static void depth_is_limited(void **state)
{
	struct json_limits two = {.max_bytes = 100, .max_depth = 2};
	struct json_limits none = {.max_bytes = 100, .max_depth = 0};
	struct json *json = json_parse(STR("[{},{\"a\":1},[2]]"), two, NULL);

	assert_non_null(json);
	json_free(&json);
	refuse(STR("[[[]]]"), two, "nested deeper than 2");
	refuse(STR("[{\"a\":{}}]"), two, "nested deeper than 2");
	refuse(STR("[]"), none, "nested deeper than 0");
	json = json_parse(STR("1"), none, NULL);
	assert_non_null(json);
	json_free(&json);
}

/* However high the caller's limit: neither cJSON nor we recurse without end. */
static void depth_has_a_hard_limit(void **state)
{
	struct json_limits wide = {.max_bytes = 100000, .max_depth = 1000000};
	char deep[513];
	struct json *json;

	memset(deep, '[', 256);
	memset(deep + 256, ']', 256);
	json = json_parse(str_of(deep, 512), wide, NULL);
	assert_non_null(json);
	json_free(&json);
	memset(deep, '[', 257);
	refuse(str_of(deep, 512), wide, "nested deeper than 256");
}

static void the_tree_can_be_walked(void **state)
{
	struct json *json = parse(STR("{\"a\":[1,\"two\",true,null],\"b\":{\"c\":-2.5}}"));
	const struct json *list = json_member(json, "a");

	assert_int_equal(json_kind(json), JSON_OBJECT);
	assert_int_equal(json_count(json), 2);
	assert_int_equal(json_kind(list), JSON_ARRAY);
	assert_int_equal(json_count(list), 4);
	assert_true(json_number(json_item(list, 0)) == 1);
	assert_str(json_text(json_item(list, 1)), "two");
	assert_int_equal(json_kind(json_item(list, 2)), JSON_BOOLEAN);
	assert_true(json_is_true(json_item(list, 2)));
	assert_int_equal(json_kind(json_item(list, 3)), JSON_NULL);
	assert_null(json_item(list, 4));
	assert_ptr_equal(json_next(json_first(list)), json_item(list, 1));
	assert_true(json_number(json_member(json_member(json, "b"), "c")) == -2.5);
	assert_string_equal(json_name(list), "a");
	assert_null(json_name(json));
	assert_null(json_name(json_item(list, 0)));
	json_free(&json);
	assert_null(json);
}

static void what_is_absent_is_harmless(void **state)
{
	struct json *json = parse(STR("[1,{}]"));

	assert_null(json_member(json, "a"));
	assert_null(json_member(json_item(json, 1), "a"));
	assert_null(json_member(json_item(json, 0), "a"));
	assert_null(json_member(NULL, "a"));
	assert_null(json_item(NULL, 0));
	assert_null(json_first(NULL));
	assert_null(json_first(json_item(json, 0)));
	assert_int_equal(json_count(NULL), 0);
	assert_int_equal(json_kind(NULL), JSON_NULL);
	assert_str(json_text(NULL), "");
	assert_str(json_text(json), "");
	assert_true(json_number(json) == 0);
	assert_false(json_is_true(NULL));
	json_free(&json);
	json_free(&json);
}

static void names_are_exact_and_the_last_one_counts(void **state)
{
	struct json *json = parse(STR("{\"a\":1,\"A\":2,\"a\":3,\"\\u0061b\":4}"));

	assert_true(json_number(json_member(json, "a")) == 3);
	assert_true(json_number(json_member(json, "A")) == 2);
	assert_true(json_number(json_member(json, "ab")) == 4);
	json_free(&json);
}

static void escapes_are_resolved(void **state)
{
	struct json *json = parse(STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0436\\ud83d\\udcde\""));

	assert_str(json_text(json), "\"\\/\b\f\n\r\tж\xf0\x9f\x93\x9e");
	json_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_are_taken_or_refused),
		cmocka_unit_test(nothing_is_taken_that_jsonb_refuses),
		cmocka_unit_test(cut_cases_do_not_read_on),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(depth_has_a_hard_limit),
		cmocka_unit_test(the_tree_can_be_walked),
		cmocka_unit_test(what_is_absent_is_harmless),
		cmocka_unit_test(names_are_exact_and_the_last_one_counts),
		cmocka_unit_test(escapes_are_resolved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
