/* json_read: fields into structs, lax forms, and errors that name the field. */
#include "json.h"

#include "check.h"

#include <stdio.h>

struct transfer {
	struct str from;
	int64_t kind;
};

struct call {
	struct str phone;
	int64_t type;
	double cost;
	bool answered;
	struct json_strings extensions;
	struct transfer last;
	struct json_list transfers;
	const struct json *extra;
};

static const struct json_field transfer_fields[] = {
	JSON_FIELD(struct transfer, from, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct transfer, kind, JSON_INT64, 0),
	{0},
};

static const struct json_field call_fields[] = {
	JSON_FIELD(struct call, phone, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD_AS(struct call, type, "CallType", JSON_INT64, 0),
	JSON_FIELD(struct call, cost, JSON_DOUBLE, 0),
	JSON_FIELD(struct call, answered, JSON_BOOL, 0),
	{.name = "Extensions",
		.type = JSON_STRINGS,
		.offset = offsetof(struct call, extensions),
		.max_count = 4},
	{.name = "last",
		.type = JSON_NESTED,
		.offset = offsetof(struct call, last),
		.fields = transfer_fields,
		.size_bytes = sizeof(struct transfer)},
	{.name = "transfers",
		.type = JSON_LIST,
		.offset = offsetof(struct call, transfers),
		.fields = transfer_fields,
		.size_bytes = sizeof(struct transfer)},
	JSON_FIELD(struct call, extra, JSON_RAW, 0),
	{0},
};

struct reading {
	struct arena *arena;
	struct json *json;
	struct error error;
};

static bool read_text(
	struct reading *r, const struct json_field *fields, const char *text, void *to)
{
	const struct json_limits limits = {65536, 16};

	*r = (struct reading){.arena = arena_new(100000)};
	r->json = json_parse(str_from(text), limits, &r->error);
	if (r->json == NULL)
		fail_msg("%s: %s", text, r->error.text);
	return json_read(r->json, fields, to, r->arena, &r->error);
}

static void end(struct reading *r)
{
	json_free(&r->json);
	arena_free(&r->arena);
}

static void all_types_are_read(void **state)
{
	struct call call = {0};
	struct reading r;
	const struct transfer *transfers;

	assert_true(read_text(&r, call_fields,
		"{\"phone\":\"+375291234567\",\"CallType\":2,\"cost\":1.25,\"answered\":true,"
		"\"Extensions\":[\"150\",\"\"],\"last\":{\"from\":\"a\",\"kind\":-3},"
		"\"transfers\":[{\"from\":\"b\"},{\"from\":\"c\",\"kind\":7}],"
		"\"extra\":[1,2],\"unknown\":{\"x\":[]}}",
		&call));
	assert_str(call.phone, "+375291234567");
	assert_int_equal(call.type, 2);
	assert_true(call.cost == 1.25);
	assert_true(call.answered);
	assert_int_equal(call.extensions.count, 2);
	assert_str(call.extensions.items[0], "150");
	assert_str(call.extensions.items[1], "");
	assert_str(call.last.from, "a");
	assert_int_equal(call.last.kind, -3);
	assert_int_equal(call.transfers.count, 2);
	transfers = call.transfers.items;
	assert_str(transfers[0].from, "b");
	assert_int_equal(transfers[0].kind, 0);
	assert_int_equal(transfers[1].kind, 7);
	assert_int_equal(json_count(call.extra), 2);
	end(&r);
}

/* Text must live in the arena, for the document may be freed before the flow ends. */
static void text_outlives_the_document(void **state)
{
	struct call call = {0};
	struct reading r;

	assert_true(read_text(
		&r, call_fields, "{\"phone\":\"12345\",\"Extensions\":[\"150\"]}", &call));
	json_free(&r.json);
	assert_str(call.phone, "12345");
	assert_str(call.extensions.items[0], "150");
	end(&r);
}

static void absent_and_null_members_leave_what_was(void **state)
{
	struct call call = {.type = 9};
	struct reading r;

	assert_true(read_text(&r, call_fields,
		"{\"phone\":\"\",\"CallType\":null,\"Extensions\":null,\"extra\":null}", &call));
	assert_int_equal(call.type, 9);
	assert_int_equal(call.extensions.count, 0);
	assert_null(call.extra);
	assert_int_equal(call.phone.size, 0);
	end(&r);
}

static void errors_name_the_field(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"[]", "not an object"},
		{"{}", "phone: missing"},
		{"{\"phone\":null}", "phone: missing"},
		{"{\"phone\":5}", "phone: not a string"},
		{"{\"phone\":[]}", "phone: not a string"},
		{"{\"phone\":\"\",\"CallType\":\"2\"}", "CallType: not a whole number"},
		{"{\"phone\":\"\",\"CallType\":1.5}", "CallType: not a whole number"},
		{"{\"phone\":\"\",\"CallType\":1e300}", "CallType: not a whole number"},
		{"{\"phone\":\"\",\"CallType\":9223372036854775808}",
			"CallType: not a whole number"},
		{"{\"phone\":\"\",\"CallType\":true}", "CallType: not a whole number"},
		{"{\"phone\":\"\",\"cost\":\"1\"}", "cost: not a number"},
		{"{\"phone\":\"\",\"answered\":1}", "answered: not true or false"},
		{"{\"phone\":\"\",\"Extensions\":\"150\"}", "Extensions: not an array"},
		{"{\"phone\":\"\",\"Extensions\":{}}", "Extensions: not an array"},
		{"{\"phone\":\"\",\"Extensions\":[\"1\",\"2\",\"3\",4]}",
			"Extensions[3]: not a string"},
		{"{\"phone\":\"\",\"Extensions\":[null]}", "Extensions[0]: not a string"},
		{"{\"phone\":\"\",\"Extensions\":[\"\",\"\",\"\",\"\",\"\"]}",
			"Extensions: more than 4 items"},
		{"{\"phone\":\"\",\"last\":[]}", "last: not an object"},
		{"{\"phone\":\"\",\"last\":{}}", "last.from: missing"},
		{"{\"phone\":\"\",\"transfers\":{}}", "transfers: not an array"},
		{"{\"phone\":\"\",\"transfers\":[1]}", "transfers[0]: not an object"},
		{"{\"phone\":\"\",\"transfers\":[{\"from\":\"\"},{\"from\":\"\",\"kind\":\"x\"}]}",
			"transfers[1].kind: not a whole number"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct call call = {0};
		struct reading r;

		assert_false(read_text(&r, call_fields, cases[i].text, &call));
		assert_string_equal(r.error.text, cases[i].words);
		assert_int_equal(r.error.kind, ERROR_INPUT);
		end(&r);
	}
}

