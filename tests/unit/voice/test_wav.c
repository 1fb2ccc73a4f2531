/* wav: what is written is read again, files of others, and lengths that lie. */
#include "wav.h"

#include "error.h"

#include "../base/check.h"

static void mulaw_comes_back(void **state)
{
	struct wav wav;
	struct buf file;

	buf_init(&file, 1000);
	wav_put_mulaw(&file, STR("\x01\x02\xff\x7f"));
	assert_int_equal(file.size, 44 + 4);
	assert_true(wav_read(buf_str(&file), &wav, NULL));
	assert_true(wav.mulaw);
	assert_int_equal(wav.hz, 8000);
	assert_str(wav.data, "\x01\x02\xff\x7f");
	buf_free(&file);
}

static void pcm_comes_back(void **state)
{
	const int16_t samples[] = {0, 1, -1, 32767, -32768};
	struct wav wav;
	struct buf file;

	buf_init(&file, 1000);
	wav_put_pcm(&file, samples, 5, 24000);
	assert_true(wav_read(buf_str(&file), &wav, NULL));
	assert_false(wav.mulaw);
	assert_int_equal(wav.hz, 24000);
	assert_int_equal(wav.data.size, 10);
	assert_memory_equal(wav.data.data, samples, 10); /* little-endian here and there */
	/* The header of a file as `sox` and `file` know it: rate of bytes, bytes a sample. */
	assert_memory_equal(file.data + 28, "\x80\xbb\x00\x00\x02\x00\x10\x00", 8);
	buf_free(&file);
}

#define FMT "fmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0"

static void other_chunks_are_passed_over(void **state)
{
	struct wav wav;

	assert_true(wav_read(STR("RIFF\xff\xff\xff\xffWAVE"
				 "LIST\3\0\0\0abc\0" FMT "data\4\0\0\0wxyz"
				 "junk"),
		&wav, NULL));
	assert_str(wav.data, "wxyz");
}

/* Whoever streams a file does not know its length when he writes the header. */
static void a_length_that_lies_means_to_the_end(void **state)
{
	struct wav wav;

	assert_true(wav_read(
		STR("RIFF\xff\xff\xff\xffWAVE" FMT "data\xff\xff\xff\xffwxyz!"), &wav, NULL));
	assert_str(wav.data, "wxyz"); /* half a sample is none */
	assert_true(wav_read(STR("RIFF....WAVE" FMT "data\0\0\0\0"), &wav, NULL));
	assert_int_equal(wav.data.size, 0);
}

static void what_is_no_such_file_is_told(void **state)
{
	static const struct {
		struct str file;
		const char *words;
	} cases[] = {
		{{"", 0}, "not a WAVE file"},
		{{"RIFF....WAVX", 12}, "not a WAVE file"},
		{{"RIFF....WAVE", 12}, "no samples"},
		{{"RIFF....WAVEdata\2\0\0\0ab", 22}, "before their format"},
		{{"RIFF....WAVEfmt \4\0\0\0\1\0\1\0", 24}, "cut short"},
		{{"RIFF....WAVEfmt \x10\0\0\0\1\0\2\0\x40\x1f\0\0\0\0\0\0\2\0\x10\0", 36},
			"not mono"},
		{{"RIFF....WAVEfmt \x10\0\0\0\3\0\1\0\x40\x1f\0\0\0\0\0\0\4\0\x20\0", 36},
			"format 3"},
		{{"RIFF....WAVEfmt \x10\0\0\0\1\0\1\0\1\0\0\0\0\0\0\0\2\0\x10\0", 36},
			"samples a second"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error;
		struct wav wav;
		assert_false(wav_read(cases[i].file, &wav, &error));
		assert_non_null(strstr(error.text, cases[i].words));
	}
}

/* Every file that is cut anywhere is read or refused, never read past. */
static void cut_anywhere(void **state)
{
	static const char file[] = "RIFF....WAVELIST\2\0\0\0ab" FMT "data\4\0\0\0wxyz";

	for (size_t size = 0; size < sizeof(file); size++) {
		struct wav wav;
		struct error error;
		char *copy = test_malloc(size + 1);
		memcpy(copy, file, size);
		(void)wav_read(str_of(copy, size), &wav, &error);
		test_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mulaw_comes_back),
		cmocka_unit_test(pcm_comes_back),
		cmocka_unit_test(other_chunks_are_passed_over),
		cmocka_unit_test(a_length_that_lies_means_to_the_end),
		cmocka_unit_test(what_is_no_such_file_is_told),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
