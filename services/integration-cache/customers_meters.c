/*
 * customers_meters: the statistics of look-ups, as metrics.
 */
#include "customers_private.h"

static struct metric *lookups(struct metrics *metrics, const char *labels)
{
	return metrics_counter(metrics, "callweave_customer_lookups_total", labels,
		"Look-ups of customers by layer; a miss goes on to the next one");
}

void customers_meters_start(struct customers *customers)
{
	struct metrics *metrics = service_metrics(customers->cache->service);

	customers->meters = (struct customers_meters){
		.memory_hits = lookups(metrics, "layer=\"memory\",result=\"hit\""),
		.memory_misses = lookups(metrics, "layer=\"memory\",result=\"miss\""),
		.redis_hits = lookups(metrics, "layer=\"redis\",result=\"hit\""),
		.redis_misses = lookups(metrics, "layer=\"redis\",result=\"miss\""),
		.database_hits = lookups(metrics, "layer=\"database\",result=\"hit\""),
		.database_misses = lookups(metrics, "layer=\"database\",result=\"miss\""),
		.crm_asked = metrics_counter(metrics, "callweave_customers_asked_total", NULL,
			"Numbers that CRMs were asked for in the background"),
		.kept = metrics_gauge(
			metrics, "callweave_customers_kept", NULL, "Customers in memory"),
	};
}
