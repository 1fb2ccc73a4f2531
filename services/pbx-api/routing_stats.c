/*
 * routing_stats: see routing_stats.h.
 */
#include "routing_stats.h"

#include "alloc.h"
#include "json_put.h"

#include <stdlib.h>

enum { SAMPLES = 1000 }; /* the latest; latencies are of these */

struct routing_stats {
	int64_t requests, cache_hits, plans, failures;
	int32_t took_us[SAMPLES];
	struct metric *seconds, *hits, *routed, *failed;
};

struct routing_stats *routing_stats_new(struct metrics *metrics)
{
	struct routing_stats *stats = alloc_zeroed(1, sizeof(*stats));

	stats->seconds = metrics_histogram(metrics, "callweave_routing_seconds", NULL,
		"How long a PBX waited for a name and a route");
	stats->hits = metrics_counter(metrics, "callweave_routing_cache_hits_total", NULL,
		"Answers to PBXs that were given before");
	stats->routed = metrics_counter(metrics, "callweave_routing_plans_total", NULL,
		"Answers to PBXs that named a route");
	stats->failed = metrics_counter(metrics, "callweave_routing_incomplete_total", NULL,
		"Answers to PBXs given without all that should have been asked");
	return stats;
}

void routing_stats_free(struct routing_stats **stats)
{
	free(*stats);
	*stats = NULL;
}

void routing_stats_count(struct routing_stats *stats, const struct routing_counted *what)
{
	int64_t took_us = what->took_us < INT32_MAX ? what->took_us : INT32_MAX;

	stats->took_us[stats->requests++ % SAMPLES] = (int32_t)took_us;
	stats->cache_hits += what->from_cache;
	stats->plans += what->with_plan && !what->from_cache;
	stats->failures += what->failed;
	metric_observe(stats->seconds, (double)took_us / 1e6);
	metric_add(stats->hits, what->from_cache);
	metric_add(stats->routed, what->with_plan);
	metric_add(stats->failed, what->failed);
}

static int compare(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

static void put_double(struct json_writer *json, const char *name, double value)
{
	json_put_name(json, name);
	json_put_double(json, value);
}

void routing_stats_write(struct buf *to, const struct routing_stats *stats)
{
	size_t count = stats->requests < SAMPLES ? (size_t)stats->requests : SAMPLES;
	size_t middle = count / 2, late = count * 95 / 100;
	int32_t sorted[SAMPLES] = {0};
	struct json_writer json;

	memcpy(sorted, stats->took_us, count * sizeof(sorted[0]));
	qsort(sorted, count, sizeof(sorted[0]), compare);
	json_begin(&json, to);
	json_open_object(&json);
	json_put_member_int(&json, "requests_total", stats->requests);
	json_put_member_int(&json, "cache_hits", stats->cache_hits);
	json_put_member_int(&json, "dialplan_computed", stats->plans);
	json_put_member_int(&json, "errors_total", stats->failures);
	put_double(&json, "latency_p50_ms", (double)sorted[middle] / 1000);
	put_double(&json, "latency_p95_ms", (double)sorted[late] / 1000);
	put_double(&json, "error_rate",
		stats->requests > 0 ? (double)stats->failures / (double)stats->requests : 0);
	json_put_member_int(&json, "samples", (int64_t)count);
	json_close_object(&json);
}
