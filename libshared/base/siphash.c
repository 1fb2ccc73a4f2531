/*
 * siphash: written from the paper, with the rounds as parameters so that the paper's own test
 * vectors (which are for 2-4) prove the code that tables use with 1-3.
 */
#include "siphash.h"

#include <endian.h>
#include <string.h>

/* https://www.aumasson.jp/siphash/siphash.pdf, section 2; v0 to v3 are its names. */
struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

/* The paper's SipRound. */
static inline void rounds(struct state *s, int count)
{
	while (count-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

/* Compression of one word of 64 bits. */
static inline void take_word(struct state *s, uint64_t word, int compress)
{
	s->v3 ^= word;
	rounds(s, compress);
	s->v0 ^= word;
}

uint64_t siphash(
	const struct siphash_key *key, const void *data, size_t size, int compress, int finish)
{
	const unsigned char *bytes = data;
	/* "somepseudorandomlygeneratedbytes", as the paper has it. */
	struct state s = {
		key->k0 ^ 0x736f6d6570736575u,
		key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u,
		key->k1 ^ 0x7465646279746573u,
	};
	uint64_t word;
	size_t at = 0;

	/* memcpy() and not a cast: keys lie at any address. */
	for (; size - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		take_word(&s, le64toh(word), compress);
	}
	/* The last word ends with the size, so that trailing zeros count. */
	word = (uint64_t)size << 56;
	for (size_t i = at; i < size; i++)
		word |= (uint64_t)bytes[i] << (8 * (i - at));
	take_word(&s, word, compress);
	/* Finalization, section 2.3. */
	s.v2 ^= 0xff;
	rounds(&s, finish);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
