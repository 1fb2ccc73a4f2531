/*
 * fold_private: the fold's graph, and what its files ask of each other. Private to model.
 *
 * A call owns its channels and bridges; a channel is in at most one bridge; the halves of a Local
 * channel are twins. Numbers are compared in one form: extensions as they are, others as digits
 * with the country code.
 */
#ifndef CALLWEAVE_FOLD_PRIVATE_H
#define CALLWEAVE_FOLD_PRIVATE_H

#include "call_fold.h"
#include "table.h"

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
	struct fold_channel *channels;
	struct fold_bridge *bridges;
	struct fold_channel *primary;
	const struct fold_channel *listed; /* the first of pub.unique_ids */
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
	bool primary_left;  /* our first leg is gone, the call goes on without it */
	int64_t last_ms, closed_ms, talked_ms, idle_ms;
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

/* fold_graph.c */
struct fold_channel *fold_channel_find(const struct call_fold *fold, struct str uid);
struct fold_channel *fold_channel_add(
	struct call_fold *fold, struct fold_call *call, struct str uid);
void fold_channel_describe(struct fold_step *step, struct fold_channel *channel);
void fold_channel_set_local(
	struct call_fold *fold, struct fold_channel *channel, struct str base, enum fold_kind kind);
void fold_channel_hang_up(struct fold_channel *channel);
void fold_channel_free(struct call_fold *fold, struct fold_channel *channel);
struct fold_channel *fold_twin_of(const struct call_fold *fold, struct str name);
#define FOLD_MAX_MS (INT64_C(1) << 50) /* of wall time: beyond any calendar, far from overflow */

enum fold_kind fold_kind_of(struct str name, struct str *base);
struct str fold_device_peer(struct str name); /* "151" of "SIP/151-00000006" */
struct fold_bridge *fold_bridge_find(const struct call_fold *fold, struct str id);
struct fold_bridge *fold_bridge_add(struct call_fold *fold, struct fold_call *call, struct str id);
void fold_bridge_free(struct call_fold *fold, struct fold_bridge *bridge);
unsigned fold_members(const struct fold_bridge *bridge);
void fold_reach(struct fold_call *call, struct fold_channel *from); /* sets `reached` */

/* fold_numbers.c */
void fold_canonical(const struct call_fold *fold, struct str number, char to[CALL_NUMBER_BYTES]);
bool fold_is_outside(const char *number); /* could be somebody on the telephone network */
bool fold_numbers_have(const struct call_numbers *numbers, const char *number);
bool fold_numbers_add(struct call_numbers *numbers, const char *number);
void fold_index(struct call_fold *fold, struct fold_call *call, const char *number, bool ours);
void fold_unindex(struct call_fold *fold, struct fold_call *call, bool ours_only);
struct fold_call *fold_by_external(
	const struct call_fold *fold, const char *number, const char *ours);
struct fold_call *fold_by_ours(const struct call_fold *fold, const char *number,
	bool (*fits)(const struct fold_call *call, const char *number));

/* fold_calls.c */
struct fold_call *fold_call_add(struct call_fold *fold, int64_t id, int64_t at_ms);
struct fold_call *fold_call_find(const struct call_fold *fold, int64_t id);
void fold_call_free(struct call_fold *fold, struct fold_call *call);
void fold_call_set_external(struct call_fold *fold, struct fold_call *call, struct str number);
void fold_call_set_line(struct fold_call *call, struct str trunk);
void fold_call_close(
	struct call_fold *fold, struct fold_call *call, enum call_state state, int64_t at_ms);
void fold_call_reopen(struct call_fold *fold, struct fold_call *call);
void fold_call_merge(struct call_fold *fold, struct fold_call *from, struct fold_call *into);
bool fold_call_closed(const struct fold_call *call);
void fold_touch(struct call_fold *fold, struct fold_call *call);
void fold_say(struct call_fold *fold, struct fold_call *call, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* fold_due.c */
void fold_due_set(struct call_fold *fold, struct fold_call *call, int64_t due_ms);
void fold_due_remove(struct call_fold *fold, struct fold_call *call);
void fold_due_update(struct call_fold *fold, struct fold_call *call); /* by the call's state */
void fold_ended_add(struct call_fold *fold, struct fold_call *call);
void fold_ended_remove(struct call_fold *fold, struct fold_call *call);

/* fold_resolve.c: which open call an event of an unknown UniqueId belongs to; NULL */
struct fold_call *fold_owner_of_channel(struct fold_step *step);
struct fold_call *fold_owner_of_leg(struct fold_step *step);
struct fold_call *fold_owner_of_hangup(struct fold_step *step);
struct fold_call *fold_owner_of_click(struct fold_step *step);
struct fold_call *fold_call_beside(
	const struct call_fold *fold, const struct fold_call *call, const char *extension);

/* fold_move.c */
bool fold_move_weak(struct call_fold *fold, struct fold_channel *channel, struct fold_call *into);

/* fold_talk.c */
void fold_talk(struct call_fold *fold, struct fold_call *call);
bool fold_is_other_side(const struct fold_call *call, const struct fold_channel *channel);
bool fold_is_ours(const struct fold_call *call, const struct fold_channel *channel);
struct fold_channel *fold_speaker(struct fold_call *call);
void fold_learn(struct fold_step *step, struct fold_call *call, const struct fold_channel *channel);

/* fold_transfer.c */
bool fold_transfer_pending(const struct fold_call *call, const char *from);
void fold_consult_seen(struct call_fold *fold, struct fold_channel *channel);
void fold_consult_undone(struct fold_call *call, struct fold_channel *channel);
void fold_consult_returned(struct call_fold *fold, const struct fold_channel *channel);
void fold_blind_seen(struct call_fold *fold, struct fold_call *call, const char *to);
bool fold_blind_pending(const struct fold_call *call);
void fold_picked_up(struct fold_call *call);
void fold_transfer_done(struct call_fold *fold, struct fold_call *call, const char *to);
void fold_transfer_hangup(struct fold_step *step, struct fold_call *call);
void fold_transfers_settle(struct fold_call *call);

/* call_fold.c */
void fold_call_settled(struct call_fold *fold, struct fold_call *call);

/* fold_hangup.c, fold_events.c */
typedef void fold_handler(struct fold_step *step); /* a function, not a struct */
fold_handler fold_on_start, fold_on_dial, fold_on_bridge, fold_on_leave, fold_on_destroy;
fold_handler fold_on_callerid, fold_on_hangup;
bool fold_release_closed(struct fold_step *step, struct fold_channel **channel);
struct fold_call *fold_new_call(struct fold_step *step, struct fold_channel **channel);
void fold_take_direction(struct fold_step *step, struct fold_call *call);

#endif
