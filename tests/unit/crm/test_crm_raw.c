/*
 * test_crm_raw: what becomes of raw events: the vectors of the system before this one, with those
 * that were wrong put right, and events that nobody should have sent.
 */
#include "crm_raw.h"

#include "../base/check.h"

#include <stdio.h>

enum { ARENA_BYTES = 1 << 22 };

static const struct json_limits limits = {.max_bytes = 1 << 20, .max_depth = 32};

struct world {
	struct arena *arena;
	struct clock_zone *zone;
	struct number_rules *numbers;
	struct json *json;
	struct crm_call call;
	struct error error;
};

static void open_world(struct world *world)
{
	*world = (struct world){.arena = arena_new(ARENA_BYTES)};
	world->zone = clock_zone_new("Europe/Minsk");
	world->numbers = number_rules_new();
	number_rules_add_extension(world->numbers, STR("7001234"));
	assert_true(number_rules_add_line(
		world->numbers, STR("0001363"), STR("+375{9}"), &world->error));
}

static void close_world(struct world *world)
{
	json_free(&world->json);
	number_rules_free(&world->numbers);
	clock_zone_free(&world->zone);
	arena_free(&world->arena);
}

static enum crm_raw_is read_raw(struct world *world, const char *raw, bool over)
{
	struct crm_raw_source source = {.unique_id = STR("1763740800.1"),
		.over = over,
		.country = "BY",
		.zone = world->zone,
		.numbers = world->numbers};

	json_free(&world->json);
	world->json = json_parse(str_from(raw), limits, NULL);
	source.raw = world->json;
	return crm_raw_read(&source, world->arena, &world->call, &world->error);
}

/* Whom the old system would have named: who talked or called, else the first who rang. */
static struct str person(const struct crm_call *call)
{
	if (call->extension.size > 0)
		return call->extension;
	return call->rang.count > 0 ? call->rang.items[0] : str_of(NULL, 0);
}

static void vectors(void **state)
{
	static const struct {
		const char *raw;
		enum crm_raw_is is;
		bool outgoing;
		const char *phone, *extension;
		bool over;
	} rows[] = {
		{"{\"CallType\":0,\"Phone\":\"375291112233\",\"Extensions\":[\"150\",\"151\"]}",
			CRM_RAW_CALL, false, "+375291112233", "150", false},
		{"{\"CallType\":1,\"Phone\":\"375291112233\",\"CallerIDNum\":\"150\","
		 "\"Extensions\":[\"151\"]}",
			CRM_RAW_CALL, true, "+375291112233", "150", false},
		{"{\"CallType\":1,\"Phone\":\"375291112233\",\"Extensions\":[\"151\"]}",
			CRM_RAW_CALL, true, "+375291112233", "151", false},
		/* Who answered, not who rang first. */
		{"{\"CallType\":0,\"Phone\":\"375291112233\",\"Extensions\":[\"150\",\"151\"],"
		 "\"ConnectedLineNum\":\"152\",\"CallStatus\":\"2\"}",
			CRM_RAW_CALL, false, "+375291112233", "152", true},
		/* Internal calls are none. */
		{"{\"CallType\":2,\"CallerIDNum\":\"151\",\"Extensions\":[\"152\"]}",
			CRM_RAW_INTERNAL, false, "", "", false},
		{"{\"CallType\":2,\"Phone\":\"151\",\"Extensions\":[\"152\"]}", CRM_RAW_INTERNAL,
			false, "", "", false},
		/* A national number gets its country code. */
		{"{\"Phone\":\"80291112233\",\"CallerIDNum\":\"150\",\"Extensions\":["
		 "\"80291112233\"]}",
			CRM_RAW_CALL, true, "+375291112233", "150", false},
		{"{\"CallerIDNum\":\"+375291112233\",\"Phone\":\"+375291112233\",\"Extensions\":["
		 "\"150\"]}",
			CRM_RAW_CALL, false, "+375291112233", "150", false},
		/* Withheld: no number at all. */
		{"{\"CallType\":0,\"CallerIDNum\":\"anonymous\",\"Extensions\":[\"150\"]}",
			CRM_RAW_CALL, false, "", "150", false},
		{"{}", CRM_RAW_CALL, false, "", "", false},
	};
	struct world world;

	open_world(&world);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_raw(&world, rows[i].raw, rows[i].over), rows[i].is);
		if (rows[i].is != CRM_RAW_CALL)
			continue;
		assert_int_equal(world.call.outgoing, rows[i].outgoing);
		assert_str(world.call.phone, rows[i].phone);
		assert_int_equal(world.call.hidden, rows[i].phone[0] == '\0');
		assert_str(person(&world.call), rows[i].extension);
	}
	close_world(&world);
}

