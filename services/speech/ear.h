/*
 * ear: which of the things that may be said was said. The only user of pocketsphinx.
 *
 * One decoder (32 MB); a question's grammar is set in under a millisecond, so none is kept. Each
 * utterance is scored twice: by the question's grammar, and by a loop over all sounds of English. How
 * much better the grammar does, a frame, is the confidence: a narrow grammar alone would find an
 * answer in a cough (P29).
 */
#ifndef SPEECH_EAR_H
#define SPEECH_EAR_H

#include "error.h"
#include "str.h"

struct ear;
struct grammar;

enum { EAR_HZ = 16000, EAR_TEXT_BYTES = 512 };

struct ear *ear_new(const char *model, const char *dictionary, struct error *error);
void ear_free(struct ear **ear);

/* From here on until the next question. ERROR_INPUT: a word that the dictionary does not have. */
bool ear_ask(struct ear *ear, const struct grammar *grammar, struct error *error);

struct ear_heard {
	char text[EAR_TEXT_BYTES]; /* "": nothing of the grammar */
	int32_t score;
	int word_frames; /* of 10 ms: without silence and noises */
};
/* One pass over 16 kHz samples: about 15 ms a second of them. */
struct ear_heard ear_hear(struct ear *ear, const int16_t *samples, size_t count, bool anything);

/* Do its words fill half of the time with voice? One hides in any noise. If not, the second pass can be
 * saved. */
bool ear_plausible(const struct ear_heard *answer, int64_t voice_ms);
/* 0 to 1 of the two passes; 0.5: as likely as any other sounds. */
double ear_confidence(
	const struct ear_heard *answer, const struct ear_heard *anything, size_t samples);

#endif
