/*
 * rates: who may send how much: a bucket for each enterprise and limit of the driver, and how many
 * requests are under way.
 *
 * What happens in the background has a bucket of its own within that, with a part of the rate, so that
 * it never holds up what people wait for.
 */
#ifndef CRM_RATES_H
#define CRM_RATES_H

#include "bucket.h"
#include "crm_driver.h"
#include "flow.h"

enum rate_share {
	RATE_LIVE,   /* calls, and what people wait for: all of the rate */
	RATE_LEARN,  /* a customer that is looked up after a call: half */
	RATE_MIRROR, /* keeping customers current: a tenth */
};
#define RATE_SHARES 3

struct rate {
	struct bucket buckets[RATE_SHARES]; /* [RATE_LIVE] counts all */
	unsigned under_way, at_once;
	struct flow_queue free; /* for a place among those under way */
};

struct rates;

/* `percent` of each limit is ours: other instances have the rest. */
struct rates *rates_new(const struct crm_driver *driver, unsigned percent);
void rates_free(struct rates **rates);

/* One for each enterprise and limit ever asked for: there are not more than enterprises. */
struct rate *rates_get(struct rates *rates, struct str enterprise, unsigned limit);

/* How long until `weight` units of a share may be used; nothing is taken. */
int64_t rate_wait_ms(
	const struct rate *rate, enum rate_share share, unsigned weight, int64_t now_ms);
void rate_take(struct rate *rate, enum rate_share share, unsigned weight, int64_t now_ms);
/* A turn that was given before it was closed does not count any more. */
bool rate_is_closed(const struct rate *rate, int64_t now_ms);
void rate_close(struct rate *rate, int64_t now_ms, int64_t for_ms);

#endif
