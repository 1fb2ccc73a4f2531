/*
 * pbx_random: splitmix64 (Steele, Lea, Flood 2014): one word of state, good enough for plans.
 */
#include "pbx_random.h"

uint64_t pbx_random_next(struct pbx_random *random)
{
	uint64_t mixed = random->state += 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
	return mixed ^ (mixed >> 31);
}

/* The bias of the modulo is below 2^-32 for the limits that are used here. */
unsigned pbx_below(struct pbx_random *random, unsigned limit)
{
	return limit > 1 ? (unsigned)(pbx_random_next(random) % limit) : 0;
}

bool pbx_chance(struct pbx_random *random, unsigned percent)
{
	return pbx_below(random, 100) < percent;
}

int64_t pbx_between(struct pbx_random *random, int64_t low, int64_t high)
{
	return low + (int64_t)(pbx_random_next(random) % (uint64_t)(high - low + 1));
}
