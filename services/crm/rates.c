/*
 * rates: see rates.h.
 */
#include "rates.h"

#include "alloc.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

enum { AT_ONCE = 4, KEY_BYTES = 80 };

static const double parts[RATE_SHARES] = {
	[RATE_LIVE] = 1.0, [RATE_LEARN] = 0.5, [RATE_MIRROR] = 0.1};

struct rates {
	const struct crm_driver *driver;
	double part; /* of each limit that is ours */
	struct table *table;
};

struct rates *rates_new(const struct crm_driver *driver, unsigned percent)
{
	struct rates *rates = alloc_zeroed(1, sizeof(*rates));

	rates->driver = driver;
	rates->part = percent / 100.0;
	rates->table = table_new();
	return rates;
}

void rates_free(struct rates **rates)
{
	size_t at = 0;
	void *rate;

	if (*rates == NULL)
		return;
	while (table_next((*rates)->table, &at, NULL, &rate))
		free(rate);
	table_free(&(*rates)->table);
	free(*rates);
	*rates = NULL;
}

/* A burst below one unit would never let anything through. */
static struct bucket_rate part_of(const struct crm_limit *limit, double part)
{
	struct bucket_rate rate = {
		.units_per_second = limit->units_per_second * part, .burst = limit->burst * part};

	if (rate.burst < 1)
		rate.burst = 1;
	return rate;
}

static struct rate *rate_new(const struct rates *rates, unsigned limit)
{
	const struct crm_limit *of = &rates->driver->limits[limit];
	struct rate *rate = alloc_zeroed(1, sizeof(*rate));

	for (int share = 0; share < RATE_SHARES; share++)
		rate->buckets[share].rate = part_of(of, rates->part * parts[share]);
	rate->at_once = of->at_once > 0 ? of->at_once : AT_ONCE;
	flow_queue_init(&rate->free);
	return rate;
}

struct rate *rates_get(struct rates *rates, struct str enterprise, unsigned limit)
{
	char key[KEY_BYTES];
	struct rate *rate;

	limit = limit < CRM_MAX_LIMITS ? limit : 0;
	(void)snprintf(key, sizeof(key), "%u %.*s", limit, STR_ARG(enterprise));
	rate = table_get(rates->table, str_from(key));
	if (rate == NULL) {
		rate = rate_new(rates, limit);
		(void)table_put(rates->table, str_from(key), rate);
	}
	return rate;
}

int64_t rate_wait_ms(
	const struct rate *rate, enum rate_share share, unsigned weight, int64_t now_ms)
{
	int64_t all_ms = bucket_wait_ms(&rate->buckets[RATE_LIVE], weight, now_ms);
	int64_t share_ms = bucket_wait_ms(&rate->buckets[share], weight, now_ms);

	return share_ms > all_ms ? share_ms : all_ms;
}

void rate_take(struct rate *rate, enum rate_share share, unsigned weight, int64_t now_ms)
{
	bucket_take(&rate->buckets[RATE_LIVE], weight, now_ms);
	if (share != RATE_LIVE)
		bucket_take(&rate->buckets[share], weight, now_ms);
}

bool rate_is_closed(const struct rate *rate, int64_t now_ms)
{
	return rate->buckets[RATE_LIVE].at_ms > now_ms;
}

void rate_close(struct rate *rate, int64_t now_ms, int64_t for_ms)
{
	bucket_close(&rate->buckets[RATE_LIVE], now_ms, now_ms + for_ms);
}
