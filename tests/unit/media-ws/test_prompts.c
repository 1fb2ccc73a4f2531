/* prompts: what was spoken is found again, and the memory for it ends. */
#include "prompts.h"

#include "../base/check.h"

#include <stdio.h>

static void found_by_text_and_language(void **state)
{
	struct prompts *prompts = prompts_new(10000);

	prompts_put(prompts, "en", STR("hello"), STR("AAAA"));
	prompts_put(prompts, "fr", STR("hello"), STR("BB"));
	assert_str(prompts_get(prompts, "en", STR("hello")), "AAAA");
	assert_str(prompts_get(prompts, "fr", STR("hello")), "BB");
	assert_int_equal(prompts_get(prompts, "en", STR("hell")).size, 0);
	assert_int_equal(prompts_get(prompts, "ru", STR("hello")).size, 0);
	prompts_put(prompts, "en", STR("hello"), STR("CCCCC"));
	assert_str(prompts_get(prompts, "en", STR("hello")), "AAAA"); /* the first stays */
	prompts_free(&prompts);
	assert_null(prompts);
}

static void the_oldest_goes_first(void **state)
{
	struct prompts *prompts = prompts_new(3 * (256 + 1000));
	static char audio[1000];
	char text[16];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "text %u", i);
		prompts_put(prompts, "en", str_from(text), str_of(audio, sizeof(audio)));
	}
	assert_int_equal(prompts_get(prompts, "en", STR("text 0")).size, 1000); /* used again */
	prompts_put(prompts, "en", STR("text 3"), str_of(audio, sizeof(audio)));
	assert_int_equal(prompts_get(prompts, "en", STR("text 0")).size, 1000);
	assert_int_equal(prompts_get(prompts, "en", STR("text 1")).size, 0);
	assert_int_equal(prompts_get(prompts, "en", STR("text 2")).size, 1000);
	assert_int_equal(prompts_get(prompts, "en", STR("text 3")).size, 1000);
	prompts_free(&prompts);
}

static void too_large_or_nowhere_is_not_kept(void **state)
{
	static char audio[1000];
	struct prompts *prompts = prompts_new(1000);

	prompts_put(prompts, "en", STR("x"), str_of(audio, sizeof(audio)));
	assert_int_equal(prompts_get(prompts, "en", STR("x")).size, 0);
	prompts_free(&prompts);
	prompts_put(NULL, "en", STR("x"), STR("y"));
	assert_int_equal(prompts_get(NULL, "en", STR("x")).size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_text_and_language),
		cmocka_unit_test(the_oldest_goes_first),
		cmocka_unit_test(too_large_or_nowhere_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
