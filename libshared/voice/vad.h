/*
 * vad: when somebody speaks and when he has finished, by energy over a floor that follows the noise.
 *
 * Its clock is the audio itself (samples), never the wall. No deaf windows: what is said while
 * somebody else talks is heard, too.
 */
#ifndef CALLWEAVE_VAD_H
#define CALLWEAVE_VAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vad_options {	     /* 0: what stands behind */
	unsigned start_ms;   /* of voice, until it counts as speech: 60 */
	unsigned barge_ms;   /* of voice, until it interrupts who is talking: 150 */
	unsigned silence_ms; /* that ends an utterance: 400 */
	unsigned sharp_ms;   /* the same after a sharp drop of energy: 250 */
	unsigned most_ms;    /* an utterance is cut there: 8000 */
	unsigned least_ms;   /* shorter ones are coughs, clicks: 120 */
};

enum vad_event {
	VAD_NONE,
	VAD_STARTED, /* speech began at begun_ms: the caller keeps what was heard before (pre-roll) */
	VAD_BARGED, /* it has lasted for barge_ms */
	VAD_ENDED,  /* an utterance is over */
	VAD_CUT,    /* it is over because it was too long */
	VAD_DROPPED /* it was too short to be one */
};

#define VAD_BUCKETS 8

struct vad {
	struct vad_options options;
	double floor; /* of the noise, as RMS: the least of `lows` */
	double lows[VAD_BUCKETS];
	unsigned bucket;
	double smooth;	   /* RMS over some frames; below 0: none yet */
	int64_t at_ms;	   /* of the audio so far */
	int64_t voice_ms;  /* of this utterance, pauses left out */
	int64_t silent_ms; /* since its last voice */
	int64_t begun_ms;
	int64_t utterance_ms; /* of the one that ended last */
	double loudest, last; /* frames with voice */
	bool speaking, barged, sharp;
	unsigned over_ms; /* voice in a row, before it counts */
	unsigned carry;	  /* samples of less than a millisecond */
};

void vad_init(struct vad *vad, const struct vad_options *options); /* options may be NULL */
/* One frame of 8 kHz samples, 10 to 60 ms. At most one event a frame. */
enum vad_event vad_hear(struct vad *vad, const int16_t *samples, size_t count);
bool vad_speaking(const struct vad *vad);
int64_t vad_utterance_ms(const struct vad *vad); /* of the one that is under way or just ended */

#endif
