/*
 * clock: the system's clocks, civil time, and times as text. No zone but those given.
 */
#include "clock.h"

#include "clock_rule.h"
#include "clock_zone.h"

#include <stdio.h>
#include <time.h>

enum { DAY_SECONDS = 86400 };

static int64_t now_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now); /* cannot fail for the two clocks that are asked */
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
	return now_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_monotonic_ms(void)
{
	return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

/* C rounds towards zero, but the day before 1970 is day -1. */
static int64_t floor_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

/* The inverse of clock_days_from_civil(). */
static void set_date(struct clock_civil *civil, int64_t days)
{
	/* Years are counted from March, so that the leap day is a year's last and needs no case
	 * of its own; 400 years (an era) have 146,097 days, always. */
	int64_t shifted = days + 719468; /* since 0000-03-01 */
	int64_t era = floor_divide(shifted, 146097);
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;

	civil->day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	civil->month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
	civil->year = (int)(year_of_era + era * 400 + (civil->month <= 2));
}

/* Not localtime(): the zone is the enterprise's, there are many of them in one process, and TZ
 * is global. */
struct clock_civil clock_to_civil(int64_t wall_ms, const struct clock_zone *zone)
{
	struct clock_civil civil = {0};
	int64_t seconds = floor_divide(wall_ms, 1000);
	int64_t local = seconds + (zone != NULL ? clock_zone_offset(zone, seconds) : 0);
	int64_t days = floor_divide(local, DAY_SECONDS);
	int64_t second_of_day = local - days * DAY_SECONDS;

	set_date(&civil, days);
	civil.hour = (int)(second_of_day / 3600);
	civil.minute = (int)(second_of_day / 60 % 60);
	civil.second = (int)(second_of_day % 60);
	civil.millisecond = (int)((wall_ms % 1000 + 1000) % 1000);
	return civil;
}

/* An hour that the clocks show twice is the first of the two; one that they skip is counted on
 * from before the change (02:30 becomes 03:30). */
static int64_t utc_from_local(int64_t local, const struct clock_zone *zone)
{
	/* A day to either side is beyond any change of the clocks, and no zone changes twice in
	 * two days. */
	int64_t before = clock_zone_offset(zone, local - DAY_SECONDS);
	int64_t after = clock_zone_offset(zone, local + DAY_SECONDS);

	if (clock_zone_offset(zone, local - before) == before)
		return local - before;
	if (clock_zone_offset(zone, local - after) == after)
		return local - after;
	return local - before;
}

/* Fields are summed up, not checked: clock_parse() does that. */
int64_t clock_from_civil(const struct clock_civil *civil, const struct clock_zone *zone)
{
	int64_t local = clock_days_from_civil(civil->year, civil->month, civil->day) * DAY_SECONDS +
			(int64_t)civil->hour * 3600 + (int64_t)civil->minute * 60 + civil->second;

	return (zone != NULL ? utc_from_local(local, zone) : local) * 1000 + civil->millisecond;
}

/* Always UTC with milliseconds: logs of several machines sort as text. */
void clock_format_rfc3339(int64_t wall_ms, char to[CLOCK_TEXT_BYTES])
{
	struct clock_civil civil = clock_to_civil(wall_ms, NULL);

	snprintf(to, CLOCK_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", civil.year,
		civil.month, civil.day, civil.hour, civil.minute, civil.second, civil.millisecond);
}

/* Exactly `digits` digits. */
static bool take_digits(struct str *rest, size_t digits, int *value)
{
	int64_t number;

	if (rest->size < digits || !str_is_digits(str_of(rest->data, digits)) ||
		!str_to_int64(str_of(rest->data, digits), &number))
		return false;
	*value = (int)number;
	*rest = str_of(rest->data + digits, rest->size - digits);
	return true;
}

/* strchr() would find a NUL in any set, hence the test. */
static bool take_any_of(struct str *rest, const char *wanted)
{
	if (rest->size == 0 || rest->data[0] == '\0' || strchr(wanted, rest->data[0]) == NULL)
		return false;
	*rest = str_of(rest->data + 1, rest->size - 1);
	return true;
}

static int month_days(int year, int month)
{
	/* From the calendar itself, so that leap years are known in one place. */
	int64_t first = clock_days_from_civil(year, month, 1);

	return (int)((month == 12 ? clock_days_from_civil(year + 1, 1, 1)
				  : clock_days_from_civil(year, month + 1, 1)) -
		     first);
}

static bool take_date(struct str *rest, struct clock_civil *civil)
{
	return take_digits(rest, 4, &civil->year) && take_any_of(rest, "-") &&
	       take_digits(rest, 2, &civil->month) && take_any_of(rest, "-") &&
	       take_digits(rest, 2, &civil->day) && civil->year >= 1 && civil->month >= 1 &&
	       civil->month <= 12 && civil->day >= 1 &&
	       civil->day <= month_days(civil->year, civil->month);
}

/* No leap second: the wall clock never shows one. */
static bool take_time(struct str *rest, struct clock_civil *civil)
{
	return take_digits(rest, 2, &civil->hour) && take_any_of(rest, ":") &&
	       take_digits(rest, 2, &civil->minute) && take_any_of(rest, ":") &&
	       take_digits(rest, 2, &civil->second) && civil->hour <= 23 && civil->minute <= 59 &&
	       civil->second <= 59;
}

/* ".5" is 500 ms; what is finer than a millisecond is cut off. */
static bool take_fraction(struct str *rest, int *milliseconds)
{
	int weight = 100;
	int digit;

	if (!take_any_of(rest, ".,"))
		return true;
	if (!take_digits(rest, 1, &digit))
		return false;
	do {
		*milliseconds += digit * weight;
		weight /= 10;
	} while (take_digits(rest, 1, &digit));
	return true;
}

/* "Z", "+03", "+0300" or "+03:00". */
static bool take_offset(struct str *rest, int *minutes_east)
{
	int sign = rest->data[0] == '-' ? -1 : 1;
	int hours, minutes = 0;

	if (take_any_of(rest, "Zz")) {
		*minutes_east = 0;
		return true;
	}
	if (!take_any_of(rest, "+-") || !take_digits(rest, 2, &hours))
		return false;
	if (rest->size > 0) {
		take_any_of(rest, ":");
		if (!take_digits(rest, 2, &minutes))
			return false;
	}
	*minutes_east = sign * (hours * 60 + minutes);
	return hours <= 23 && minutes <= 59;
}

/* Strict: a time that is nearly one is the sign of a field mixed up. */
bool clock_parse(struct str text, const struct clock_zone *zone, int64_t *wall_ms)
{
	struct clock_civil civil = {0};
	int minutes_east;

	if (!take_date(&text, &civil) || !take_any_of(&text, " Tt") || !take_time(&text, &civil) ||
		!take_fraction(&text, &civil.millisecond))
		return false;
	if (text.size == 0) {
		*wall_ms = clock_from_civil(&civil, zone);
		return true;
	}
	if (!take_offset(&text, &minutes_east) || text.size > 0)
		return false;
	*wall_ms = clock_from_civil(&civil, NULL) - (int64_t)minutes_east * 60000;
	return true;
}
