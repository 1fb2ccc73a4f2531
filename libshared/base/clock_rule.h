/*
 * clock_rule: the POSIX TZ text at the end of a zoneinfo file ("EET-2EEST,M3.5.0/3,M10.5.0/4"),
 * which rules the times behind the file's last transition. Private to base.
 */
#ifndef CALLWEAVE_CLOCK_RULE_H
#define CALLWEAVE_CLOCK_RULE_H

#include "str.h"

struct clock_rule_day {
	enum { RULE_MONTH_WEEK, RULE_JULIAN, RULE_DAY_OF_YEAR } kind;
	int month, week, weekday; /* RULE_MONTH_WEEK: 1-12, 1-5 (5: the last), 0-6 from Sunday */
	int day;		  /* RULE_JULIAN: 1-365 without 29 February; else 0-365 */
	int seconds;		  /* local time of day, -167 h to 167 h */
};

struct clock_rule {
	int64_t standard_offset; /* seconds east of UTC */
	int64_t summer_offset;
	bool has_summer;
	struct clock_rule_day start, end;
};

bool clock_rule_parse(struct str text, struct clock_rule *rule);

/* Seconds east of UTC that the rule gives at a moment. */
int64_t clock_rule_offset(const struct clock_rule *rule, int64_t utc_seconds);

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar. */
int64_t clock_days_from_civil(int year, int month, int day);

#endif
