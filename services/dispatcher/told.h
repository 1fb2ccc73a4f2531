/*
 * told: the record of what was told: a row of delivery_log for each request that Telegram answered,
 * or failed to.
 *
 * Rows wait here for the writer's next commit, so that they cost no round trip of their own.
 */
#ifndef DISPATCHER_TOLD_H
#define DISPATCHER_TOLD_H

#include "courier.h"

struct pg_batch;

struct told {
	struct buf rows;   /* JSON; for the next commit */
	struct buf commit; /* in the commit under way, and again in the next when that fails */
	bool full;	   /* said once, until there is room again */
};

void told_init(struct told *told);
void told_free(struct told *told);

void told_add(struct dispatcher *d, const struct delivery *delivery, const struct errand *errand,
	enum telegram_outcome outcome, const char *words);

/* Add what there is to the writer's commit; afterwards say whether that was committed. */
void told_batch(struct told *told, struct pg_batch *batch, struct arena *arena);
void told_recorded(struct told *told, bool ok);

#endif
