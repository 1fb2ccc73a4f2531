/*
 * rate: arithmetic without a clock, so that a unit test can walk through an hour at once. Exact
 * where the real server is vague: a test must be able to foretell each 429.
 */
#include "rate.h"

#define MINUTE_MS 60000

struct rate_limits rate_default(void)
{
	return (struct rate_limits){.chat_per_second = 1,
		.chat_burst = 5,
		.group_per_minute = 20,
		.bot_per_second = 30,
		.enabled = true};
}

/* Leaks at its rate since it was last written; nobody has to tick for that. */
static double used_now(const struct rate_bucket *bucket, double per_second, int64_t now_ms)
{
	/* The caller's clock is the wall's: set back, it must not make anybody wait longer. */
	int64_t passed_ms = now_ms > bucket->at_ms ? now_ms - bucket->at_ms : 0;
	double back = (double)passed_ms * per_second / 1000;

	return bucket->used > back ? bucket->used - back : 0;
}

static int64_t bucket_wait_ms(
	const struct rate_bucket *bucket, double per_second, double burst, int64_t now_ms)
{
	double missing = used_now(bucket, per_second, now_ms) + 1 - burst;

	/* A rounding error must not cost a client that kept to the rate. */
	if (missing <= 1e-6)
		return 0;
	/* Rounded up, less than a microsecond forgiven: a client that waits exactly so long gets
	 * through. */
	return (int64_t)(missing * 1000 / per_second - 1e-3) + 1;
}

/* The message that is `limit` back must be a minute old. A sliding window, not one that begins
 * anew each minute: that would let twice the limit through around its edge. */
static int64_t minute_wait_ms(const struct rate_minute *minute, int64_t limit, int64_t now_ms)
{
	int64_t oldest;

	if ((int64_t)minute->count < limit)
		return 0;
	oldest = minute->at_ms[(minute->next + RATE_GROUP_MAX - (unsigned)limit) % RATE_GROUP_MAX];
	return oldest + MINUTE_MS > now_ms ? oldest + MINUTE_MS - now_ms : 0;
}

static void bucket_take(struct rate_bucket *bucket, double per_second, int64_t now_ms)
{
	bucket->used = used_now(bucket, per_second, now_ms) + 1;
	bucket->at_ms = now_ms;
}

static void minute_take(struct rate_minute *minute, int64_t now_ms)
{
	minute->at_ms[minute->next] = now_ms;
	minute->next = (minute->next + 1) % RATE_GROUP_MAX;
	if (minute->count < RATE_GROUP_MAX)
		minute->count++;
}

int64_t rate_take(const struct rate_limits *limits, struct rate_bucket *bot, struct rate_chat *chat,
	bool is_group, int64_t now_ms)
{
	int64_t waits[3], longest = 0;

	/* All or nothing: a message that one limit refuses costs nothing in the others. */
	if (limits->enabled) {
		waits[0] =
			bucket_wait_ms(bot, limits->bot_per_second, limits->bot_per_second, now_ms);
		waits[1] = bucket_wait_ms(
			&chat->bucket, limits->chat_per_second, limits->chat_burst, now_ms);
		waits[2] = is_group
				   ? minute_wait_ms(&chat->minute, limits->group_per_minute, now_ms)
				   : 0;
		for (int i = 0; i < 3; i++)
			longest = waits[i] > longest ? waits[i] : longest;
		if (longest > 0)
			return longest;
	}
	/* Counted even while the limits are off: a test then finds them as full as it made them. */
	bucket_take(bot, limits->bot_per_second, now_ms);
	bucket_take(&chat->bucket, limits->chat_per_second, now_ms);
	if (is_group)
		minute_take(&chat->minute, now_ms);
	return 0;
}
