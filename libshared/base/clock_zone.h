/*
 * clock_zone: what clock.c asks of a zone. Private to base.
 */
#ifndef CALLWEAVE_CLOCK_ZONE_H
#define CALLWEAVE_CLOCK_ZONE_H

#include "clock.h"

/* Seconds east of UTC at a moment. */
int64_t clock_zone_offset(const struct clock_zone *zone, int64_t utc_seconds);

/* A zone from the bytes of a TZif file; NULL when they are none. */
struct clock_zone *clock_zone_from_bytes(struct str bytes);

#endif
