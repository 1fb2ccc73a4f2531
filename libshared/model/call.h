/*
 * call: a call as people and CRMs see it: what the fold makes of events.
 */
#ifndef CALLWEAVE_CALL_H
#define CALLWEAVE_CALL_H

#include "call_event.h"

enum call_direction { CALL_UNKNOWN, CALL_INCOMING, CALL_OUTGOING, CALL_INTERNAL };
enum call_state {
	CALL_GREETING, /* in the dialplan, nobody rings yet */
	CALL_RINGING,
	CALL_TALKING,
	CALL_ENDED,
	CALL_LOST, /* no end ever came: closed after a limit */
};
enum call_transfer_kind { TRANSFER_ATTENDED, TRANSFER_BLIND };
enum call_transfer_result {
	TRANSFER_PENDING,
	TRANSFER_ACCEPTED,
	TRANSFER_REFUSED,
	TRANSFER_UNANSWERED,
};

const char *call_direction_name(enum call_direction direction); /* "incoming" ... */
const char *call_state_name(enum call_state state);		/* "greeting" ... */
const char *call_transfer_kind_name(enum call_transfer_kind kind);
const char *call_transfer_result_name(enum call_transfer_result result);

#define CALL_MAX_NUMBERS   64 /* talkers, rang, unique ids: beyond it the rest is counted, not kept */
#define CALL_MAX_TRANSFERS 16
#define CALL_NUMBER_BYTES  24
#define CALL_ID_BYTES	   48

struct call_transfer {
	char from[CALL_NUMBER_BYTES], to[CALL_NUMBER_BYTES];
	enum call_transfer_kind kind;
	enum call_transfer_result result;
	int64_t at_ms;
	bool follow_me; /* `to` is a FollowMe number: it rang phones of one person in turn */
	char taker
		[CALL_NUMBER_BYTES]; /* whose phone took it where that is not `to`: a mobile; "" */
};

/* A phone of ours in a call: an extension, a FollowMe number, or a mobile. */
struct call_leg {
	char number[CALL_NUMBER_BYTES];
	bool mobile;	/* a manager's own phone, outside */
	bool follow_me; /* a number that stands for several phones of one person */
	int64_t ringing_ms, answered_ms,
		ended_ms; /* wall; CALL_NO_TIME: it did not, or not known */
};

struct call_numbers {
	char (*items)[CALL_NUMBER_BYTES];
	unsigned count;
};

/* The view of one call. Owned by the fold; valid until the next fold call. */
struct call {
	int64_t id;	  /* log id of its first event: unique over all tenants */
	unsigned version; /* grows with each change that somebody could see */
	enum call_direction direction;
	enum call_state state;
	bool answered;
	char external
		[CALL_NUMBER_BYTES]; /* E.164 with +, or digits as sent when it is not one, or "" */
	char caller
		[CALL_NUMBER_BYTES]; /* internal or outgoing: our calling extension; incoming: "" */
	char callee[CALL_NUMBER_BYTES];	 /* internal: the extension called; else "" */
	struct call_numbers rang;	 /* in the order of ringing, no repeats */
	struct call_numbers talkers;	 /* our numbers that talked to the other side, in order */
	char talking[CALL_NUMBER_BYTES]; /* who talks now: an extension or a mobile; "" */
	char line[CALL_NUMBER_BYTES];
	char line_first[CALL_NUMBER_BYTES]; /* the line that was busy, before backup lines; "" */
	struct call_numbers lines; /* outgoing: the lines tried, in order; the last is `line` */
	struct call_transfer *transfers;
	unsigned transfer_count;
	struct call_leg *legs; /* in the order in which they came into the call, no repeats */
	unsigned leg_count;
	char (*unique_ids)[CALL_ID_BYTES]; /* the primary one first */
	unsigned unique_id_count;
	int64_t started_ms, answered_ms, ended_ms; /* wall; CALL_NO_TIME when unknown */
	int call_status;			   /* of the final hangup; -1 */
	bool external_initiated;
};

/* With all that it points to. */
struct call *call_copy(const struct call *call, struct arena *arena);

/* Whole seconds; -1 when not known. */
int64_t call_ring_seconds(const struct call *call);
int64_t call_talk_seconds(const struct call *call);

#endif
