/*
 * timeline: a call as a drawing: who had a part in it, and what each of them did when.
 *
 * Made of the call's events and of what the fold made of them; pure. Lanes are people (numbers, not
 * channels), bars what they did, arrows transfers, marks single moments. Everything is bounded;
 * `cut` says that there was more.
 */
#ifndef CALLWEAVE_TIMELINE_H
#define CALLWEAVE_TIMELINE_H

#include "call.h"

enum {
	TIMELINE_MAX_LANES = 32, /* lanes are bits of a mask */
	TIMELINE_MAX_BARS = 512,
	TIMELINE_MAX_MARKS = 128,
	TIMELINE_MAX_CHANNELS = 128,
};

enum timeline_role { LANE_OTHER_SIDE, LANE_EXTENSION, LANE_MOBILE };

struct timeline_lane {
	char number[CALL_NUMBER_BYTES]; /* as the call has it: "+375290000001", "151"; "" hidden */
	enum timeline_role role;
};

enum timeline_bar_kind {
	BAR_WAITING, /* hears a greeting or ringing */
	BAR_RINGING,
	BAR_TALKING,	/* with the other side */
	BAR_CONSULTING, /* with a colleague, while the other side waits */
	BAR_HOLD,	/* the other side, after it had talked */
};

struct timeline_bar {
	unsigned lane;
	enum timeline_bar_kind kind;
	int64_t from_ms, to_ms; /* wall */
	uint32_t with;		/* mask of lanes: TALKING, CONSULTING */
	bool open;		/* it goes on */
};

struct timeline_arrow {
	unsigned from, to, took; /* lanes; `took`: who talked in the end, else as `to` */
	enum call_transfer_kind kind;
	enum call_transfer_result result;
	int64_t at_ms, done_ms; /* when it began and when it was decided */
};

enum timeline_mark_kind { MARK_LINE, MARK_HANGUP, MARK_LOST };

struct timeline_mark {
	unsigned lane;
	enum timeline_mark_kind kind;
	int64_t at_ms;
	char line[CALL_NUMBER_BYTES]; /* MARK_LINE: the one that is tried now */
	int status;		      /* MARK_HANGUP: CallStatus; -1 */
};

struct timeline {
	int64_t from_ms, to_ms;
	bool open; /* the call goes on: to_ms is now */
	bool cut;
	struct timeline_lane lanes[TIMELINE_MAX_LANES];
	unsigned lane_count;
	struct timeline_bar bars[TIMELINE_MAX_BARS]; /* by beginning, then lane */
	unsigned bar_count;
	struct timeline_arrow arrows[CALL_MAX_TRANSFERS];
	unsigned arrow_count;
	struct timeline_mark marks[TIMELINE_MAX_MARKS];
	unsigned mark_count;
};

struct timeline_source {
	const struct call *call;
	const struct call_event *events; /* in the order of time */
	size_t event_count;
	const char *country; /* for spellings of numbers */
	int64_t now_ms;	     /* where the bars of a call that goes on end */
};

/* Fill `to`. Without events (they are kept for a while only) the call's own times are drawn. */
void timeline_make(const struct timeline_source *source, struct timeline *to);

const char *timeline_role_name(enum timeline_role role);      /* "external" ... */
const char *timeline_bar_name(enum timeline_bar_kind kind);   /* "ringing" ... */
const char *timeline_mark_name(enum timeline_mark_kind kind); /* "line" ... */

#endif
