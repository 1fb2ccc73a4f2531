/*
 * bridge: what each state does with each event, and the ends: every one leads to an outcome or a closed
 * socket, none to silence.
 */
#include "bridge_day.h"

/* Where each event leads from each state, in the order of enum bridge_event_kind. */
static const enum bridge_state leads[BRIDGE_STATES][BRIDGE_EVENTS] = {
	[BRIDGE_WAITING] = {BRIDGE_OPENING, BRIDGE_CLOSING, BRIDGE_CLOSING, BRIDGE_CLOSING,
		BRIDGE_CLOSING, BRIDGE_WAITING, BRIDGE_CLOSING, BRIDGE_CLOSED, BRIDGE_WAITING,
		BRIDGE_WAITING, BRIDGE_WAITING, BRIDGE_CLOSING},
	[BRIDGE_OPENING] = {BRIDGE_CLOSING, BRIDGE_OPENING, BRIDGE_OPENING, BRIDGE_OPENING,
		BRIDGE_CLOSING, BRIDGE_OPENING, BRIDGE_CLOSING, BRIDGE_CLOSED, BRIDGE_OPEN,
		BRIDGE_CLOSING, BRIDGE_OPENING, BRIDGE_CLOSING},
	[BRIDGE_OPEN] = {BRIDGE_STORING, BRIDGE_OPEN, BRIDGE_OPEN, BRIDGE_OPEN, BRIDGE_STORING,
		BRIDGE_OPEN, BRIDGE_STORING, BRIDGE_CLOSED, BRIDGE_OPEN, BRIDGE_OPEN, BRIDGE_OPEN,
		BRIDGE_STORING},
	[BRIDGE_FINISHING] = {BRIDGE_STORING, BRIDGE_FINISHING, BRIDGE_FINISHING, BRIDGE_FINISHING,
		BRIDGE_STORING, BRIDGE_FINISHING, BRIDGE_STORING, BRIDGE_STORING, BRIDGE_FINISHING,
		BRIDGE_FINISHING, BRIDGE_FINISHING, BRIDGE_STORING},
	[BRIDGE_STORING] = {BRIDGE_STORING, BRIDGE_STORING, BRIDGE_STORING, BRIDGE_STORING,
		BRIDGE_STORING, BRIDGE_STORING, BRIDGE_STORING, BRIDGE_STORING, BRIDGE_STORING,
		BRIDGE_STORING, BRIDGE_CLOSING, BRIDGE_STORING},
	[BRIDGE_CLOSING] = {BRIDGE_CLOSING, BRIDGE_CLOSING, BRIDGE_CLOSING, BRIDGE_CLOSING,
		BRIDGE_CLOSING, BRIDGE_CLOSING, BRIDGE_CLOSING, BRIDGE_CLOSED, BRIDGE_CLOSING,
		BRIDGE_CLOSING, BRIDGE_CLOSING, BRIDGE_CLOSING},
	[BRIDGE_CLOSED] = {BRIDGE_CLOSED, BRIDGE_CLOSED, BRIDGE_CLOSED, BRIDGE_CLOSED,
		BRIDGE_CLOSED, BRIDGE_CLOSED, BRIDGE_CLOSED, BRIDGE_CLOSED, BRIDGE_CLOSED,
		BRIDGE_CLOSED, BRIDGE_CLOSED, BRIDGE_CLOSED},
};

static void every_state_and_every_event(void **state)
{
	for (unsigned from = 0; from < BRIDGE_STATES; from++) {
		for (unsigned kind = 0; kind < BRIDGE_EVENTS; kind++) {
			struct office *office = office_in((enum bridge_state)from);
			bool open = from >= BRIDGE_OPEN;

			office_event(office, (enum bridge_event_kind)kind);
			if (office->bridge.state != leads[from][kind])
				fail_msg("%s, event %u: %s",
					bridge_state_name((enum bridge_state)from), kind,
					bridge_state_name(office->bridge.state));
			/* P22: whoever leaves OPEN or FINISHING has closed the engine, once. */
			assert_int_equal(office->engine.closed,
				open && office->bridge.state > BRIDGE_FINISHING);
			office_free(office);
		}
	}
}

static void the_codes_of_refusals(void **state)
{
	struct office *office = office_in(BRIDGE_WAITING);

	office_event(office, BRIDGE_ON_MEDIA);
	assert_int_equal(office->close_code, 1002);
	office_free(office);
	office = office_in(BRIDGE_OPENING);
	office_event(office, BRIDGE_ON_REFUSED);
	assert_int_equal(office->close_code, 1007);
	assert_string_equal(office->close_words, "words");
	office_free(office);
}

