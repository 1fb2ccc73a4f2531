/*
 * mulaw: the published corners of G.711, and P6: silence is 0xff, never 0x00.
 */
#include "mulaw.h"

#include "str.h"

#include "../base/check.h"

static void corners(void **state)
{
	static const struct {
		int16_t sample;
		uint8_t code;
	} cases[] = {{0, 0xff}, {32767, 0x80}, {-32768, 0x00}, {8031, 0xa0}, {-8031, 0x20},
		{32635, 0x80}, {-32635, 0x00}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mulaw_encode(cases[i].sample), cases[i].code);
	assert_int_equal(mulaw_decode(0x00), -32124);
	assert_int_equal(mulaw_decode(0x80), 32124);
	assert_int_equal(mulaw_decode(0x7f), 0);
	assert_int_equal(mulaw_decode(0xff), 0);
}

/* P6 */
static void silence_is_ff(void **state)
{
	assert_int_equal(mulaw_decode(MULAW_SILENCE), 0);
	assert_int_equal(mulaw_encode(0), MULAW_SILENCE);
	assert_int_not_equal(mulaw_decode(0), 0);
}

static void codes_survive_the_way_there_and_back(void **state)
{
	for (unsigned code = 0; code < 256; code++) {
		uint8_t again = mulaw_encode(mulaw_decode((uint8_t)code));

		assert_int_equal(again, code == 0x7f ? 0xff : code);
	}
}

/* A step of the quantiser is at most 1024 wide, half of it is the error; and louder stays louder. */
static void every_sample_is_near_its_code(void **state)
{
	int before = -32768;

	for (int sample = -32768; sample <= 32767; sample++) {
		int near = mulaw_decode(mulaw_encode((int16_t)sample));
		int error = near > sample ? near - sample : sample - near;
		int size = sample < 0 ? -sample : sample;

		assert_true(error <= (size + 132) / 32 + 1 || size > 32124);
		assert_true(near >= before);
		before = near;
	}
}

static void many_at_once(void **state)
{
	const int16_t samples[] = {0, 8031, -8031, 32767};
	uint8_t codes[4];
	int16_t back[4];

	mulaw_encode_all(samples, 4, codes);
	assert_memory_equal(codes, "\xff\xa0\x20\x80", 4);
	mulaw_decode_all(codes, 4, back);
	assert_int_equal(back[3], 32124);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(corners),
		cmocka_unit_test(silence_is_ff),
		cmocka_unit_test(codes_survive_the_way_there_and_back),
		cmocka_unit_test(every_sample_is_near_its_code),
		cmocka_unit_test(many_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
