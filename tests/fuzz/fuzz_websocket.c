/*
 * fuzz_websocket: any bytes from a peer, before and behind the handshake: the same events come out
 * whatever the pieces, messages are bounded and texts are UTF-8, and what is written of any message is
 * read back.
 */
#include "websocket_frames.h"
#include "websocket_handshake.h"

#include <stdlib.h>

enum { MAX_MESSAGE_BYTES = 2000, OUT_BYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct feed {
	const uint8_t *data;
	size_t size, step;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static ssize_t feed_recv(void *owner, void *to, size_t room)
{
	struct feed *feed = owner;
	size_t size = feed->size < feed->step ? feed->size : feed->step;

	size = size < room ? size : room;
	if (size > 0)
		memcpy(to, feed->data, size);
	feed->data += size;
	feed->size -= size;
	return (ssize_t)size;
}

static void check(enum websocket_got got, const struct websocket_event *event)
{
	switch (got) {
	case WEBSOCKET_GOT_MESSAGE:
		require(event->frame == WEBSOCKET_TEXT || event->frame == WEBSOCKET_BINARY);
		require(event->payload.size <= MAX_MESSAGE_BYTES);
		require(event->frame == WEBSOCKET_BINARY || str_is_utf8(event->payload));
		break;
	case WEBSOCKET_GOT_CONTROL:
		require(event->payload.size <= WEBSOCKET_CONTROL_MAX);
		require(event->frame != WEBSOCKET_CLOSE ||
			(event->code >= 1000 && event->code < 5000));
		break;
	case WEBSOCKET_GOT_WRONG:
		require(event->code == WEBSOCKET_PROTOCOL_ERROR ||
			event->code == WEBSOCKET_NOT_UTF8 || event->code == WEBSOCKET_TOO_BIG);
		require(event->words != NULL);
		break;
	default:
		break;
	}
}

/* One number for all that was read, in its order. */
static uint64_t digest(uint64_t before, enum websocket_got got, const struct websocket_event *event)
{
	uint64_t sum = before * 31 + got;

	if (got == WEBSOCKET_GOT_WRONG)
		return sum * 31 + (uint64_t)event->code;
	sum = sum * 31 + event->frame;
	for (size_t i = 0; i < event->payload.size; i++)
		sum = sum * 31 + (unsigned char)event->payload.data[i];
	return sum;
}

static uint64_t read_frames(const uint8_t *data, size_t size, bool server, size_t step)
{
	struct feed feed = {data, size, step};
	struct websocket_event event = {.code = 0};
	struct websocket_frames frames;
	enum websocket_got got;
	uint64_t sum = 1;

	websocket_frames_init(&frames, server, MAX_MESSAGE_BYTES);
	frames.recv = feed_recv;
	frames.owner = &feed;
	do {
		got = websocket_frames_next(&frames, &event);
		check(got, &event);
		if (got != WEBSOCKET_GOT_NOTHING)
			sum = digest(sum, got, &event);
	} while (got != WEBSOCKET_GOT_WRONG && (got != WEBSOCKET_GOT_NOTHING || feed.size > 0));
	websocket_frames_free(&frames);
	return sum;
}

static void write_frame(const uint8_t *data, size_t size, bool server)
{
	struct websocket_frames frames;
	struct buf out;
	uint64_t sum;

	websocket_frames_init(&frames, server, MAX_MESSAGE_BYTES);
	buf_init(&out, OUT_BYTES);
	require(websocket_frames_put(
		&frames, &out, WEBSOCKET_BINARY, str_of((const char *)data, size)));
	sum = read_frames((const uint8_t *)out.data, out.size, !server, SIZE_MAX);
	require(sum == digest(1, WEBSOCKET_GOT_MESSAGE,
			       &(struct websocket_event){.frame = WEBSOCKET_BINARY,
				       .payload = str_of((const char *)data, size)}));
	buf_free(&out);
	websocket_frames_free(&frames);
}

static void read_handshake(struct str text)
{
	struct websocket_url url;
	struct error error;
	size_t head = 0;

	(void)websocket_key_is_good(text);
	(void)websocket_token(text, STR("websocket"));
	if (websocket_url_read(text, &url, &error))
		require(url.host.size > 0 && url.port > 0 && url.port < 65536);
	if (websocket_read_answer(text, "dGhlIHNhbXBsZSBub25jZQ==", "p", &head, &error) ==
		WEBSOCKET_ANSWER_GOOD)
		require(head > 0 && head <= text.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = {1, 3, 64};

	for (int server = 0; server < 2; server++) {
		uint64_t whole = read_frames(data, size, server != 0, SIZE_MAX);

		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			require(read_frames(data, size, server != 0, steps[i]) == whole);
		if (size <= MAX_MESSAGE_BYTES)
			write_frame(data, size, server != 0);
	}
	read_handshake(str_of((const char *)data, size));
	return 0;
}
