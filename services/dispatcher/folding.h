/*
 * folding: one call_fold an enterprise, and what a round of events changed in them.
 */
#ifndef DISPATCHER_FOLDING_H
#define DISPATCHER_FOLDING_H

#include "call_fold.h"
#include "reader.h"
#include "table.h"

struct dispatcher;

struct enterprise_fold {
	char *number;
	unsigned shard;
	struct call_fold *fold;
};

/* Why a call is as it is, for calls.trace. */
struct change_reason {
	int64_t event_id; /* 0: time passed */
	int64_t at_ms;
	const char *words;
	struct change_reason *next;
};

/* What a round made of one call. */
struct change {
	struct enterprise_fold *of;
	int64_t call_id;
	int64_t merged_into; /* 0: it lives */
	bool is_new;	     /* began in this round */
	const char *trace, *data_source;
	int64_t since_ms; /* arrival of the event that changed it last */
	struct change_reason *reasons, **last_reason;
	unsigned reason_count;
	/* As it was when it ended: the fold may have forgotten it before the round is stored. */
	const struct call *ended;
	const char *ended_saved;
};

/* The call as it is now, or as it ended; NULL: nothing of it is left. */
const struct call *change_call(const struct change *change);

/* The changes of a round, in the round's arena. */
struct changes {
	struct arena *arena;
	struct table *by_call; /* id -> change */
	struct change **items;
	unsigned count, capacity;
};

struct folding {
	struct table *enterprises; /* number -> enterprise_fold */
	int64_t ticked_ms;	   /* monotonic: last look at what is due */
	int64_t hold_ticks_until_ms;
	int64_t linger_ms, pressed_ms; /* shorter than the setting while there are too many */
};

void folding_init(struct folding *folding, int64_t linger_ms);
void folding_free(struct folding *folding);

void changes_begin(struct changes *changes, struct arena *arena);
void changes_end(struct changes *changes);

/* Fold one event of the log; one that cannot be read is skipped with a warning. */
void folding_event(struct dispatcher *d, const struct log_event *event, struct changes *changes);

/* Let time pass in all folds, when it is time for it. */
void folding_tick(struct dispatcher *d, struct changes *changes);

bool folding_load(struct dispatcher *d, unsigned shard, struct str enterprise, struct str saved,
	struct error *error);
void folding_drop_shard(struct folding *folding, unsigned shard);

/* An open call is to be told anew: who is at its other side goes by another name. False: not open, or
 * not ours. */
bool folding_renew(
	struct dispatcher *d, struct str enterprise, int64_t call_id, struct changes *changes);
const struct call *folding_find(const struct dispatcher *d, struct str enterprise, int64_t call_id);
/* An ended call that refolding has put right. */
void folding_forget(struct dispatcher *d, struct str enterprise, int64_t call_id);
bool folding_remembers(const struct dispatcher *d, struct str enterprise, int64_t call_id);

/* Numbering rules live in the directory's copy: all folds let go of it before it is freed, and take up
 * the next one. */
void folding_retire_numbers(struct dispatcher *d);
void folding_set_numbers(struct dispatcher *d);

/* Keep the number of ended calls in memory within its bound. */
void folding_press(struct dispatcher *d);

/* Free the folds of enterprises without calls, and count: for maintenance. */
void folding_sweep(struct dispatcher *d);

#endif
