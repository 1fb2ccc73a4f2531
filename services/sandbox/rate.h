/*
 * rate: Telegram's limits as arithmetic. Pure: the caller says what time it is.
 *
 * Per (bot, chat) a token bucket; per (bot, group) a sliding minute; per bot a token bucket of one
 * second's worth. The real numbers are soft and not published; these are the ones that its FAQ
 * names, with a burst of five messages for a chat. Sends and edits share them.
 */
#ifndef SANDBOX_RATE_H
#define SANDBOX_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate_limits {
	double chat_per_second;
	double chat_burst;
	int64_t group_per_minute; /* at most RATE_GROUP_MAX */
	double bot_per_second;	  /* also its burst */
	bool enabled;
};

#define RATE_GROUP_MAX	RATE_WINDOW_MAX
#define RATE_WINDOW_MAX 120
#define RATE_MAX	1000000 /* of anything a second */

/* What the real server is said to allow: 1/s with a burst of 5, 20 a minute, 30/s. */
struct rate_limits rate_default(void);

struct rate_bucket {
	double used; /* tokens that have not come back yet; 0 is a full bucket */
	int64_t at_ms;
};

struct rate_window {
	int64_t at_ms[RATE_WINDOW_MAX]; /* the last of them, a ring */
	unsigned next, count;
};

struct rate_chat {
	struct rate_bucket bucket;
	struct rate_window minute;
};

/* 0 and the message is counted; or how many milliseconds until it would be allowed, and nothing
 * changed. */
int64_t rate_take(const struct rate_limits *limits, struct rate_bucket *bot, struct rate_chat *chat,
	bool is_group, int64_t now_ms);

/* The parts, for other services' limits: how long until one more is allowed, 0 now; and to count it.
 * A bucket leaks `per_second`; a window takes `limit` (at most RATE_WINDOW_MAX) in any `span_ms`. */
int64_t rate_bucket_wait_ms(
	const struct rate_bucket *bucket, double per_second, double burst, int64_t now_ms);
void rate_bucket_take(struct rate_bucket *bucket, double per_second, int64_t now_ms);
int64_t rate_window_wait_ms(
	const struct rate_window *window, int64_t limit, int64_t span_ms, int64_t now_ms);
void rate_window_take(struct rate_window *window, int64_t now_ms);

#endif
