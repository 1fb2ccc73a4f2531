/*
 * pbx_random: chance that can be repeated: the same seed gives the same telephone day.
 */
#ifndef PBX_RANDOM_H
#define PBX_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct pbx_random {
	uint64_t state;
};

uint64_t pbx_random_next(struct pbx_random *random);
unsigned pbx_below(struct pbx_random *random, unsigned limit); /* 0 .. limit - 1 */
bool pbx_chance(struct pbx_random *random, unsigned percent);
int64_t pbx_between(struct pbx_random *random, int64_t low, int64_t high); /* both included */

#endif
