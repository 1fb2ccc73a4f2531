/*
 * metrics: counters, gauges and histograms, printed in Prometheus' text format.
 *
 * Names follow prometheus.io/docs/practices/naming: prefix callweave_, base units, _total for
 * counters. Labels are given at registration as text ({type="dial"}), so that their number is
 * bounded by the program. A metric belongs to its registry.
 */
#ifndef CALLWEAVE_METRICS_H
#define CALLWEAVE_METRICS_H

#include "buf.h"

struct metrics;
struct metric;

struct metrics *metrics_new(void);
void metrics_free(struct metrics **metrics);

/* `labels` is NULL or `type="dial"`. Registering the same name and labels again gives the same
 * metric. Names and labels are copied. */
struct metric *metrics_counter(
	struct metrics *metrics, const char *name, const char *labels, const char *help);
struct metric *metrics_gauge(
	struct metrics *metrics, const char *name, const char *labels, const char *help);
/* Buckets from 0.1 ms to 60 s, in seconds. */
struct metric *metrics_histogram(
	struct metrics *metrics, const char *name, const char *labels, const char *help);

void metric_add(struct metric *metric, double amount);	    /* counter, gauge; NULL is allowed */
void metric_set(struct metric *metric, double value);	    /* gauge */
void metric_observe(struct metric *metric, double seconds); /* histogram */
double metric_value(const struct metric *metric);

void metrics_print(struct buf *to, const struct metrics *metrics);

#endif
