/*
 * audio: sounds for tests of the layer voice: words by Debian's espeak-ng and flite, made when the test
 * runs, and noises by a seeded generator.
 */
#ifndef TESTS_VOICE_AUDIO_H
#define TESTS_VOICE_AUDIO_H

#include <stddef.h>
#include <stdint.h>

enum { AUDIO_HZ = 8000, AUDIO_MOST = 60 * AUDIO_HZ };

/* A minute of 8 kHz samples that grows at its end. */
struct audio {
	int16_t samples[AUDIO_MOST];
	size_t count;
};

void audio_silence(struct audio *audio, unsigned ms);
void audio_tone(struct audio *audio, unsigned ms, double hz, double loudness);
void audio_noise(struct audio *audio, unsigned ms, double rms);
/* Words, as `speaker` says them: "flite:slt", "espeak:en-us". Gives how long they are. */
unsigned audio_words(struct audio *audio, const char *speaker, const char *text);
/* Noise over all that is there from `from_ms` on. */
void audio_add_noise(struct audio *audio, unsigned from_ms, double rms);
unsigned audio_ms(const struct audio *audio);

#endif
