/* dialogue: the demo's can be read; each slip is told with its place; and what leads where. */
#include "dialogue.h"

#include "../base/check.h"

#include <stdio.h>

/* A dialogue with a hole for each slip. */
#define WHOLE(states)                                                                              \
	"{\"languages\":[\"en\",\"fr\"],\"start\":\"a\",\"give_up\":\"z\"," TEXTS                  \
	",\"states\":{" states ",\"z\":{\"say\":" T ",\"do\":\"message\"}}}"
#define T	     "{\"en\":\"x\",\"fr\":\"y\"}"
#define TEXTS	     "\"filler\":" T ",\"sorry\":" T ",\"silent\":" T
#define ASK(choices) "\"a\":{\"say\":" T ",\"expect\":[" choices "]}"

static void check_words(const char *text, const char *words)
{
	struct error error = {0};

	if (words == NULL) {
		if (!dialogue_check(str_from(text), &error))
			fail_msg("%s", error.text);
		return;
	}
	assert_false(dialogue_check(str_from(text), &error));
	if (strstr(error.text, words) == NULL)
		fail_msg("not \"%s\" but \"%s\"", words, error.text);
}

static void slips_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *words; /* NULL: it is right */
	} cases[] = {
		{WHOLE(ASK("{\"digit\":\"1\",\"next\":\"z\"}")), NULL},
		{"[]", "not an object"},
		{"{\"languages\":[\"en\"]}", "start: missing"},
		{"{\"starts\":\"a\"}", "starts: there is no such member"},
		{WHOLE(ASK("{\"digit\":\"1\",\"next\":\"q\"}")),
			"states.a.expect[0].next: there is no state \"q\""},
		{WHOLE(ASK("{\"next\":\"z\"}")), "states.a.expect[0].neither a digit nor phrases"},
		{WHOLE(ASK("{\"digit\":\"12\",\"next\":\"z\"}")), "expect[0].digit: one of 0 to 9"},
		{WHOLE(ASK("{\"digit\":\"1\",\"next\":\"z\"},{\"digit\":\"1\",\"next\":\"z\"}")),
			"expect[1].digit: it is there already"},
		{WHOLE(ASK("{\"phrases\":{\"en\":[\"yes\"]},\"next\":\"z\"}")),
			"expect[0].digit: missing: only English is heard"},
		{WHOLE(ASK("{\"digit\":\"1\",\"phrases\":{\"fr\":[\"oui\"]},\"next\":\"z\"}")),
			"only en is heard"},
		{WHOLE(ASK("{\"digit\":\"1\",\"phrases\":{\"en\":[\"Yes\"]},\"next\":\"z\"}")),
			"phrases.en[0]: words of a to z"},
		{WHOLE(ASK("{\"digit\":\"1\",\"phrases\":{\"en\":[\"a\",\"a\"]},\"next\":\"z\"}")),
			"phrases.en[1]: it is there already"},
		{WHOLE("\"a\":{\"say\":{\"en\":\"x\"},\"next\":\"z\"}"),
			"states.a.say.fr: missing, but it is one of the languages"},
		{WHOLE("\"a\":{\"say\":{\"en\":\"{Name}\",\"fr\":\"y\"},\"next\":\"z\"}"),
			"only {name} and {number}"},
		{WHOLE("\"a\":{\"say\":" T ",\"nxt\":\"z\"}"), "states.a.nxt: there is no such"},
		{WHOLE("\"a\":{\"say\":" T "}"), "exactly one of expect, number and next"},
		{WHOLE("\"a\":{\"say\":" T ",\"next\":\"a\"}"), "a circle"},
		{WHOLE("\"a\":{\"say\":" T ",\"do\":\"goodbye\",\"next\":\"z\"}"),
			"this ends it, so nothing can follow"},
		{WHOLE("\"a\":{\"say\":" T ",\"do\":\"jump\"}"), "do: one of text, note"},
		{WHOLE("\"a\":{\"say\":" T ",\"do\":\"text\",\"next\":\"z\"}"), "text: goes with"},
		{WHOLE("\"a\":{\"say\":" T ",\"do\":\"transfer\",\"to\":\"+1 2\"}"),
			"to: a number"},
		{WHOLE("\"a\":{\"say\":" T ",\"next\":\"z\",\"to\":\"12\"}"),
			"to: goes with do transfer"},
		{WHOLE("\"a\":{\"say\":" T ",\"number\":{\"digits\":13,\"next\":\"z\"}}"),
			"number.digits: 1 to 12"},
		{WHOLE("\"a\":{\"say\":" T ",\"number\":{\"digits\":4,\"next\":\"z\"}}"), NULL},
		{WHOLE("\"a\":{\"say\":" T ",\"next\":\"z\"},\"b\":{\"say\":" T ",\"next\":\"z\"}"),
			"states.b: nothing leads there"},
		{"{\"languages\":[\"de\"],\"start\":\"a\",\"give_up\":\"a\"," TEXTS
		 ",\"states\":{\"a\":{\"say\":" T ",\"do\":\"menu\"}}}",
			"languages[0]: one of en"},
		{"{\"languages\":[\"en\"],\"start\":\"a\",\"give_up\":\"a\",\"tries\":9," TEXTS
		 ",\"states\":{\"a\":{\"say\":" T ",\"do\":\"menu\"}}}",
			"tries: 1 to 5"},
		{"{\"languages\":[\"en\"],\"start\":\"a\",\"give_up\":\"a\"," TEXTS
		 ",\"states\":{\"a\":{\"say\":" T
		 ",\"expect\":[{\"digit\":\"1\",\"next\":\"a\"}]}}}",
			"give_up: a state that ends the call"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_words(cases[i].text, cases[i].words);
}

struct demo {
	struct json *json;
	struct arena *arena;
	struct dialogue *dialogue;
};

static struct demo demo_open(void)
{
	static char text[DIALOGUE_MAX_BYTES];
	struct demo demo = {.arena = arena_new(4 << 20)};
	FILE *file = fopen(TESTS_DIR "/../scripts/demo_dialogue.json", "r");
	struct error error;

	assert_non_null(file);
	size_t size = fread(text, 1, sizeof(text), file);
	fclose(file);
	demo.json =
		json_parse(str_of(text, size), (struct json_limits){DIALOGUE_MAX_BYTES, 8}, &error);
	assert_non_null(demo.json);
	demo.dialogue = dialogue_read(demo.json, demo.arena, &error);
	if (demo.dialogue == NULL)
		fail_msg("%s", error.text);
	return demo;
}

static void demo_close(struct demo *demo)
{
	arena_free(&demo->arena);
	json_free(&demo->json);
}

static const struct dialogue_state *find(const struct demo *demo, const char *name)
{
	for (unsigned i = 0; i < demo->dialogue->state_count; i++)
		if (strcmp(demo->dialogue->states[i].name, name) == 0)
			return &demo->dialogue->states[i];
	fail_msg("no state %s", name);
	return NULL;
}

static const char *name_of(const struct demo *demo, int state)
{
	return state == DIALOGUE_NONE ? "none" : demo->dialogue->states[state].name;
}

static void the_demo_leads_where_it_says(void **state)
{
	struct demo demo = demo_open();
	const struct dialogue_state *menu = find(&demo, "menu"), *more = find(&demo, "more");

	assert_string_equal(name_of(&demo, demo.dialogue->start), "welcome");
	assert_string_equal(name_of(&demo, dialogue_by_digit(menu, '1')), "hours");
	assert_string_equal(name_of(&demo, dialogue_by_digit(menu, '5')), "none");
	assert_string_equal(name_of(&demo, dialogue_by_phrase(menu, 0)), "hours");
	assert_string_equal(name_of(&demo, dialogue_by_phrase(menu, 2)), "order");
	assert_string_equal(name_of(&demo, dialogue_by_phrase(menu, 99)), "none");
	assert_string_equal(name_of(&demo, dialogue_by_phrase(more, 2)), "goodbye");
	assert_true(dialogue_listens(menu, DIALOGUE_EN));
	assert_false(dialogue_listens(menu, DIALOGUE_FR)); /* only English is heard */
	assert_true(dialogue_listens(find(&demo, "order"), DIALOGUE_EN));
	assert_false(dialogue_listens(find(&demo, "goodbye"), DIALOGUE_EN));
	assert_true(dialogue_is_end(find(&demo, "operator")));
	assert_int_equal(dialogue_language(demo.dialogue, STR("ru")), DIALOGUE_RU);
	assert_int_equal(dialogue_language(demo.dialogue, STR("he")), DIALOGUE_EN); /* its first */
	demo_close(&demo);
}

static void texts_are_filled(void **state)
{
	struct buf text;

	buf_init(&text, 200);
	dialogue_fill(
		&text, STR("{name}: {number}{number}!"), STR("Éva {number}"), STR("94"), true);
	assert_string_equal(text.data, "Éva {number}: 9 49 4!");
	buf_clear(&text);
	dialogue_fill(&text, STR("Order {number}."), STR(""), STR("9407"), false);
	assert_string_equal(text.data, "Order 9407.");
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_are_told_with_their_place),
		cmocka_unit_test(the_demo_leads_where_it_says),
		cmocka_unit_test(texts_are_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
