/* mouth: texts in pieces that can be spoken at once, and what comes out: mu-law that is neither silent
 * nor clipped. */
#include "mouth.h"

#include "mulaw.h"

#include "../base/check.h"

#include <math.h>

static void sentences_are_pieces(void **state)
{
	struct str rest = STR("Good day to you all, callers! How can I help? We open at 9.30. "
			      "No. 5 is closed");
	const char *const pieces[] = {"Good day to you all, callers!",
		"How can I help? We open at 9.30.", "No. 5 is closed", NULL};

	for (unsigned i = 0; pieces[i] != NULL; i++) {
		struct str piece = mouth_piece(&rest);
		assert_str(piece, pieces[i]);
	}
	assert_int_equal(rest.size, 0);
}

/* Without a full stop: cut at spaces, and without these between characters, never inside one. */
static void long_ones_are_cut(void **state)
{
	char text[2000];
	size_t sum = 0;
	struct str rest;

	memset(text, 'a', sizeof(text));
	for (unsigned i = 0; i < 1000; i += 7)
		text[i] = ' ';
	for (unsigned i = 1000; i < 2000; i += 2)
		memcpy(text + i, "ж", 2);
	rest = str_trim(str_of(text, sizeof(text)));
	while (rest.size > 0) {
		struct str piece = mouth_piece(&rest);
		assert_in_range(piece.size, 1, 301);
		assert_true(str_is_utf8(piece));
		sum += str_trim(piece).size;
	}
	assert_true(sum > 1700);
}

static void languages_have_voices(void **state)
{
	assert_string_equal(mouth_voice_of(STR("ru")), "ru");
	assert_string_equal(mouth_voice_of(STR("he")), "he");
	assert_null(mouth_voice_of(STR("de")));
}

static void speak(struct mouth *mouth, const char *language, const char *text, struct buf *to)
{
	struct resampler *resampler = resampler_new(mouth_hz(mouth), MULAW_HZ);
	const struct mouth_order order = {mouth_voice_of(str_from(language)), 160, true};
	struct error error;

	if (!mouth_speak(mouth, &order, str_from(text), resampler, to, &error))
		fail_msg("%s: %s", language, error.text);
	resampler_free(&resampler);
}

static void it_is_heard_in_four_languages(void **state)
{
	static const char *const texts[][2] = {{"en", "Good day, how can I help you?"},
		{"fr", "Bonjour, que puis-je faire ?"}, {"ru", "Здравствуйте, чем помочь?"},
		{"he", "שלום, איך אפשר לעזור?"}};
	struct error error;
	struct mouth *mouth = mouth_new(&error);

	assert_non_null(mouth);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		double squares = 0;
		size_t full = 0;
		struct buf audio;
		buf_init(&audio, 1 << 20);
		speak(mouth, texts[i][0], texts[i][1], &audio);
		assert_in_range(audio.size, 8000, 40000); /* one to five seconds */
		for (size_t j = 0; j < audio.size; j++) {
			int sample = mulaw_decode((uint8_t)audio.data[j]);
			squares += (double)sample * sample;
			full += sample > 32000 || sample < -32000;
		}
		assert_true(sqrt(squares / (double)audio.size) > 500);
		assert_true(full < audio.size / 500);
		buf_free(&audio);
	}
	mouth_free(&mouth);
}

static void a_voice_that_is_not_there_is_told(void **state)
{
	struct mouth *mouth = mouth_new(NULL);
	struct resampler *resampler = resampler_new(mouth_hz(mouth), MULAW_HZ);
	struct error error;
	struct buf audio;

	buf_init(&audio, 1000);
	assert_false(mouth_speak(mouth, &(struct mouth_order){"quatsch", 160, true}, STR("x"),
		resampler, &audio, &error));
	assert_int_equal(error.kind, ERROR_INPUT);
	assert_non_null(strstr(error.text, "quatsch"));
	/* More than there is room for stops it. */
	assert_false(mouth_speak(mouth, &(struct mouth_order){"en-us", 160, true},
		STR("This is much too long."), resampler, &audio, &error));
	assert_non_null(strstr(error.text, "too long"));
	buf_free(&audio);
	resampler_free(&resampler);
	mouth_free(&mouth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences_are_pieces),
		cmocka_unit_test(long_ones_are_cut),
		cmocka_unit_test(languages_have_voices),
		cmocka_unit_test(it_is_heard_in_four_languages),
		cmocka_unit_test(a_voice_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
