/*
 * fuzz_media_message: any bytes on a media stream's socket. What the quick scanner takes, cJSON takes, too,
 * and means the same by it; and a frame that was read can be sent back as it came.
 */
#include "media_message.h"

#include "crypto.h"
#include "json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool same(struct str a, struct str b)
{
	return str_equal(a, b);
}

/* White space that the scanner does not know sends the same document the long way. */
static void compare_ways(struct str text, const struct media_message *message, struct arena *arena)
{
	struct media_message other;
	struct error error;
	struct buf spaced;

	buf_init(&spaced, text.size + 1);
	buf_add(&spaced, STR("\n"));
	buf_add(&spaced, text);
	require(media_message_read(buf_str(&spaced), arena, &other, &error));
	require(other.event == message->event && other.sequence == message->sequence);
	require(other.chunk == message->chunk && other.timestamp_ms == message->timestamp_ms);
	require(same(other.stream_sid, message->stream_sid));
	require(same(other.payload, message->payload));
	buf_free(&spaced);
}

/* False: what was read is no audio, and its reader says so. */
static bool send_back(const struct media_message *message)
{
	static unsigned char audio[64 * 1024];
	struct buf back;
	size_t bytes;

	if (!crypto_base64_read(message->payload, audio, sizeof(audio), &bytes))
		return false;
	buf_init(&back, (size_t)128 << 10);
	media_put_audio(&back, message->stream_sid, audio, bytes);
	require(!back.failed && memmem(back.data, back.size, message->stream_sid.data,
					message->stream_sid.size) != NULL);
	buf_free(&back);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_of((const char *)data, size);
	struct arena *arena = arena_new((size_t)4 << 20);
	struct media_message message;
	struct error error;

	if (media_message_read(text, arena, &message, &error)) {
		/* The scanner leaves it to base64 to find out what cannot be in a payload. */
		if (message.event == MEDIA_MEDIA && send_back(&message) && size < 32 * 1024)
			compare_ways(text, &message, arena);
	}
	arena_free(&arena);
	return 0;
}
