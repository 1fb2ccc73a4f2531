/* json_write, json_print and the writer: exact text, and text that reads back as it was. */
#include "json_put.h"

#include "check.h"

#include <math.h>

struct item {
	struct str name;
};

struct record {
	struct str text;
	int64_t number;
	double rate;
	bool flag;
	struct json_strings list;
	struct item nested;
	struct json_list items;
	const struct json *raw;
};

static const struct json_field item_fields[] = {
	JSON_FIELD(struct item, name, JSON_STRING, 0),
	{0},
};

#define RECORD_FIELDS(flag_bits)                                                                   \
	JSON_FIELD(struct record, text, JSON_STRING, flag_bits),                                   \
		JSON_FIELD(struct record, number, JSON_INT64, flag_bits),                          \
		JSON_FIELD(struct record, rate, JSON_DOUBLE, flag_bits),                           \
		JSON_FIELD(struct record, flag, JSON_BOOL, flag_bits),                             \
		JSON_FIELD(struct record, list, JSON_STRINGS, flag_bits),                          \
		{.name = "nested",                                                                 \
			.type = JSON_NESTED,                                                       \
			.offset = offsetof(struct record, nested),                                 \
			.fields = item_fields,                                                     \
			.size_bytes = sizeof(struct item)},                                        \
		{.name = "items",                                                                  \
			.type = JSON_LIST,                                                         \
			.offset = offsetof(struct record, items),                                  \
			.flags = (flag_bits),                                                      \
			.fields = item_fields,                                                     \
			.size_bytes = sizeof(struct item)},                                        \
		JSON_FIELD(struct record, raw, JSON_RAW, 0),                                       \
	{                                                                                          \
		0                                                                                  \
	}

static const struct json_field record_fields[] = {RECORD_FIELDS(0)};
static const struct json_field sparse_fields[] = {RECORD_FIELDS(JSON_SKIP_EMPTY)};

static void a_struct_is_written(void **state)
{
	struct str list[] = {STR("150"), STR("")};
	struct item items[] = {{STR("one")}, {STR("two")}};
	struct record record = {
		STR("жизнь"), -7, 0.5, true, {list, 2}, {STR("in")}, {items, 2}, NULL};
	struct buf buf;

	buf_init(&buf, 1000);
	json_write(&buf, record_fields, &record);
	assert_string_equal(buf.data,
		"{\"text\":\"жизнь\",\"number\":-7,\"rate\":0.5,\"flag\":true,"
		"\"list\":[\"150\",\"\"],\"nested\":{\"name\":\"in\"},"
		"\"items\":[{\"name\":\"one\"},{\"name\":\"two\"}]}");
	buf_free(&buf);
}

static void empty_members_are_written_or_left_out(void **state)
{
	struct record record = {0};
	struct buf buf;

	buf_init(&buf, 1000);
	json_write(&buf, record_fields, &record);
	assert_string_equal(buf.data,
		"{\"text\":\"\",\"number\":0,\"rate\":0,\"flag\":false,\"list\":[],"
		"\"nested\":{\"name\":\"\"},\"items\":[]}");
	buf_clear(&buf);
	json_write(&buf, sparse_fields, &record);
	assert_string_equal(buf.data, "{\"nested\":{\"name\":\"\"}}");
	buf_free(&buf);
}

static void the_writer_sets_commas(void **state)
{
	struct json_writer writer;
	struct buf buf;

	buf_init(&buf, 1000);
	json_begin(&writer, &buf);
	json_open_object(&writer);
	json_put_name(&writer, "a");
	json_open_array(&writer);
	json_put_int(&writer, INT64_MIN);
	json_put_double(&writer, 1.5);
	json_put_double(&writer, (double)NAN);
	json_put_null(&writer);
	json_open_object(&writer);
	json_close_object(&writer);
	json_open_array(&writer);
	json_close_array(&writer);
	json_close_array(&writer);
	json_put_name(&writer, "b");
	json_put_bool(&writer, false);
	json_put_name(&writer, "c");
	json_put_raw(&writer, STR("{\"x\":1}"));
	json_put_name(&writer, "d");
	json_put_str(&writer, str_of(NULL, 0));
	json_close_object(&writer);
	assert_string_equal(buf.data,
		"{\"a\":[-9223372036854775808,1.5,null,null,{},[]],\"b\":false,"
		"\"c\":{\"x\":1},\"d\":\"\"}");
	buf_free(&buf);
}

static void nest(unsigned levels)
{
	struct json_writer writer;
	struct buf buf;

	buf_init(&buf, 1000);
	json_begin(&writer, &buf);
	for (unsigned i = 0; i < levels; i++)
		json_open_array(&writer);
	for (unsigned i = 0; i < levels; i++)
		json_close_array(&writer);
	buf_free(&buf);
}

