/*
 * audio: see audio.h. Words come through a pipe from the programs themselves, as WAVE files.
 */
#include "audio.h"

#include "error.h"
#include "resample.h"
#include "wav.h"

#include "../base/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void add(struct audio *audio, double sample)
{
	assert_true(audio->count < AUDIO_MOST);
	audio->samples[audio->count++] = (int16_t)fmax(-32768, fmin(32767, sample));
}

static size_t samples_of(unsigned ms)
{
	return (size_t)ms * AUDIO_HZ / 1000;
}

/* xorshift32, and four of it make something like a bell. */
static double random_normal(void)
{
	static uint32_t seed = 2463534242U;
	double sum = 0;

	for (unsigned i = 0; i < 4; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		sum += (double)seed / UINT32_MAX - 0.5;
	}
	return sum * sqrt(3);
}

void audio_silence(struct audio *audio, unsigned ms)
{
	for (size_t i = samples_of(ms); i > 0; i--)
		add(audio, 0);
}

void audio_tone(struct audio *audio, unsigned ms, double hz, double loudness)
{
	for (size_t i = 0; i < samples_of(ms); i++)
		add(audio, loudness * sqrt(2) * sin(2 * M_PI * hz * (double)i / AUDIO_HZ));
}

void audio_noise(struct audio *audio, unsigned ms, double rms)
{
	for (size_t i = samples_of(ms); i > 0; i--)
		add(audio, rms * random_normal());
}

void audio_add_noise(struct audio *audio, unsigned from_ms, double rms)
{
	for (size_t i = samples_of(from_ms); i < audio->count; i++)
		audio->samples[i] = (int16_t)fmax(
			-32768, fmin(32767, audio->samples[i] + rms * random_normal()));
}

unsigned audio_ms(const struct audio *audio)
{
	return (unsigned)(audio->count * 1000 / AUDIO_HZ);
}

static void take_file(struct audio *audio, struct str file)
{
	struct error error;
	struct wav wav;

	if (!wav_read(file, &wav, &error))
		fail_msg("%s", error.text);
	assert_false(wav.mulaw);
	size_t count = wav.data.size / 2;
	int16_t *samples = calloc(count, sizeof(*samples));
	memcpy(samples, wav.data.data, count * 2); /* on x86 and ARM as in the file */
	struct resampler *resampler = resampler_new(wav.hz, AUDIO_HZ);
	assert_true(audio->count + resampler_most(resampler, count) <= AUDIO_MOST);
	audio->count += resampler_run(resampler, samples, count, audio->samples + audio->count);
	resampler_free(&resampler);
	free(samples);
}

unsigned audio_words(struct audio *audio, const char *speaker, const char *text)
{
	unsigned before = audio_ms(audio);
	char folder[] = "/tmp/callweave-voice-XXXXXX", path[64], command[300];
	bool is_flite = strncmp(speaker, "flite:", 6) == 0;
	struct buf file;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/words.wav", folder);
	snprintf(command, sizeof(command),
		is_flite ? "flite -voice %s -t '%s' -o %s" : "espeak-ng -v %s '%s' -w %s",
		strchr(speaker, ':') + 1, text, path);
	assert_int_equal(system(command), 0);
	FILE *words = fopen(path, "rb");
	assert_non_null(words);
	buf_init(&file, 8 << 20);
	for (size_t got = 1; got > 0; buf_grew(&file, got))
		got = fread(buf_reserve(&file, 65536), 1, 65536, words);
	fclose(words);
	remove(path);
	remove(folder);
	take_file(audio, buf_str(&file));
	buf_free(&file);
	return audio_ms(audio) - before;
}