struct lax {
	struct str text;
	int64_t number;
	struct json_strings list;
};

static const struct json_field lax_fields[] = {
	JSON_FIELD(struct lax, text, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct lax, number, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct lax, list, JSON_STRINGS, JSON_LAX),
	{0},
};

static void lax_strings_come_from_scalars(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{"{\"text\":\"0012\"}", "0012"},
		{"{\"text\":2}", "2"},
		{"{\"text\":-2.5}", "-2.5"},
		{"{\"text\":375291234567}", "375291234567"},
		{"{\"text\":1234567890123456}", "1234567890123456"},
		{"{\"text\":true}", "true"},
		{"{\"text\":false}", "false"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lax lax = {0};
		struct reading r;

		assert_true(read_text(&r, lax_fields, cases[i].json, &lax));
		assert_str(lax.text, cases[i].text);
		end(&r);
	}
}

static void lax_numbers_come_from_text(void **state)
{
	static const struct {
		const char *json;
		int64_t number;
	} cases[] = {
		{"{\"number\":12}", 12},
		{"{\"number\":\"12\"}", 12},
		{"{\"number\":\" -7 \"}", -7},
		{"{\"number\":\"\"}", 0},
		{"{\"number\":\"9223372036854775807\"}", INT64_MAX},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lax lax = {.number = 99};
		struct reading r;

		assert_true(read_text(&r, lax_fields, cases[i].json, &lax));
		assert_true(lax.number == cases[i].number);
		end(&r);
	}
}

static void lax_has_limits(void **state)
{
	static const struct {
		const char *json, *words;
	} cases[] = {
		{"{\"text\":[]}", "text: not a string"},
		{"{\"text\":{}}", "text: not a string"},
		{"{\"number\":\"12x\"}", "number: not a whole number"},
		{"{\"number\":\"1.5\"}", "number: not a whole number"},
		{"{\"number\":\"9223372036854775808\"}", "number: not a whole number"},
		{"{\"number\":true}", "number: not a whole number"},
		{"{\"list\":[\"1\",[]]}", "list[1]: not a string"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lax lax = {0};
		struct reading r;

		assert_false(read_text(&r, lax_fields, cases[i].json, &lax));
		assert_string_equal(r.error.text, cases[i].words);
		end(&r);
	}
}

static void lax_lists_hold_scalars(void **state)
{
	struct lax lax = {0};
	struct reading r;

	assert_true(read_text(&r, lax_fields, "{\"list\":[150,\"151\",true]}", &lax));
	assert_int_equal(lax.list.count, 3);
	assert_str(lax.list.items[0], "150");
	assert_str(lax.list.items[1], "151");
	assert_str(lax.list.items[2], "true");
	end(&r);
}

static void lists_have_a_maximum_without_one_too(void **state)
{
	char text[2000] = "{\"list\":[0";
	struct lax lax = {0};
	struct reading r;

	for (int i = 1; i < 256; i++)
		strncat(text, ",0", sizeof(text) - strlen(text) - 1);
	strncat(text, "]}", sizeof(text) - strlen(text) - 1);
	assert_true(read_text(&r, lax_fields, text, &lax));
	assert_int_equal(lax.list.count, 256);
	end(&r);
	memcpy(text + strlen(text) - 2, ",0]}", 5);
	assert_false(read_text(&r, lax_fields, text, &lax));
	assert_string_equal(r.error.text, "list: more than 256 items");
	end(&r);
}

static void whole_numbers_have_the_range_of_int64(void **state)
{
	struct lax lax = {0};
	struct reading r;

	assert_true(read_text(&r, lax_fields, "{\"number\":-9223372036854775808}", &lax));
	assert_true(lax.number == INT64_MIN);
	end(&r);
	assert_true(read_text(&r, lax_fields, "{\"number\":2e3}", &lax));
	assert_int_equal(lax.number, 2000);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_types_are_read),
		cmocka_unit_test(text_outlives_the_document),
		cmocka_unit_test(absent_and_null_members_leave_what_was),
		cmocka_unit_test(errors_name_the_field),
		cmocka_unit_test(lax_strings_come_from_scalars),
		cmocka_unit_test(lax_numbers_come_from_text),
		cmocka_unit_test(lax_has_limits),
		cmocka_unit_test(lax_lists_hold_scalars),
		cmocka_unit_test(lists_have_a_maximum_without_one_too),
		cmocka_unit_test(whole_numbers_have_the_range_of_int64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
