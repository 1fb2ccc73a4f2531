/*
 * menu_hours: when somebody is there: {"mon": "09:00-12:30, 14:00-18:00"} and holidays.
 */
#include "menu_private.h"

static const char *const day_names[MENU_DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* "09:30", also "24:00"; minutes of the day, -1: none. */
static int read_time(struct str text)
{
	struct str rest = str_trim(text);
	struct str hours = str_cut(&rest, ':');
	int64_t hour, minute;

	if (hours.size > 2 || rest.size != 2 || !str_is_digits(hours) || !str_is_digits(rest) ||
		!str_to_int64(hours, &hour) || !str_to_int64(rest, &minute))
		return -1;
	if (minute > 59 || hour * 60 + minute > 24 * 60)
		return -1;
	return (int)(hour * 60 + minute);
}

static bool read_span(struct str text, struct menu_span *span)
{
	struct str to = text;
	struct str from = str_cut(&to, '-');

	span->from = read_time(from);
	span->to = read_time(to);
	return span->from >= 0 && span->to > span->from;
}

static bool read_day(struct str text, struct menu_span spans[MENU_MAX_SPANS])
{
	unsigned count = 0;

	while (str_trim(text).size > 0) {
		if (count == MENU_MAX_SPANS || !read_span(str_cut(&text, ','), &spans[count]))
			return false;
		count++;
	}
	return true;
}

static int day_of(const char *name)
{
	for (int i = 0; i < MENU_DAYS; i++) {
		if (strcmp(day_names[i], name) == 0)
			return i;
	}
	return -1;
}

bool menu_read_hours(const struct json *json, struct menu *menu, struct error *error)
{
	if (json == NULL)
		return true;
	if (json_kind(json) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "hours: not an object");
	menu->has_hours = true;
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		int day = day_of(json_name(at));

		if (day < 0)
			return error_set(
				error, ERROR_INPUT, "hours.%.20s: takes mon to sun", json_name(at));
		if (json_kind(at) != JSON_TEXT || !read_day(json_text(at), menu->hours[day]))
			return error_set(error, ERROR_INPUT,
				"hours.%s: takes \"09:00-12:30, 14:00-18:00\"", json_name(at));
	}
	return true;
}

/* "2026-12-25", or "12-25" of every year. */
static bool read_holiday(struct str text, struct menu_day *day)
{
	struct str rest = text;
	struct str first = str_cut(&rest, '-');
	int64_t year = 0, month, number;

	if (first.size == 4) {
		if (!str_is_digits(first) || !str_to_int64(first, &year))
			return false;
		first = str_cut(&rest, '-');
	}
	if (first.size != 2 || rest.size != 2 || !str_is_digits(first) || !str_is_digits(rest) ||
		!str_to_int64(first, &month) || !str_to_int64(rest, &number))
		return false;
	*day = (struct menu_day){(int)year, (int)month, (int)number};
	return month >= 1 && month <= 12 && number >= 1 && number <= 31;
}

bool menu_read_holidays(const struct json *json, struct menu *menu, struct error *error)
{
	if (json == NULL)
		return true;
	if (json_kind(json) != JSON_ARRAY || json_count(json) > MENU_MAX_HOLIDAYS)
		return error_set(error, ERROR_INPUT, "holidays: not a list of at most %d",
			MENU_MAX_HOLIDAYS);
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		if (!read_holiday(json_text(at), &menu->holidays[menu->holiday_count]))
			return error_set(error, ERROR_INPUT,
				"holidays[%u]: takes \"2026-12-25\" or \"12-25\"",
				menu->holiday_count);
		menu->holiday_count++;
	}
	return true;
}

/* -- is it open? ---------------------------------------------------------------------------------------- */

static bool is_holiday(const struct menu *menu, const struct clock_civil *at)
{
	for (unsigned i = 0; i < menu->holiday_count; i++) {
		const struct menu_day *day = &menu->holidays[i];

		if (day->month == at->month && day->day == at->day &&
			(day->year == 0 || day->year == at->year))
			return true;
	}
	return false;
}

/* 0 Monday: 1970-01-01 was a Thursday. */
static int weekday(const struct clock_civil *at)
{
	struct clock_civil noon = {
		.year = at->year, .month = at->month, .day = at->day, .hour = 12};

	return (int)((clock_from_civil(&noon, NULL) / 86400000 + 3) % MENU_DAYS);
}

bool menu_open(const struct menu *menu, int64_t wall_ms, const struct clock_zone *zone)
{
	struct clock_civil at = clock_to_civil(wall_ms, menu->zone != NULL ? menu->zone : zone);
	int minute = at.hour * 60 + at.minute;
	const struct menu_span *spans = menu->hours[weekday(&at)];

	if (is_holiday(menu, &at))
		return false;
	if (!menu->has_hours)
		return true;
	for (int i = 0; i < MENU_MAX_SPANS; i++) {
		if (minute >= spans[i].from && minute < spans[i].to)
			return true;
	}
	return false;
}
