/*
 * routing_stats: how the port for PBXs does: for people as JSON, for Prometheus on the main port.
 */
#ifndef PBX_API_ROUTING_STATS_H
#define PBX_API_ROUTING_STATS_H

#include "metrics.h"

#include <stdbool.h>
#include <stdint.h>

struct routing_stats;

struct routing_stats *routing_stats_new(struct metrics *metrics);
void routing_stats_free(struct routing_stats **stats);

struct routing_counted {
	bool from_cache, with_plan, failed;
	int64_t took_us;
};
void routing_stats_count(struct routing_stats *stats, const struct routing_counted *what);

/* {"requests_total", "cache_hits", "dialplan_computed", "errors_total", "latency_p50_ms",
 * "latency_p95_ms", "error_rate", "samples"} */
void routing_stats_write(struct buf *to, const struct routing_stats *stats);

#endif
