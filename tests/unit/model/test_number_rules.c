/*
 * test_number_rules: per-line spellings, own extensions, lines: the rules that an enterprise sets.
 */
#include "fold_story.h"

static void a_rule_is_a_prefix_and_a_count(void **state)
{
	static const struct {
		const char *rule;
		bool valid;
	} cases[] = {
		{"+375{9}", true},
		{"375{9}", true},
		{"{9}", true},
		{"8{10}", true},
		{"+7{10}", true},
		{"+375{12}", true},
		{"{15}", true},
		{"", false},
		{"+375", false},
		{"+375{}", false},
		{"+375{0}", false},
		{"+375{9", false},
		{"+375{9}}", false},
		{"+375{9}x", false},
		{"+{9}", false},
		{"x{9}", false},
		{"+375{13}", false},
		{"{16}", false},
		{"{99999999999999999999}", false},
		{"+375{-9}", false},
		{"12345678901234567{1}", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct number_transform rule;
		struct error error = {0};
		bool valid = number_transform_read(str_from(cases[i].rule), &rule, &error);

		assert_int_equal(valid, cases[i].valid);
		if (!valid)
			assert_non_null(strstr(error.text, cases[i].rule));
	}
}

/* facts/pbx-events.md 5.1: what the host sends on that line, and what the rule makes of it. */
static void a_rule_takes_the_last_digits(void **state)
{
	static const struct {
		const char *rule, *number, *gives; /* "": it does not fit */
	} cases[] = {
		{"+375{9}", "0290001122", "+375290001122"},
		{"+375{9}", "+0290001122", "+375290001122"},
		{"+375{9}", "80290001122", "+375290001122"},
		{"+375{9}", "290001122", "+375290001122"},
		{"+375{9}", "+375 (29) 000-11-22", "+375290001122"},
		{"{9}", "80290001122", "290001122"},
		{"+375{9}", "151", ""},
		{"+375{9}", "", ""},
		{"+375{9}", "anonymous", ""},
		{"+375{9}", "90001122", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct number_transform rule;
		struct error error;
		char to[PHONE_TEXT_BYTES];

		assert_true(number_transform_read(str_from(cases[i].rule), &rule, &error));
		assert_int_equal(number_transform_apply(&rule, str_from(cases[i].number), to),
			cases[i].gives[0] != '\0');
		assert_string_equal(to, cases[i].gives);
	}
}

static struct number_rules *office(void)
{
	struct number_rules *rules = number_rules_new();
	struct error error;

	number_rules_add_extension(rules, STR("150"));
	number_rules_add_extension(rules, STR("20015"));
	number_rules_add_extension(rules, STR(""));
	assert_true(number_rules_add_line(rules, STR("3880003"), STR("+375{9}"), &error));
	assert_true(number_rules_add_line(rules, STR("375291234567"), STR("+375{9}"), &error));
	assert_true(number_rules_add_line(rules, STR("office-sip"), STR(""), &error));
	assert_true(number_rules_add_line(rules, STR("4455"), STR(""), &error));
	return rules;
}

static void one_rule_says_who_is_internal(void **state)
{
	static const struct {
		const char *number;
		bool bare, office;
	} cases[] = {
		{"150", true, true},
		{"999", true, true},
		{"9999", true, true},
		{"20015", false, true},
		{"20016", false, false},
		{"15", false, false},
		{"4455", true, false}, /* a line */
		{"3880003", false, false},
		{"0001363", false, false},
		{"", false, false},
		{"١٥٠", false, false},
	};
	struct number_rules *rules = office();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str number = str_from(cases[i].number);

		assert_int_equal(number_is_internal(NULL, number), cases[i].bare);
		assert_int_equal(number_is_internal(rules, number), cases[i].office);
	}
	number_rules_free(&rules);
	number_rules_free(&rules);
}

static void a_machine_is_one_of_us(void **state)
{
	struct number_rules *rules = number_rules_new();

	(void)state;
	assert_true(number_is_internal(NULL, STR("agent")));
	assert_true(number_is_internal(rules, STR("agent")));
	assert_true(number_is_internal(rules, STR("menu")));
	assert_false(number_is_machine(STR("Agent")));
	assert_false(number_is_machine(STR("agents")));
	assert_false(number_is_machine(STR("")));
	assert_false(number_is_internal(rules, STR("operator")));
	number_rules_free(&rules);
}

static void a_line_is_no_caller(void **state)
{
	struct number_rules *rules = office();

	(void)state;
	assert_true(number_is_line(NULL, STR("0001363")));
	assert_false(number_is_line(NULL, STR("3880003")));
	assert_true(number_is_line(rules, STR("3880003")));
	assert_true(number_is_line(rules, STR("375291234567")));
	assert_false(number_is_line(rules, STR("375291234568")));
	assert_false(number_is_line(rules, STR("")));
	number_rules_free(&rules);
}

static void a_bad_rule_leaves_the_line_known(void **state)
{
	struct number_rules *rules = office();
	const struct number_transform *all;
	struct error error = {0};

	(void)state;
	assert_false(number_rules_add_line(rules, STR("3880009"), STR("+375{99}"), &error));
	assert_non_null(strstr(error.text, "+375{99}"));
	assert_true(number_is_line(rules, STR("3880009")));
	assert_null(number_rule_of(rules, STR("3880009")));
	assert_null(number_rule_of(rules, STR("office-sip")));
	assert_null(number_rule_of(NULL, STR("3880003")));
	assert_non_null(number_rule_of(rules, STR("3880003")));
	assert_ptr_equal(number_rule_of(rules, STR("3880003")),
		number_rule_of(rules, STR("375291234567"))); /* kept once */
	assert_int_equal(number_rules_transforms(rules, &all), 1);
	assert_int_equal(number_rules_transforms(NULL, &all), 0);
	number_rules_free(&rules);
}

/* Beyond the limit a line goes without its rule, and somebody is told. */
static void rules_are_bounded(void **state)
{
	struct number_rules *rules = number_rules_new();
	struct error error = {0};
	bool fits = true;

	(void)state;
	for (int i = 0; i < NUMBER_MAX_TRANSFORMS + 1; i++) {
		char line[24];
		char rule[24];

		snprintf(line, sizeof(line), "38800%02d", i);
		snprintf(rule, sizeof(rule), "+%d{9}", 100 + i);
		fits = number_rules_add_line(rules, str_from(line), str_from(rule), &error);
		assert_int_equal(fits, i < NUMBER_MAX_TRANSFORMS);
	}
	assert_non_null(strstr(error.text, "16 different rules"));
	number_rules_free(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_a_prefix_and_a_count),
		cmocka_unit_test(a_rule_takes_the_last_digits),
		cmocka_unit_test(one_rule_says_who_is_internal),
		cmocka_unit_test(a_machine_is_one_of_us),
		cmocka_unit_test(a_line_is_no_caller),
		cmocka_unit_test(a_bad_rule_leaves_the_line_known),
		cmocka_unit_test(rules_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
