/*
 * test_crm_call: a call as JSON and back, and what is refused.
 */
#include "crm_call.h"

#include "../base/check.h"

#include <stdio.h>

enum { ARENA_BYTES = 1 << 20 };

static const struct json_limits limits = {.max_bytes = 1 << 20, .max_depth = 8};

static bool read_call(
	const char *text, struct arena *arena, struct crm_call *call, struct error *error)
{
	struct json *json = json_parse(str_from(text), limits, NULL);
	bool good = crm_call_read(json, arena, call, error);

	json_free(&json);
	return good;
}

static void names_there_and_back(void **state)
{
	for (int i = 0; i < CRM_KINDS; i++) {
		enum crm_kind kind;

		assert_true(crm_kind_read(str_from(crm_kind_name((enum crm_kind)i)), &kind));
		assert_int_equal(kind, i);
	}
	for (int i = 0; i < CRM_RESULTS; i++) {
		enum crm_result result;

		assert_true(
			crm_result_read(str_from(crm_result_name((enum crm_result)i)), &result));
		assert_int_equal(result, i);
	}
	enum crm_kind kind;
	enum crm_result result;
	assert_false(crm_kind_read(STR("bridge"), &kind));
	assert_false(crm_result_read(STR(""), &result));
}

static void written_and_read(void **state)
{
	static const char text[] =
		"{\"key\":\"1.2\",\"call_id\":7,\"outgoing\":true,\"phone\":\"+375291112233\","
		"\"line\":\"0001363\",\"line_name\":\"A1\",\"rang\":[\"150\",\"151\"],"
		"\"ringing\":[\"151\"],\"talkers\":[\"151\"],\"extension\":\"151\","
		"\"customer_name\":\"Ivan\",\"result\":\"no_answer\",\"started_at\":1795262400000,"
		"\"answered_at\":1795262401000,\"ended_at\":1795262402000,\"wait_seconds\":0,"
		"\"talk_seconds\":-1,\"record_url\":\"https://r.example/1\","
		"\"origin_crm\":\"bitrix24\",\"origin_call\":\"x\"}";
	struct arena *arena = arena_new(ARENA_BYTES);
	struct error error = {0};
	struct crm_call call;
	struct buf buf;

	assert_true(read_call(text, arena, &call, &error));
	assert_true(call.outgoing);
	assert_int_equal(call.result, CRM_NO_ANSWER);
	assert_int_equal(call.rang.count, 2);
	assert_int_equal(call.wait_seconds, 0);
	buf_init(&buf, ARENA_BYTES);
	crm_call_write(&buf, &call);
	assert_str(buf_str(&buf), text);
	buf_free(&buf);
	arena_free(&arena);
}

static void unknown_is_unknown(void **state)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct error error = {0};
	struct crm_call call;

	assert_true(read_call("{\"key\":\"1.2\",\"more\":[{}]}", arena, &call, &error));
	assert_int_equal(call.wait_seconds, -1);
	assert_int_equal(call.talk_seconds, -1);
	assert_int_equal(call.started_ms, CRM_NO_TIME);
	assert_int_equal(call.result, CRM_OPEN);
	arena_free(&arena);
}

static void refused(void **state)
{
	static const char *const rows[][2] = {
		{"[]", "call: not an object"},
		{"{}", "call: key: missing"},
		{"{\"key\":\"\"}", "call: key: empty, or longer than 200 bytes"},
		{"{\"key\":\"1\",\"result\":\"won\"}", "call: result: not known"},
		{"{\"key\":\"1\",\"started_at\":-1}", "call: a time out of range"},
		{"{\"key\":\"1\",\"ended_at\":253402300800000}", "call: a time out of range"},
		{"{\"key\":\"1\",\"talk_seconds\":-2}", "call: a duration out of range"},
		{"{\"key\":\"1\",\"wait_seconds\":31536001}", "call: a duration out of range"},
		{"{\"key\":\"1\",\"call_id\":-1}", "call: call_id: negative"},
		{"{\"key\":\"1\",\"rang\":\"150\"}", "call: rang: not an array"},
	};
	struct arena *arena = arena_new(ARENA_BYTES);
	struct crm_call call;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error error = {0};

		assert_false(read_call(rows[i][0], arena, &call, &error));
		assert_string_equal(error.text, rows[i][1]);
	}
	arena_free(&arena);
}

static void no_text_without_end(void **state)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct error error = {0};
	struct crm_call call;
	char text[6000], key[300];

	snprintf(text, sizeof(text), "{\"key\":\"1\",\"customer_name\":\"%04097d\"}", 0);
	assert_false(read_call(text, arena, &call, &error));
	assert_string_equal(error.text, "call: customer_name: longer than 4096 bytes");
	snprintf(key, sizeof(key), "{\"key\":\"%0201d\"}", 0);
	assert_false(read_call(key, arena, &call, &error));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_there_and_back),
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(unknown_is_unknown),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_text_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
