/* grammar: what may be asked, how pocketsphinx is told, and what its words mean. */
#include "grammar.h"

#include "../base/check.h"

static struct json_strings strings(const char *const *texts, struct arena *arena)
{
	struct json_strings strings = {.items = arena_array(arena, 100, sizeof(struct str))};

	while (texts[strings.count] != NULL) {
		strings.items[strings.count] = str_from(texts[strings.count]);
		strings.count++;
	}
	return strings;
}

static void phrases_become_a_rule(void **state)
{
	static const char *const texts[] = {"Opening  Hours", " yes ", "o'clock", NULL};
	struct arena *arena = arena_new(100000);
	const struct grammar_order order = {.phrases = strings(texts, arena)};
	struct grammar grammar;
	struct buf text;
	int phrase;

	assert_true(grammar_read(&order, arena, &grammar, NULL));
	buf_init(&text, 1000);
	grammar_write(&grammar, &text);
	assert_string_equal(text.data, "#JSGF V1.0;\ngrammar question;\n"
				       "public <answer> = opening hours | yes | o'clock;\n");
	buf_clear(&text);
	assert_true(grammar_meaning(&grammar, STR("opening hours"), &text, &phrase));
	assert_int_equal(phrase, 0);
	assert_string_equal(text.data, "Opening  Hours"); /* as it was asked */
	assert_false(grammar_meaning(&grammar, STR("opening"), &text, &phrase));
	assert_false(grammar_meaning(&grammar, STR(""), &text, &phrase));
	assert_int_equal(phrase, -1);
	buf_free(&text);
	arena_free(&arena);
}

static void yes_and_no_have_more_words(void **state)
{
	struct arena *arena = arena_new(100000);
	const struct grammar_order order = {.yes_no = true};
	struct grammar grammar;
	struct buf text;
	int phrase;

	buf_init(&text, 1000);
	assert_true(grammar_read(&order, arena, &grammar, NULL));
	assert_true(grammar_meaning(&grammar, STR("yeah"), &text, &phrase));
	assert_string_equal(text.data, "yes");
	assert_int_equal(phrase, 0);
	buf_clear(&text);
	assert_true(grammar_meaning(&grammar, STR("no thanks"), &text, &phrase));
	assert_string_equal(text.data, "no");
	assert_int_equal(phrase, 1);
	buf_free(&text);
	arena_free(&arena);
}

static void digits_are_counted(void **state)
{
	struct arena *arena = arena_new(100000);
	const struct grammar_order order = {.digits = 3};
	struct grammar grammar;
	struct buf text;
	int phrase;

	buf_init(&text, 1000);
	assert_true(grammar_read(&order, arena, &grammar, NULL));
	grammar_write(&grammar, &text);
	assert_non_null(strstr(text.data, "public <answer> = <digit> <digit> <digit>;"));
	buf_clear(&text);
	assert_true(grammar_meaning(&grammar, STR("nine oh two"), &text, &phrase));
	assert_string_equal(text.data, "902");
	assert_int_equal(phrase, -1);
	buf_clear(&text);
	assert_false(grammar_meaning(&grammar, STR("nine oh"), &text, &phrase));
	buf_clear(&text);
	assert_false(grammar_meaning(&grammar, STR("one two three four"), &text, &phrase));
	assert_false(grammar_meaning(&grammar, STR("one two banana"), &text, &phrase));
	buf_free(&text);
	arena_free(&arena);
}

static void what_cannot_be_asked_is_told(void **state)
{
	static const char *const none[] = {NULL}, *const one[] = {"yes", NULL};
	static const char *const wrong[] = {"yes", "oui!", NULL}, *const russian[] = {"да", NULL};
	static const char *const twice[] = {"Yes", "yes", NULL}, *const empty[] = {" ", NULL};
	/* Whoever could write JSGF into a phrase would write the grammar. */
	static const char *const hostile[] = {"yes; public <x> = no", NULL};
	const struct {
		const char *const *phrases;
		bool yes_no;
		int64_t digits;
		const char *words;
	} cases[] = {
		{none, false, 0, "one of phrases, yes_no and digits"},
		{one, true, 0, "one of phrases, yes_no and digits"},
		{none, false, -1, "digits: 1 to 12"},
		{none, false, 13, "digits: 1 to 12"},
		{wrong, false, 0, "phrases[1]: English words"},
		{russian, false, 0, "phrases[0]: English words"},
		{hostile, false, 0, "phrases[0]: English words"},
		{empty, false, 0, "phrases[0]: English words"},
		{twice, false, 0, "phrases[1]: said twice"},
	};
	struct arena *arena = arena_new(1000000);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct grammar_order order = {
			strings(cases[i].phrases, arena), cases[i].yes_no, cases[i].digits};
		struct grammar grammar;
		struct error error;
		assert_false(grammar_read(&order, arena, &grammar, &error));
		assert_non_null(strstr(error.text, cases[i].words));
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phrases_become_a_rule),
		cmocka_unit_test(yes_and_no_have_more_words),
		cmocka_unit_test(digits_are_counted),
		cmocka_unit_test(what_cannot_be_asked_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