static void check_broken(struct office *office, int code, const char *reason)
{
	assert_int_equal(office->bridge.state, BRIDGE_STORING);
	assert_int_equal(office->bridge.end, ENGINE_MESSAGE);
	assert_string_equal(office->bridge.end_reason, reason);
	office_event(office, BRIDGE_ON_STORED);
	assert_int_equal(office->close_code, code);
	office_free(office);
}

static void messages_of_others_and_out_of_order(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);
	struct media_message other = {.stream_sid = STR("MZ2"), .sequence = 9};

	bridge_event(&office->bridge,
		&(struct bridge_event){.kind = BRIDGE_ON_MEDIA, .message = &other});
	assert_int_equal(metric_value(office->meters.refused[REFUSED_STREAM]), 1);
	check_broken(office, 1008, "a message of another stream");
	office = office_in(BRIDGE_OPEN);
	office->sequence = 0;
	office_event(office, BRIDGE_ON_MEDIA);
	assert_int_equal(metric_value(office->meters.refused[REFUSED_ORDER]), 1);
	check_broken(office, 1002, "a message out of order");
	office = office_in(BRIDGE_OPEN);
	office_media(office, 0, "not base64");
	check_broken(office, 1007, "a frame that is no audio");
}

/* A hole in the numbers is Twilio's loss, no fault of the peer's. */
static void numbers_may_be_left_out(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office->sequence += 40;
	office_event(office, BRIDGE_ON_MEDIA);
	assert_int_equal(office->bridge.state, BRIDGE_OPEN);
	office_free(office);
}

static void a_long_sid_is_refused(void **state)
{
	struct office *office = office_new();
	struct media_message start = {.stream_sid = STR(SID),
		.sequence = 1,
		.call_sid = STR("CA0000000000000000000000000000000000000001")};

	bridge_event(&office->bridge,
		&(struct bridge_event){.kind = BRIDGE_ON_START, .message = &start});
	assert_int_equal(office->close_code, 1007);
	assert_int_equal(office->admits, 0);
	office_free(office);
}

/* -- watchdogs --------------------------------------------------------------------------------------- */

static void no_start(void **state)
{
	struct office *office = office_in(BRIDGE_WAITING);

	office_pass_alone(office, BRIDGE_START_MS);
	assert_int_equal(office->close_code, 0);
	office_pass_alone(office, 100);
	assert_int_equal(office->close_code, 1008);
	assert_int_equal(metric_value(office->meters.refused[REFUSED_NO_START]), 1);
	office_pass_alone(office, BRIDGE_CLOSE_MS + 100);
	assert_true(bridge_over(&office->bridge));
	office_free(office);
}

static void the_look_up_takes_too_long(void **state)
{
	struct office *office = office_in(BRIDGE_OPENING);

	office_pass_alone(office, BRIDGE_OPENING_MS + 100);
	assert_int_equal(office->close_code, 1011);
	assert_int_equal(office->unadmits, 1);
	office_free(office);
}

static void check_ended(struct office *office, enum engine_end end, const char *reason)
{
	assert_int_equal(office->bridge.state, BRIDGE_STORING);
	assert_int_equal(office->stores, 1);
	assert_int_equal(office->bridge.end, end);
	assert_string_equal(office->bridge.end_reason, reason);
	assert_true(office->engine.closed);
	office_free(office);
}

static void no_media(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	bridge_heard_nothing(&office->bridge);
	office_pass_alone(office, BRIDGE_SILENT_MS);
	assert_int_equal(office->bridge.state, BRIDGE_OPEN);
	office_pass_alone(office, 100);
	check_ended(office, ENGINE_MESSAGE, "no audio came from Twilio");
}

/* P7: an engine that thinks for ever: the caller hears something else within seconds. */
static void no_answer(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_say(office, 100);
	(void)bridge_say_end(&office->bridge);
	office_pass(office, 200);
	office_mark(office, "g1u1");
	office_pass(office, 60000);
	assert_int_equal(office->bridge.state, BRIDGE_OPEN);
	bridge_heard(&office->bridge);
	office_pass(office, BRIDGE_THINK_MS);
	assert_int_equal(office->bridge.state, BRIDGE_OPEN);
	office_pass(office, 100);
	check_ended(office, ENGINE_MESSAGE, "the engine had nothing to say");
}

static void no_greeting(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_pass(office, BRIDGE_THINK_MS + 100);
	check_ended(office, ENGINE_MESSAGE, "the engine had nothing to say");
}

static void a_cough_wants_no_answer(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	bridge_heard(&office->bridge);
	bridge_heard_nothing(&office->bridge);
	office_pass(office, 2 * BRIDGE_THINK_MS);
	assert_int_equal(office->bridge.state, BRIDGE_OPEN);
	office_free(office);
}

