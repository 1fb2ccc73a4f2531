/*
 * mulaw: G.711 mu-law, as telephones speak it: 8000 bytes a second (ITU-T G.711).
 *
 * Silence is 0xff (or 0x7f), never 0: a frame of zeros is full-scale and clicks.
 */
#ifndef CALLWEAVE_MULAW_H
#define CALLWEAVE_MULAW_H

#include <stddef.h>
#include <stdint.h>

#define MULAW_SILENCE	  0xff
#define MULAW_HZ	  8000
#define MULAW_FRAME_MS	  20
#define MULAW_FRAME_BYTES 160 /* of 20 ms; Twilio promises no size */

int16_t mulaw_decode(uint8_t code);
/* Clipped at 32635; 0 is 0xff. mulaw_encode(mulaw_decode(x)) is x, but 0x7f becomes 0xff. */
uint8_t mulaw_encode(int16_t sample);

void mulaw_decode_all(const uint8_t *codes, size_t count, int16_t *samples);
void mulaw_encode_all(const int16_t *samples, size_t count, uint8_t *codes);

#endif
