/*
 * fold_graph: the things the fold is made of. Private to model.
 *
 * A call owns its channels and bridges; a channel is in at most one bridge; the halves of a Local
 * channel are twins. Numbers are compared in one form: extensions as they are, others as digits
 * with the country code.
 */
#ifndef CALLWEAVE_FOLD_GRAPH_H
#define CALLWEAVE_FOLD_GRAPH_H

#include "call_fold.h"
#include "table.h"

enum { FOLD_MAX_RETIRED = 4 };
enum { FOLD_MAX_CHANNELS = 256, FOLD_MAX_BRIDGES = 256, FOLD_REASON_BYTES = 128 };

#define FOLD_MAX_MS (INT64_C(1) << 50) /* of wall time: beyond any calendar, far from overflow */

enum fold_kind { KIND_UNKNOWN, KIND_DEVICE, KIND_LOCAL_1, KIND_LOCAL_2 };

struct fold_channel {
	struct fold_call *call;
	struct fold_channel *next; /* of the call, in the order of appearance */
	struct fold_bridge *bridge;
	struct fold_channel *twin; /* the other half of a Local channel */
	char *uid;
	char *local; /* "Local/152@dialexecute-00000000"; NULL when it is none */
	enum fold_kind kind;
	char number[CALL_NUMBER_BYTES]; /* its own */
	char peer[CALL_NUMBER_BYTES];	/* whom it says it is connected to */
	bool hung_up;
	bool weak;    /* given to its call by numbers alone */
	bool linked;  /* was reached by the other side when that was last looked at */
	bool consult; /* has been counted as an attempt to transfer */
	bool reached; /* scratch of a walk */
};

struct fold_bridge {
	struct fold_call *call;
	struct fold_bridge *next;
	char *id; /* "" for a bridge whose id was not sent */
	bool old; /* from before the call ended */
};

/* A call under one of its numbers, in the index. */
struct fold_ref {
	struct fold_call *call;
	struct fold_ref *next_of_call;
	struct fold_ref *next, *prev; /* under the same number, newest first */
	char number[CALL_NUMBER_BYTES];
	bool ours;
};

struct fold_call {
	struct call pub; /* owns its lists */
	struct call_fold *fold;
	struct fold_channel *channels;
	struct fold_bridge *bridges;
	struct fold_channel *primary;
	struct fold_ref *refs;
	struct call_numbers mobiles;	  /* phones of legs that are ours although not internal */
	char external[CALL_NUMBER_BYTES]; /* as pub.external, in the form for comparing */
	char ours[CALL_NUMBER_BYTES];	  /* our side, while the direction is not known */
	unsigned channel_count, bridge_count, overflow;
	unsigned picked_up; /* bit i: the target of transfer i took the call */
	bool anchored;	    /* has a start or a dial of its own */
	bool conversation;  /* both sides were seen talking */
	bool own_hangup;    /* its end was said, not guessed */
	bool leg_ended;	    /* a leg that had talked hung up */
	bool line_said;	    /* the line came from a trunk, not from a channel's name */
	int64_t last_ms, closed_ms, talked_ms, idle_ms;
	int64_t left_ms; /* when our first leg hung up and the call went on without it */
	int64_t host_start_ms, host_end_ms;
	int64_t due_ms;
	size_t heap_at;			 /* 1-based; 0: not in the heap */
	struct fold_call *older, *newer; /* among the ended */
	uint64_t seen;			 /* fingerprint of what people saw last */
	size_t touched;			 /* 1-based place in the list of changes; 0: none */
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
	struct table *calls;	 /* id -> call */
	struct table *channels;	 /* UniqueId -> channel */
	struct table *bridges;	 /* BridgeUniqueid -> bridge */
	struct table *locals;	 /* name of a Local channel -> its first half */
	struct table *numbers;	 /* number -> first ref */
	struct fold_call **heap; /* of open calls, by due_ms */
	size_t heap_count, heap_capacity;
	struct fold_call *oldest_ended, *newest_ended;
	unsigned ended_count;
	struct fold_change *changes; /* of this step */
	size_t change_count, change_capacity;
	struct call_change *items;
	char warning[FOLD_REASON_BYTES];
};

/* One event on its way, with its numbers in the form for comparing. */
struct fold_step {
	struct call_fold *fold;
	const struct call_event *event;
	char phone[CALL_NUMBER_BYTES];
	char number[CALL_NUMBER_BYTES]; /* CallerIDNum */
	char peer[CALL_NUMBER_BYTES];	/* ConnectedLineNum, else what Exten says */
	char exten[CALL_NUMBER_BYTES];
	char extensions[CALL_EVENT_MAX_EXTENSIONS][CALL_NUMBER_BYTES]; /* without the trunk's id */
	unsigned extension_count;
};

#endif