static void the_longest_call(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	bridge_heard_nothing(&office->bridge);
	office_pass(office, BRIDGE_LONGEST_MS);
	assert_int_equal(office->bridge.state, BRIDGE_OPEN);
	office_pass(office, 100);
	check_ended(office, ENGINE_HANGUP, "the longest that a call may take");
}

static void a_database_that_does_not_answer(void **state)
{
	struct office *office = office_in(BRIDGE_STORING);

	office_pass_alone(office, 3 * BRIDGE_STORE_MS);
	assert_int_equal(office->bridge.state, BRIDGE_CLOSING);
	assert_int_equal(office->close_code, 1000);
	office_free(office);
}

/* -- engines ------------------------------------------------------------------------------------------- */

static void an_engine_that_cannot_open(void **state)
{
	struct office *office = office_in(BRIDGE_OPENING);

	engine_refuses = true;
	office->bridge.recorded = true;
	office_event(office, BRIDGE_ON_ADMITTED);
	office_pass(office, 20);
	assert_int_equal(office->bridge.state, BRIDGE_STORING);
	assert_int_equal(office->bridge.end, ENGINE_MESSAGE);
	assert_string_equal(office->bridge.end_reason, "no voice today");
	office_free(office);
}

static void an_engine_that_fails(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_say(office, 5000);
	bridge_failed(&office->bridge, "code %d", 7);
	assert_false(office->engine.closed); /* never inside what it called */
	office_pass(office, 20);
	check_ended(office, ENGINE_MESSAGE, "code 7");
}

/* Hang up after the goodbye has been played, not after it was sent. */
static void the_goodbye_is_played(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_say(office, 1000);
	bridge_finish(&office->bridge,
		&(struct engine_outcome){.end = ENGINE_HANGUP, .reason = STR("goodbye")});
	assert_false(bridge_say(&office->bridge, (const uint8_t *)"x", 1));
	office_pass(office, 1000);
	assert_int_equal(office->frames, 50);
	assert_string_equal(office->last_mark, "g1u1");
	assert_int_equal(office->bridge.state, BRIDGE_FINISHING);
	office_mark(office, "g1u1");
	office_pass(office, 20);
	check_ended(office, ENGINE_HANGUP, "goodbye");
}

static void a_hang_up_is_no_transfer(void **state)
{
	struct office *office = office_in(BRIDGE_FINISHING);

	office_event(office, BRIDGE_ON_STOP);
	check_ended(office, ENGINE_HANGUP, "the caller hung up");
}

/* The socket breaks while the goodbye plays: what was decided counts. */
static void a_decision_survives_its_socket(void **state)
{
	struct office *office = office_in(BRIDGE_FINISHING);

	office_event(office, BRIDGE_ON_GONE);
	assert_int_equal(office->bridge.end, ENGINE_TRANSFER);
	assert_string_equal(office->bridge.end_to, "150");
	office_event(office, BRIDGE_ON_STORED);
	assert_true(bridge_over(&office->bridge));
	assert_int_equal(office->close_code, 0);
	office_free(office);
}

static void turns_are_stored_while_there_is_a_call(void **state)
{
	struct engine_turn turn = {.turn = 1, .user_text = STR("hello")};
	struct office *office = office_in(BRIDGE_OPEN);

	bridge_turn(&office->bridge, &turn);
	assert_int_equal(office->turns, 1);
	assert_true(office->bridge.owed_ms > 0);
	turn.turn = BRIDGE_TURNS + 1;
	bridge_turn(&office->bridge, &turn);
	assert_int_equal(office->turns, 1);
	office->bridge.recorded = false;
	turn.turn = 2;
	bridge_turn(&office->bridge, &turn);
	assert_int_equal(office->turns, 1);
	office_free(office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_every_event),
		cmocka_unit_test(the_codes_of_refusals),
		cmocka_unit_test(messages_of_others_and_out_of_order),
		cmocka_unit_test(numbers_may_be_left_out),
		cmocka_unit_test(a_long_sid_is_refused),
		cmocka_unit_test(no_start),
		cmocka_unit_test(the_look_up_takes_too_long),
		cmocka_unit_test(no_media),
		cmocka_unit_test(no_answer),
		cmocka_unit_test(no_greeting),
		cmocka_unit_test(a_cough_wants_no_answer),
		cmocka_unit_test(the_longest_call),
		cmocka_unit_test(a_database_that_does_not_answer),
		cmocka_unit_test(an_engine_that_cannot_open),
		cmocka_unit_test(an_engine_that_fails),
		cmocka_unit_test(the_goodbye_is_played),
		cmocka_unit_test(a_hang_up_is_no_transfer),
		cmocka_unit_test(a_decision_survives_its_socket),
		cmocka_unit_test(turns_are_stored_while_there_is_a_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
