/*
 * call_fold: events in, calls out. Pure: no I/O and no clock of its own.
 *
 * One fold an enterprise. Its state is a graph: channels (by UniqueId) that enter and leave bridges
 * (by BridgeUniqueid) and belong to legs; a call is a connected part of it. Feeding the same
 * events in the same order always gives the same calls. Closed calls linger for a while so that
 * late and repeated events find them. Everything is bounded: beyond the limits the oldest open
 * calls end as lost, with a reason.
 */
#ifndef CALLWEAVE_CALL_FOLD_H
#define CALLWEAVE_CALL_FOLD_H

#include "call.h"
#include "number_rules.h"

struct call_fold;

struct call_fold_rules {
	const char *country;		    /* "BY": for national spellings; copied */
	const struct number_rules *numbers; /* borrowed; NULL: none */
	unsigned max_open_calls;	    /* 0: 20000 */
	int64_t grace_ms;		    /* all left, no hangup: ended after this; 0: 5 s */
	int64_t linger_ms; /* a closed call is remembered, 60 times as long where no hangup told its
			      end: it may have been on hold; 0: 10 min */
	int64_t lost_ms;   /* no event for so long: lost; 0: 4 h */
};

struct call_fold *call_fold_new(const struct call_fold_rules *rules);
void call_fold_free(struct call_fold **fold);

/* What a step changed: every call whose saved state is another now, also when nobody can see the
 * difference (its version then stays), so that what is stored is never behind the cursor. */
struct call_change {
	const struct call *call; /* valid until the next call of the fold */
	int64_t merged_into; /* 0; else: this call turned out to be part of that one and is gone */
	const char *reason;  /* "leg 151 answered: bridge c50e with +375..."; for the trace */
};
struct call_changes {
	const struct call_change *items;
	unsigned count;
	const char *warning; /* limits hit, impossible events: for the log; NULL */
};

/* Fold one event. `changes` lives until the next call. Never fails: nonsense changes nothing. */
void call_fold_event(
	struct call_fold *fold, const struct call_event *event, struct call_changes *changes);

/* Let time pass: graces and limits that ended by `now_ms` take effect. Before each event the fold
 * does this by itself, up to the event's time. */
void call_fold_tick(struct call_fold *fold, int64_t now_ms, struct call_changes *changes);
int64_t call_fold_due_ms(
	const struct call_fold *fold); /* next tick that matters; INT64_MAX: none */

/* Remember ended calls for another time from now on: less when memory gets short. */
void call_fold_set_linger(struct call_fold *fold, int64_t linger_ms);

/* Other numbering rules from now on: retire the old ones while they are still there, then set the
 * new ones. Open calls stay what they are, and know their numbers in the old spelling, too. */
void call_fold_retire_numbers(struct call_fold *fold);
void call_fold_set_numbers(
	struct call_fold *fold, const char *country, const struct number_rules *numbers);

/* Somebody who is shown with the call goes by another name: a new version, as if an event had told
 * something. False when the call is not open: nothing changed. */
bool call_fold_renew(
	struct call_fold *fold, int64_t call_id, const char *reason, struct call_changes *changes);

/* The whole state of one call as JSON, and back: so that a new owner of the partition goes on
 * exactly where the old one stopped. NULL id: false. */
bool call_fold_save(const struct call_fold *fold, int64_t call_id, struct buf *to);
bool call_fold_load(struct call_fold *fold, struct str saved, struct error *error);

const struct call *call_fold_find(const struct call_fold *fold, int64_t call_id);
/* Does this channel or bridge ("": none) belong to a call that has not ended? */
bool call_fold_has_open(const struct call_fold *fold, struct str unique_id, struct str bridge_id);
bool call_fold_has(const struct call_fold *fold, int64_t call_id);
unsigned call_fold_open(const struct call_fold *fold);	     /* calls that have not ended */
unsigned call_fold_remembered(const struct call_fold *fold); /* open and lingering */
unsigned call_fold_lingering(const struct call_fold *fold);  /* whose hangup ended them */
/* Let go of an ended call that somebody else has put right: what comes for it later is another's. */
void call_fold_forget(struct call_fold *fold, int64_t call_id);
/* For how long this call is remembered from its end on; 0: there is none. */
int64_t call_fold_linger_ms(const struct call_fold *fold, int64_t call_id);

#endif
