/*
 * clock_rule: parses and applies a POSIX TZ rule (POSIX.1-2017, 8.3, with RFC 8536's wider hours).
 */
#include "clock_rule.h"

#include "clock.h"

enum { DAY_SECONDS = 86400 };

static bool take_char(struct str *rest, char wanted)
{
	if (rest->size == 0 || rest->data[0] != wanted)
		return false;
	*rest = str_of(rest->data + 1, rest->size - 1);
	return true;
}

/* At most three digits: no number of a rule has more. */
static bool take_number(struct str *rest, int low, int high, int *value)
{
	int sum = 0;
	size_t at = 0;

	for (; at < rest->size && at < 3 && str_is_digits(str_of(rest->data + at, 1)); at++)
		sum = sum * 10 + (rest->data[at] - '0');
	if (at == 0 || sum < low || sum > high)
		return false;
	*rest = str_of(rest->data + at, rest->size - at);
	*value = sum;
	return true;
}

/* "EET" or "<+03>": of no use but to be skipped. */
static bool take_name(struct str *rest)
{
	bool quoted = take_char(rest, '<');
	size_t at = 0;

	while (at < rest->size && rest->data[at] != '>' &&
		(quoted || (rest->data[at] | 0x20) >= 'a') &&
		(quoted || (rest->data[at] | 0x20) <= 'z'))
		at++;
	if (at == 0)
		return false;
	*rest = str_of(rest->data + at, rest->size - at);
	return !quoted || take_char(rest, '>');
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct str *rest, int64_t *seconds)
{
	bool negative = take_char(rest, '-');
	int hour = 0, minute = 0, second = 0;

	if (!negative)
		take_char(rest, '+');
	if (!take_number(rest, 0, 167, &hour))
		return false;
	if (take_char(rest, ':') && !take_number(rest, 0, 59, &minute))
		return false;
	if (take_char(rest, ':') && !take_number(rest, 0, 59, &second))
		return false;
	*seconds = (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
	if (negative)
		*seconds = -*seconds;
	return true;
}

/* Mm.w.d, Jn or n. */
static bool take_day_kind(struct str *rest, struct clock_rule_day *day)
{
	if (take_char(rest, 'M')) {
		day->kind = RULE_MONTH_WEEK;
		return take_number(rest, 1, 12, &day->month) && take_char(rest, '.') &&
		       take_number(rest, 1, 5, &day->week) && take_char(rest, '.') &&
		       take_number(rest, 0, 6, &day->weekday);
	}
	if (take_char(rest, 'J')) {
		day->kind = RULE_JULIAN;
		return take_number(rest, 1, 365, &day->day);
	}
	day->kind = RULE_DAY_OF_YEAR;
	return take_number(rest, 0, 365, &day->day);
}

/* ",M3.5.0/3": the time of day is two o'clock when it is left out. */
static bool take_day(struct str *rest, struct clock_rule_day *day)
{
	int64_t seconds = 2 * 3600;

	if (!take_char(rest, ',') || !take_day_kind(rest, day))
		return false;
	if (take_char(rest, '/') && !take_time(rest, &seconds))
		return false;
	day->seconds = (int)seconds;
	return true;
}

bool clock_rule_parse(struct str text, struct clock_rule *rule)
{
	int64_t west = 0;

	*rule = (struct clock_rule){0};
	if (!take_name(&text) || !take_time(&text, &west))
		return false;
	rule->standard_offset = -west; /* POSIX counts west of Greenwich */
	if (text.size == 0)
		return true;
	rule->has_summer = true;
	west -= 3600;
	if (!take_name(&text))
		return false;
	if (text.size > 0 && text.data[0] != ',' && !take_time(&text, &west))
		return false;
	rule->summer_offset = -west;
	/* Rules without days ("EST5EDT") leave them to the system; zoneinfo never does. */
	return take_day(&text, &rule->start) && take_day(&text, &rule->end) && text.size == 0;
}

int64_t clock_days_from_civil(int year, int month, int day)
{
	/* Years from March, so that the leap day is the last one; eras of 400 years. */
	int64_t y = month <= 2 ? (int64_t)year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* "M3.5.0": the last Sunday of March. */
static int64_t month_week_day(const struct clock_rule_day *rule, int year)
{
	int64_t first = clock_days_from_civil(year, rule->month, 1);
	int64_t next = rule->month == 12 ? clock_days_from_civil(year + 1, 1, 1)
					 : clock_days_from_civil(year, rule->month + 1, 1);
	int64_t first_weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	int64_t day = first + (rule->weekday - first_weekday + 7) % 7 + 7 * (rule->week - 1);

	return day < next ? day : day - 7;
}

/* Local seconds since 1970 of the rule's change in a year. */
static int64_t change_in_year(const struct clock_rule_day *rule, int year)
{
	int64_t day;

	if (rule->kind == RULE_MONTH_WEEK)
		day = month_week_day(rule, year);
	else if (rule->kind == RULE_JULIAN)
		day = clock_days_from_civil(year, 1, 1) + rule->day - 1 +
		      (is_leap(year) && rule->day >= 60);
	else
		day = clock_days_from_civil(year, 1, 1) + rule->day;
	return day * DAY_SECONDS + rule->seconds;
}

/* Each change is given in the local time that ends with it. */
int64_t clock_rule_offset(const struct clock_rule *rule, int64_t utc_seconds)
{
	int64_t local = utc_seconds + rule->standard_offset;
	int64_t start, end;
	int year;

	if (!rule->has_summer)
		return rule->standard_offset;
	year = clock_to_civil(local * 1000, NULL).year;
	start = change_in_year(&rule->start, year) - rule->standard_offset;
	end = change_in_year(&rule->end, year) - rule->summer_offset;
	/* South of the equator summer spans the new year. */
	if (start < end ? utc_seconds >= start && utc_seconds < end
			: utc_seconds >= start || utc_seconds < end)
		return rule->summer_offset;
	return rule->standard_offset;
}
