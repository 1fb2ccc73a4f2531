/*
 * clock: the two clocks, and civil time in a zone.
 *
 * Wall time is milliseconds since 1970 in UTC and is what gets stored; monotonic time is for
 * deadlines. Zones are IANA names ("Europe/Minsk") read from the system's zoneinfo.
 */
#ifndef CALLWEAVE_CLOCK_H
#define CALLWEAVE_CLOCK_H

#include "str.h"

int64_t clock_wall_ms(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

/* RFC 3339 in UTC with milliseconds, "2026-11-21T12:00:00.123Z"; `to` holds CLOCK_TEXT_BYTES. */
#define CLOCK_TEXT_BYTES 96 /* room for any int in each place, as gcc -O3 insists */
void clock_format_rfc3339(int64_t wall_ms, char to[CLOCK_TEXT_BYTES]);

struct clock_civil {
	int year, month, day, hour, minute, second, millisecond;
};

/* A zone, loaded once and then used without I/O. The caller owns it. NULL when the name is not
 * known (letters, digits, / _ + - only: the name never leaves the zoneinfo folder). */
struct clock_zone;
struct clock_zone *clock_zone_new(const char *name);
void clock_zone_free(struct clock_zone **zone);

/* NULL zone means UTC. */
struct clock_civil clock_to_civil(int64_t wall_ms, const struct clock_zone *zone);
int64_t clock_from_civil(const struct clock_civil *civil, const struct clock_zone *zone);

/* "YYYY-MM-DD HH:MM:SS", also with T, a fraction, and Z or an offset. Without an offset the time is
 * the zone's. False when it is not a time. */
bool clock_parse(struct str text, const struct clock_zone *zone, int64_t *wall_ms);

#endif
