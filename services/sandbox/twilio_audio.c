/*
 * twilio_audio: sounds made by arithmetic, files read, and prompts played frame by frame.
 */
#include "twilio_audio.h"

#include "alloc.h"
#include "resample.h"
#include "wav.h"

#include <math.h>
#include <stdlib.h>

#define VOICE_LEVEL 500 /* of 32767: well above what a resampler or a codec leaves behind */

static double wave(size_t at, double hz)
{
	return sin(2 * M_PI * hz * (double)at / MULAW_HZ);
}

/* Syllables of 180 ms with pauses of 40: a hum that a listener takes for speech, and VADs, too. */
static double murmur(size_t at)
{
	size_t place = at % (220 * 8);
	double rise = sin(M_PI * (double)place / (180 * 8));

	return place < 180 * 8 ? 4000 * rise * (wave(at, 160) + 0.5 * wave(at, 480)) : 0;
}

static double sample_of(enum audio_sound sound, size_t at)
{
	switch (sound) {
	case SOUND_MURMUR:
		return murmur(at);
	case SOUND_BEEP:
		return 8000 * wave(at, 1400);
	case SOUND_RINGING: /* one second of five, as in Europe */
		return at % (5 * MULAW_HZ) < MULAW_HZ ? 5000 * wave(at, 425) : 0;
	case SOUND_SILENCE:
		break;
	}
	return 0;
}

void audio_make(enum audio_sound sound, size_t at, uint8_t *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = mulaw_encode((int16_t)sample_of(sound, at + i));
}

void audio_silence(uint8_t *to, size_t bytes)
{
	memset(to, MULAW_SILENCE, bytes);
}

bool audio_is_voice(const uint8_t *mulaw, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (abs(mulaw_decode(mulaw[i])) > VOICE_LEVEL)
			return true;
	}
	return false;
}

void audio_mix(const uint8_t *a, const uint8_t *b, uint8_t *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		int sum = mulaw_decode(a[i]) + mulaw_decode(b[i]);
		to[i] = mulaw_encode((int16_t)(sum > 32635 ? 32635 : sum < -32635 ? -32635 : sum));
	}
}

/* -- files ----------------------------------------------------------------------------------------------- */

static bool add_pcm(struct buf *to, const int16_t *samples, size_t count)
{
	char *place = buf_reserve(to, count);

	if (place == NULL)
		return false;
	mulaw_encode_all(samples, count, (uint8_t *)place);
	buf_grew(to, count);
	return true;
}

static bool add_resampled(struct buf *to, const int16_t *samples, size_t count, unsigned hz)
{
	struct resampler *resampler = resampler_new(hz, MULAW_HZ);
	int16_t *made = alloc_zeroed(resampler_most(resampler, count) + 1, sizeof(*made));
	size_t size = resampler_run(resampler, samples, count, made);
	bool good = add_pcm(to, made, size);

	free(made);
	resampler_free(&resampler);
	return good;
}

static bool add_wav(struct buf *to, const struct wav *wav)
{
	size_t count = wav->data.size / sizeof(int16_t);
	int16_t *samples;
	bool good;

	if (wav->mulaw && wav->hz == MULAW_HZ)
		return buf_add(to, wav->data);
	if (wav->mulaw)
		count = wav->data.size;
	samples = alloc_zeroed(count + 1, sizeof(*samples));
	if (wav->mulaw)
		mulaw_decode_all((const uint8_t *)wav->data.data, count, samples);
	else
		memcpy(samples, wav->data.data, count * sizeof(*samples));
	good = wav->hz == MULAW_HZ ? add_pcm(to, samples, count)
				   : add_resampled(to, samples, count, wav->hz);
	free(samples);
	return good;
}

bool audio_read(struct str file, struct str content_type, struct buf *to, struct error *error)
{
	struct wav wav;

	if (!str_starts(file, STR("RIFF"))) {
		if (!str_starts(content_type, STR("audio/basic")) &&
			!str_starts(content_type, STR("audio/x-mulaw")))
			return error_set(
				error, ERROR_INPUT, "neither a WAV file nor mu-law (audio/basic)");
		return buf_add(to, file) || error_set(error, ERROR_INPUT, "too long");
	}
	if (!wav_read(file, &wav, error))
		return false;
	if (wav.hz < 4000 || wav.hz > 192000)
		return error_set(error, ERROR_INPUT, "%u Hz: 4000 to 192000 can be read", wav.hz);
	return add_wav(to, &wav) || error_set(error, ERROR_INPUT, "too long");
}

static int16_t at_or_silence(struct str codes, size_t at)
{
	return at < codes.size ? mulaw_decode((uint8_t)codes.data[at]) : 0;
}

static void put_le(struct buf *to, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_add_char(to, (char)(value >> (8 * i) & 0xff));
}

/* libshared/voice writes mono: this is the one place that wants two channels. */
void audio_put_both(struct buf *to, struct str left, struct str right)
{
	size_t count = left.size > right.size ? left.size : right.size;

	buf_add(to, STR("RIFF"));
	put_le(to, (uint32_t)(36 + 4 * count), 4);
	buf_add(to, STR("WAVEfmt "));
	put_le(to, 16, 4);
	put_le(to, 1, 2);	     /* PCM */
	put_le(to, 2, 2);	     /* channels */
	put_le(to, MULAW_HZ, 4);     /* samples a second */
	put_le(to, 4 * MULAW_HZ, 4); /* bytes a second */
	put_le(to, 4, 2);	     /* bytes a sample of both */
	put_le(to, 16, 2);	     /* bits */
	buf_add(to, STR("data"));
	put_le(to, (uint32_t)(4 * count), 4);
	for (size_t i = 0; i < count; i++) {
		put_le(to, (uint16_t)at_or_silence(left, i), 2);
		put_le(to, (uint16_t)at_or_silence(right, i), 2);
	}
}

/* -- prompts ---------------------------------------------------------------------------------------------- */

void prompt_add(struct prompt *prompt, const struct prompt_item *item)
{
	if (prompt->count < PROMPT_MAX && item->bytes > 0)
		prompt->items[prompt->count++] = *item;
}

static void step_on(struct prompt *prompt, const struct prompt_item *item)
{
	prompt->offset = 0;
	prompt->played++;
	if (item->loops == 0 || prompt->played < item->loops)
		return;
	prompt->at++;
	prompt->played = 0;
}

/* An item's last frame is filled up with silence: items begin at frames. */
bool prompt_next(struct prompt *prompt, uint8_t *frame)
{
	const struct prompt_item *item = &prompt->items[prompt->at];
	size_t bytes;

	if (prompt->at >= prompt->count)
		return false;
	bytes = item->bytes - prompt->offset;
	if (bytes > FRAME_BYTES)
		bytes = FRAME_BYTES;
	audio_silence(frame, FRAME_BYTES);
	if (item->mulaw != NULL)
		memcpy(frame, item->mulaw + prompt->offset, bytes);
	else
		audio_make(item->sound, prompt->offset, frame, bytes);
	prompt->offset += bytes;
	if (prompt->offset >= item->bytes)
		step_on(prompt, item);
	return true;
}
