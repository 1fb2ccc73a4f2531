/*
 * fold_graph: the things the fold is made of. Private to model.
 *
 * A call owns its channels, bridges and legs; a channel is in at most one bridge; the halves of a
 * Local channel are twins. Numbers are compared in one form (extensions as they are, others as
 * digits with the country code) and kept once: each `const char *` below that is called a number
 * points at the text of a fold_number, or at "". There may be hundreds of thousands of open calls:
 * every byte here counts.
 */
#ifndef CALLWEAVE_FOLD_GRAPH_H
#define CALLWEAVE_FOLD_GRAPH_H

#include "call_fold.h"
#include "fold_past.h"
#include "keyset.h"

enum { FOLD_MAX_CHANNELS = 256, FOLD_MAX_BRIDGES = 256, FOLD_MAX_LINES = 16 };
enum { FOLD_REASON_BYTES = 128, FOLD_MAX_RETIRED = 4 };

#define FOLD_MAX_MS (INT64_C(1) << 50) /* of wall time: beyond any calendar, far from overflow */
#define FOLD_NEVER  INT32_MIN	       /* a leg's moment that was not, or is not known */

enum fold_kind { KIND_UNKNOWN, KIND_DEVICE, KIND_LOCAL_1, KIND_LOCAL_2 };

/* A number, and the calls that it leads to. */
struct fold_number {
	struct fold_ref *refs; /* newest first */
	unsigned users;
	char text[];
};

struct fold_channel {
	struct fold_call *call;
	struct fold_channel *next; /* of the call, in the order of appearance */
	struct fold_bridge *bridge;
	struct fold_channel *twin; /* the other half of a Local channel */
	char *local;		   /* "Local/152@dialexecute-00000000"; NULL when it is none */
	const char *number;	   /* its own */
	const char *peer;	   /* whom it says it is connected to */
	unsigned char kind;	   /* enum fold_kind */
	bool hung_up : 1;
	bool weak : 1;	  /* given to its call by numbers alone */
	bool linked : 1;  /* was reached by the other side when that was last looked at */
	bool met : 1;	  /* was in one bridge with the other side */
	bool consult : 1; /* has been counted as an attempt to transfer */
	bool reached : 1; /* scratch of a walk */
	char uid[];
};

struct fold_bridge {
	struct fold_call *call;
	struct fold_bridge *next;
	bool old;  /* from before the call ended */
	char id[]; /* "" for a bridge whose id was not sent */
};

/* One of us in a call. Moments are milliseconds after the call's first event. */
struct fold_leg {
	const char *number;
	int32_t ringing, answered, ended;
	unsigned char rang, talked; /* the place in that order, from 1; 0: did not */
	bool mobile : 1;	    /* a phone of ours although not internal */
	bool follow_me : 1;
};

struct fold_transfer {
	const char *from, *to, *taker;
	struct fold_channel *by; /* the Local channel that showed it; NULL */
	int64_t at_ms;
	unsigned char kind, result; /* enum call_transfer_kind, _result */
	bool picked_up : 1;	    /* its target took the phone */
	bool follow_me : 1;
};

/* A call under one of its numbers, in the index. */
struct fold_ref {
	struct fold_call *call;
	struct fold_ref *next_of_call;
	struct fold_ref *next, *prev; /* under the same number, newest first */
	struct fold_number *number;
	bool ours;
};

struct fold_call {
	int64_t id;
	struct call_fold *fold;
	struct fold_channel *channels, *primary;
	struct fold_bridge *bridges;
	struct fold_ref *refs;
	struct fold_leg *legs;
	struct fold_transfer *transfers;
	const char **lines; /* outgoing: those that were tried before `line` */
	struct call *view;  /* what was last shown of it; NULL */
	const char *external, *caller, *callee, *talking, *line;
	const char *ours; /* our side, while the direction is not known */
	int64_t began_ms; /* by our clock; started_ms may come from the host's */
	int64_t started_ms, ended_ms, last_ms, closed_ms, talked_ms, idle_ms;
	int64_t left_ms; /* when our first leg hung up and the call went on without it */
	int64_t host_start_ms, host_end_ms, due_ms;
	int64_t shift_ms;		 /* from our clock to the host's, once ended */
	struct fold_call *older, *newer; /* among the ended */
	uint64_t seen;			 /* fingerprint of what people saw last */
	uint32_t heap_at;		 /* 1-based; 0: not in the heap */
	uint32_t touched;		 /* 1-based place in the list of changes; 0: none */
	uint32_t version, overflow;
	uint16_t channel_count, bridge_count;
	unsigned char leg_count, transfer_count, line_count;
	unsigned char direction, state; /* enum call_direction, call_state */
	short status;			/* of the final hangup; -1 */
	bool answered : 1;
	bool clicked : 1;      /* external_initiated */
	bool e164 : 1;	       /* `external` is a whole number: shown with a + */
	bool anchored : 1;     /* has a start or a dial of its own */
	bool conversation : 1; /* both sides were seen talking */
	bool own_hangup : 1;   /* its end was said, not guessed */
	bool leg_ended : 1;    /* a leg that had talked hung up */
	bool line_said : 1;    /* the line came from a trunk, not from a channel's name */
};

struct fold_change {
	struct fold_call *call;
	int64_t merged_into;
	char reason[FOLD_REASON_BYTES];
};

struct call_fold {
	char country[3];
	const struct number_rules *rules;
	struct number_transform retired[FOLD_MAX_RETIRED]; /* rules of before, newest first */
	unsigned max_open_calls;
	int64_t grace_ms, linger_ms, lost_ms;
	int64_t now_ms;
	struct keyset *calls, *channels, *bridges, *locals, *numbers;
	struct fold_call **heap; /* of open calls, by due_ms */
	size_t heap_count, heap_capacity;
	struct fold_spent spent;
	struct fold_ended told, guessed; /* ended by a hangup of their own, or by time alone */
	struct fold_change *changes;	 /* of this step */
	size_t change_count, change_capacity;
	struct call_change *items;
	int counting;		  /* how far the stream has proved that UniqueIds count */
	struct fold_views *views; /* that were shown since the last step */
	char warning[FOLD_REASON_BYTES];
};

#endif
