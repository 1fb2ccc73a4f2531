/*
 * mouth: espeak-ng in its synchronous mode: audio comes through a callback while espeak_Synth() runs.
 */
#include "mouth.h"

#include "alloc.h"
#include "mulaw.h"

#include <espeak-ng/speak_lib.h>
#include <stdlib.h>

enum {
	BLOCK_MS = 60,	  /* of each callback */
	PIECE_LEAST = 24, /* bytes: "No. " alone would sound chopped */
	PIECE_MOST = 300, /* bytes: about 20 ms of work */
	RESAMPLE_AT_ONCE = 2048,
};

struct mouth {
	int hz;
	struct resampler *resampler; /* of the piece that is spoken */
	struct buf *to;
};

static void take_block(struct mouth *mouth, const short *samples, size_t count)
{
	int16_t out[RESAMPLE_AT_ONCE + 2];
	uint8_t codes[RESAMPLE_AT_ONCE + 2];

	for (size_t at = 0; at < count;) {
		size_t now = count - at < RESAMPLE_AT_ONCE ? count - at : RESAMPLE_AT_ONCE;
		size_t made = resampler_run(mouth->resampler, samples + at, now, out);
		mulaw_encode_all(out, made, codes);
		(void)buf_append(mouth->to, codes, made);
		at += now;
	}
}

/* 1 stops it: nobody could take more. */
static int synth_block(short *samples, int count, espeak_EVENT *events)
{
	struct mouth *mouth = events->user_data;

	if (mouth == NULL || samples == NULL || count <= 0)
		return 0;
	take_block(mouth, samples, (size_t)count);
	return mouth->to->failed;
}

struct mouth *mouth_new(struct error *error)
{
	int hz = espeak_Initialize(
		AUDIO_OUTPUT_SYNCHRONOUS, BLOCK_MS, NULL, espeakINITIALIZE_DONT_EXIT);

	if (hz < MULAW_HZ) {
		(void)error_set(error, ERROR_INTERNAL,
			"espeak-ng does not start: are its voices (espeak-ng-data) installed?");
		return NULL;
	}
	struct mouth *mouth = alloc_zeroed(1, sizeof(*mouth));
	mouth->hz = hz;
	espeak_SetSynthCallback(synth_block);
	return mouth;
}

void mouth_free(struct mouth **mouth)
{
	if (*mouth == NULL)
		return;
	/* Not espeak_Terminate(): the second one in a process waits for a thread that is not there. What
	 * espeak-ng holds lies in its globals and goes with the process. */
	free(*mouth);
	*mouth = NULL;
}

unsigned mouth_hz(const struct mouth *mouth)
{
	return (unsigned)mouth->hz;
}

const char *mouth_voice_of(struct str language)
{
	static const char *const voices[][2] = {
		{"en", "en-us"}, {"fr", "fr"}, {"ru", "ru"}, {"he", "he"}};

	for (size_t i = 0; i < sizeof(voices) / sizeof(voices[0]); i++)
		if (str_equal(language, str_from(voices[i][0])))
			return voices[i][1];
	return NULL;
}

bool mouth_speak(struct mouth *mouth, const struct mouth_order *order, struct str text,
	struct resampler *resampler, struct buf *to, struct error *error)
{
	unsigned flags = espeakCHARS_UTF8 | (order->last ? 0 : espeakENDPAUSE);
	char *ended = alloc_text(text);

	mouth->resampler = resampler;
	mouth->to = to;
	bool ok = espeak_SetVoiceByName(order->voice) == EE_OK ||
		  error_set(error, ERROR_INPUT, "voice: espeak-ng has no \"%s\"", order->voice);
	if (ok) {
		(void)espeak_SetParameter(espeakRATE, order->rate, 0);
		ok = espeak_Synth(ended, text.size + 1, 0, POS_CHARACTER, 0, flags, NULL, mouth) ==
			     EE_OK ||
		     error_set(error, ERROR_INTERNAL, "espeak-ng failed");
	}
	if (ok && to->failed)
		ok = error_set(error, ERROR_INPUT, "text: too long to be spoken");
	free(ended);
	return ok;
}

static bool ends_sentence(struct str text, size_t at)
{
	return strchr(".!?;:\n", text.data[at]) != NULL && text.data[at] != '\0' &&
	       (at + 1 == text.size || strchr(" \n\t\r", text.data[at + 1]) != NULL);
}

/* Where a piece that is too long may be cut: behind its last space, else between two characters. */
static size_t cut_long(struct str text)
{
	size_t size = PIECE_MOST;

	while (size > 0 && text.data[size - 1] != ' ')
		size--;
	if (size > 0)
		return size;
	for (size = PIECE_MOST; size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80;)
		size--;
	return size;
}

struct str mouth_piece(struct str *rest)
{
	size_t size = 0;

	while (size < rest->size && size <= PIECE_MOST &&
		!(size >= PIECE_LEAST && ends_sentence(*rest, size)))
		size++;
	if (size < rest->size)
		size = size > PIECE_MOST ? cut_long(*rest) : size + 1;
	struct str piece = str_of(rest->data, size);
	*rest = str_trim(str_of(rest->data + size, rest->size - size));
	return piece;
}
