/* routing_cache, routing_stats: what is kept, for how long, how much of it; figures of what was told. */
#include "routing_cache.h"
#include "routing_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static void put(struct routing_cache *cache, const char *key, int64_t until_ms, const char *name)
{
	routing_cache_put(cache, str_from(key), 7, until_ms,
		&(struct routing_answer){.name = str_from(name), .plan = STR("mngr1_x_1")});
}

static bool holds(struct routing_cache *cache, const char *key, int64_t now_ms, const char *name)
{
	struct routing_answer answer = {0};

	return routing_cache_get(cache, str_from(key), 7, now_ms, &answer) &&
	       str_equal(answer.name, str_from(name)) && str_equal(answer.plan, STR("mngr1_x_1"));
}

static void an_answer_has_its_time(void **state)
{
	struct routing_cache *cache = routing_cache_new(10);
	struct routing_answer answer;

	assert_false(holds(cache, "a", 0, "A"));
	put(cache, "a", 100, "A");
	put(cache, "b", 100, "");
	assert_true(holds(cache, "a", 99, "A"));
	assert_true(holds(cache, "b", 99, ""));
	assert_false(holds(cache, "a", 100, "A"));
	assert_false(
		routing_cache_get(cache, STR("a"), 8, 50, &answer)); /* the enterprise changed */
	put(cache, "a", 200, "A2");
	assert_true(holds(cache, "a", 150, "A2"));
	assert_int_equal(routing_cache_clear(cache), 2);
	assert_false(holds(cache, "a", 150, "A2"));
	routing_cache_free(&cache);
}

static void the_oldest_go_first(void **state)
{
	struct routing_cache *cache = routing_cache_new(3);
	char key[16];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		put(cache, key, 100, "x");
	}
	assert_false(holds(cache, "996", 0, "x"));
	assert_true(holds(cache, "997", 0, "x") && holds(cache, "999", 0, "x"));
	put(cache, "997", 100, "anew"); /* drops the old 997, not the new one */
	assert_true(holds(cache, "997", 0, "anew"));
	put(cache, "1000", 100, "x");
	put(cache, "1001", 100, "x");
	assert_true(holds(cache, "997", 0, "anew"));
	assert_int_equal(routing_cache_clear(cache), 3);
	routing_cache_free(&cache);
}

static void figures_of_none_and_of_many(void **state)
{
	struct metrics *metrics = metrics_new();
	struct routing_stats *stats = routing_stats_new(metrics);
	struct buf text;

	buf_init(&text, 4096);
	routing_stats_write(&text, stats);
	assert_string_equal(text.data,
		"{\"requests_total\":0,\"cache_hits\":0,\"dialplan_computed\":0,\"errors_total\":0,"
		"\"latency_p50_ms\":0,\"latency_p95_ms\":0,\"error_rate\":0,\"samples\":0}");
	for (int i = 1; i <= 2000; i++) { /* the latest thousand: 1001..2000 us */
		struct routing_counted counted = {.took_us = i,
			.from_cache = i % 2 == 0,
			.with_plan = true,
			.failed = i % 4 == 0};
		routing_stats_count(stats, &counted);
	}
	buf_clear(&text);
	routing_stats_write(&text, stats);
	assert_string_equal(text.data,
		"{\"requests_total\":2000,\"cache_hits\":1000,\"dialplan_computed\":1000,"
		"\"errors_total\":500,\"latency_p50_ms\":1.501,\"latency_p95_ms\":1.951,"
		"\"error_rate\":0.25,\"samples\":1000}");
	buf_free(&text);
	routing_stats_free(&stats);
	metrics_free(&metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_has_its_time),
		cmocka_unit_test(the_oldest_go_first),
		cmocka_unit_test(figures_of_none_and_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