static void who_rings_is_not_who_talks(void **state)
{
	struct world world;

	open_world(&world);
	read_raw(&world, "{\"CallType\":\"0\",\"Phone\":375291112233,\"Extensions\":[150,\"151\"]}",
		false);
	assert_int_equal(world.call.ringing.count, 2);
	assert_int_equal(world.call.talkers.count, 0);
	assert_str(world.call.extension, "");
	assert_int_equal(world.call.result, CRM_OPEN);
	/* Two rang, and nobody says which of them answered. */
	read_raw(&world,
		"{\"CallType\":0,\"Phone\":\"375291112233\",\"Extensions\":[\"150\",\"151\"],"
		"\"CallStatus\":2}",
		true);
	assert_str(world.call.extension, "");
	assert_int_equal(world.call.result, CRM_TALKED);
	assert_int_equal(world.call.ringing.count, 0);
	read_raw(&world,
		"{\"CallType\":0,\"Phone\":\"375291112233\",\"Extensions\":[\"151\"],"
		"\"CallStatus\":2}",
		true);
	assert_str(world.call.extension, "151");
	assert_str(world.call.talkers.items[0], "151");
	close_world(&world);
}

static void results(void **state)
{
	static const struct {
		const char *status;
		enum crm_result result;
	} rows[] = {
		{"\"0\"", CRM_NO_ANSWER},
		{"0", CRM_NO_ANSWER},
		{"\"1\"", CRM_BUSY},
		{"1", CRM_BUSY},
		{"\"2\"", CRM_TALKED},
		{"2", CRM_TALKED},
		{"4", CRM_CANCELLED},
		{"5", CRM_BLOCKED},
		{"\"ANSWER\"", CRM_UNCLEAR},
		{"null", CRM_UNCLEAR},
		{"3.5", CRM_UNCLEAR},
		{"-2", CRM_UNCLEAR},
	};
	struct world world;
	char raw[200];

	open_world(&world);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(raw, sizeof(raw),
			"{\"CallType\":1,\"Phone\":\"375291112233\",\"CallStatus\":%s}",
			rows[i].status);
		assert_int_equal(read_raw(&world, raw, true), CRM_RAW_CALL);
		assert_int_equal(world.call.result, rows[i].result);
	}
	close_world(&world);
}

static void times(void **state)
{
	struct world world;

	open_world(&world);
	/* In the zone of the enterprise: Minsk is three hours ahead. */
	read_raw(&world,
		"{\"CallType\":0,\"Phone\":\"375291112233\",\"CallStatus\":\"0\","
		"\"StartTime\":\"2026-11-21 15:00:00\",\"EndTime\":\"2026-11-21 15:00:20\"}",
		true);
	assert_int_equal(world.call.started_ms, INT64_C(1795262400000));
	assert_int_equal(world.call.ended_ms, INT64_C(1795262420000));
	assert_int_equal(world.call.wait_seconds, 20);
	assert_int_equal(world.call.talk_seconds, 0);
	/* Answered: ringing and talking cannot be told apart. */
	read_raw(&world,
		"{\"CallType\":0,\"Phone\":\"375291112233\",\"CallStatus\":\"2\","
		"\"StartTime\":\"2026-11-21 15:00:00\",\"EndTime\":\"2026-11-21 15:01:00\"}",
		true);
	assert_int_equal(world.call.wait_seconds, -1);
	assert_int_equal(world.call.talk_seconds, -1);
	/* No times, or an end before the start. */
	read_raw(&world,
		"{\"CallType\":0,\"Phone\":\"375291112233\",\"CallStatus\":\"0\","
		"\"StartTime\":\"2026-11-21 15:00:00\",\"EndTime\":\"2026-11-21 14:00:00\"}",
		true);
	assert_int_equal(world.call.ended_ms, CRM_NO_TIME);
	assert_int_equal(world.call.wait_seconds, -1);
	read_raw(
		&world, "{\"CallType\":0,\"Phone\":\"375291112233\",\"StartTime\":\"soon\"}", true);
	assert_int_equal(world.call.started_ms, CRM_NO_TIME);
	close_world(&world);
}

