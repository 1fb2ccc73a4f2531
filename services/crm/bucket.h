/*
 * bucket: the arithmetic of a token bucket whose tokens may be taken in advance. Pure.
 *
 * Who takes is told how long to wait, and those who come after wait behind: so waits are fair without
 * a queue, and no rate is ever passed.
 */
#ifndef CRM_BUCKET_H
#define CRM_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket_rate {
	double units_per_second, burst;
};

/* Zeroed: full. */
struct bucket {
	struct bucket_rate rate;
	bool begun;
	double units;  /* below 0: taken in advance */
	int64_t at_ms; /* when that was so; in the future: closed until then */
};

/* How long until `weight` units may be used; nothing is taken. */
int64_t bucket_wait_ms(const struct bucket *bucket, unsigned weight, int64_t now_ms);

/* Take them, to be used after the wait that bucket_wait_ms() gave. */
void bucket_take(struct bucket *bucket, unsigned weight, int64_t now_ms);

/* The other side wants nothing before `until_ms`; after that it begins with one unit. */
void bucket_close(struct bucket *bucket, int64_t now_ms, int64_t until_ms);

#endif
