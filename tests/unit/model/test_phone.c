/*
 * test_phone: what is internal, what is the same number, and how people read it.
 */
#include "fold_corpus.h"
#include "phone.h"

static void three_or_four_digits_are_internal(void **state)
{
	static const struct {
		const char *number;
		bool internal;
	} cases[] = {
		{"151", true}, {"1510", true}, {"000", true}, {"15", false}, {"15101", false},
		{"15a", false}, {"+151", false}, {" 151", false}, {"", false},
		{"١٥١", false}, /* digits, but not ASCII ones */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(phone_is_internal(str_from(cases[i].number)), cases[i].internal);
}

static void a_line_is_its_seven_digits(void **state)
{
	static const char *const cases[][2] = {
		{"0001363", "0001363"},
		{"GSM/0001363", "0001363"},
		{"SIP/0001363-00000004", "0001363"},
		{"SIP/trunk_0001372", "0001372"},
		{"3880004", "3880004"},
		{"+33184800000", "+33184800000"}, /* a number at Twilio */
		{"375291234567", "375291234567"}, /* a login, kept whole */
		{"123456", ""},
		{"office", ""},
		{"", ""},
		{"12-3456-789", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str id = phone_line_id(str_from(cases[i][0]));

		assert_true(str_equal(id, str_from(cases[i][1])));
	}
	assert_true(phone_is_gsm_line(STR("0001363")));
	assert_false(phone_is_gsm_line(STR("3880004")));
	assert_false(phone_is_gsm_line(STR("00013631")));
	assert_false(phone_is_gsm_line(STR("")));
}

static void withheld_numbers_are_nobody(void **state)
{
	static const struct {
		const char *number;
		bool hidden;
	} cases[] = {
		{"", true},
		{"anonymous", true},
		{"unknown", true},
		{"<unknown>", true},
		{"Restricted", true},
		{"+000", false},
		{"+000123456789", true},
		{"000123456789", true},
		{"00012345", true},
		{"0001363", false},
		{"000", false},
		{"0001", false},
		{"151", false},
		{"+375290000001", false},
		{"00375290000001", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(phone_is_hidden(str_from(cases[i].number)), cases[i].hidden);
}

/* facts/integrations.md 2.7: what the original sent on as "+80291112233", "anonymous", "+151". */
static void a_crm_gets_no_number_that_is_none(void **state)
{
	char to[PHONE_TEXT_BYTES];

	(void)state;
	assert_true(phone_e164(STR("375291112233"), "BY", to));
	assert_string_equal(to, "+375291112233");
	assert_true(phone_e164(STR("80291112233"), "BY", to));
	assert_string_equal(to, "+375291112233");
	assert_false(phone_e164(STR("anonymous"), "BY", to));
	assert_false(phone_e164(STR("151"), "BY", to));
}

static void spellings_give_one_number(void **state)
{
	static const struct {
		const char *number, *country, *e164; /* "": refused */
	} cases[] = {
		{"+375290000001", "BY", "+375290000001"},
		{"375290000001", "BY", "+375290000001"},
		{"00375290000001", "BY", "+375290000001"},
		{"+375 (29) 000-00-01", "BY", "+375290000001"},
		{"80290000001", "BY", "+375290000001"},
		{"0290000001", "BY", "+375290000001"},
		{"+0290000001", "BY", "+375290000001"},
		{"290000001", "BY", "+375290000001"},
		{"79261234567", "BY", "+79261234567"},
		{"89261234567", "RU", "+79261234567"},
		{"0671234567", "UA", "+380671234567"},
		{"80290000001", "", "+80290000001"}, /* no country to know better */
		{"375290000001", NULL, "+375290000001"},
		{"151", "BY", ""},
		{"0001363", "BY", ""},
		{"anonymous", "BY", ""},
		{"sip1234567890", "BY", ""},
		{"+000123456789", "BY", ""},
		{"", "BY", ""},
		{"+", "BY", ""},
		{"12345", "BY", ""},
		{"1234567890123456", "BY", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char to[PHONE_TEXT_BYTES] = "?";
		bool done = phone_e164(str_from(cases[i].number), cases[i].country, to);

		assert_string_equal(to, cases[i].e164);
		assert_int_equal(done, cases[i].e164[0] != '\0');
	}
}

static void digits_alone_are_compared(void **state)
{
	char to[PHONE_TEXT_BYTES];

	(void)state;
	assert_true(phone_digits(STR("+375 (29) 000-00-01"), to));
	assert_string_equal(to, "375290000001");
	assert_false(phone_digits(STR("anonymous"), to));
	assert_string_equal(to, "");
	assert_false(phone_digits(STR("1234567890123456789"), to));
	assert_true(phone_digits(STR("123456789012345678"), to));
}

/* The samples of facts/pbx-events.md 5.4, and the edges of each rule. */
static void people_read_numbers_in_groups(void **state)
{
	static const char *const cases[][2] = {
		{"375290000001", "+375 (29) 000-00-01"},
		{"+375290000001", "+375 (29) 000-00-01"},
		{"79261234567", "+7 (926) 123-45-67"},
		{"15551234567", "+1 (555) 123-4567"},
		{"380671234567", "+380 (67) 123-45-67"},
		{"48291166355", "+48 (29) 116 63 55"},
		{"491726993391", "+49 (172) 6993391"},
		{"33740275647", "+33 (7) 40 27 56 47"},
		{"37052628760", "+370 (5) 262 8760"},
		{"151", "151"},
		{"1510", "1510"},
		{"", ""},
		{"+000123456", ""},
		{"anonymous", "anonymous"},
		{"80290000001", "+80290000001"},
		{"375290000", "+375290000"},
		{"8881234567890", "+8881234567890"},
		{"12345", "12345"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char to[PHONE_TEXT_BYTES] = "?";

		phone_format(str_from(cases[i][0]), to);
		assert_string_equal(to, cases[i][1]);
	}
}

/* tests/golden/phone/numbers.txt: number, tab, how libphonenumber groups it (see make_phones.py). */
static void groups_are_those_of_libphonenumber(void **state)
{
	FILE *file = fopen(TESTS_DIR "/golden/phone/numbers.txt", "r");
	char line[256];
	size_t wrong = 0;
	size_t count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		struct str want = str_trim(str_from(line));
		struct str number = str_cut(&want, '\t');
		char to[PHONE_TEXT_BYTES];

		phone_format(number, to);
		count++;
		if (str_equal(want, str_from(to)))
			continue;
		wrong++;
		printf("    %.*s: %s, not %.*s\n", STR_ARG(number), to, STR_ARG(want));
	}
	fclose(file);
	assert_true(count > 50);
	assert_int_equal(wrong, 0);
}

/* Nothing that can be sent breaks it: every length of every digit, and bytes that are no text. */
static void any_input_is_survived(void **state)
{
	char to[PHONE_TEXT_BYTES];
	char number[64];

	(void)state;
	for (char c = 1; c < 127; c++) {
		for (size_t size = 0; size < sizeof(number); size++) {
			memset(number, c, size);
			phone_format(str_of(number, size), to);
			assert_true(strlen(to) < PHONE_TEXT_BYTES);
			phone_e164(str_of(number, size), "BY", to);
			phone_digits(str_of(number, size), to);
			phone_line_id(str_of(number, size));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_or_four_digits_are_internal),
		cmocka_unit_test(a_line_is_its_seven_digits),
		cmocka_unit_test(withheld_numbers_are_nobody),
		cmocka_unit_test(a_crm_gets_no_number_that_is_none),
		cmocka_unit_test(spellings_give_one_number),
		cmocka_unit_test(digits_alone_are_compared),
		cmocka_unit_test(people_read_numbers_in_groups),
		cmocka_unit_test(groups_are_those_of_libphonenumber),
		cmocka_unit_test(any_input_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
