/* pipeline_text: when words may be spoken, how many of them were heard, and whether there were any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline_text.h"

#include <stdio.h>
#include <stdlib.h>

/* All pieces of a whole text, apart by |; the text comes in steps of so many bytes, as from a model. */
static void split(const char *text, size_t step, char *out, size_t room)
{
	size_t size = strlen(text), said = 0, used = 0;

	out[0] = '\0';
	for (size_t got = step;; got += step) {
		bool whole = got >= size;
		size_t piece;

		if (whole)
			got = size;
		while ((piece = text_speakable(str_of(text + said, got - said), said == 0, whole)) >
			0) {
			used += (size_t)snprintf(
				out + used, room - used, "%.*s|", (int)piece, text + said);
			said += piece;
		}
		if (whole)
			return;
	}
}

/* The same whatever the pieces in which it came: but a clause may wait for what follows it. */
static void must_split(const char *text, const char *pieces)
{
	char out[2048];

	for (size_t step = 1; step <= strlen(text); step++) {
		split(text, step, out, sizeof(out));
		assert_string_equal(out, pieces);
	}
}

static void test_sentences(void **state)
{
	must_split("Yes. We are open! Really? Good…  Bye.",
		"Yes.| We are open!| Really?| Good…|  Bye.|");
	must_split("He said \"no.\" Then left.", "He said \"no.\"| Then left.|");
	must_split("Без проблем. До свидания!", "Без проблем.| До свидания!|");
	must_split("כן. להתראות.", "כן.| להתראות.|");
	must_split("One\ntwo", "One\n|two|");
	must_split("no end", "no end|");
}

static void test_what_is_no_end(void **state)
{
	must_split("It costs 3.50 euros. Good.", "It costs 3.50 euros.| Good.|");
	must_split("M. Dupont and Dr. Cohen are in.", "M. Dupont and Dr. Cohen are in.|");
	must_split("1. Rooms. 2. Prices.", "1. Rooms.| 2. Prices.|");
	must_split("ул. Ленина, г. Минск. Ждём.", "ул. Ленина, г. Минск.| Ждём.|");
	must_split("It is so. Fine.", "It is so.| Fine.|");
	must_split("OK. No. Да. Ja.", "OK.| No.| Да.| Ja.|");
	must_split("We open at 9. Come by.", "We open at 9.| Come by.|");
}

static void test_the_first_clause_does_not_wait(void **state)
{
	must_split("Well, that depends on what you would like to have, for example a room, or two.",
		"Well, that depends on what you would like to have,| for example a room, or two.|");
}

static void test_what_never_ends_is_cut_between_words(void **state)
{
	char text[1024], out[2048];
	size_t used = 0;

	while (used < 900)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "слово ");
	split(text, 7, out, sizeof(out));
	for (char *at = strchr(out, '|'); at != NULL; at = strchr(at + 1, '|')) {
		assert_true(at[-1] == ' ' || at[1] == '\0');
		assert_true(str_is_utf8(str_from(out)));
	}
	memset(text, 'x', 1000); /* not even a word */
	text[1000] = '\0';
	assert_true(text_speakable(str_from(text), true, false) > 0);
}

static void test_markup_is_not_spoken(void **state)
{
	struct buf out;

	buf_init(&out, 256);
	text_add_spoken(&out, STR("**Open** from\n`nine` to _five_ # really"));
	assert_string_equal(out.data, "Open from nine to five  really");
	buf_free(&out);
}

static void must_hear(const char *text, int64_t played, int64_t total, const char *heard)
{
	struct str part = text_heard(str_from(text), played, total);
	char copy[256];

	(void)snprintf(copy, sizeof(copy), "%.*s", STR_ARG(part));
	assert_string_equal(copy, heard);
}

static void test_what_was_heard(void **state)
{
	must_hear("one two three four", 0, 1000, "");
	must_hear("one two three four", 1000, 1000, "one two three four");
	must_hear("one two three four", 5000, 1000, "one two three four");
	must_hear("one two three four", 500, 1000, "one two");
	must_hear("one two three four", 100, 1000, ""); /* no whole word */
	must_hear("один два три", 600, 1000, "один");
	must_hear("x", 1, 0, ""); /* no sound yet */
}

static void test_energy_gate(void **state) /* P29 */
{
	assert_true(text_sound_is_speech(&(struct text_sound){300, 2000}));
	assert_false(text_sound_is_speech(&(struct text_sound){300, 40}));
	assert_false(text_sound_is_speech(&(struct text_sound){40, 2000}));
}

static void test_dreams_of_recognisers(void **state) /* P29 */
{
	static const struct text_sound loud = {900, 3000}, soft = {300, 300}, low = {900, 400};

	assert_true(text_is_imagined(STR("Thanks for watching!"), &loud)); /* nobody says that */
	assert_true(text_is_imagined(STR("Продолжение следует..."), &loud));
	assert_true(text_is_imagined(STR(" ... "), &loud));
	assert_true(text_is_imagined(STR(""), &loud));
	assert_true(text_is_imagined(STR("Thank you."), &soft));
	assert_true(text_is_imagined(STR("תודה רבה"), &soft));
	assert_true(text_is_imagined(STR("you"), &soft));
	assert_false(text_is_imagined(STR("Thank you."), &loud));
	assert_false(text_is_imagined(STR("Yes."), &loud));
	assert_false(text_is_imagined(STR("Yes."), &low)); /* a soft voice, but long enough */
	assert_false(text_is_imagined(STR("I would like a room"), &soft));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_what_is_no_end),
		cmocka_unit_test(test_the_first_clause_does_not_wait),
		cmocka_unit_test(test_what_never_ends_is_cut_between_words),
		cmocka_unit_test(test_markup_is_not_spoken),
		cmocka_unit_test(test_what_was_heard),
		cmocka_unit_test(test_energy_gate),
		cmocka_unit_test(test_dreams_of_recognisers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
