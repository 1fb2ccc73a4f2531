/*
 * twilio_audio: frames of 20 ms of mu-law, as they pass through a call of the sandbox.
 */
#ifndef SANDBOX_TWILIO_AUDIO_H
#define SANDBOX_TWILIO_AUDIO_H

#include "buf.h"
#include "error.h"
#include "mulaw.h"

#define FRAME_MS    MULAW_FRAME_MS
#define FRAME_BYTES MULAW_FRAME_BYTES

enum audio_sound {
	SOUND_SILENCE,
	SOUND_MURMUR, /* somebody speaks: what <Say> sounds like here */
	SOUND_BEEP,
	SOUND_RINGING,
};

/* Samples at this place (in bytes) of an endless sound. */
void audio_make(enum audio_sound sound, size_t at, uint8_t *to, size_t bytes);
void audio_silence(uint8_t *to, size_t bytes);
/* Louder than a line's noise. */
bool audio_is_voice(const uint8_t *mulaw, size_t bytes);
void audio_mix(const uint8_t *a, const uint8_t *b, uint8_t *to, size_t bytes);

/* A file as mu-law at 8 kHz, appended: WAV of any rate (16 bit or mu-law, mono), or raw mu-law for
 * audio/basic. False with words. */
bool audio_read(struct str file, struct str content_type, struct buf *to, struct error *error);
/* One WAV file of both, left and right, 16 bit: padded to the longer. */
void audio_put_both(struct buf *to, struct str left, struct str right);

/* -- several sounds one after the other --------------------------------------------------------------- */

#define PROMPT_MAX 64

struct prompt_item {
	enum audio_sound sound;
	const uint8_t *mulaw; /* NULL: the sound */
	size_t bytes;
	int64_t loops; /* 0: for ever */
};

struct prompt {
	struct prompt_item items[PROMPT_MAX];
	unsigned count, at;
	size_t offset;
	int64_t played; /* loops of the current one */
};

void prompt_add(struct prompt *prompt, const struct prompt_item *item);
/* The next frame; false: it is over, nothing was written. */
bool prompt_next(struct prompt *prompt, uint8_t *frame);

#endif
