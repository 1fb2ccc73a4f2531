/*
 * Which events of a call CRMs are told: each once, in order, however the call is seen.
 */
#include "crm_turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1795287330000)

/* A call that a test changes step by step. */
struct world {
	struct arena *arena;
	struct crm_told told;
	struct call call;
	struct crm_turns turns;
	struct crm_event events[CRM_MAX_EVENTS];
	unsigned count;
	struct call_leg legs[8];
	char rang[8][CALL_NUMBER_BYTES], talkers[8][CALL_NUMBER_BYTES], ids[1][CALL_ID_BYTES];
};

static int set_up(void **state)
{
	static struct world world;
	world = (struct world){.arena = arena_new((size_t)1 << 20)};
	world.call = (struct call){.id = 17,
		.direction = CALL_INCOMING,
		.state = CALL_RINGING,
		.external = "+375290000001",
		.line = "0001363",
		.rang = {.items = world.rang},
		.talkers = {.items = world.talkers},
		.unique_ids = world.ids,
		.unique_id_count = 1,
		.started_ms = NOW_MS - 5000,
		.answered_ms = CALL_NO_TIME,
		.ended_ms = CALL_NO_TIME,
		.call_status = -1};
	(void)str_copy(world.ids[0], CALL_ID_BYTES, STR("1795287325.1"));
	world.turns = (struct crm_turns){.call = &world.call,
		.customer_name = STR("Anna"),
		.now_ms = NOW_MS,
		.since_ms = NOW_MS,
		.arena = world.arena};
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	crm_told_free(&world->told);
	arena_free(&world->arena);
	return 0;
}

static void add(struct call_numbers *numbers, const char *number)
{
	(void)str_copy(numbers->items[numbers->count++], CALL_NUMBER_BYTES, str_from(number));
}

/* A dial was heard. */
static void ring(struct world *world, const char *number)
{
	struct call_leg *leg = &world->legs[world->call.leg_count++];
	*leg = (struct call_leg){.ringing_ms = NOW_MS - 4000};
	(void)str_copy(leg->number, CALL_NUMBER_BYTES, str_from(number));
	world->call.legs = world->legs;
	add(&world->call.rang, number);
}

static void answer(struct world *world, const char *who)
{
	world->call.state = CALL_TALKING;
	world->call.answered = true;
	if (world->call.answered_ms == CALL_NO_TIME)
		world->call.answered_ms = NOW_MS - 1000;
	(void)str_copy(world->call.talking, CALL_NUMBER_BYTES, str_from(who));
	add(&world->call.talkers, who);
}

static void end(struct world *world)
{
	world->call.state = CALL_ENDED;
	world->call.talking[0] = '\0';
	world->call.ended_ms = NOW_MS;
}

/* Tell what there is, by way of the wire, as after a restart: "ringing answered:1". */
static const char *tell(struct world *world)
{
	static char said[200];
	struct error error;
	struct buf text;
	said[0] = '\0';
	world->count = crm_turns(&world->told, &world->turns, world->events);
	for (unsigned i = 0; i < world->count; i++) {
		struct crm_event back;
		buf_init(&text, 65536);
		crm_event_write(&text, &world->events[i], STR("trace"));
		assert_true(crm_event_read(buf_str(&text), world->arena, &back, &error));
		crm_told_add(&world->told, &back);
		size_t size = strlen(said);
		snprintf(said + size, sizeof(said) - size, back.turn > 0 ? "%s%s:%u" : "%s%s",
			i > 0 ? " " : "", crm_kind_name(back.kind), back.turn);
		buf_free(&text);
	}
	return said;
}

