/*
 * mouth: text into 8 kHz mu-law, piece by piece. The only user of espeak-ng.
 *
 * espeak-ng works in globals: there is one mouth a process. It speaks a piece at a time and remembers
 * nothing between them, so several requests may take turns.
 */
#ifndef SPEECH_MOUTH_H
#define SPEECH_MOUTH_H

#include "buf.h"
#include "error.h"
#include "resample.h"

struct mouth;

enum { MOUTH_RATE_LEAST = 80, MOUTH_RATE_MOST = 450, MOUTH_VOICE_BYTES = 40 };

struct mouth *mouth_new(struct error *error);
void mouth_free(struct mouth **mouth);
unsigned mouth_hz(const struct mouth *mouth); /* before resampling */

/* The languages that callweave speaks: fr, he, ru, en. */
const char *mouth_voice_of(struct str language); /* NULL: none */

struct mouth_order {
	const char *voice; /* as espeak-ng calls it */
	int rate;	   /* words a minute */
	bool last;	   /* no pause behind it */
};
/* Speak one piece: mu-law is appended to `to`. ERROR_INPUT: there is no such voice. */
bool mouth_speak(struct mouth *mouth, const struct mouth_order *order, struct str text,
	struct resampler *resampler, struct buf *to, struct error *error);

/* Cut the next piece to speak off `*rest`: a sentence, or as much of it as is spoken at once. */
struct str mouth_piece(struct str *rest);

#endif
