/*
 * metrics: families of one name, each a list of its label sets, printed in order of registration.
 */
#include "metrics.h"

#include "alloc.h"

#include <stdlib.h>

/* Seconds: from a tenth of a millisecond, an answer from memory, to a minute, which no ordinary
 * request outlives. Denser around the goals, 10 ms and 50 ms. */
static const double bucket_limits[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
	0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

enum { BUCKETS = sizeof(bucket_limits) / sizeof(bucket_limits[0]) };

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

/* Lists, for a program has dozens of metrics and looks them up at start only. */
struct metric {
	struct metric *next;
	enum kind kind;
	char *labels; /* "" for none */
	double value; /* histogram: the sum */
	uint64_t count;
	uint64_t *buckets; /* histogram: BUCKETS of them, each on its own, not summed up */
};

struct family {
	struct family *next;
	enum kind kind;
	char *name;
	char *help;
	struct metric *metrics;
};

struct metrics {
	struct family *families;
};

struct metrics *metrics_new(void)
{
	return alloc_zeroed(1, sizeof(struct metrics));
}

static void free_family(struct family *family)
{
	while (family->metrics != NULL) {
		struct metric *metric = family->metrics;

		family->metrics = metric->next;
		free(metric->labels);
		free(metric->buckets);
		free(metric);
	}
	free(family->name);
	free(family->help);
	free(family);
}

void metrics_free(struct metrics **metrics)
{
	if (*metrics == NULL)
		return;
	while ((*metrics)->families != NULL) {
		struct family *family = (*metrics)->families;

		(*metrics)->families = family->next;
		free_family(family);
	}
	free(*metrics);
	*metrics = NULL;
}

/* The family of a name, made at the end of the list when it is new: the order of registration is
 * the order of the output, and tests may compare it. */
static struct family *family_of(
	struct metrics *metrics, enum kind kind, const char *name, const char *help)
{
	struct family **at = &metrics->families;

	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at == NULL) {
		*at = alloc_zeroed(1, sizeof(**at));
		(*at)->kind = kind;
		(*at)->name = alloc_text(str_from(name));
		(*at)->help = alloc_text(str_from(help));
	}
	if ((*at)->kind != kind)
		abort(); /* one name, two types: a slip of the program, seen at its first start */
	return *at;
}

/* Twice the same labels are the same series: two of them would be refused by Prometheus. */
static struct metric *metric_of(struct family *family, const char *labels)
{
	struct metric **at = &family->metrics;

	while (*at != NULL && strcmp((*at)->labels, labels) != 0)
		at = &(*at)->next;
	if (*at != NULL)
		return *at;
	*at = alloc_zeroed(1, sizeof(**at));
	(*at)->kind = family->kind;
	(*at)->labels = alloc_text(str_from(labels));
	if (family->kind == KIND_HISTOGRAM)
		(*at)->buckets = alloc_zeroed(BUCKETS, sizeof(uint64_t));
	return *at;
}

struct metric *metrics_counter(
	struct metrics *metrics, const char *name, const char *labels, const char *help)
{
	return metric_of(
		family_of(metrics, KIND_COUNTER, name, help), labels != NULL ? labels : "");
}

struct metric *metrics_gauge(
	struct metrics *metrics, const char *name, const char *labels, const char *help)
{
	return metric_of(family_of(metrics, KIND_GAUGE, name, help), labels != NULL ? labels : "");
}

struct metric *metrics_histogram(
	struct metrics *metrics, const char *name, const char *labels, const char *help)
{
	return metric_of(
		family_of(metrics, KIND_HISTOGRAM, name, help), labels != NULL ? labels : "");
}

/* NULL is no metric: parts that a test starts without metrics need no ifs. */
void metric_add(struct metric *metric, double amount)
{
	if (metric != NULL)
		metric->value += amount;
}

void metric_set(struct metric *metric, double value)
{
	if (metric != NULL)
		metric->value = value;
}

void metric_observe(struct metric *metric, double seconds)
{
	size_t bucket = 0;

	if (metric == NULL || metric->buckets == NULL)
		return;
	metric->value += seconds;
	metric->count++;
	/* Linear: most observations end within the first few buckets. */
	while (bucket < BUCKETS && seconds > bucket_limits[bucket])
		bucket++;
	if (bucket < BUCKETS)
		metric->buckets[bucket]++;
}

double metric_value(const struct metric *metric)
{
	if (metric == NULL)
		return 0;
	return metric->kind == KIND_HISTOGRAM ? (double)metric->count : metric->value;
}

/* name_suffix{labels,le="0.1"}, without what is empty. */
static void print_name(struct buf *to, const struct family *family, const char *suffix,
	const char *labels, const char *limit)
{
	buf_add(to, str_from(family->name));
	buf_add(to, str_from(suffix));
	if (labels[0] == '\0' && limit == NULL)
		return;
	buf_add_char(to, '{');
	buf_add(to, str_from(labels));
	if (limit != NULL)
		buf_printf(to, "%sle=\"%s\"", labels[0] != '\0' ? "," : "", limit);
	buf_add_char(to, '}');
}

static void print_value(struct buf *to, double value)
{
	buf_add_char(to, ' ');
	buf_add_double(to, value);
	buf_add_char(to, '\n');
}

static void print_bucket(struct buf *to, const struct family *family, const struct metric *metric,
	const char *limit, uint64_t count)
{
	print_name(to, family, "_bucket", metric->labels, limit);
	print_value(to, (double)count);
}

/* Buckets are cumulative in the output, but not in memory: an observation touches one counter. */
static void print_histogram(
	struct buf *to, const struct family *family, const struct metric *metric)
{
	struct buf limit;
	uint64_t sum = 0;

	buf_init(&limit, 64);
	for (size_t i = 0; i < BUCKETS; i++) {
		sum += metric->buckets[i];
		buf_clear(&limit);
		buf_add_double(&limit, bucket_limits[i]);
		print_bucket(to, family, metric, limit.data, sum);
	}
	buf_free(&limit);
	print_bucket(to, family, metric, "+Inf", metric->count);
	print_name(to, family, "_sum", metric->labels, NULL);
	print_value(to, metric->value);
	print_name(to, family, "_count", metric->labels, NULL);
	print_value(to, (double)metric->count);
}

/* The exposition format escapes only these two in help texts. */
static void print_help(struct buf *to, const struct family *family)
{
	buf_printf(to, "# HELP %s ", family->name);
	for (const char *at = family->help; *at != '\0'; at++) {
		if (*at == '\n')
			buf_add(to, STR("\\n"));
		else if (*at == '\\')
			buf_add(to, STR("\\\\"));
		else
			buf_add_char(to, *at);
	}
	buf_printf(to, "\n# TYPE %s %s\n", family->name, kind_names[family->kind]);
}

void metrics_print(struct buf *to, const struct metrics *metrics)
{
	for (const struct family *family = metrics->families; family; family = family->next) {
		print_help(to, family);
		for (const struct metric *metric = family->metrics; metric; metric = metric->next) {
			if (family->kind == KIND_HISTOGRAM) {
				print_histogram(to, family, metric);
				continue;
			}
			print_name(to, family, "", metric->labels, NULL);
			print_value(to, metric->value);
		}
	}
}
