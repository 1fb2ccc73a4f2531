/*
 * meters: what the dispatcher counts, for /metrics.
 */
#ifndef DISPATCHER_METERS_H
#define DISPATCHER_METERS_H

#include "metrics.h"
#include "telegram.h"

/* One result more than Telegram's outcomes: no answer to a request that may be repeated. */
enum { METER_UNKNOWN = TELEGRAM_UNCLEAR, METER_RESULTS };

struct meters {
	struct metric *folded, *skipped, *commits, *reloads;
	struct metric *commit_seconds;
	struct metric *lag_seconds, *horizon_seconds;
	struct metric *shards, *open_calls, *remembered_calls;
	struct metric *outbox_depth, *outbox_oldest, *live_calls;
	struct metric *attempts[METER_RESULTS];
	struct metric *latency_seconds;
	struct metric *throttled, *unknown, *dead, *degraded;
};

void meters_init(struct meters *meters, struct metrics *metrics);

#endif
