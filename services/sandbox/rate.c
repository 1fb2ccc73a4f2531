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

int64_t rate_bucket_wait_ms(
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

/* The message that is `limit` back must be a span old. A sliding window, not one that begins
 * anew each minute: that would let twice the limit through around its edge. */
int64_t rate_window_wait_ms(
	const struct rate_window *window, int64_t limit, int64_t span_ms, int64_t now_ms)
{
	int64_t oldest;

	if ((int64_t)window->count < limit)
		return 0;
	oldest =
		window->at_ms[(window->next + RATE_WINDOW_MAX - (unsigned)limit) % RATE_WINDOW_MAX];
	return oldest + span_ms > now_ms ? oldest + span_ms - now_ms : 0;
}

void rate_bucket_take(struct rate_bucket *bucket, double per_second, int64_t now_ms)
{
	bucket->used = used_now(bucket, per_second, now_ms) + 1;
	bucket->at_ms = now_ms;
}

void rate_window_take(struct rate_window *window, int64_t now_ms)
{
	window->at_ms[window->next] = now_ms;
	window->next = (window->next + 1) % RATE_WINDOW_MAX;
	if (window->count < RATE_WINDOW_MAX)
		window->count++;
}

int64_t rate_take(const struct rate_limits *limits, struct rate_bucket *bot, struct rate_chat *chat,
	bool is_group, int64_t now_ms)
{
	int64_t waits[3], longest = 0;

	/* All or nothing: a message that one limit refuses costs nothing in the others. */
	if (limits->enabled) {
		waits[0] = rate_bucket_wait_ms(
			bot, limits->bot_per_second, limits->bot_per_second, now_ms);
		waits[1] = rate_bucket_wait_ms(
			&chat->bucket, limits->chat_per_second, limits->chat_burst, now_ms);
		waits[2] = is_group ? rate_window_wait_ms(&chat->minute, limits->group_per_minute,
					      MINUTE_MS, now_ms)
				    : 0;
		for (int i = 0; i < 3; i++)
			longest = waits[i] > longest ? waits[i] : longest;
		if (longest > 0)
			return longest;
	}
	/* Counted even while the limits are off: a test then finds them as full as it made them. */
	rate_bucket_take(bot, limits->bot_per_second, now_ms);
	rate_bucket_take(&chat->bucket, limits->chat_per_second, now_ms);
	if (is_group)
		rate_window_take(&chat->minute, now_ms);
	return 0;
}