static void it_is_told_step_by_step(void **state)
{
	struct world *world = *state;
	world->call.state = CALL_GREETING;
	assert_string_equal(tell(world), "");
	world->call.state = CALL_RINGING;
	ring(world, "150");
	ring(world, "151");
	assert_string_equal(tell(world), "ringing");
	assert_int_equal(world->events[0].call.ringing.count, 2);
	assert_int_equal(world->events[0].call.result, CRM_OPEN);
	assert_int_equal(world->events[0].call.wait_seconds, -1);
	assert_string_equal(tell(world), "");
	ring(world, "152");
	assert_string_equal(tell(world), "ringing:1");
	assert_int_equal(world->events[0].call.ringing.count, 1);
	assert_int_equal(world->events[0].call.rang.count, 3);
	answer(world, "152");
	assert_string_equal(tell(world), "answered");
	assert_true(str_equal(world->events[0].call.extension, STR("152")));
	assert_int_equal(world->events[0].call.wait_seconds, 4);
	answer(world, "150");
	assert_string_equal(tell(world), "answered:1");
	end(world);
	assert_string_equal(tell(world), "hangup");
	assert_int_equal(world->events[0].call.result, CRM_TALKED);
	assert_int_equal(world->events[0].call.talk_seconds, 1);
	assert_true(str_equal(world->events[0].call.extension, STR("150")));
	assert_string_equal(tell(world), "");
}

static void at_once_is_the_same(void **state)
{
	struct world *world = *state;
	ring(world, "150");
	answer(world, "150");
	end(world);
	assert_string_equal(tell(world), "ringing answered hangup");
	const struct crm_call *ringing = &world->events[0].call, *answered = &world->events[1].call;
	assert_int_equal(ringing->talkers.count, 0);
	assert_int_equal(ringing->answered_ms, CRM_NO_TIME);
	assert_int_equal(ringing->extension.size, 0);
	assert_int_equal(answered->ended_ms, CRM_NO_TIME);
	assert_int_equal(answered->result, CRM_OPEN);
	assert_int_equal(answered->talk_seconds, -1);
}

static void what_is_long_over_opens_nothing(void **state)
{
	struct world *world = *state;
	ring(world, "150");
	answer(world, "150");
	end(world);
	world->turns.since_ms = NOW_MS - CRM_FRESH_MS - 1;
	assert_string_equal(tell(world), "hangup");
}

static void what_was_answered_long_ago_rings_no_more(void **state)
{
	struct world *world = *state;
	ring(world, "150");
	answer(world, "150");
	world->call.answered_ms = NOW_MS - CRM_FRESH_MS - 1;
	assert_string_equal(tell(world), "answered");
}

static void what_only_the_hangup_knew(void **state)
{
	struct world *world = *state;
	add(&world->call.rang, "150");
	ring(world, "151");
	world->legs[0].ringing_ms = NOW_MS;
	answer(world, "150");
	world->call.answered_ms = CALL_NO_TIME;
	end(world);
	assert_string_equal(tell(world), "hangup");
	assert_int_equal(world->events[0].call.result, CRM_TALKED);
}

static void outgoing_calls_ring_out_once(void **state)
{
	struct world *world = *state;
	world->call.direction = CALL_OUTGOING;
	(void)str_copy(world->call.caller, CALL_NUMBER_BYTES, STR("151"));
	assert_string_equal(tell(world), "ringing");
	assert_true(str_equal(world->events[0].call.extension, STR("151")));
	assert_int_equal(world->events[0].call.ringing.count, 0);
	assert_true(world->events[0].call.outgoing);
	assert_string_equal(tell(world), "");
	end(world);
	assert_string_equal(tell(world), "hangup");
	assert_int_equal(world->events[0].call.result, CRM_NO_ANSWER);
	assert_true(str_equal(world->events[0].call.extension, STR("151")));
}

static void internal_and_unknown_calls_are_not_told(void **state)
{
	struct world *world = *state;
	ring(world, "150");
	end(world);
	world->call.direction = CALL_INTERNAL;
	assert_string_equal(tell(world), "");
	world->call.direction = CALL_UNKNOWN;
	assert_string_equal(tell(world), "");
}

static void results(void **state)
{
	static const struct {
		enum call_state state;
		int status;
		enum crm_result result;
	} cases[] = {{CALL_ENDED, 0, CRM_NO_ANSWER}, {CALL_ENDED, 4, CRM_CANCELLED},
		{CALL_ENDED, 5, CRM_BLOCKED}, {CALL_ENDED, -1, CRM_NO_ANSWER},
		{CALL_LOST, -1, CRM_UNCLEAR}};
	struct world *world = *state;
	end(world);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct crm_told nothing = {.key = ""};
		world->call.state = cases[i].state;
		world->call.call_status = cases[i].status;
		assert_int_equal(crm_turns(&nothing, &world->turns, world->events), 1);
		assert_int_equal(world->events[0].call.result, cases[i].result);
	}
}

