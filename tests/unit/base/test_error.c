/* error: words are one line, cut between characters; kinds mean what the header says. */
#include "error.h"

#include "str.h"

#include "check.h"

static void set_fills_and_returns_false(void **state)
{
	struct error error = {0};

	assert_false(error_set(&error, ERROR_INPUT, "%s: missing", "phone"));
	assert_int_equal(error.kind, ERROR_INPUT);
	assert_string_equal(error.text, "phone: missing");
}

static void null_is_allowed(void **state)
{
	assert_false(error_set(NULL, ERROR_BUSY, "nobody listens"));
	assert_false(error_prefix(NULL, "still: "));
}

static void prefix_goes_in_front_and_keeps_the_kind(void **state)
{
	struct error error = {0};

	error_set(&error, ERROR_CONFLICT, "from: missing");
	assert_false(error_prefix(&error, "transfers[%d].", 2));
	assert_string_equal(error.text, "transfers[2].from: missing");
	assert_int_equal(error.kind, ERROR_CONFLICT);
}

static void text_is_one_line(void **state)
{
	struct error error = {0};

	error_set(&error, ERROR_INPUT,
		"a\nb\tc\x7f"
		"d");
	assert_string_equal(error.text, "a b c d");
}

/* 127 letters of two bytes are 254: the 128th does not fit beside the NUL and is left out whole. */
static void long_text_is_cut_between_characters(void **state)
{
	struct error error = {0};
	char letters[601] = "";

	for (int i = 0; i < 300; i++)
		memcpy(letters + 2 * i, "ж", 3);
	error_set(&error, ERROR_INPUT, "%s", letters);
	assert_int_equal(strlen(error.text), 254);
	assert_true(str_is_utf8(str_from(error.text)));
	error_prefix(&error, "prefix: ");
	assert_true(str_is_utf8(str_from(error.text)));
	assert_true(str_starts(str_from(error.text), STR("prefix: жжж")));
}

static void a_prefix_may_fill_all(void **state)
{
	struct error error = {0};
	char letters[400];

	memset(letters, 'x', sizeof(letters) - 1);
	letters[sizeof(letters) - 1] = '\0';
	error_set(&error, ERROR_INPUT, "%s", letters);
	error_prefix(&error, "%s", letters);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
}

static void kinds_map_to_status_and_retry(void **state)
{
	static const struct {
		enum error_kind kind;
		int status;
		bool retry;
		const char *name;
	} cases[] = {
		{ERROR_NONE, 200, false, "none"},
		{ERROR_INPUT, 422, false, "input"},
		{ERROR_AUTH, 401, false, "auth"},
		{ERROR_MISSING, 404, false, "missing"},
		{ERROR_CONFLICT, 409, false, "conflict"},
		{ERROR_BUSY, 503, true, "busy"},
		{ERROR_UPSTREAM, 502, true, "upstream"},
		{ERROR_INTERNAL, 500, false, "internal"},
		{(enum error_kind)99, 500, false, "internal"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(error_http_status(cases[i].kind), cases[i].status);
		assert_int_equal(error_may_retry(cases[i].kind), cases[i].retry);
		assert_string_equal(error_kind_name(cases[i].kind), cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_and_returns_false),
		cmocka_unit_test(null_is_allowed),
		cmocka_unit_test(prefix_goes_in_front_and_keeps_the_kind),
		cmocka_unit_test(text_is_one_line),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(a_prefix_may_fill_all),
		cmocka_unit_test(kinds_map_to_status_and_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
