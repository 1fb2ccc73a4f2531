/*
 * bridge's two queues: what is said is paced, marked and cut; what is heard has no holes.
 */
#include "bridge_day.h"

/* -- said ---------------------------------------------------------------------------------------------- */

/* No more than the window ahead, then in real time, and nothing is lost. */
static void audio_is_paced(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_say(office, 2000);
	assert_int_equal(office->frames, BRIDGE_AHEAD_MS / MULAW_FRAME_MS);
	office_pass(office, 1000);
	assert_int_equal(office->frames, (BRIDGE_AHEAD_MS + 1000) / MULAW_FRAME_MS);
	assert_int_equal(office->marks, 0);
	(void)bridge_say_end(&office->bridge);
	office_pass(office, 1000);
	assert_int_equal(office->sent_bytes, 16000);
	assert_int_equal(office->marks, 1);
	office_free(office);
}

/* A machine that was away for a while does not make up for it by a burst above the window. */
static void a_late_tick_sends_no_burst(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_say(office, 5000);
	office->now_ms += 2000;
	office->bridge.came_ms = office->now_ms;
	bridge_tick(&office->bridge);
	assert_int_equal(office->frames, 2 * BRIDGE_AHEAD_MS / MULAW_FRAME_MS);
	office_free(office);
}

static void odd_pieces_come_out_as_frames(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);
	uint8_t piece[100];

	memset(piece, 0x80, sizeof(piece));
	for (unsigned i = 0; i < 5; i++)
		assert_true(bridge_say(&office->bridge, piece, sizeof(piece)));
	(void)bridge_say_end(&office->bridge);
	office_pass(office, 100);
	assert_int_equal(office->sent_bytes, 500);
	assert_true(office->frames <= 5);
	assert_int_equal(office->marks, 1);
	office_free(office);
}

static void the_queue_is_bounded(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);
	uint8_t second[MULAW_HZ];
	unsigned said = 0;

	memset(second, 0x80, sizeof(second));
	while (bridge_say(&office->bridge, second, sizeof(second)))
		assert_true(++said <= BRIDGE_MAX_QUEUE_MS / 1000 + 1);
	assert_true(said > BRIDGE_MAX_QUEUE_MS / 1000 - 5);
	office_free(office);
}

static void utterances_are_bounded(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	for (unsigned i = 1; i <= BRIDGE_UTTERANCES; i++) {
		office_say(office, 20);
		assert_int_equal(bridge_say_end(&office->bridge), i);
	}
	assert_false(bridge_say(&office->bridge, (const uint8_t *)"x", 1));
	office_free(office);
}

/* P3: speaking ends with the echo of the mark, not with what was sent. */
static void played_is_what_the_mark_says(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_say(office, 200);
	assert_int_equal(bridge_say_end(&office->bridge), 1);
	assert_string_equal(office->last_mark, "g1u1");
	office_pass(office, 1000);
	assert_true(bridge_speaking(&office->bridge));
	assert_int_equal(office->engine.played_count, 0);
	office_mark(office, "g1u1");
	assert_false(bridge_speaking(&office->bridge));
	assert_int_equal(office->engine.played_count, 1);
	assert_int_equal(office->engine.played[0].number, 1);
	assert_true(office->engine.played[0].whole);
	assert_int_equal(office->engine.played[0].ms, 200);
	office_free(office);
}

/* P3: with a timeout of what is queued and a margin, not of half a second. */
static void a_lost_mark_is_given_up(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_say(office, 5000);
	(void)bridge_say_end(&office->bridge);
	office_pass(office, 5000 + BRIDGE_MARK_MARGIN_MS - 100);
	assert_true(bridge_speaking(&office->bridge));
	office_pass(office, 500);
	assert_false(bridge_speaking(&office->bridge));
	assert_int_equal(metric_value(office->meters.marks_lost), 1);
	assert_true(office->engine.played[0].whole);
	office_free(office);
}

static void one_echo_stands_for_all_before(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	for (unsigned i = 0; i < 3; i++) {
		office_say(office, 40);
		(void)bridge_say_end(&office->bridge);
	}
	office_mark(office, "g1u2");
	assert_int_equal(office->engine.played_count, 2);
	assert_true(bridge_speaking(&office->bridge));
	office_mark(office, "nonsense");
	office_mark(office, "gu");
	office_mark(office, "g1u99999999999999999999");
	assert_true(bridge_speaking(&office->bridge));
	office_free(office);
}

/* P4: at once, after what was queued here is gone, and nothing of it follows. */
static void hush_clears_at_once(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);
	unsigned frames;

	office_say(office, 3000);
	(void)bridge_say_end(&office->bridge);
	office_pass(office, 500);
	frames = office->frames;
	assert_int_equal(bridge_hush(&office->bridge), 500);
	assert_int_equal(office->clears, 1);
	assert_true(str_ends(
		buf_str(&office->sent), STR("{\"event\":\"clear\",\"streamSid\":\"" SID "\"}\n")));
	office_pass(office, 3000);
	assert_int_equal(office->frames, frames);
	assert_int_equal(office->marks, 0);
	assert_int_equal(office->engine.played_count, 1);
	assert_false(office->engine.played[0].whole);
	assert_int_equal(office->engine.played[0].ms, 500);
	office_free(office);
}

