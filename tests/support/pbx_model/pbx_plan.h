/*
 * pbx_plan: what people are going to do in one call: the dice are thrown before it is played.
 */
#ifndef PBX_PLAN_H
#define PBX_PLAN_H

#include "pbx_truth.h"
#include "pbx_world.h"

#define PBX_MAX_ROUNDS 3
#define PBX_MAX_RINGS  4

enum pbx_kind {
	PBX_INCOMING,
	PBX_OUTGOING,
	PBX_CLICK,	/* outgoing, begun by a program: the PBX rings the manager first */
	PBX_FORBIDDEN,	/* outgoing to where nobody may call */
	PBX_INTERNAL,	/* of one extension with another */
	PBX_DEPARTMENT, /* with a group of ours */
	PBX_KINDS
};

enum pbx_answer { PBX_NOBODY, PBX_EXTENSION, PBX_MOBILE };
enum pbx_move_kind { PBX_HOLD, PBX_ATTENDED, PBX_BLIND };
enum pbx_move_end { PBX_ACCEPTED, PBX_DECLINED, PBX_NO_ANSWER };

/* What somebody who talks does. */
struct pbx_move {
	enum pbx_move_kind kind;
	enum pbx_move_end end;
	const char *to;	    /* as dialled: an extension, or the FollowMe number */
	const char *device; /* whose phone rings for it */
	const char *mobile; /* FollowMe: rung some seconds later; NULL: it is not */
	bool follow_me;
	bool on_mobile; /* the mobile is who answers */
	bool is_second; /* call of whoever is asked: he talks in another */
};

struct pbx_plan {
	enum pbx_kind kind;
	enum pbx_answer answer;
	const char *external; /* "": hidden */
	const char *line;
	const char *backup; /* the line that is taken when `line` is busy; NULL: that is free */
	const char *ours;   /* incoming: who answers; else who calls */
	const char *callee; /* internal: who is called, or answers for the department */
	const char *mobile; /* of the ring group; NULL */
	struct {
		const char *rings[PBX_MAX_RINGS];
		unsigned count;
	} rounds[PBX_MAX_ROUNDS]; /* more than one: a cascade */
	unsigned round_count;
	struct pbx_move moves[PBX_MAX_MOVES];
	unsigned move_count;
	bool gives_up_early; /* incoming: in the greeting, before anybody rings */
	bool no_start;	     /* incoming on a host that sends none */
	bool line_as_phone;  /* the gateway's start has the line where the caller should be */
	bool names_trunk;    /* a SIP line that writes its own id over the extension */
	bool unnamed_end;    /* the hangup does not know who talked */
	bool one_id;	     /* recorded hosts gave a colleague's phone the id of a Local half */
};

#define PBX_MAX_TAKING_PART 16
struct pbx_taking_part {
	struct pbx_person *people[PBX_MAX_TAKING_PART];
	unsigned count;
};

/* Throw the dice for a call at that time. `people` are who will be busy in it. */
void pbx_plan_draw(struct pbx_plan *plan, struct pbx_world *world, struct arena *arena,
	int64_t at_ms, struct pbx_taking_part *people);

/* Afterwards: they are busy until `end_ms`. */
void pbx_plan_reserve(const struct pbx_plan *plan, struct pbx_taking_part *people, int64_t end_ms);

/* Nobody was told that the call is over: whoever had it handed to him keeps still for an hour, for
 * what he did next would look like a part of it. */
void pbx_plan_rest(const struct pbx_plan *plan, struct pbx_taking_part *people);

/* The PBX went down while they talked. */
void pbx_plan_cut_off(const struct pbx_world *world, struct pbx_taking_part *people);

const char *pbx_kind_name(enum pbx_kind kind);
/* Append in words, for people who look for a fault. */
void pbx_plan_describe(const struct pbx_plan *plan, struct buf *to);

#endif