static void an_end_that_changes_is_told_as_recovered(void **state)
{
	struct world *world = *state;
	end(world);
	assert_string_equal(tell(world), "hangup");
	world->call.ended_ms += 1900; /* as when its channels end one after another */
	assert_string_equal(tell(world), "");
	world->call.ended_ms += 5000;
	assert_string_equal(tell(world), "recovered");
	ring(world, "150");
	answer(world, "150");
	assert_string_equal(tell(world), ""); /* it goes on again: nobody rings anew */
	end(world);
	world->call.ended_ms += 9000;
	assert_string_equal(tell(world), "recovered:1");
}

static void the_past_is_told_in_the_journal_alone(void **state)
{
	struct world *world = *state;
	ring(world, "150");
	world->turns.past = true;
	assert_string_equal(tell(world), "");
	answer(world, "150");
	end(world);
	assert_string_equal(tell(world), "recovered");
	assert_string_equal(tell(world), "");
}

static void the_key_stays_the_first(void **state)
{
	struct world *world = *state;
	ring(world, "150");
	tell(world);
	(void)str_copy(world->ids[0], CALL_ID_BYTES, STR("1795287330.9"));
	end(world);
	assert_string_equal(tell(world), "hangup");
	assert_true(str_equal(world->events[0].call.key, STR("1795287325.1")));
}

static void turns_have_an_end(void **state)
{
	struct world *world = *state;
	for (unsigned i = 0; i < 20; i++) {
		world->call.talkers.count = 0;
		answer(world, i % 2 == 0 ? "150" : "151");
		assert_int_equal(strlen(tell(world)) > 0, i < CRM_MAX_TURNS);
	}
}

static void a_recording_is_told_after_the_end(void **state)
{
	struct world *world = *state;
	struct crm_event event;
	ring(world, "150");
	tell(world);
	assert_false(crm_turn_recording(&world->events[0], 0, STR("https://r/1"), &event));
	end(world);
	tell(world);
	assert_false(crm_turn_recording(&world->events[0], 0, STR(""), &event));
	assert_true(crm_turn_recording(&world->events[0], 0, STR("https://r/1"), &event));
	assert_int_equal(event.kind, CRM_RECORDING);
	crm_told_add(&world->told, &event);
	struct crm_event again;
	assert_false(crm_turn_recording(&event, 1, STR("https://r/1"), &again));
	assert_true(crm_turn_recording(&event, 1, STR("https://r/2"), &again));
	assert_int_equal(again.turn, 1);
	world->call.ended_ms += 60000;
	assert_string_equal(tell(world), "recovered");
	assert_true(str_equal(world->events[0].call.record_url, STR("https://r/1")));
}

static void what_is_no_event_is_refused(void **state)
{
	static const char *const texts[] = {"", "[]", "{}", "{\"event_type\":\"dial\"}",
		"{\"event_type\":\"dial\",\"call\":7}", "{\"event_type\":\"dial\",\"call\":{}}",
		"{\"event_type\":\"bridge\",\"call\":{\"key\":\"1\"}}"};
	struct world *world = *state;
	struct crm_event event;
	struct error error;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(crm_event_read(str_from(texts[i]), world->arena, &event, &error));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_told_step_by_step),
		TEST(at_once_is_the_same),
		TEST(what_is_long_over_opens_nothing),
		TEST(what_was_answered_long_ago_rings_no_more),
		TEST(what_only_the_hangup_knew),
		TEST(outgoing_calls_ring_out_once),
		TEST(internal_and_unknown_calls_are_not_told),
		TEST(results),
		TEST(an_end_that_changes_is_told_as_recovered),
		TEST(the_past_is_told_in_the_journal_alone),
		TEST(the_key_stays_the_first),
		TEST(turns_have_an_end),
		TEST(a_recording_is_told_after_the_end),
		TEST(what_is_no_event_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
