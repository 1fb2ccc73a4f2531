/* uri: encoding, decoding and query strings, with what must be refused. */
#include "uri.h"

#include "check.h"

static void only_unreserved_characters_stay(void **state)
{
	struct buf buf;

	buf_init(&buf, 1000);
	uri_encode(&buf, STR("aZ09-._~ !/?#[]@:&=+%ж\n"));
	assert_string_equal(buf.data, "aZ09-._~%20%21%2F%3F%23%5B%5D%40%3A%26%3D%2B%25%D0%B6%0A");
	buf_clear(&buf);
	uri_encode(&buf, str_of("\0", 1));
	assert_string_equal(buf.data, "%00");
	buf_free(&buf);
}

static void escapes_are_decoded_or_refused(void **state)
{
	static const struct {
		const char *text, *plain, *form; /* NULL: refused */
	} cases[] = {
		{"", "", ""},
		{"a+b", "a+b", "a b"},
		{"%41%7a%7A", "Azz", "Azz"},
		{"%D0%B6", "ж", "ж"},
		{"%2B", "+", "+"},
		{"%25%34%31", "%41", "%41"}, /* once only */
		{"%", NULL, NULL},
		{"%4", NULL, NULL},
		{"a%", NULL, NULL},
		{"%4g", NULL, NULL},
		{"%g4", NULL, NULL},
		{"% 41", NULL, NULL},
		{"%00", NULL, NULL},
		{"a%00b", NULL, NULL},
	};
	struct arena *arena = arena_new(100000);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str text = str_from(cases[i].text);
		struct str decoded;

		assert_int_equal(uri_decode(text, false, arena, &decoded), cases[i].plain != NULL);
		if (cases[i].plain != NULL)
			assert_str(decoded, cases[i].plain);
		assert_int_equal(uri_decode(text, true, arena, &decoded), cases[i].form != NULL);
		if (cases[i].form != NULL)
			assert_str(decoded, cases[i].form);
	}
	arena_free(&arena);
}

static void a_raw_nul_is_refused(void **state)
{
	struct arena *arena = arena_new(1000);
	struct str decoded;

	assert_false(uri_decode(STR("a\0b"), false, arena, &decoded));
	arena_free(&arena);
}

static void every_byte_goes_there_and_back(void **state)
{
	struct arena *arena = arena_new(10000);
	struct str decoded;
	struct buf buf;
	char bytes[255];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i + 1);
	buf_init(&buf, 1000);
	uri_encode(&buf, str_of(bytes, sizeof(bytes)));
	assert_true(uri_decode(buf_str(&buf), false, arena, &decoded));
	assert_true(str_equal(decoded, str_of(bytes, sizeof(bytes))));
	assert_true(uri_decode(buf_str(&buf), true, arena, &decoded));
	assert_true(str_equal(decoded, str_of(bytes, sizeof(bytes))));
	buf_free(&buf);
	arena_free(&arena);
}

static void values_are_found_by_name(void **state)
{
	static const struct {
		const char *query, *name, *value; /* NULL: absent or malformed */
	} cases[] = {
		{"a=1&b=2", "a", "1"},
		{"a=1&b=2", "b", "2"},
		{"a=1&b=2", "c", NULL},
		{"ab=1", "a", NULL},
		{"a=1&a=2", "a", "1"},
		{"a=x=y", "a", "x=y"},
		{"a=", "a", ""},
		{"a", "a", ""},
		{"&&a=1&", "a", "1"},
		{"enterprise=0367&name=%D0%B6+x", "name", "ж x"},
		{"%61=1", "a", "1"},
		{"%zz=1&a=2", "a", "2"}, /* another's fault */
		{"a=%zz", "a", NULL},
		{"", "a", NULL},
	};
	struct arena *arena = arena_new(100000);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str value;
		bool found =
			uri_query_value(str_from(cases[i].query), cases[i].name, arena, &value);

		assert_int_equal(found, cases[i].value != NULL);
		if (found)
			assert_str(value, cases[i].value);
	}
	assert_false(uri_query_value(str_of(NULL, 0), "a", arena, &(struct str){NULL, 0}));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_unreserved_characters_stay),
		cmocka_unit_test(escapes_are_decoded_or_refused),
		cmocka_unit_test(a_raw_nul_is_refused),
		cmocka_unit_test(every_byte_goes_there_and_back),
		cmocka_unit_test(values_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
