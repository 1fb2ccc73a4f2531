/*
 * fold_spent: channels that have hung up, for longer than their calls are remembered. Private to the fold.
 */
#ifndef CALLWEAVE_FOLD_SPENT_H
#define CALLWEAVE_FOLD_SPENT_H

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

void fold_spent_add(struct call_fold *fold, const struct fold_call *call);
bool fold_is_spent(const struct call_fold *fold, struct str uid);

#endif
