/*
 * test_call_event: bodies as hosts send them, and bodies as nobody should.
 */
#include "fold_corpus.h"

struct reading {
	struct arena *arena;
	struct json *body;
	struct call_event event;
	struct error error;
	bool done;
};

static struct reading read_as(enum call_event_type type, const char *text)
{
	struct reading r = {.arena = arena_new(CORPUS_ARENA_BYTES)};
	struct clock_zone *zone = clock_zone_new("Europe/Minsk");

	r.body = json_parse(
		str_from(text), (struct json_limits){65536, CALL_EVENT_JSON_DEPTH}, &r.error);
	assert_non_null(r.body);
	r.done = call_event_read(type, r.body, zone, r.arena, &r.event, &r.error);
	clock_zone_free(&zone);
	return r;
}

static void end(struct reading *r)
{
	json_free(&r->body);
	arena_free(&r->arena);
}

static void assert_text(struct str actual, const char *expected)
{
	if (!str_equal(actual, str_from(expected)))
		fail_msg("\"%.*s\", not \"%s\"", STR_ARG(actual), expected);
}

static void names_and_types_match(void **state)
{
	enum call_event_type type;

	(void)state;
	for (int i = 0; i < EVENT_TYPES; i++) {
		assert_true(call_event_type_from(
			str_from(call_event_type_name((enum call_event_type)i)), &type));
		assert_int_equal(type, i);
	}
	assert_false(call_event_type_from(STR("Start"), &type));
	assert_false(call_event_type_from(STR(""), &type));
}

static void a_hangup_is_read_whole(void **state)
{
	struct reading r = read_as(EVENT_HANGUP,
		"{\"Token\":\"375290000367\",\"UniqueId\":\"1757840723.6\",\"Phone\":"
		"\"375290000001\","
		"\"Extensions\":[\"151\"],\"CallType\":0,\"CallStatus\":\"2\","
		"\"StartTime\":\"2025-09-14 12:05:23\",\"DateReceived\":\"2025-09-14T12:05:46\","
		"\"EndTime\":\"\",\"Trunk\":\"0001363\",\"ExternalInitiated\":true,\"New\":{\"a\":"
		"1}}");

	(void)state;
	assert_true(r.done);
	assert_text(r.event.token, "375290000367");
	assert_text(r.event.unique_id, "1757840723.6");
	assert_text(r.event.phone, "375290000001");
	assert_text(r.event.trunk, "0001363");
	assert_int_equal(r.event.extensions.count, 1);
	assert_text(r.event.extensions.items[0], "151");
	assert_int_equal(r.event.call_type, 0);
	assert_int_equal(r.event.call_status, 2);
	assert_true(r.event.external_initiated);
	assert_int_equal(r.event.start_ms, INT64_C(1757840723000)); /* 09:05:23 in UTC */
	assert_int_equal(r.event.received_ms, INT64_C(1757840746000));
	assert_true(r.event.end_ms == CALL_NO_TIME);
	assert_int_equal(r.event.bridge_channels, -1);
	end(&r);
}

static void placeholders_are_nothing(void **state)
{
	struct reading r = read_as(EVENT_BRIDGE,
		"{\"UniqueId\":\"\",\"CallerIDNum\":\"<unknown>\",\"ConnectedLineNum\":\"unknown\","
		"\"CallerIDName\":\"<Unknown>\",\"Phone\":null,\"Exten\":\" 152 \","
		"\"BridgeNumChannels\":\"0\"}");

	(void)state;
	assert_true(r.done);
	assert_text(r.event.caller_id_num, "");
	assert_text(r.event.connected_num, "");
	assert_text(r.event.caller_id_name, "");
	assert_text(r.event.phone, "");
	assert_text(r.event.exten, "152");
	assert_int_equal(r.event.bridge_channels, 0);
	assert_int_equal(r.event.call_type, -1);
	assert_int_equal(r.event.call_status, -1);
	end(&r);
}

static void extensions_come_in_many_shapes(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *first;
	} cases[] = {
		{"{\"Extensions\":[\"150\",\"151\",\"152\"]}", 3, "150"},
		{"{\"Extensions\":[\"\"]}", 0, ""},
		{"{\"Extensions\":[]}", 0, ""},
		{"{\"Extensions\":null}", 0, ""},
		{"{}", 0, ""},
		{"{\"Extensions\":[\"152&151&153\"]}", 3, "152"},
		{"{\"Extensions\":\"152&151\"}", 2, "152"},
		{"{\"Extensions\":[152,\"151\"]}", 2, "152"},
		{"{\"Extensions\":[null,\"<unknown>\",\"151\"]}", 1, "151"},
		{"{\"Extensions\":[\"&&151&\"]}", 1, "151"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reading r = read_as(EVENT_DIAL, cases[i].text);

		assert_true(r.done);
		assert_int_equal(r.event.extensions.count, cases[i].count);
		if (cases[i].count > 0)
			assert_text(r.event.extensions.items[0], cases[i].first);
		end(&r);
	}
}

static void too_many_extensions_are_cut(void **state)
{
	struct buf text;
	struct reading r;

	(void)state;
	buf_init(&text, 65536);
	buf_printf(&text, "{\"Extensions\":[\"1000\"");
	for (int i = 1001; i < 4000; i++)
		buf_printf(&text, ",\"%d\"", i);
	buf_printf(&text, "]}");
	r = read_as(EVENT_DIAL, text.data);
	assert_true(r.done);
	assert_int_equal(r.event.extensions.count, CALL_EVENT_MAX_EXTENSIONS);
	assert_text(r.event.extensions.items[CALL_EVENT_MAX_EXTENSIONS - 1], "1063");
	end(&r);
	buf_free(&text);
}

static void texts_and_numbers_are_taken_for_each_other(void **state)
{
	struct reading r = read_as(EVENT_HANGUP, "{\"CallType\":\"1\",\"CallStatus\":2,"
						 "\"Phone\":375290000001,\"Trunk\":\"\"}");

	(void)state;
	assert_true(r.done);
	assert_int_equal(r.event.call_type, 1);
	assert_int_equal(r.event.call_status, 2);
	assert_text(r.event.phone, "375290000001");
	end(&r);
}

static void wrong_types_name_the_field(void **state)
{
	static const char *const cases[][2] = {
		{"[]", "body: not an object"},
		{"{\"Extensions\":{}}", "Extensions: not a list"},
		{"{\"Extensions\":7}", "Extensions: not a list"},
		{"{\"Extensions\":[\"151\",{}]}", "Extensions[1]: not a string"},
		{"{\"Phone\":[]}", "Phone: not a string"},
		{"{\"UniqueId\":{}}", "UniqueId: not a string"},
		{"{\"CallType\":\"in\"}", "CallType: not a number"},
		{"{\"CallStatus\":\"2x\"}", "CallStatus: not a number"},
		{"{\"UniqueId\":\"0123456789012345678901234567890123456789012345678\"}",
			"UniqueId: longer than 47 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reading r = read_as(EVENT_DIAL, cases[i][0]);

		assert_false(r.done);
		assert_int_equal(r.error.kind, ERROR_INPUT);
		assert_string_equal(r.error.text, cases[i][1]);
		end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_types_match),
		cmocka_unit_test(a_hangup_is_read_whole),
		cmocka_unit_test(placeholders_are_nothing),
		cmocka_unit_test(extensions_come_in_many_shapes),
		cmocka_unit_test(too_many_extensions_are_cut),
		cmocka_unit_test(texts_and_numbers_are_taken_for_each_other),
		cmocka_unit_test(wrong_types_name_the_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
