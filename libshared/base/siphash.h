/*
 * siphash: a keyed hash of bytes for hash tables (Aumasson and Bernstein, 2012). Private to base.
 */
#ifndef CALLWEAVE_SIPHASH_H
#define CALLWEAVE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

/* SipHash-c-d with 64 bits of result: `compress` rounds a word, `finish` rounds at the end. */
uint64_t siphash(
	const struct siphash_key *key, const void *data, size_t size, int compress, int finish);

/* One round a word and three at the end: enough against chosen collisions, and twice as fast. */
static inline uint64_t siphash13(const struct siphash_key *key, const void *data, size_t size)
{
	return siphash(key, data, size, 1, 3);
}

#endif
