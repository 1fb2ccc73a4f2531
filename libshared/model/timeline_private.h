/*
 * timeline_private: what the timeline's files share. Private to model.
 *
 * timeline_wires.c knows channels and bridges; timeline.c walks the events and opens and closes
 * bars; timeline_tidy.c makes the drawing readable afterwards and adds the arrows.
 */
#ifndef CALLWEAVE_TIMELINE_PRIVATE_H
#define CALLWEAVE_TIMELINE_PRIVATE_H

#include "fold_private.h"
#include "timeline.h"

enum { NO_LANE = TIMELINE_MAX_LANES };

struct timeline_channel {
	struct str uid;
	enum fold_kind kind;
	struct str local;  /* "Local/152@dialexecute-00000000"; empty when it is none */
	struct str bridge; /* its BridgeUniqueid; data NULL: in none */
	unsigned lane;	   /* of a device; NO_LANE */
	unsigned opener;   /* of a Local channel: the lane that opened it; NO_LANE */
	unsigned group;	   /* who is connected with whom: equal for both */
	unsigned entered;  /* when it entered its bridge: counts all that enter */
	struct str trunk;  /* of its last dial */
	bool alone;	   /* nobody was in the bridge when it entered */
	bool hung_up;
};

/* What a lane does now. */
struct timeline_now {
	bool busy; /* has a bar of `kind` that began at from_ms */
	enum timeline_bar_kind kind;
	uint32_t with;
	int64_t from_ms;
	bool rings;
	int64_t rings_ms;
	bool has_talked;
	bool dials; /* our caller of an outgoing call, until somebody answers */
};

struct timeline_walk {
	const struct timeline_source *source;
	struct timeline *to;
	struct timeline_channel channels[TIMELINE_MAX_CHANNELS];
	unsigned channel_count;
	uint32_t in_group[TIMELINE_MAX_CHANNELS];	       /* masks of lanes, by group */
	char canonical[TIMELINE_MAX_LANES][CALL_NUMBER_BYTES]; /* of the lanes' numbers */
	struct timeline_now now[TIMELINE_MAX_LANES];
	unsigned entries;
	int64_t now_ms;
	uint32_t gone;		 /* lanes that hung up */
	unsigned transfers_seen; /* of the call's, in order */
	bool began;		 /* the other side is in the dialplan, or was connected */
};

/* timeline_lanes.c */
unsigned timeline_lane_add(
	struct timeline_walk *walk, struct str number, enum timeline_role role);  /* or NO_LANE */
unsigned timeline_lane_find(const struct timeline_walk *walk, struct str number); /* or NO_LANE */
unsigned timeline_lane_of(struct timeline_walk *walk, struct str number); /* adds it when new */
void timeline_bar_add(struct timeline *to, const struct timeline_bar *bar);

/* timeline_wires.c */
struct timeline_channel *timeline_channel_of(
	struct timeline_walk *walk, const struct call_event *event);
void timeline_enter(
	struct timeline_walk *walk, struct timeline_channel *channel, struct str bridge);
void timeline_leave(struct timeline_channel *channel, struct str bridge);
void timeline_destroy(struct timeline_walk *walk, struct str bridge);
void timeline_hang_up(struct timeline_walk *walk, struct timeline_channel *channel);
void timeline_connect(struct timeline_walk *walk); /* sets `group` of every channel */

/* timeline_tidy.c */
void timeline_tidy(struct timeline *to, const struct call *call);
void timeline_arrows(struct timeline_walk *walk);
void timeline_talk_by_facts(struct timeline_walk *walk);
void timeline_from_facts(struct timeline_walk *walk); /* when there are no events any more */

#endif
