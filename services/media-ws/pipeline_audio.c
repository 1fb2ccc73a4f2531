/*
 * pipeline_audio: see pipeline_audio.h.
 */
#include "pipeline_audio.h"

#include "mulaw.h"
#include "wav.h"

enum {
	HEAD_BYTES = 44,       /* of a WAVE file without anything unusual */
	MAX_HEAD_BYTES = 4096, /* with lists of titles and the like */
	BLOCK = 1024,	       /* samples at once */
	TAIL_MS = 10,	       /* of silence, to push out what the resampler holds back */
};

void pipeline_audio_init(struct pipeline_audio *audio, unsigned hz)
{
	*audio = (struct pipeline_audio){.hz = hz};
	buf_init(&audio->held, MAX_HEAD_BYTES + 2 * BLOCK);
}

void pipeline_audio_free(struct pipeline_audio *audio)
{
	resampler_free(&audio->resampler);
	buf_free(&audio->held);
}

static void run(
	struct pipeline_audio *audio, const int16_t *samples, size_t count, struct buf *mulaw)
{
	/* At least 8 kHz come in: never more out than in, but for what the resampler rounds. */
	int16_t out[BLOCK + 2];
	uint8_t codes[BLOCK + 2];
	size_t made = resampler_run(audio->resampler, samples, count, out);

	mulaw_encode_all(out, made, codes);
	(void)buf_append(mulaw, codes, made);
}

/* Little-endian 16-bit samples; returns how many bytes were whole samples. */
static size_t take_samples(struct pipeline_audio *audio, struct str bytes, struct buf *mulaw)
{
	int16_t samples[BLOCK];
	size_t at = 0;

	while (bytes.size - at >= 2) {
		size_t count = 0;

		for (; count < BLOCK && bytes.size - at >= 2; count++, at += 2) {
			const unsigned char *two = (const unsigned char *)bytes.data + at;

			samples[count] = (int16_t)(uint16_t)(two[0] | two[1] << 8);
		}
		run(audio, samples, count, mulaw);
	}
	return at;
}

/* What was held back and the piece, as one. */
static void pass(struct pipeline_audio *audio, struct buf *mulaw)
{
	struct str bytes = buf_str(&audio->held);

	if (audio->resampler == NULL) {
		(void)buf_add(mulaw, bytes);
		buf_clear(&audio->held);
	} else {
		buf_consume(&audio->held, take_samples(audio, bytes, mulaw));
	}
}

/* Enough is there to say what it is. */
static bool begin(struct pipeline_audio *audio, struct error *error)
{
	struct str head = buf_str(&audio->held);
	struct wav wav = {.hz = audio->hz};

	audio->begun = true;
	if (str_starts(head, STR("RIFF"))) {
		if (!wav_read(head, &wav, error))
			return error_prefix(error, "speech: ");
		buf_consume(&audio->held, (size_t)(wav.data.data - head.data));
		if (wav.hz < MULAW_HZ || wav.hz > 48000 || (wav.mulaw && wav.hz != MULAW_HZ))
			return error_set(error, ERROR_UPSTREAM, "speech of %u Hz", wav.hz);
	}
	audio->hz = wav.hz;
	if (!wav.mulaw)
		audio->resampler = resampler_new(wav.hz, MULAW_HZ);
	return true;
}

/* Is the head of the file whole? Its sound begins behind the word "data" and a length. */
static bool head_is_whole(struct str head)
{
	const char *data;

	if (head.size < HEAD_BYTES)
		return false;
	if (!str_starts(head, STR("RIFF")) || head.size >= MAX_HEAD_BYTES)
		return true;
	data = memmem(head.data, head.size, "data", 4);
	return data != NULL && (size_t)(data - head.data) + 8 <= head.size;
}

bool pipeline_audio_take(
	struct pipeline_audio *audio, struct str piece, struct buf *mulaw, struct error *error)
{
	while (piece.size > 0) {
		size_t size = piece.size < BLOCK ? piece.size : BLOCK;

		(void)buf_append(&audio->held, piece.data, size);
		piece = str_of(piece.data + size, piece.size - size);
		if (!audio->begun && !head_is_whole(buf_str(&audio->held)))
			continue;
		if (!audio->begun && !begin(audio, error))
			return false;
		pass(audio, mulaw);
	}
	return !mulaw->failed || error_set(error, ERROR_UPSTREAM, "speech is too long");
}

bool pipeline_audio_end(struct pipeline_audio *audio, struct buf *mulaw, struct error *error)
{
	static const int16_t silence[48 * TAIL_MS];

	if (!audio->begun && !begin(audio, error))
		return false;
	pass(audio, mulaw);
	if (audio->resampler != NULL)
		run(audio, silence, (size_t)audio->hz * TAIL_MS / 1000, mulaw);
	return true;
}