/* P4: Twilio echoes what it flushed; that is of an older generation and nobody heard it. */
static void echoes_of_what_was_flushed_are_not_played(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_say(office, 200);
	(void)bridge_say_end(&office->bridge);
	(void)bridge_hush(&office->bridge);
	office_pass(office, 20);
	assert_int_equal(office->engine.played_count, 1);
	office_say(office, 200);
	assert_int_equal(bridge_say_end(&office->bridge), 2);
	assert_string_equal(office->last_mark, "g2u2");
	office_mark(office, "g1u1");
	assert_int_equal(office->engine.played_count, 1);
	assert_int_equal(metric_value(office->meters.marks_old), 1);
	assert_true(bridge_speaking(&office->bridge));
	office_mark(office, "g2u2");
	assert_int_equal(office->engine.played_count, 2);
	office_free(office);
}

/* P5: who does not speak is not cleared, and a new answer begins without a clear. */
static void no_clear_without_need(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	assert_int_equal(bridge_hush(&office->bridge), 0);
	office_say(office, 200);
	(void)bridge_say_end(&office->bridge);
	office_mark(office, "g1u1");
	assert_int_equal(bridge_hush(&office->bridge), 0);
	office_say(office, 200);
	assert_int_equal(office->clears, 0);
	assert_int_equal(office->bridge.generation, 1);
	office_free(office);
}

static void what_was_never_sent_needs_no_clear(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office->unsent = BRIDGE_UNSENT_BYTES + 1;
	office_say(office, 200);
	(void)bridge_say_end(&office->bridge);
	assert_int_equal(bridge_hush(&office->bridge), 0);
	assert_int_equal(office->clears, 0);
	office_free(office);
}

static void a_peer_that_takes_nothing_gets_nothing_more(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office->unsent = BRIDGE_UNSENT_BYTES + 1;
	office_say(office, 200);
	office_pass(office, 200);
	assert_int_equal(office->frames, 0);
	office->unsent = 0;
	office_pass(office, 20);
	assert_int_equal(office->frames, 10);
	office_free(office);
}

/* -- heard --------------------------------------------------------------------------------------------- */

/* P6, P8: the engine's clock is the audio: a hole is silence of its length, and silence is 0xff. */
static void holes_are_filled(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_media(office, 5, "AAAAAAAAAAAAAAAAAAAAAA=="); /* 16 bytes: 2 ms */
	office_media(office, 107, "AAAAAAAAAAAAAAAAAAAAAA==");
	assert_int_equal(office->engine.heard_silence, 800);
	assert_int_equal(office->engine.heard_bytes, 832);
	assert_int_equal(office->engine.last_at_ms, 107);
	office_free(office);
}

static void jitter_is_no_hole(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_media(office, 5, "AAAAAAAAAAAAAAAAAAAAAA==");
	office_media(office, 20, "AAAAAAAAAAAAAAAAAAAAAA==");
	office_media(office, 1, "AAAAAAAAAAAAAAAAAAAAAA==");
	assert_int_equal(office->engine.heard_silence, 0);
	assert_int_equal(office->engine.frames, 3);
	office_free(office);
}

static void a_monstrous_hole_is_cut(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_media(office, 0, "AAAAAAAAAAAAAAAAAAAAAA==");
	office_media(office, INT64_MAX / 2, "AAAAAAAAAAAAAAAAAAAAAA==");
	assert_int_equal(office->engine.heard_silence, (int64_t)BRIDGE_SILENT_MS * 8);
	assert_int_equal(office->engine.last_at_ms, INT64_MAX / 2);
	office_free(office);
}

/* P9: what is said while the call is looked up is heard after all. */
static void early_frames_are_kept(void **state)
{
	struct office *office = office_in(BRIDGE_OPENING);

	office_media(office, 0, "AAAAAAAAAAAAAAAAAAAAAA==");
	office_media(office, 2, "AAAAAAAAAAAAAAAAAAAAAA==");
	office_event(office, BRIDGE_ON_ADMITTED);
	assert_int_equal(office->engine.frames, 2);
	assert_int_equal(office->engine.heard_bytes, 32);
	assert_int_equal(office->engine.last_at_ms, 2);
	office_free(office);
}

static void early_frames_are_bounded(void **state)
{
	struct office *office = office_in(BRIDGE_OPENING);

	for (int64_t i = 0; i < 100000; i++)
		office_media(office, i * 2, "AAAAAAAAAAAAAAAAAAAAAA==");
	assert_true(office->bridge.early.size <= office->bridge.early.max_bytes);
	assert_int_equal(office->bridge.state, BRIDGE_OPENING);
	office_free(office);
}

static void digits_reach_the_engine(void **state)
{
	struct office *office = office_in(BRIDGE_OPEN);

	office_event(office, BRIDGE_ON_DIGIT);
	assert_int_equal(office->engine.digits, 7);
	office_pass(office, 100);
	assert_int_equal(office->engine.ticks, 5);
	office_free(office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(audio_is_paced),
		cmocka_unit_test(a_late_tick_sends_no_burst),
		cmocka_unit_test(odd_pieces_come_out_as_frames),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(utterances_are_bounded),
		cmocka_unit_test(played_is_what_the_mark_says),
		cmocka_unit_test(a_lost_mark_is_given_up),
		cmocka_unit_test(one_echo_stands_for_all_before),
		cmocka_unit_test(hush_clears_at_once),
		cmocka_unit_test(echoes_of_what_was_flushed_are_not_played),
		cmocka_unit_test(no_clear_without_need),
		cmocka_unit_test(what_was_never_sent_needs_no_clear),
		cmocka_unit_test(a_peer_that_takes_nothing_gets_nothing_more),
		cmocka_unit_test(holes_are_filled),
		cmocka_unit_test(jitter_is_no_hole),
		cmocka_unit_test(a_monstrous_hole_is_cut),
		cmocka_unit_test(early_frames_are_kept),
		cmocka_unit_test(early_frames_are_bounded),
		cmocka_unit_test(digits_reach_the_engine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
