/*
 * timeline_lanes: the people of a drawing, known by their numbers however they are spelled.
 */
#include "timeline_private.h"

#include "phone.h"

enum { MOBILE_DIGITS = 7 };

static const char *const role_names[] = {"external", "extension", "mobile"};
static const char *const bar_names[] = {"waiting", "ringing", "talking", "consulting", "hold"};
static const char *const mark_names[] = {"line", "hangup", "lost"};

const char *timeline_role_name(enum timeline_role role)
{
	return role_names[role];
}

const char *timeline_bar_name(enum timeline_bar_kind kind)
{
	return bar_names[kind];
}

const char *timeline_mark_name(enum timeline_mark_kind kind)
{
	return mark_names[kind];
}

/* -- lanes ------------------------------------------------------------------------------------------ */

/* As the fold compares numbers: "" for texts and withheld ones. */
static void canonical(const char *country, struct str number, char to[CALL_NUMBER_BYTES])
{
	char spelled[PHONE_TEXT_BYTES];

	to[0] = '\0';
	if (phone_is_internal(number))
		str_copy(to, CALL_NUMBER_BYTES, number);
	else if (phone_is_hidden(number))
		return;
	else if (phone_e164(number, country, spelled))
		str_copy(to, CALL_NUMBER_BYTES, str_from(spelled + 1));
	else if (phone_digits(number, spelled))
		str_copy(to, CALL_NUMBER_BYTES, str_from(spelled));
}

unsigned timeline_lane_find(const struct timeline_walk *walk, struct str number)
{
	char wanted[CALL_NUMBER_BYTES];

	canonical(walk->source->country, number, wanted);
	for (unsigned i = 0; i < walk->to->lane_count && wanted[0] != '\0'; i++) {
		if (strcmp(walk->canonical[i], wanted) == 0)
			return i;
	}
	return NO_LANE;
}

unsigned timeline_lane_add(struct timeline_walk *walk, struct str number, enum timeline_role role)
{
	struct timeline *to = walk->to;
	unsigned lane = to->lane_count;

	if (lane == TIMELINE_MAX_LANES) {
		to->cut = true;
		return NO_LANE;
	}
	canonical(walk->source->country, number, walk->canonical[lane]);
	to->lanes[lane].role = role;
	str_copy(to->lanes[lane].number, CALL_NUMBER_BYTES,
		role == LANE_OTHER_SIDE ? number : str_from(walk->canonical[lane]));
	to->lane_count++;
	return lane;
}

unsigned timeline_lane_of(struct timeline_walk *walk, struct str number)
{
	char digits[CALL_NUMBER_BYTES];
	unsigned lane = timeline_lane_find(walk, number);

	canonical(walk->source->country, number, digits);
	if (lane != NO_LANE || digits[0] == '\0')
		return lane;
	/* An enterprise's own extensions may have more than four digits; no mobile has so few. */
	return timeline_lane_add(
		walk, number, strlen(digits) < MOBILE_DIGITS ? LANE_EXTENSION : LANE_MOBILE);
}

/* -- bars and marks --------------------------------------------------------------------------------- */

void timeline_bar_add(struct timeline *to, const struct timeline_bar *bar)
{
	if (bar->to_ms <= bar->from_ms && !bar->open)
		return;
	if (to->bar_count == TIMELINE_MAX_BARS)
		to->cut = true;
	else
		to->bars[to->bar_count++] = *bar;
}
