/*
 * resample: one rate of samples into another, over pieces, without clicks between them (speexdsp).
 */
#ifndef CALLWEAVE_RESAMPLE_H
#define CALLWEAVE_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct resampler;

struct resampler *resampler_new(unsigned from_hz, unsigned to_hz);
void resampler_free(struct resampler **resampler);

/* All of `in` is taken; gives how many samples were put into `out`, which must hold
 * resampler_most(count). */
size_t resampler_run(struct resampler *resampler, const int16_t *in, size_t count, int16_t *out);
size_t resampler_most(const struct resampler *resampler, size_t count);
/* What is still inside, of the past, is forgotten: after a barge-in. */
void resampler_reset(struct resampler *resampler);

#endif
