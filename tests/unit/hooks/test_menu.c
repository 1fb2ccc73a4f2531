/*
 * test_menu: a menu as data: what is wrong with it is said by name; hours, holidays, languages, words.
 */
#include "hook_menu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct world {
	struct arena *arena;
	struct json *json;
	struct menu *menu;
	struct error error;
};

static void read_menu(struct world *world, const char *text)
{
	const struct json_limits limits = {65536, 16};

	*world = (struct world){.arena = arena_new((size_t)4 << 20)};
	world->json = json_parse(str_from(text), limits, &world->error);
	assert_non_null(world->json);
	world->menu = menu_read(world->json, world->arena, &world->error);
}

static void drop(struct world *world)
{
	menu_close(world->menu);
	json_free(&world->json);
	arena_free(&world->arena);
}

static void assert_text(struct str text, const char *expected)
{
	assert_int_equal(text.size, strlen(expected));
	assert_memory_equal(text.data, expected, text.size);
}

static const char whole[] =
	"{\"prompt\": {\"fr\": \"Tapez 1\", \"en\": \"Press 1\"}, \"tries\": 2, \"wait_seconds\": "
	"7,"
	" \"zone\": \"Europe/Paris\", \"closed_do\": \"operator\","
	" \"hours\": {\"mon\": \"09:00-12:30, 14:00-18:00\", \"tue\": \"00:00-24:00\"},"
	" \"holidays\": [\"2026-11-23\", \"12-25\"],"
	" \"closed\": {\"fr\": \"Ferme\"},"
	" \"keywords\": {\"Tarifs\": {\"fr\": \"12 euros\"}, \"info\": {\"fr\": \"la notre\"}},"
	" \"keys\": {\"1\": {\"do\": \"info\", \"text\": {\"fr\": \"Ouvert\"}},"
	"  \"2\": {\"do\": \"voicemail\"}, \"0\": {\"do\": \"operator\", \"to\": \"+33123456789\"},"
	"  \"4\": {\"do\": \"agent\", \"engine\": \"echo\"},"
	"  \"9\": {\"do\": \"language\", \"language\": \"en\"},"
	"  \"3\": {\"do\": \"menu\", \"menu\": {\"prompt\": {\"fr\": \"Dessous\"},"
	"   \"keys\": {\"#\": {\"do\": \"voicemail\"}}}}}}";

static void test_whole(void **state)
{
	struct world world;
	const struct menu_node *root;

	read_menu(&world, whole);
	assert_non_null(world.menu);
	root = menu_at(world.menu, STR(""));
	assert_int_equal(root->key_count, 6);
	assert_int_equal(menu_key(root, '1')->does, MENU_INFO);
	assert_text(menu_text_in(&menu_key(root, '1')->text, MENU_FR), "Ouvert");
	assert_string_equal(menu_key(root, '0')->to, "+33123456789");
	assert_string_equal(menu_key(root, '4')->engine, "echo");
	assert_int_equal(menu_key(root, '9')->language, MENU_EN);
	assert_null(menu_key(root, '8'));
	assert_non_null(menu_at(world.menu, STR("3")));
	assert_int_equal(menu_key(menu_at(world.menu, STR("3")), '#')->does, MENU_VOICEMAIL);
	assert_null(menu_at(world.menu, STR("33")));
	assert_null(menu_at(world.menu, STR("1")));
	assert_int_equal(menu_tries(world.menu), 2);
	assert_int_equal(menu_wait_seconds(world.menu), 7);
	assert_int_equal(menu_closed_does(world.menu), MENU_OPERATOR);
	drop(&world);
}

static void test_languages(void **state)
{
	struct world world;
	const struct menu_node *root;

	read_menu(&world, whole);
	root = menu_at(world.menu, STR(""));
	assert_text(menu_text_in(&root->prompt, MENU_EN), "Press 1");
	/* Hebrew is missing: better in French than nothing. */
	assert_text(menu_text_in(&root->prompt, MENU_HE), "Tapez 1");
	/* A phrase that the enterprise has in French only keeps ours in the others. */
	assert_text(menu_text_in(menu_phrase(world.menu, MENU_PHRASE_CLOSED), MENU_FR), "Ferme");
	assert_true(menu_text_in(menu_phrase(world.menu, MENU_PHRASE_CLOSED), MENU_HE).size > 10);
	drop(&world);
}

static bool open_at(const struct world *world, const char *text)
{
	int64_t wall_ms;

	assert_true(clock_parse(str_from(text), NULL, &wall_ms));
	return menu_open(world->menu, wall_ms, NULL);
}

/* 2026-11-16 is a Monday; Paris is one hour ahead of UTC in November, two in July. */
static void test_hours(void **state)
{
	struct world world;

	read_menu(&world, whole);
	assert_false(open_at(&world, "2026-11-16T07:59:59Z"));
	assert_true(open_at(&world, "2026-11-16T08:00:00Z"));
	assert_true(open_at(&world, "2026-11-16T11:29:59Z"));
	assert_false(open_at(&world, "2026-11-16T11:30:00Z"));
	assert_true(open_at(&world, "2026-11-16T13:00:00Z"));
	assert_false(open_at(&world, "2026-11-16T17:00:00Z"));
	assert_true(open_at(&world, "2026-07-13T07:00:00Z"));  /* summer */
	assert_true(open_at(&world, "2026-11-16T23:30:00Z"));  /* Tuesday there */
	assert_false(open_at(&world, "2026-11-18T10:00:00Z")); /* Wednesday: no hours */
	assert_false(open_at(&world, "2026-11-23T10:00:00Z")); /* a Monday, but a holiday */
	assert_false(open_at(&world, "2028-12-25T10:00:00Z")); /* each year's; a Monday */
	assert_true(open_at(&world, "2027-11-23T10:00:00Z"));  /* that one was 2026's; a Tuesday */
	drop(&world);
}

