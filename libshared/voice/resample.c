/*
 * resample: speexdsp's resampler as a stream. The only user of libspeexdsp.
 */
#include "resample.h"

#include "alloc.h"

#include <speex/speex_resampler.h>
#include <stdlib.h>

enum { QUALITY = 5 /* of 0 to 10: 3 is "voice over IP", 10 costs four times 5 */ };

struct resampler {
	SpeexResamplerState *state;
	unsigned from_hz, to_hz;
};

struct resampler *resampler_new(unsigned from_hz, unsigned to_hz)
{
	struct resampler *resampler = alloc_zeroed(1, sizeof(*resampler));
	int code = 0;

	resampler->from_hz = from_hz;
	resampler->to_hz = to_hz;
	resampler->state = speex_resampler_init(1, from_hz, to_hz, QUALITY, &code);
	if (resampler->state == NULL)
		abort(); /* no memory, or a rate of 0: our own fault */
	/* Without this the first milliseconds are the filter's own silence. */
	(void)speex_resampler_skip_zeros(resampler->state);
	return resampler;
}

void resampler_free(struct resampler **resampler)
{
	if (*resampler == NULL)
		return;
	speex_resampler_destroy((*resampler)->state);
	free(*resampler);
	*resampler = NULL;
}

size_t resampler_most(const struct resampler *resampler, size_t count)
{
	/* One more for what was left of the piece before, one for rounding. */
	return (size_t)((uint64_t)count * resampler->to_hz / resampler->from_hz) + 2;
}

size_t resampler_run(struct resampler *resampler, const int16_t *in, size_t count, int16_t *out)
{
	size_t room = resampler_most(resampler, count), taken = 0, made = 0;

	while (taken < count) {
		spx_uint32_t in_now = (spx_uint32_t)(count - taken);
		spx_uint32_t out_now = (spx_uint32_t)(room - made);
		(void)speex_resampler_process_int(
			resampler->state, 0, in + taken, &in_now, out + made, &out_now);
		taken += in_now;
		made += out_now;
		if (in_now == 0 && out_now == 0)
			break; /* no room: cannot be, resampler_most() is enough */
	}
	return made;
}

void resampler_reset(struct resampler *resampler)
{
	(void)speex_resampler_reset_mem(resampler->state);
	(void)speex_resampler_skip_zeros(resampler->state);
}
