/*
 * pipeline_audio: what a speech server sends, in pieces of any size, becomes mu-law of 8 kHz: raw
 * 16-bit samples as they were asked for, or the WAVE file that some servers send all the same.
 */
#ifndef MEDIA_WS_PIPELINE_AUDIO_H
#define MEDIA_WS_PIPELINE_AUDIO_H

#include "buf.h"
#include "error.h"
#include "resample.h"

struct pipeline_audio {
	struct resampler *resampler; /* NULL: it is mu-law already */
	unsigned hz;		     /* of the samples */
	struct buf held;	     /* the head of the file; then half a sample */
	bool begun;
};

void pipeline_audio_init(struct pipeline_audio *audio, unsigned hz);
void pipeline_audio_free(struct pipeline_audio *audio);

/* Append what it becomes. False with words: a file that cannot be read. */
bool pipeline_audio_take(
	struct pipeline_audio *audio, struct str piece, struct buf *mulaw, struct error *error);
/* Nothing more comes: what is still inside. */
bool pipeline_audio_end(struct pipeline_audio *audio, struct buf *mulaw, struct error *error);

#endif
