/*
 * fold_past: what the fold keeps of calls that are over. Private to the fold.
 */
#ifndef CALLWEAVE_FOLD_PAST_H
#define CALLWEAVE_FOLD_PAST_H

#include "str.h"

#include <stdbool.h>
#include <stdint.h>

struct call_fold;
struct fold_call;

/* UniqueIds (their hashes) of channels that have hung up and were forgotten with their calls: hosts post
 * hangups again, minutes later. A ring; the oldest go first. */
enum { FOLD_MAX_SPENT = 1024 };
struct fold_spent {
	uint64_t *items; /* NULL: none yet */
	unsigned count;	 /* so far; the next place is count % FOLD_MAX_SPENT */
};

/* Ended calls that are still remembered, by closed_ms. */
struct fold_ended {
	struct fold_call *oldest, *newest;
	unsigned count;
};

void fold_spent_add(struct call_fold *fold, const struct fold_call *call);
bool fold_is_spent(const struct call_fold *fold, struct str uid);

#endif
