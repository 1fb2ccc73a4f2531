/*
 * test_texts: everything that the database may ask to be said has words in both languages, and fits.
 */
#include "texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define PRESS_TEXT_MAX 200 /* characters, of the Bot API */

/* As migrations/0004_bot.sql and update.c have them. */
static const char *const codes[] = {"welcome", "help", "subscribed", "unsubscribed",
	"not_subscribed", "owner_chat", "code_wrong", "code_used", "code_expired", "code_tries",
	"code_private", "admins_only", "admins_unknown", "mine_on", "mine_off", "mine_which",
	"mine_nobody", "press_over", "press_gone", "press_stranger", "press_not_yours",
	"press_no_pbx", "press_not_yet", "press_no_number", "press_too_late", "press_yourself",
	"press_busy", "press_again", "command_listen_done", "command_whisper_done",
	"command_conference_done", "command_call_done", "command_refused", "command_failed",
	"command_late", "command_unknown", "status"};

static const struct text_args args = {.enterprise = {"June & Co", 9},
	.phones = {"150, 151", 8},
	.phone = {"150", 3},
	.words = {"busy", 4},
	.mine = true};

static void write(struct buf *to, const char *code, const char *locale)
{
	buf_init(to, 4096);
	text_write(str_from(code), str_from(locale), &args, to);
}

static void every_code_has_words_in_both_languages(void **state)
{
	struct buf unknown, ru, en;
	write(&unknown, "no such code", "en");
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		write(&ru, codes[i], "ru");
		write(&en, codes[i], "en");
		assert_false(str_equal(buf_str(&ru), buf_str(&en)));
		assert_false(str_equal(buf_str(&en), buf_str(&unknown)));
		assert_null(strpbrk(ru.data, "{}"));
		assert_null(strpbrk(en.data, "{}"));
		buf_free(&ru);
		buf_free(&en);
	}
	buf_free(&unknown);
}

static size_t characters(const struct buf *text)
{
	size_t count = 0;
	for (size_t i = 0; i < text->size; i++)
		count += ((unsigned char)text->data[i] & 0xc0) != 0x80;
	return count;
}

static void answers_to_presses_fit(void **state)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		bool pressed = strncmp(codes[i], "press_", 6) == 0 ||
			       strncmp(codes[i], "command_", 8) == 0;
		struct buf ru;
		write(&ru, codes[i], "ru");
		if (pressed)
			assert_in_range(characters(&ru), 1, PRESS_TEXT_MAX);
		else
			assert_false(text_is_alert(str_from(codes[i])));
		buf_free(&ru);
	}
	assert_true(text_is_alert(STR("press_over")));
	assert_false(text_is_alert(STR("command_listen_done")));
}

static void arguments_are_put_in(void **state)
{
	struct buf text;
	write(&text, "command_refused", "en");
	assert_string_equal(text.data, "The PBX refused: busy");
	buf_free(&text);
	write(&text, "command_listen_done", "ru");
	assert_string_equal(text.data, "👂 Звоним на 150: прослушивание.");
	buf_free(&text);
	write(&text, "status", "en");
	assert_string_equal(
		text.data, "Subscribed: June & Co\nYour phones: 150, 151\nCalls: only mine");
	buf_free(&text);
}

static void arguments_are_read(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct text_args read;
	assert_true(text_args_read(
		STR("{\"enterprise\":\"June\",\"mine\":true,\"more\":[1]}"), arena, &read));
	assert_true(str_equal(read.enterprise, STR("June")) && read.mine && !read.owner);
	assert_false(text_args_read(STR("[]"), arena, &read));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_words_in_both_languages),
		cmocka_unit_test(answers_to_presses_fit),
		cmocka_unit_test(arguments_are_put_in),
		cmocka_unit_test(arguments_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
