/*
 * What Twilio holds of a stream's audio: played in order, marks at their places, dropped by a clear; and
 * which messages it takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "twilio_media_check.h"
#include "twilio_playout.h"

#include <stdlib.h>

static void add(struct playout *playout, char sound, size_t bytes)
{
	char *audio = malloc(bytes);

	memset(audio, sound, bytes);
	assert_true(playout_add(playout, audio, bytes));
	free(audio);
}

static void assert_due(struct playout *playout, const char *name)
{
	char *due = playout_due(playout);

	if (name == NULL)
		assert_null(due);
	else
		assert_string_equal(due, name);
	free(due);
}

static void test_marks_are_due_when_all_before_them_was_played(void **state)
{
	struct playout playout;
	uint8_t frame[160];

	playout_init(&playout);
	assert_true(playout_add_mark(&playout, STR("at once")));
	assert_due(&playout, "at once");
	add(&playout, 'a', 161);
	assert_true(playout_add_mark(&playout, STR("one")));
	assert_true(playout_add_mark(&playout, STR("two")));
	add(&playout, 'b', 10);
	assert_int_equal(playout_take(&playout, frame, 160), 160);
	assert_due(&playout, NULL);
	assert_int_equal(playout_take(&playout, frame, 160), 11);
	assert_true(frame[0] == 'a' && frame[1] == 'b' && frame[10] == 'b');
	assert_due(&playout, "one");
	assert_due(&playout, "two");
	assert_due(&playout, NULL);
	assert_int_equal(playout_take(&playout, frame, 160), 0);
	playout_free(&playout);
}

static void test_a_clear_makes_all_marks_due_and_the_next_audio_begins_anew(void **state)
{
	struct playout playout;
	uint8_t frame[160];

	playout_init(&playout);
	add(&playout, 'a', 400);
	assert_true(playout_add_mark(&playout, STR("end")));
	(void)playout_take(&playout, frame, 160);
	assert_int_equal(playout_clear(&playout), 240);
	assert_due(&playout, "end");
	assert_int_equal(playout_clear(&playout), 0);
	add(&playout, 'b', 160);
	assert_true(playout_add_mark(&playout, STR("next")));
	assert_due(&playout, NULL);
	assert_int_equal(playout_take(&playout, frame, 160), 160);
	assert_int_equal(frame[0], 'b');
	assert_due(&playout, "next");
	playout_free(&playout);
}

static void test_ten_minutes_are_the_most_however_long_it_runs(void **state)
{
	static char minute[60 * 8000];
	struct playout playout;
	uint8_t frame[160];

	playout_init(&playout);
	for (int i = 0; i < 10; i++)
		assert_true(playout_add(&playout, minute, sizeof(minute)));
	assert_false(playout_add(&playout, minute, 1));
	for (int i = 0; i < 3000; i++) { /* a minute is played, another fits */
		assert_int_equal(playout_take(&playout, frame, 160), 160);
	}
	assert_true(playout_add(&playout, minute, sizeof(minute)));
	assert_false(playout_add(&playout, minute, 1));
	assert_int_equal(playout_left(&playout), PLAYOUT_MAX_BYTES);
	playout_free(&playout);
}

#define SID "MZ00000000000000000000000000000001"

static const char *check(const char *text, struct media_sent *sent, struct arena *arena)
{
	return media_check(str_from(text), STR(SID), arena, sent);
}

static void test_three_messages_are_taken(void **state)
{
	struct arena *arena = arena_new(1u << 20);
	struct media_sent sent;

	assert_null(check("{\"event\":\"media\",\"streamSid\":\"" SID
			  "\",\"media\":{\"payload\":\"//8A\"}}",
		&sent, arena));
	assert_true(sent.kind == SENT_MEDIA && sent.bytes == 3 && sent.audio[2] == 0);
	assert_null(check(" {\"mark\":{\"name\":\"a\\u00e9\"}, \"streamSid\":\"" SID
			  "\",\"event\":\"mark\"}",
		&sent, arena));
	assert_true(sent.kind == SENT_MARK && str_equal(sent.name, STR("a\xc3\xa9")));
	assert_null(check("{\"event\":\"clear\",\"streamSid\":\"" SID "\"}", &sent, arena));
	assert_int_equal(sent.kind, SENT_CLEAR);
	arena_free(&arena);
}

static void test_everything_else_has_words(void **state)
{
	static const char *const bad[] = {"", "x", "[]", "1", "{}", "{\"event\":\"clear\"}",
		"{\"event\":1,\"streamSid\":\"" SID "\"}",
		"{\"event\":\"clear\",\"streamSid\":\"MZ\"}",
		"{\"event\":\"Clear\",\"streamSid\":\"" SID "\"}",
		"{\"event\":\"clear\",\"event\":\"clear\",\"streamSid\":\"" SID "\"}",
		"{\"event\":\"clear\",\"streamSid\":\"" SID "\",\"x\":null}",
		"{\"event\":\"mark\",\"streamSid\":\"" SID "\"}",
		"{\"event\":\"mark\",\"streamSid\":\"" SID "\",\"mark\":\"a\"}",
		"{\"event\":\"mark\",\"streamSid\":\"" SID "\",\"mark\":{\"name\":\"\"}}",
		"{\"event\":\"mark\",\"streamSid\":\"" SID "\",\"mark\":{\"name\":[]}}",
		"{\"event\":\"media\",\"streamSid\":\"" SID "\",\"media\":{\"payload\":\"///\"}}",
		"{\"event\":\"media\",\"streamSid\":\"" SID "\",\"media\":{\"payload\":\"//8A\","
		"\"track\":\"inbound\"}}",
		"{\"event\":\"media\",\"streamSid\":\"" SID
		"\",\"media\":{\"payload\":\"//8A\"}}x"};
	struct arena *arena = arena_new(1u << 20);
	struct media_sent sent;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(check(bad[i], &sent, arena));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks_are_due_when_all_before_them_was_played),
		cmocka_unit_test(test_a_clear_makes_all_marks_due_and_the_next_audio_begins_anew),
		cmocka_unit_test(test_ten_minutes_are_the_most_however_long_it_runs),
		cmocka_unit_test(test_three_messages_are_taken),
		cmocka_unit_test(test_everything_else_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
