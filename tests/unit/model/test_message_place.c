/*
 * test_message_place: a link to a recording goes into a text that was rendered without one.
 */
#include "message_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LINK "<a href=\"" MESSAGE_PLACE_URL "\">Recording</a>"

/* Fill, and compare; the text is then filled once more with another URL. */
static void check(const char *without, const char *with, const char *url, const char *want)
{
	struct message_place place = message_place_find(str_from(without), str_from(with));
	struct buf first, second;

	buf_init(&first, 4096);
	buf_init(&second, 4096);
	assert_true(message_place_fill(str_from(without), &place, str_from(url), &first));
	assert_string_equal(first.data, want);
	assert_true(str_is_utf8(place.with));
	assert_true(message_place_fill(buf_str(&first), &place, STR(MESSAGE_PLACE_URL), &second));
	assert_string_equal(second.data, with);
	buf_free(&first);
	buf_free(&second);
}

static void a_link_is_put_in_at_the_end(void **state)
{
	check("✅ done\n⌛ 00:17", "✅ done\n⌛ 00:17\n🔉" LINK, "https://a.example/1",
		"✅ done\n⌛ 00:17\n🔉<a href=\"https://a.example/1\">Recording</a>");
}

static void a_link_is_put_in_between(void **state)
{
	check("✅ done\n⌛ 00:17", "✅ done\n" LINK "\n⌛ 00:17", "http://b.example/",
		"✅ done\n<a href=\"http://b.example/\">Recording</a>\n⌛ 00:17");
}

/* ⏰ and ⌛ share their first byte, 🔉 and 🔈 all but the last. */
static void characters_stay_whole(void **state)
{
	check("a\n⌛ b 🔈", "a\n⏰" LINK "⌛ b 🔈", "https://c.example/",
		"a\n⏰<a href=\"https://c.example/\">Recording</a>⌛ b 🔈");
	check("a 🔈", "a 🔉" LINK "🔈", "https://c.example/",
		"a 🔉<a href=\"https://c.example/\">Recording</a>🔈");
}

/* A template may say something else where there is no recording. */
static void a_text_is_replaced(void **state)
{
	check("a\nno recording\nb", "a\n" LINK " and " MESSAGE_PLACE_URL "\nb",
		"https://d.example/",
		"a\n<a href=\"https://d.example/\">Recording</a> and https://d.example/\nb");
}

static void a_hostile_url_stays_an_attribute(void **state)
{
	check("a", "a" LINK, "https://e.example/\"><b>&x",
		"a<a href=\"https://e.example/&quot;&gt;&lt;b&gt;&amp;x\">Recording</a>");
}

static void without_a_place_nothing_happens(void **state)
{
	struct message_place place = message_place_find(STR("a"), STR("a"));
	struct message_place beyond = {.at = 5, .size = 9, .with = STR(MESSAGE_PLACE_URL)};
	struct buf to;

	buf_init(&to, 4096);
	assert_false(message_place_fill(STR("a"), &place, STR("https://f.example/"), &to));
	assert_false(message_place_fill(STR("a"), &beyond, STR("https://f.example/"), &to));
	assert_int_equal(to.size, 0);
	buf_free(&to);
}

static void what_is_too_long_is_refused(void **state)
{
	struct message_place place = message_place_find(STR("a"), STR("a" LINK));
	struct buf to;

	buf_init(&to, 16);
	assert_false(message_place_fill(STR("a"), &place, STR("https://g.example/"), &to));
	buf_free(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_is_put_in_at_the_end),
		cmocka_unit_test(a_link_is_put_in_between),
		cmocka_unit_test(characters_stay_whole),
		cmocka_unit_test(a_text_is_replaced),
		cmocka_unit_test(a_hostile_url_stays_an_attribute),
		cmocka_unit_test(without_a_place_nothing_happens),
		cmocka_unit_test(what_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
