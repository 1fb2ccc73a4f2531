/*
 * refold_changes: the comparison of a run with `calls`. Private to refold; what callers use of it stands in
 * refold.h.
 */
#ifndef CALLWEAVE_REFOLD_CHANGES_H
#define CALLWEAVE_REFOLD_CHANGES_H

#include "refold.h"

/* Compare: the statement gives counts. */
void refold_add_compare(struct pg_batch *batch, struct arena *arena);
void refold_take_counts(const struct pg_batch *batch, struct refold_counts *counts);

#endif
