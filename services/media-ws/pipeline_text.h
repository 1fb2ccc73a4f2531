/*
 * pipeline_text: what engines do with words: when may the first of them be spoken, how much of them was
 * heard, and was there really something said? Pure.
 */
#ifndef MEDIA_WS_PIPELINE_TEXT_H
#define MEDIA_WS_PIPELINE_TEXT_H

#include "buf.h"

/* Bytes of the first piece of `text` that can be spoken by itself: a sentence; when `first`, also a
 * long clause, because the caller waits; what is too long is cut between words. 0: wait for more.
 * `whole`: nothing follows, all of it can. */
size_t text_speakable(struct str text, bool first, bool whole);

/* Append without the markup that models write all the same (* # ` _), line breaks as spaces. */
void text_add_spoken(struct buf *to, struct str text);

/* The part of `text` that was heard when `played_ms` of its `total_ms` were: whole words only. */
struct str text_heard(struct str text, int64_t played_ms, int64_t total_ms);

struct text_sound { /* of the utterance */
	int64_t voice_ms;
	double loudest; /* RMS of its loudest frame */
};

enum {
	TEXT_QUIET_RMS = 80, /* below: nobody spoke */
	TEXT_SOFT_RMS = 700, /* below, or shorter than SOFT_MS: may be noise */
	TEXT_SOFT_MS = 500,
	TEXT_SHORTEST_MS = 100,
};
/* Is it worth a recogniser at all? */
bool text_sound_is_speech(const struct text_sound *sound);
/* Whisper hears "Thank you." and "Subtitles by ..." in noise: known phrases alone, or any single word
 * in what was hardly voice. */
bool text_is_imagined(struct str text, const struct text_sound *sound);

#endif
