/* clock: civil time against known moments, zones around their changes, and times as text. */
#include "clock.h"

#include "clock_rule.h"
#include "clock_zone.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

enum { MS = 1000 };

static void clocks_go_forward(void **state)
{
	int64_t us = clock_monotonic_us();
	int64_t ms = clock_monotonic_ms();

	assert_true(ms >= us / 1000);
	assert_true(clock_monotonic_us() >= us);
	assert_true(clock_wall_ms() > 1700000000000);
}

static void moments_have_text(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{951782399999, "2000-02-28T23:59:59.999Z"},
		{951782400000, "2000-02-29T00:00:00.000Z"},
		{1795262400123, "2026-11-21T12:00:00.123Z"},
		{-2203977600000, "1900-02-28T00:00:00.000Z"},
		{-2203891200000, "1900-03-01T00:00:00.000Z"}, /* 1900 had no leap day */
		{253402300799999, "9999-12-31T23:59:59.999Z"},
		{-62135596800000, "0001-01-01T00:00:00.000Z"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[CLOCK_TEXT_BYTES];
		int64_t back = 0;

		clock_format_rfc3339(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
		assert_true(clock_parse(str_from(text), NULL, &back));
		assert_true(back == cases[i].ms);
	}
}

/* Whatever number comes in, nothing overflows and the text stays in its array. */
static void any_number_is_a_moment(void **state)
{
	char text[CLOCK_TEXT_BYTES];

	clock_format_rfc3339(INT64_MAX, text);
	assert_true(strlen(text) < CLOCK_TEXT_BYTES);
	clock_format_rfc3339(INT64_MIN, text);
	assert_true(strlen(text) < CLOCK_TEXT_BYTES);
}

static void every_day_goes_there_and_back(void **state)
{
	for (int64_t day = -800000; day < 800000; day += 17) {
		struct clock_civil civil = clock_to_civil(day * 86400 * MS, NULL);

		assert_true(clock_from_civil(&civil, NULL) == day * 86400 * MS);
	}
}

static struct clock_zone *zone_of(const char *name)
{
	struct clock_zone *zone = clock_zone_new(name);

	if (zone == NULL)
		fail_msg("no zone %s: is tzdata installed?", name);
	return zone;
}

static void zones_know_their_offsets(void **state)
{
	static const struct {
		const char *zone;
		const char *utc, *local;
	} cases[] = {
		{"Europe/Minsk", "2026-07-01T12:00:00Z", "2026-07-01T15:00:00.000Z"},
		{"Europe/Minsk", "2010-07-01T12:00:00Z",
			"2010-07-01T15:00:00.000Z"}, /* had summer */
		{"Europe/Minsk", "2010-12-01T12:00:00Z", "2010-12-01T14:00:00.000Z"},
		{"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:59:59.000Z"},
		{"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00.000Z"},
		{"Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25T02:59:59.000Z"},
		{"Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00.000Z"},
		{"Europe/Berlin", "2500-07-01T00:00:00Z",
			"2500-07-01T02:00:00.000Z"}, /* by the rule */
		{"Europe/Berlin", "1800-01-01T00:00:00Z",
			"1800-01-01T00:53:28.000Z"}, /* local mean */
		{"America/New_York", "2026-01-01T00:00:00Z", "2025-12-31T19:00:00.000Z"},
		{"Australia/Sydney", "2500-01-15T00:00:00Z",
			"2500-01-15T11:00:00.000Z"}, /* south */
		{"Australia/Sydney", "2500-07-15T00:00:00Z", "2500-07-15T10:00:00.000Z"},
		{"Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01T05:45:00.000Z"},
		{"America/Nuuk", "2499-07-01T00:00:00Z", "2499-06-30T23:00:00.000Z"},
		{"Asia/Gaza", "2300-01-15T00:00:00Z", "2300-01-15T02:00:00.000Z"},
		{"Etc/GMT+5", "2026-01-01T06:00:00Z", "2026-01-01T01:00:00.000Z"},
		{"UTC", "2026-01-01T06:00:00Z", "2026-01-01T06:00:00.000Z"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct clock_zone *zone = zone_of(cases[i].zone);
		struct clock_civil civil;
		char text[CLOCK_TEXT_BYTES];
		int64_t utc = 0;

		assert_true(clock_parse(str_from(cases[i].utc), NULL, &utc));
		civil = clock_to_civil(utc, zone);
		clock_format_rfc3339(clock_from_civil(&civil, NULL), text);
		assert_string_equal(text, cases[i].local);
		clock_zone_free(&zone);
	}
}

/* The clocks of Berlin skip 02:30 on one night, and show it twice on another. */
static void nights_of_change(void **state)
{
	struct clock_zone *zone = zone_of("Europe/Berlin");
	struct clock_civil skipped = {.year = 2026, .month = 3, .day = 29, .hour = 2, .minute = 30};
	struct clock_civil twice = {.year = 2026, .month = 10, .day = 25, .hour = 2, .minute = 30};
	struct clock_civil shown;

	shown = clock_to_civil(clock_from_civil(&skipped, zone), zone);
	assert_int_equal(shown.hour, 3);
	assert_int_equal(shown.minute, 30);
	assert_true(clock_from_civil(&twice, zone) == 1792888200LL * MS); /* 00:30 UTC, the first */
	clock_zone_free(&zone);
}

static void every_hour_of_a_year_goes_there_and_back(void **state)
{
	static const char *const names[] = {"Europe/Berlin", "Australia/Sydney", "Europe/Minsk"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct clock_zone *zone = zone_of(names[i]);
		int64_t differ = 0;

		for (int64_t hour = 0; hour < 8760; hour++) {
			int64_t ms = (1767225600 + hour * 3600) * MS;
			struct clock_civil civil = clock_to_civil(ms, zone);

			differ += clock_from_civil(&civil, zone) != ms;
		}
		/* Only the second showing of an hour that comes twice is told as the first. */
		assert_int_equal(differ, i < 2);
		clock_zone_free(&zone);
	}
}

static void strange_names_are_no_zones(void **state)
{
	static const char *const names[] = {"", "/etc/passwd", "../../../etc/passwd",
		"Europe/../../../../etc/passwd", "Europe/Nowhere", "Europe", "tzdata.zi",
		"Europe/Minsk\n", "%s", "zone.tab",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaa"};
	struct clock_zone *zone = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(clock_zone_new(names[i]));
	assert_null(clock_zone_new(NULL));
	clock_zone_free(&zone);
}

/* Each prefix of a real file, and each byte of it changed, is refused or read, never overrun. */
static void broken_zone_files_do_no_harm(void **state)
{
	char bytes[64 * 1024];
	FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	struct clock_zone *zone;
	size_t size;

	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (size_t cut = 0; cut <= size; cut++) {
		char *exact = malloc(cut != 0 ? cut : 1);

		memcpy(exact, bytes, cut);
		zone = clock_zone_from_bytes(str_of(exact, cut));
		assert_int_equal(zone != NULL, cut == size);
		clock_zone_free(&zone);
		free(exact);
	}
	for (size_t at = 0; at < size; at++) {
		char before = bytes[at];

		bytes[at] = (char)0xff;
		zone = clock_zone_from_bytes(str_of(bytes, size));
		if (zone != NULL)
			clock_to_civil(1767225600000, zone);
		clock_zone_free(&zone);
		bytes[at] = before;
	}
}

static void rules_are_parsed(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} cases[] = {
		{"EET-2EEST,M3.5.0/3,M10.5.0/4", true},
		{"<+03>-3", true},
		{"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", true},
		{"EST5EDT,J60,J300/2:30:15", true},
		{"EST5EDT4,59,299", true},
		{"IST-2IDT,M3.4.4/26,M10.5.0", true},
		{"", false},
		{"EET", false},
		{"-2", false},
		{"<+03-3", false},
		{"EET-2EEST", false},
		{"EET-2EEST,M3.5.0", false},
		{"EET-2EEST,M13.5.0,M10.5.0", false},
		{"EET-2EEST,M3.6.0,M10.5.0", false},
		{"EET-2EEST,M3.5.7,M10.5.0", false},
		{"EET-2EEST,J0,J366", false},
		{"EET-168", false},
		{"EET-2:60", false},
		{"EET-2EEST,M3.5.0,M10.5.0 ", false},
		{"EET-2x", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct clock_rule rule;

		if (clock_rule_parse(str_from(cases[i].text), &rule) != cases[i].fine)
			fail_msg("%s", cases[i].text);
	}
}

/* The three ways to name a day: J60 is the first of March always, 59 only without a leap day. */
static void days_of_rules(void **state)
{
	static const struct {
		const char *rule, *before, *at;
	} cases[] = {
		{"A0B,J60/0,J300", "2028-02-29T23:59:59Z", "2028-03-01T00:00:00Z"},
		{"A0B,J60/0,J300", "2027-02-28T23:59:59Z", "2027-03-01T00:00:00Z"},
		{"A0B,59/0,299", "2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z"},
		{"A0B,59/0,299", "2027-02-28T23:59:59Z", "2027-03-01T00:00:00Z"},
		{"A0B,M2.5.2/0,M10.1.0", "2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z"},
		{"A0B,M2.5.2/0,M10.1.0", "2027-02-22T23:59:59Z", "2027-02-23T00:00:00Z"},
		{"A0B,M3.1.1,M10.1.0", "2027-03-01T01:59:59Z", "2027-03-01T02:00:00Z"},
		{"A0B,M3.1.1/-1,M12.5.0", "2027-02-28T22:59:59Z", "2027-02-28T23:00:00Z"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct clock_rule rule;
		int64_t before = 0, at = 0;

		assert_true(clock_rule_parse(str_from(cases[i].rule), &rule));
		assert_true(clock_parse(str_from(cases[i].before), NULL, &before));
		assert_true(clock_parse(str_from(cases[i].at), NULL, &at));
		assert_int_equal(clock_rule_offset(&rule, before / MS), 0);
		assert_int_equal(clock_rule_offset(&rule, at / MS), 3600);
	}
}

static void texts_are_parsed(void **state)
{
	static const struct {
		const char *text;
		const char *utc; /* NULL: not a time */
	} cases[] = {
		{"2026-11-21 12:00:00", "2026-11-21T09:00:00.000Z"}, /* the zone's */
		{"2026-11-21T12:00:00", "2026-11-21T09:00:00.000Z"},
		{"2026-11-21t12:00:00z", "2026-11-21T12:00:00.000Z"},
		{"2026-11-21 12:00:00.5", "2026-11-21T09:00:00.500Z"},
		{"2026-11-21T12:00:00.123456789Z", "2026-11-21T12:00:00.123Z"},
		{"2026-11-21T12:00:00+03", "2026-11-21T09:00:00.000Z"},
		{"2026-11-21T12:00:00+0530", "2026-11-21T06:30:00.000Z"},
		{"2026-11-21T12:00:00-05:30", "2026-11-21T17:30:00.000Z"},
		{"2024-02-29 00:00:00Z", "2024-02-29T00:00:00.000Z"},
		{"2026-02-29 00:00:00", NULL},
		{"2026-13-01 00:00:00", NULL},
		{"2026-00-01 00:00:00", NULL},
		{"2026-04-31 00:00:00", NULL},
		{"0000-01-01 00:00:00", NULL},
		{"2026-11-21 24:00:00", NULL},
		{"2026-11-21 12:60:00", NULL},
		{"2026-11-21 12:00:60", NULL},
		{"2026-11-21 12:00", NULL},
		{"2026-11-21", NULL},
		{"2026-11-21 12:00:00.", NULL},
		{"2026-11-21 12:00:00 ", NULL},
		{"2026-11-21 12:00:00+", NULL},
		{"2026-11-21 12:00:00+3", NULL},
		{"2026-11-21 12:00:00+03:", NULL},
		{"2026-11-21 12:00:00+03:60", NULL},
		{"2026-11-21 12:00:00+24", NULL},
		{"2026-11-21 12:00:00Zx", NULL},
		{"2026-11-2112:00:00", NULL},
		{" 2026-11-21 12:00:00", NULL},
		{"26-11-21 12:00:00", NULL},
		{"+026-11-21 12:00:00", NULL},
		{"", NULL},
	};
	struct clock_zone *zone = zone_of("Europe/Minsk");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[CLOCK_TEXT_BYTES];
		int64_t ms = 0;

		if (clock_parse(str_from(cases[i].text), zone, &ms) != (cases[i].utc != NULL))
			fail_msg("%s", cases[i].text);
		if (cases[i].utc == NULL)
			continue;
		clock_format_rfc3339(ms, text);
		assert_string_equal(text, cases[i].utc);
	}
	clock_zone_free(&zone);
}

static void a_nul_is_no_separator(void **state)
{
	int64_t ms;

	assert_false(clock_parse(STR("2026-11-21\00012:00:00"), NULL, &ms));
	assert_false(clock_parse(STR("2026-11-21 12:00:00\0"), NULL, &ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_go_forward),
		cmocka_unit_test(moments_have_text),
		cmocka_unit_test(any_number_is_a_moment),
		cmocka_unit_test(every_day_goes_there_and_back),
		cmocka_unit_test(zones_know_their_offsets),
		cmocka_unit_test(nights_of_change),
		cmocka_unit_test(every_hour_of_a_year_goes_there_and_back),
		cmocka_unit_test(strange_names_are_no_zones),
		cmocka_unit_test(broken_zone_files_do_no_harm),
		cmocka_unit_test(rules_are_parsed),
		cmocka_unit_test(days_of_rules),
		cmocka_unit_test(texts_are_parsed),
		cmocka_unit_test(a_nul_is_no_separator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
