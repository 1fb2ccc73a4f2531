/*
 * wav: RIFF WAVE, as far as telephones need it (Microsoft's "Multimedia Programming Interface and Data
 * Specifications 1.0"): one channel, 16-bit PCM or mu-law.
 */
#include "wav.h"

#include "error.h"
#include "mulaw.h"

enum { FORMAT_PCM = 1, FORMAT_MULAW = 7, FORMAT_BYTES = 16, CHUNK_HEAD = 8, RIFF_HEAD = 12 };

static void put_number(struct buf *to, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		(void)buf_add_char(to, (char)(value >> (8 * i) & 0xff));
}

static uint32_t get_number(struct str from, size_t at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)(unsigned char)from.data[at + i] << (8 * i);
	return value;
}

static void put_head(struct buf *to, unsigned format, unsigned hz, size_t data_bytes)
{
	unsigned sample_bytes = format == FORMAT_PCM ? 2 : 1;

	(void)buf_add(to, STR("RIFF"));
	put_number(to, (uint32_t)(4 + CHUNK_HEAD + FORMAT_BYTES + CHUNK_HEAD + data_bytes), 4);
	(void)buf_add(to, STR("WAVEfmt "));
	put_number(to, FORMAT_BYTES, 4);
	put_number(to, format, 2);
	put_number(to, 1, 2);
	put_number(to, hz, 4);
	put_number(to, hz * sample_bytes, 4);
	put_number(to, sample_bytes, 2);
	put_number(to, 8 * sample_bytes, 2);
	(void)buf_add(to, STR("data"));
	put_number(to, (uint32_t)data_bytes, 4);
}

void wav_put_mulaw(struct buf *to, struct str codes)
{
	put_head(to, FORMAT_MULAW, MULAW_HZ, codes.size);
	(void)buf_add(to, codes);
}

void wav_put_pcm(struct buf *to, const int16_t *samples, size_t count, unsigned hz)
{
	put_head(to, FORMAT_PCM, hz, 2 * count);
	for (size_t i = 0; i < count; i++)
		put_number(to, (uint16_t)samples[i], 2);
}

static bool read_format(struct str chunk, struct wav *wav, struct error *error)
{
	if (chunk.size < FORMAT_BYTES)
		return error_set(error, ERROR_INPUT, "WAVE: its format is cut short");
	unsigned format = get_number(chunk, 0, 2), bits = get_number(chunk, 14, 2);
	wav->hz = get_number(chunk, 4, 4);
	wav->mulaw = format == FORMAT_MULAW;
	if (get_number(chunk, 2, 2) != 1)
		return error_set(error, ERROR_INPUT, "WAVE: not mono");
	if (!(format == FORMAT_PCM && bits == 16) && !(format == FORMAT_MULAW && bits == 8))
		return error_set(error, ERROR_INPUT,
			"WAVE: neither 16-bit PCM nor mu-law (format %u, %u bits)", format, bits);
	if (wav->hz < 4000 || wav->hz > 192000)
		return error_set(error, ERROR_INPUT, "WAVE: %u samples a second", wav->hz);
	return true;
}

/* The next chunk; one that says more than there is ends with the file. */
static bool next_chunk(struct str *rest, struct str *name, struct str *chunk)
{
	if (rest->size < CHUNK_HEAD)
		return false;
	size_t size = get_number(*rest, 4, 4);
	*name = str_of(rest->data, 4);
	*rest = str_of(rest->data + CHUNK_HEAD, rest->size - CHUNK_HEAD);
	if (size > rest->size)
		size = rest->size;
	*chunk = str_of(rest->data, size);
	size += size & 1 && size < rest->size; /* chunks begin at even places */
	*rest = str_of(rest->data + size, rest->size - size);
	return true;
}

bool wav_read(struct str file, struct wav *wav, struct error *error)
{
	struct str rest, name, chunk;

	*wav = (struct wav){0};
	if (file.size < RIFF_HEAD || !str_starts(file, STR("RIFF")) ||
		!str_equal(str_of(file.data + 8, 4), STR("WAVE")))
		return error_set(error, ERROR_INPUT, "not a WAVE file");
	rest = str_of(file.data + RIFF_HEAD, file.size - RIFF_HEAD);
	while (next_chunk(&rest, &name, &chunk)) {
		if (str_equal(name, STR("fmt ")) && !read_format(chunk, wav, error))
			return false;
		if (!str_equal(name, STR("data")))
			continue;
		if (wav->hz == 0)
			return error_set(error, ERROR_INPUT, "WAVE: samples before their format");
		/* Half a sample at the end of a cut file is none. */
		wav->data = str_of(chunk.data, wav->mulaw ? chunk.size : chunk.size & ~(size_t)1);
		return true;
	}
	return error_set(error, ERROR_INPUT, "WAVE: no samples in it");
}