static void test_words(void **state)
{
	struct world world;

	read_menu(&world, whole);
	assert_text(menu_text_in(menu_keyword(world.menu, STR(" tarifs! ")), MENU_FR), "12 euros");
	assert_text(menu_text_in(menu_keyword(world.menu, STR("INFO")), MENU_FR), "la notre");
	assert_non_null(menu_keyword(world.menu, STR("Horaires")));
	assert_non_null(menu_keyword(world.menu, STR("aide")));
	assert_non_null(menu_keyword(world.menu, STR("помощь")));
	assert_non_null(menu_keyword(world.menu, STR("\xd7\xa9\xd7\xa2\xd7\x95\xd7\xaa")));
	assert_null(menu_keyword(world.menu, STR("horaires de bus")));
	assert_null(menu_keyword(world.menu, STR("")));
	drop(&world);
}

static void test_default(void **state)
{
	struct arena *arena = arena_new((size_t)4 << 20);
	struct menu *menu = menu_default(arena);
	const struct menu_node *root = menu_at(menu, STR(""));
	const struct menu_text *text;
	size_t at = 0, texts = 0;

	assert_int_equal(menu_key(root, '1')->does, MENU_INFO);
	assert_int_equal(menu_key(root, '2')->does, MENU_VOICEMAIL);
	assert_int_equal(menu_key(root, '0')->does, MENU_OPERATOR);
	assert_int_equal(menu_tries(menu), 3);
	assert_true(menu_open(menu, 0, NULL));
	while ((text = menu_next(menu, &at)) != NULL) {
		texts++;
		for (int i = 0; i < MENU_LANGUAGES; i++)
			assert_true(text->in[i].size > 0 && str_is_utf8(text->in[i]));
	}
	assert_int_equal(texts, MENU_PHRASES + 2);
	menu_close(menu);
	arena_free(&arena);
}

static void test_refused(void **state)
{
	static const struct {
		const char *menu, *words;
	} bad[] = {
		{"{}", "menu: \"prompt\" is missing"},
		{"{\"prompt\": {\"de\": \"x\"}, \"keys\": {}}",
			"menu: languages are fr, he, ru and en"},
		{"{\"prompt\": {\"fr\": \"x\"}}", "menu: \"keys\" takes {\"1\": {\"do\": ...}}"},
		{"{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"12\": {\"do\": \"voicemail\"}}}",
			"menu.keys.12: a key is one of 0-9 * #"},
		{"{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"3\": {\"do\": \"fly\"}}}",
			"menu.keys.3: \"do\" takes info, voicemail, operator, agent, menu or "
			"language"},
		{"{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"1\": {\"do\": \"info\"}}}",
			"menu.keys.1: \"info\" needs a \"text\""},
		{"{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"0\": {\"do\": \"operator\", "
		 "\"to\": \"0123\"}}}",
			"menu.keys.0: \"to\" takes a number as +33123456789"},
		{"{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"2\": {\"do\": \"voicemail\"}}, "
		 "\"hours\": {\"mon\": \"9-18\"}}",
			"hours.mon: takes \"09:00-12:30, 14:00-18:00\""},
		{"{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"2\": {\"do\": \"voicemail\"}}, "
		 "\"hours\": {\"lundi\": \"\"}}",
			"hours.lundi: takes mon to sun"},
		{"{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"2\": {\"do\": \"voicemail\"}}, "
		 "\"holidays\": [\"25/12\"]}",
			"holidays[0]: takes \"2026-12-25\" or \"12-25\""},
		{"{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"2\": {\"do\": \"voicemail\"}}, "
		 "\"zone\": \"Mars/Base\"}",
			"zone: not known; takes a name as Europe/Paris"},
		{"{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"2\": {\"do\": \"voicemail\"}}, "
		 "\"tries\": 0}",
			"tries: out of range"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct world world;

		read_menu(&world, bad[i].menu);
		assert_null(world.menu);
		assert_string_equal(world.error.text, bad[i].words);
		drop(&world);
	}
}

static void test_nested_too_deep(void **state)
{
	struct world world;
	struct buf text;

	buf_init(&text, 65536);
	for (int i = 0; i < 5; i++)
		buf_add(&text,
			STR("{\"prompt\": {\"fr\": \"x\"}, \"keys\": {\"1\": {\"do\": \"menu\", "
			    "\"menu\": "));
	buf_add(&text, STR("0"));
	for (int i = 0; i < 5; i++)
		buf_add(&text, STR("}}}"));
	read_menu(&world, text.data);
	assert_null(world.menu);
	assert_string_equal(
		world.error.text, "menu.keys.1.keys.1.keys.1.keys.1: menus are nested too deep");
	drop(&world);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nested_too_deep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
