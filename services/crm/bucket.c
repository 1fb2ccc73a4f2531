/*
 * bucket: see bucket.h. Times are of the loop's clock, in milliseconds.
 */
#include "bucket.h"

/* The bucket as it is at `now_ms`, or when it opens again. */
static struct bucket filled(const struct bucket *bucket, int64_t now_ms)
{
	struct bucket after = *bucket;

	if (!bucket->begun) {
		after.begun = true;
		after.units = bucket->rate.burst;
		after.at_ms = now_ms;
	} else if (now_ms > bucket->at_ms) {
		after.units +=
			(double)(now_ms - bucket->at_ms) / 1000.0 * bucket->rate.units_per_second;
		if (after.units > bucket->rate.burst)
			after.units = bucket->rate.burst;
		after.at_ms = now_ms;
	}
	return after;
}

int64_t bucket_wait_ms(const struct bucket *bucket, unsigned weight, int64_t now_ms)
{
	struct bucket after = filled(bucket, now_ms);
	double missing = (double)weight - after.units;
	int64_t wait_ms = after.at_ms - now_ms;

	/* A thousandth of a millisecond is an error of rounding; anything above is waited for. */
	if (missing > 0)
		wait_ms += (int64_t)(missing * 1000.0 / bucket->rate.units_per_second + 0.999);
	return wait_ms;
}

void bucket_take(struct bucket *bucket, unsigned weight, int64_t now_ms)
{
	*bucket = filled(bucket, now_ms);
	bucket->units -= weight;
}

void bucket_close(struct bucket *bucket, int64_t now_ms, int64_t until_ms)
{
	*bucket = filled(bucket, now_ms);
	if (bucket->units > 1)
		bucket->units = 1;
	if (until_ms > bucket->at_ms)
		bucket->at_ms = until_ms;
}
