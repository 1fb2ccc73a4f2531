/*
 * mulaw: see mulaw.h. A code is a float of eight bits: sign, three bits of exponent, four of
 * mantissa, all inverted, over a bias of 132 (ITU-T G.711, table 2b).
 */
#include "mulaw.h"

enum { BIAS = 132, CLIP = 32635, SIGN = 0x80 };

int16_t mulaw_decode(uint8_t code)
{
	unsigned bits = (uint8_t)~code;
	int magnitude = (int)((((bits & 0x0f) << 3) + BIAS) << ((bits & 0x70) >> 4)) - BIAS;

	return (int16_t)((bits & SIGN) != 0 ? -magnitude : magnitude);
}

uint8_t mulaw_encode(int16_t sample)
{
	unsigned sign = sample < 0 ? SIGN : 0;
	int magnitude = sample < 0 ? -(int)sample : sample;
	unsigned exponent = 7;

	magnitude = (magnitude > CLIP ? CLIP : magnitude) + BIAS;
	while (exponent > 0 && (magnitude >> (exponent + 7)) == 0)
		exponent--;
	return (uint8_t) ~(sign | exponent << 4 | (((unsigned)magnitude >> (exponent + 3)) & 0x0f));
}

void mulaw_decode_all(const uint8_t *codes, size_t count, int16_t *samples)
{
	for (size_t i = 0; i < count; i++)
		samples[i] = mulaw_decode(codes[i]);
}

void mulaw_encode_all(const int16_t *samples, size_t count, uint8_t *codes)
{
	for (size_t i = 0; i < count; i++)
		codes[i] = mulaw_encode(samples[i]);
}
