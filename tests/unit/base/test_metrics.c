/* metrics: the exact text that Prometheus reads. */
#include "metrics.h"

#include "check.h"

static void counters_and_gauges_are_printed(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric *dial = metrics_counter(
		metrics, "callweave_events_total", "type=\"dial\"", "Events that were stored.");
	struct metric *queue = metrics_gauge(metrics, "callweave_queue", NULL, "Waiting.");
	struct metric *hangup = metrics_counter(
		metrics, "callweave_events_total", "type=\"hangup\"", "Events that were stored.");
	struct buf buf;

	metric_add(dial, 1);
	metric_add(dial, 2);
	metric_add(hangup, 1);
	metric_set(queue, 7.5);
	metric_add(queue, -1);
	assert_true(metric_value(dial) == 3);
	assert_true(metric_value(queue) == 6.5);
	buf_init(&buf, 10000);
	metrics_print(&buf, metrics);
	assert_string_equal(buf.data, "# HELP callweave_events_total Events that were stored.\n"
				      "# TYPE callweave_events_total counter\n"
				      "callweave_events_total{type=\"dial\"} 3\n"
				      "callweave_events_total{type=\"hangup\"} 1\n"
				      "# HELP callweave_queue Waiting.\n"
				      "# TYPE callweave_queue gauge\n"
				      "callweave_queue 6.5\n");
	buf_free(&buf);
	metrics_free(&metrics);
	assert_null(metrics);
	metrics_free(&metrics);
}

static void the_same_name_and_labels_are_the_same_metric(void **state)
{
	struct metrics *metrics = metrics_new();
	char name[] = "callweave_x_total";
	char labels[] = "a=\"1\"";
	struct metric *first = metrics_counter(metrics, name, labels, "Help.");
	struct metric *plain = metrics_counter(metrics, name, NULL, "Help.");

	assert_ptr_not_equal(first, plain);
	assert_ptr_equal(plain, metrics_counter(metrics, name, "", "Help."));
	name[0] = 'x'; /* both are copied */
	labels[0] = 'x';
	assert_ptr_equal(first, metrics_counter(metrics, "callweave_x_total", "a=\"1\"", "Help."));
	metrics_free(&metrics);
}

static void histograms_count_up(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric *histogram =
		metrics_histogram(metrics, "callweave_t_seconds", "type=\"dial\"", "Time.");
	struct buf buf;

	metric_observe(histogram, 0);
	metric_observe(histogram, 0.0001); /* a limit belongs to its bucket */
	metric_observe(histogram, 0.0003);
	metric_observe(histogram, 0.3);
	metric_observe(histogram, 1000);
	assert_true(metric_value(histogram) == 5);
	buf_init(&buf, 10000);
	metrics_print(&buf, metrics);
	assert_string_equal(buf.data, "# HELP callweave_t_seconds Time.\n"
				      "# TYPE callweave_t_seconds histogram\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.0001\"} 2\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.00025\"} 2\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.0005\"} 3\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.001\"} 3\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.0025\"} 3\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.005\"} 3\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.01\"} 3\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.025\"} 3\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.05\"} 3\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.1\"} 3\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.25\"} 3\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"0.5\"} 4\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"1\"} 4\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"2.5\"} 4\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"5\"} 4\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"10\"} 4\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"30\"} 4\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"60\"} 4\n"
				      "callweave_t_seconds_bucket{type=\"dial\",le=\"+Inf\"} 5\n"
				      "callweave_t_seconds_sum{type=\"dial\"} 1000.3004\n"
				      "callweave_t_seconds_count{type=\"dial\"} 5\n");
	buf_free(&buf);
	metrics_free(&metrics);
}

static void help_is_escaped(void **state)
{
	struct metrics *metrics = metrics_new();
	struct buf buf;

	metrics_gauge(metrics, "callweave_x", NULL, "One\\two\nthree \"four\"");
	buf_init(&buf, 1000);
	metrics_print(&buf, metrics);
	assert_string_equal(buf.data,
		"# HELP callweave_x One\\\\two\\nthree \"four\"\n# TYPE callweave_x gauge\n"
		"callweave_x 0\n");
	buf_free(&buf);
	metrics_free(&metrics);
}

static void null_is_allowed(void **state)
{
	metric_add(NULL, 1);
	metric_set(NULL, 1);
	metric_observe(NULL, 1);
	assert_true(metric_value(NULL) == 0);
}

static void register_twice(void)
{
	struct metrics *metrics = metrics_new();

	metrics_gauge(metrics, "callweave_x", NULL, "Help.");
	metrics_counter(metrics, "callweave_x", NULL, "Help.");
}

static void one_name_has_one_type(void **state)
{
	assert_true(check_aborts(register_twice));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_and_gauges_are_printed),
		cmocka_unit_test(the_same_name_and_labels_are_the_same_metric),
		cmocka_unit_test(histograms_count_up),
		cmocka_unit_test(help_is_escaped),
		cmocka_unit_test(null_is_allowed),
		cmocka_unit_test(one_name_has_one_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
