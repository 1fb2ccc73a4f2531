/*
 * pbx_play: one call as the PBX plays it: its channels, its bridges, and what is said of them.
 *
 * Below are the moves of a PBX; pbx_incoming.c, pbx_outgoing.c, pbx_transfer.c and pbx_mobile.c
 * put calls together from them.
 */
#ifndef PBX_PLAY_H
#define PBX_PLAY_H

#include "pbx_event.h"
#include "pbx_plan.h"

#define PBX_ID_BYTES 32

struct pbx_call {
	struct pbx_event *events; /* in the order of happening; in the arena */
	unsigned count, capacity;
	struct pbx_plan plan;
	struct pbx_truth truth;
	struct pbx_channel *channels, *last_channel; /* in the order of their making */
	unsigned number;			     /* ordinal in its stream */
};

struct pbx_bridge {
	const char *id;
	int members; /* also those who entered without a word */
};

struct pbx_channel {
	const char *unique_id, *name, *exten, *context;
	const char *number, *number_name, *peer, *peer_name;
	struct pbx_bridge *bridge;
	struct pbx_channel *next;
	int64_t made_ms;
	bool second_half; /* of a Local channel: both are made in one go */
	char own_id
		[PBX_ID_BYTES]; /* "" until the channels made before, of all calls, have theirs */
};

/* A mobile that is rung through a Local channel of its own. */
struct pbx_leg {
	struct pbx_channel *one, *two; /* the halves: of the PBX's side, of the mobile's */
	struct pbx_channel *phone;     /* on the line that got through */
	const char *mobile, *line;
	const char *asks;     /* for whom it is rung: the other side, or who transfers */
	bool answers_unnamed; /* its hangup does not say for whom it rang, when it was answered */
	int64_t at_ms;
};

struct pbx_play {
	struct pbx_world *world;
	struct arena *arena;
	struct pbx_call *call;
	const struct pbx_plan *plan;
	int64_t at_ms;
	bool dead;		     /* the PBX has gone down: nothing is said any more */
	struct pbx_event unsaid;     /* where it is said to then */
	struct pbx_channel *primary; /* whose dialplan runs */
	struct pbx_channel *other;   /* of the person outside */
	struct pbx_channel *ours;    /* of who talks now */
	const char *talker;	     /* his number */
	struct pbx_bridge *talk;     /* where they are together */
	struct pbx_leg *leg;	     /* the mobile that talks, or NULL */
	struct pbx_channel *wire[2]; /* a Local channel that stayed between them, or NULL */
	struct pbx_channel *rung;    /* the phone that a blind transfer rings, when that was said */
	struct pbx_channel *finishes; /* whose hangup ends the call; NULL: nobody's */
	int final_type;		      /* CallType of that hangup */
	const char *final_extension;  /* Extensions of it */
	const char *line;	      /* that is in use */
	bool over;		      /* a transfer ended the call */
};

/* A PBX counts its channels, those that nobody hears of, too. Give the next one its UniqueId. */
void pbx_name_channel(struct pbx_world *world, struct pbx_channel *channel);
void pbx_name_channels(struct pbx_world *world, struct pbx_call *call); /* of a single call */

/* Play a plan from `at_ms` on. The call and all that it holds live in the arena. Its channels have no
 * UniqueIds yet. */
struct pbx_call *pbx_play(
	struct pbx_world *world, const struct pbx_plan *plan, struct arena *arena, int64_t at_ms);

/* -- moves of the PBX -- */
void pbx_pass(struct pbx_play *play, int64_t low_ms, int64_t high_ms);
struct pbx_channel *pbx_channel_new(struct pbx_play *play, const char *name);
/* Both halves of "Local/<name>-<count>". */
void pbx_local_new(struct pbx_play *play, const char *name, struct pbx_channel **one,
	struct pbx_channel **two);
struct pbx_channel *pbx_device_new(
	struct pbx_play *play, const char *device, const char *number, const char *peer);
struct pbx_bridge *pbx_bridge_new(struct pbx_play *play);    /* bridge_create */
struct pbx_bridge *pbx_bridge_silent(struct pbx_play *play); /* nobody says that it is there */
struct pbx_event *pbx_say(
	struct pbx_play *play, enum call_event_type type, const struct pbx_channel *channel);
void pbx_enter(struct pbx_play *play, struct pbx_channel *channel, struct pbx_bridge *bridge);
void pbx_enter_silently(struct pbx_channel *channel, struct pbx_bridge *bridge);
void pbx_enter_both(struct pbx_play *play, struct pbx_channel *one, struct pbx_channel *two,
	struct pbx_bridge *bridge); /* in either order */
void pbx_leave(struct pbx_play *play, struct pbx_channel *channel);
void pbx_leave_both(struct pbx_play *play, struct pbx_channel *one, struct pbx_channel *two);
void pbx_destroy(struct pbx_play *play, const struct pbx_bridge *bridge);
void pbx_callerid(struct pbx_play *play, const struct pbx_channel *channel);
void pbx_set_peer(struct pbx_channel *channel, const char *peer, const char *peer_name);
void pbx_ring(struct pbx_play *play, const struct pbx_channel *channel, int call_type,
	const char *extension);
/* Of nobody in particular, with the call's start: who hangs up fills in the rest. */
struct pbx_event *pbx_hangup(
	struct pbx_play *play, const struct pbx_channel *channel, int call_type, int call_status);
bool pbx_maybe(struct pbx_play *play, unsigned percent);
const char *pbx_shown_name(struct pbx_play *play, const char *number); /* "-375290000001" */

/* -- parts of calls -- */
void pbx_play_incoming(struct pbx_play *play);
void pbx_play_outgoing(struct pbx_play *play);
void pbx_play_click(struct pbx_play *play);
void pbx_play_internal(struct pbx_play *play);
void pbx_moves(struct pbx_play *play);
void pbx_blind(struct pbx_play *play, const struct pbx_move *move);
void pbx_attended(struct pbx_play *play, const struct pbx_move *move);
struct pbx_leg *pbx_leg_new(
	struct pbx_play *play, const char *mobile, const char *label, const char *asks);
void pbx_leg_ring(struct pbx_play *play, struct pbx_leg *leg);
void pbx_leg_answer(struct pbx_play *play, struct pbx_leg *leg); /* its own bridge */
void pbx_leg_over(struct pbx_play *play, const struct pbx_leg *leg, int call_status);
void pbx_finish(struct pbx_play *play, int call_status); /* everybody leaves */
void pbx_say_final(struct pbx_play *play, int call_status);

/* -- the truth, while the PBX is up -- */
void pbx_true_talk(struct pbx_play *play, const char *number);
void pbx_true_ring(struct pbx_play *play, const char *number);
void pbx_true_move(struct pbx_play *play, const char *from, const struct pbx_move *move);

#endif
