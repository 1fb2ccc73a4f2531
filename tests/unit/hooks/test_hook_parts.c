/*
 * test_hook_parts: routes that clash (P18), secrets out of what is kept (P30), answers that are repeated
 * (P23), names of prompts.
 */
#include "hook_log.h"
#include "hooks.h"
#include "prompt_file.h"
#include "repeats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* -- routes ---------------------------------------------------------------------------------------------- */

static bool join(const struct http_route *second, struct error *error)
{
	static const struct http_route first[] = {
		{"POST", "/webhook", NULL, 0}, {"GET", "/webhook", NULL, 0}, {NULL}};
	const struct http_route *const tables[] = {first, second, NULL};
	struct http_route all[HOOK_MAX_ROUTES + 1];

	if (!hook_routes_join(tables, all, error))
		return false;
	assert_string_equal(all[2].path, second[0].path);
	assert_null(all[3].method);
	return true;
}

static void test_routes(void **state)
{
	const struct http_route good[] = {{"POST", "/webhook.php", NULL, 0}, {NULL}};
	const struct http_route twice[] = {{"POST", "/webhook", NULL, 0}, {NULL}};
	const struct http_route slash[] = {{"POST", "/webhook/", NULL, 0}, {NULL}};
	const struct http_route doubled[] = {{"POST", "//webhook", NULL, 0}, {NULL}};
	const struct http_route skeletons[] = {{"GET", "/healthz", NULL, 0}, {NULL}};
	struct error error;

	assert_true(join(good, &error));
	assert_false(join(twice, &error));
	assert_string_equal(error.text, "route POST /webhook: twice");
	assert_false(join(slash, &error));
	assert_string_equal(error.text, "route POST /webhook/: nobody can reach it");
	assert_false(join(doubled, &error));
	assert_false(join(skeletons, &error));
	assert_string_equal(error.text, "route GET /healthz: every service has it");
}

/* -- what is kept ------------------------------------------------------------------------------------------ */

static void assert_masked(const char *text, const char *expected)
{
	struct buf to;

	buf_init(&to, 4096);
	hook_mask(str_from(text), &to);
	assert_string_equal(to.size > 0 ? to.data : "", expected);
	buf_free(&to);
}

static void test_mask(void **state)
{
	assert_masked(
		"CallSid=CA1&CallToken=%7Babc&From=%2B33", "CallSid=CA1&CallToken=***&From=%2B33");
	assert_masked("CallSid=CA1\nCallToken={\"a\":1}\nTo=x", "CallSid=CA1\nCallToken=***\nTo=x");
	assert_masked("{\"client_secret\" : \"a\\\"b\", \"x\": \"token\"}",
		"{\"client_secret\" : \"***\", \"x\": \"token\"}");
	assert_masked("<Parameter name=\"token\" value=\"CA1.2.3\"/><Parameter name=\"call_sid\" "
		      "value=\"CA1\"/>",
		"<Parameter name=\"token\" value=\"***\"/><Parameter name=\"call_sid\" "
		"value=\"CA1\"/>");
	assert_masked("password=&a=b", "password=&a=b");
	assert_masked("tokens=5", "tokens=5");
	assert_masked("token", "token");
	assert_masked("{\"token\":\"never ends", "{\"token\":\"***");
	assert_masked("", "");
}

/* -- repeats ------------------------------------------------------------------------------------------------ */

static void test_repeats(void **state)
{
	struct repeats *repeats = repeats_new();
	struct str found;

	assert_int_equal(repeats_find(repeats, STR("CA1"), 0).size, 0);
	repeats_keep(repeats, STR("CA1"), STR("<Response/>"), 1000);
	found = repeats_find(repeats, STR("CA1"), 50999);
	assert_int_equal(found.size, 11);
	assert_int_equal(repeats_find(repeats, STR("CA1"), 51000).size, 0);
	repeats_keep(repeats, STR("CA1"), STR("newer"), 60000);
	assert_int_equal(repeats_find(repeats, STR("CA1"), 60001).size, 5);
	for (int i = 0; i < 5000; i++) {
		char sid[32];

		snprintf(sid, sizeof(sid), "CA-%d", i);
		repeats_keep(repeats, str_from(sid), STR("x"), 60000);
	}
	assert_int_equal(repeats_find(repeats, STR("CA1"), 60001).size, 0);
	assert_int_equal(repeats_find(repeats, STR("CA-4999"), 60001).size, 1);
	assert_int_equal(repeats_find(repeats, STR("CA-0"), 60001).size, 0);
	repeats_free(&repeats);
	assert_null(repeats);
}

static void test_prompt_names(void **state)
{
	assert_true(prompt_name_is_good(STR("fr-0123456789abcdef.wav")));
	assert_false(prompt_name_is_good(STR("../hooks-journal.wav")));
	assert_false(prompt_name_is_good(STR("fr-0123456789abcdef.wav.new")));
	assert_false(prompt_name_is_good(STR("a/b-456789abcdef.wav")));
	assert_false(prompt_name_is_good(STR(".wav")));
	assert_false(prompt_name_is_good(STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_prompt_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