static void numbers(void **state)
{
	struct world world;

	open_world(&world);
	/* The line's rule spells its callers. */
	read_raw(&world, "{\"CallType\":0,\"Phone\":\"0291112233\",\"Trunk\":\"0001363\"}", false);
	assert_str(world.call.phone, "+375291112233");
	assert_str(world.call.line, "0001363");
	/* A line where the caller should be is nobody. */
	read_raw(&world, "{\"CallType\":0,\"Phone\":\"0001363\",\"CallerIDNum\":\"375291112233\"}",
		false);
	assert_str(world.call.phone, "+375291112233");
	/* An own phone of seven digits is internal. */
	assert_int_equal(
		read_raw(&world, "{\"CallType\":2,\"CallerIDNum\":\"7001234\",\"Phone\":\"150\"}",
			false),
		CRM_RAW_INTERNAL);
	/* A short number that the PBX calls an outside one. */
	read_raw(&world, "{\"CallType\":1,\"Phone\":\"103\",\"CallerIDNum\":\"150\"}", false);
	assert_str(world.call.phone, "103");
	/* Not our own number, when the other side is missing. */
	read_raw(&world, "{\"CallType\":1,\"CallerIDNum\":\"150\"}", false);
	assert_str(world.call.phone, "");
	assert_true(world.call.hidden);
	/* +000... is what lines send for nobody. */
	read_raw(&world, "{\"CallType\":0,\"Phone\":\"+00000000000\",\"Extensions\":[\"150\"]}",
		false);
	assert_true(world.call.hidden);
	assert_str(world.call.phone, "");
	close_world(&world);
}

static void hostile(void **state)
{
	static const char *const raws[] = {
		"{\"Extensions\":\"150\"}",
		"{\"Phone\":{}}",
		"{\"CallType\":[0]}",
		"{\"Extensions\":[{}]}",
		"[]",
		"null",
		"7",
	};
	struct world world;

	open_world(&world);
	for (size_t i = 0; i < sizeof(raws) / sizeof(raws[0]); i++) {
		world.error = (struct error){0};
		assert_int_equal(read_raw(&world, raws[i], true), CRM_RAW_WRONG);
		assert_int_equal(world.error.kind, ERROR_INPUT);
		assert_true(world.error.text[0] != '\0');
	}
	assert_int_equal(
		read_raw(&world,
			"{\"CallType\":99999999999999999999,\"Phone\":\"<b>\",\"CallStatus\":\"\","
			"\"StartTime\":\"9999-99-99\",\"Trunk\":\"\"}",
			true),
		CRM_RAW_CALL);
	close_world(&world);
}

static void needs_a_key(void **state)
{
	struct json *json = json_parse(STR("{}"), limits, NULL);
	struct crm_raw_source source = {.raw = json, .country = "BY"};
	struct arena *arena = arena_new(ARENA_BYTES);
	struct error error = {0};
	struct crm_call call;

	assert_int_equal(crm_raw_read(&source, arena, &call, &error), CRM_RAW_WRONG);
	assert_string_equal(error.text, "uniqueId: missing or too long");
	arena_free(&arena);
	json_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(who_rings_is_not_who_talks),
		cmocka_unit_test(results),
		cmocka_unit_test(times),
		cmocka_unit_test(numbers),
		cmocka_unit_test(hostile),
		cmocka_unit_test(needs_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
