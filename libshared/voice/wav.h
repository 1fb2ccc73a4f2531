/*
 * wav: the header of a recording (RIFF WAVE), for those who want files: speech engines and players.
 */
#ifndef CALLWEAVE_WAV_H
#define CALLWEAVE_WAV_H

#include "buf.h"

/* Append header and samples. Mu-law stays mu-law (format 7, 8 kHz mono). */
void wav_put_mulaw(struct buf *to, struct str codes);
void wav_put_pcm(struct buf *to, const int16_t *samples, size_t count, unsigned hz);

/* The samples of a file that is 16-bit PCM or mu-law, mono; false with words. A length that says more
 * than there is (streamed files) means: to the end. */
struct wav {
	unsigned hz;
	bool mulaw;
	struct str data;
};
struct error;
bool wav_read(struct str file, struct wav *wav, struct error *error);

#endif