static void nest_too_deep(void)
{
	nest(1000);
}

static void close_too_often(void)
{
	struct json_writer writer;
	struct buf buf;

	buf_init(&buf, 1000);
	json_begin(&writer, &buf);
	json_close_array(&writer);
}

static void nesting_is_bounded(void **state)
{
	nest(15);
	assert_true(check_aborts(nest_too_deep));
	assert_true(check_aborts(close_too_often));
}

static void strings_are_escaped(void **state)
{
	static const struct {
		struct str text;
		const char *json;
	} cases[] = {
		{STR("plain"), "\"plain\""},
		{STR("\"\\/\b\f\n\r\t"), "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
		{STR("\x01\x1f\x7f"), "\"\\u0001\\u001f\x7f\""},
		{STR("ж\xf0\x9f\x93\x9e"), "\"ж\xf0\x9f\x93\x9e\""},
		{STR("a\0b"), "\"a\xef\xbf\xbd"
			      "b\""},
		{STR("\xff"
		     "a\xd0"),
			"\"\xef\xbf\xbd"
			"a\xef\xbf\xbd\""},
		{STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{{NULL, 0}, "\"\""},
	};
	struct buf buf;

	buf_init(&buf, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&buf);
		json_add_string(&buf, cases[i].text);
		assert_string_equal(buf.data, cases[i].json);
	}
	buf_free(&buf);
}

static void print(struct buf *buf, const char *text, bool indented)
{
	const struct json_limits limits = {65536, 100};
	struct json *json = json_parse(str_from(text), limits, NULL);

	assert_non_null(json);
	buf_clear(buf);
	json_print(buf, json, indented);
	json_free(&json);
}

static void a_tree_is_printed_compact_and_indented(void **state)
{
	const char *text =
		"{ \"a\" : [ 1, -2.50, \"\\u0436\\n\", true, null, [], {} ], \"b\": {\"c\": 1e2} }";
	struct buf buf;

	buf_init(&buf, 1000);
	print(&buf, text, false);
	assert_string_equal(
		buf.data, "{\"a\":[1,-2.5,\"ж\\n\",true,null,[],{}],\"b\":{\"c\":100}}");
	print(&buf, text, true);
	assert_string_equal(buf.data, "{\n"
				      "  \"a\": [\n"
				      "    1,\n"
				      "    -2.5,\n"
				      "    \"ж\\n\",\n"
				      "    true,\n"
				      "    null,\n"
				      "    [],\n"
				      "    {}\n"
				      "  ],\n"
				      "  \"b\": {\n"
				      "    \"c\": 100\n"
				      "  }\n"
				      "}");
	buf_free(&buf);
}

static void what_was_printed_prints_again_as_the_same(void **state)
{
	static const char *const texts[] = {"-0", "1e-400", "4.9e-324", "1.7976931348623157e308",
		"0.1", "12345678901234567890", "\"\\ud83d\\udcde\"",
		"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "{\"a\":1,\"a\":2}"};
	struct buf first, second;

	buf_init(&first, 1000);
	buf_init(&second, 1000);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		print(&first, texts[i], false);
		print(&second, first.data, false);
		assert_string_equal(first.data, second.data);
	}
	buf_free(&first);
	buf_free(&second);
}

static void a_full_buffer_is_told(void **state)
{
	struct str list[] = {STR("150"), STR("151")};
	struct record record = {.text = STR("too long"), .list = {list, 2}};
	struct buf buf;

	buf_init(&buf, 40);
	json_write(&buf, record_fields, &record);
	assert_true(buf.failed);
	buf_free(&buf);
}

static void test_members_in_one_call(void **state)
{
	struct json_writer writer;
	struct buf json;

	buf_init(&json, 200);
	json_begin(&writer, &json);
	json_open_object(&writer);
	json_put_member_int(&writer, "a", -5);
	json_put_member_bool(&writer, "b", true);
	json_put_member_str(&writer, "c", STR("x\"y"));
	json_put_member_raw(&writer, "d", STR("[1]"));
	json_close_object(&writer);
	assert_true(
		str_equal(buf_str(&json), STR("{\"a\":-5,\"b\":true,\"c\":\"x\\\"y\",\"d\":[1]}")));
	buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_struct_is_written),
		cmocka_unit_test(empty_members_are_written_or_left_out),
		cmocka_unit_test(the_writer_sets_commas),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(a_tree_is_printed_compact_and_indented),
		cmocka_unit_test(what_was_printed_prints_again_as_the_same),
		cmocka_unit_test(test_members_in_one_call),
		cmocka_unit_test(a_full_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
