/* resample: rates, pieces without clicks between them, forgetting. */
#include "resample.h"

#include "str.h"

#include "audio.h"

#include "../base/check.h"

#include <math.h>
#include <stdlib.h>

static const unsigned down[2] = {22050, 8000};

struct samples {
	int16_t *data;
	size_t count; /* of `out`: the room for them */
};

static size_t run_in(const unsigned rates[2], struct samples in, size_t piece, struct samples out)
{
	struct resampler *resampler = resampler_new(rates[0], rates[1]);
	size_t made = 0;

	for (size_t at = 0; at < in.count; at += piece) {
		size_t now = in.count - at < piece ? in.count - at : piece;
		assert_true(made + resampler_most(resampler, now) <= out.count);
		size_t got = resampler_run(resampler, in.data + at, now, out.data + made);
		assert_true(got <= resampler_most(resampler, now));
		made += got;
	}
	resampler_free(&resampler);
	assert_null(resampler);
	return made;
}

static double rms(const int16_t *samples, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)samples[i] * samples[i];
	return sqrt(sum / (double)count);
}

static void tone(int16_t *to, size_t count, unsigned hz, double pitch)
{
	for (size_t i = 0; i < count; i++)
		to[i] = (int16_t)(8000 * sin(2 * M_PI * pitch * (double)i / hz));
}

static void rates_that_are_used(void **state)
{
	static const unsigned rates[][2] = {
		{22050, 8000}, {24000, 8000}, {16000, 8000}, {8000, 16000}, {8000, 24000}};
	static int16_t in[24000], out[80000];

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		tone(in, rates[i][0], rates[i][0], 440);
		size_t made = run_in(rates[i], (struct samples){in, rates[i][0]}, 441,
			(struct samples){out, 80000});
		/* The filter keeps the last 5 ms for itself. */
		assert_in_range(made, rates[i][1] - rates[i][1] / 200, rates[i][1] + 2);
		assert_in_range((int)rms(out, made), 5500, 5750); /* 8000 / sqrt 2 */
	}
}

static void pieces_make_no_difference(void **state)
{
	static int16_t in[22050], whole[8100], pieces[8500];

	tone(in, 22050, 22050, 700);
	size_t a = run_in(down, (struct samples){in, 22050}, 22050, (struct samples){whole, 8100});
	for (size_t piece = 1; piece < 700; piece += 37) {
		size_t b = run_in(
			down, (struct samples){in, 22050}, piece, (struct samples){pieces, 8500});
		assert_in_range(b, a - 1, a + 1);
		assert_memory_equal(whole, pieces, (a < b ? a : b) * sizeof(int16_t));
	}
}

/* What cannot be said at 8 kHz must not come back as another tone. */
static void what_is_too_high_goes(void **state)
{
	static int16_t in[22050], out[8100];

	tone(in, 22050, 22050, 6000);
	size_t made = run_in(down, (struct samples){in, 22050}, 500, (struct samples){out, 8100});
	assert_true(rms(out + 200, made - 400) < 30);
}

static void reset_forgets(void **state)
{
	struct resampler *resampler = resampler_new(8000, 16000);
	int16_t loud[160], silent[160] = {0}, out[330];

	tone(loud, 160, 8000, 1000);
	(void)resampler_run(resampler, loud, 160, out);
	resampler_reset(resampler);
	size_t made = resampler_run(resampler, silent, 160, out);
	for (size_t i = 0; i < made; i++)
		assert_int_equal(out[i], 0);
	resampler_free(&resampler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_that_are_used),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(what_is_too_high_goes),
		cmocka_unit_test(reset_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
