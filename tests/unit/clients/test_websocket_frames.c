/*
 * websocket_frames: frames in any pieces, and what is written is what the other side reads. What each
 * violation is answered with is in the stories.
 */
#include "websocket_frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

enum { OUT_BYTES = 1 << 20, MAX_BYTES = 100000 };

/* Bytes that come `step` at a time, with nothing between two of them. */
struct feed {
	struct buf bytes;
	size_t at, step;
	bool dry;
};

static ssize_t feed_recv(void *owner, void *to, size_t room)
{
	struct feed *feed = owner;
	size_t size = feed->bytes.size - feed->at;

	feed->dry = !feed->dry;
	if (!feed->dry || size == 0)
		return 0;
	size = size < feed->step ? size : feed->step;
	size = size < room ? size : room;
	memcpy(to, feed->bytes.data + feed->at, size);
	feed->at += size;
	return (ssize_t)size;
}

/* A side that reads what the other side wrote. */
static void pair_new(struct websocket_frames *writer, struct websocket_frames *reader,
	struct feed *feed, bool server_reads)
{
	*feed = (struct feed){.step = SIZE_MAX};
	buf_init(&feed->bytes, OUT_BYTES);
	websocket_frames_init(writer, !server_reads, MAX_BYTES);
	websocket_frames_init(reader, server_reads, MAX_BYTES);
	reader->recv = feed_recv;
	reader->owner = feed;
}

static void pair_free(
	struct websocket_frames *writer, struct websocket_frames *reader, struct feed *feed)
{
	websocket_frames_free(writer);
	websocket_frames_free(reader);
	buf_free(&feed->bytes);
}

static enum websocket_got next(
	struct websocket_frames *frames, struct feed *feed, struct websocket_event *event)
{
	enum websocket_got got;

	do
		got = websocket_frames_next(frames, event);
	while (got == WEBSOCKET_GOT_NOTHING && feed->at < feed->bytes.size);
	return got;
}

static void fill(char *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (char)(i * 7);
}

static void round_trip(bool server_reads, size_t size, size_t step)
{
	struct websocket_frames writer, reader;
	struct websocket_event event;
	struct feed feed;
	char *payload = malloc(size + 1);

	fill(payload, size);
	pair_new(&writer, &reader, &feed, server_reads);
	feed.step = step;
	assert_true(websocket_frames_put(
		&writer, &feed.bytes, WEBSOCKET_BINARY, str_of(payload, size)));
	assert_true(websocket_frames_put(&writer, &feed.bytes, WEBSOCKET_PING, STR("ping")));
	assert_true(websocket_frames_put(&writer, &feed.bytes, WEBSOCKET_TEXT, STR("text")));
	assert_int_equal(next(&reader, &feed, &event), WEBSOCKET_GOT_MESSAGE);
	assert_int_equal(event.frame, WEBSOCKET_BINARY);
	assert_true(str_equal(event.payload, str_of(payload, size)));
	assert_int_equal(next(&reader, &feed, &event), WEBSOCKET_GOT_CONTROL);
	assert_true(str_equal(event.payload, STR("ping")));
	assert_int_equal(next(&reader, &feed, &event), WEBSOCKET_GOT_MESSAGE);
	assert_true(str_equal(event.payload, STR("text")));
	assert_int_equal(next(&reader, &feed, &event), WEBSOCKET_GOT_NOTHING);
	pair_free(&writer, &reader, &feed);
	free(payload);
}

static void both_ways_in_any_pieces(void **state)
{
	static const size_t sizes[] = {0, 1, 125, 126, 280, 4090, 4096, 65535, 65536, MAX_BYTES};
	static const size_t steps[] = {1, 2, 3, 7, 100, 4096, SIZE_MAX};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
			round_trip(true, sizes[i], steps[j]);
			round_trip(false, sizes[i], steps[j]);
		}
	}
}

static void a_server_does_not_mask(void **state)
{
	struct websocket_frames frames;
	struct buf out;

	websocket_frames_init(&frames, true, MAX_BYTES);
	buf_init(&out, OUT_BYTES);
	assert_true(websocket_frames_put(&frames, &out, WEBSOCKET_TEXT, STR("hi")));
	assert_true(str_equal(buf_str(&out), STR("\x81\x02hi")));
	buf_free(&out);
	websocket_frames_free(&frames);
}

/* A message that was kept in pieces does not leave its length behind. */
static void each_message_has_all_the_room(void **state)
{
	static const unsigned char first[] = {0x02, 0x7e, 0xea, 0x60}; /* 60000, more follows */
	static const unsigned char rest[] = {0x80, 0x7e, 0x9c, 0x40};  /* 40000 */
	struct websocket_frames writer, reader;
	struct websocket_event event;
	struct feed feed;
	char payload[60000];

	fill(payload, sizeof(payload));
	pair_new(&writer, &reader, &feed, false);
	for (int i = 0; i < 3; i++) {
		buf_append(&feed.bytes, first, sizeof(first));
		buf_append(&feed.bytes, payload, 60000);
		buf_append(&feed.bytes, rest, sizeof(rest));
		buf_append(&feed.bytes, payload, 40000);
		assert_int_equal(next(&reader, &feed, &event), WEBSOCKET_GOT_MESSAGE);
		assert_int_equal(event.payload.size, MAX_BYTES);
	}
	pair_free(&writer, &reader, &feed);
}

static void a_full_buffer_takes_nothing(void **state)
{
	struct websocket_frames frames;
	struct buf out;

	websocket_frames_init(&frames, true, MAX_BYTES);
	buf_init(&out, 100);
	assert_false(websocket_frames_put(&frames, &out, WEBSOCKET_TEXT,
		STR("01234567890123456789012345678901234567890123456789"
		    "01234567890123456789012345678901234567890123456789")));
	assert_int_equal(out.size, 0);
	assert_true(websocket_frames_put(&frames, &out, WEBSOCKET_TEXT, STR("short")));
	assert_true(str_equal(buf_str(&out), STR("\x81\x05short")));
	buf_free(&out);
	websocket_frames_free(&frames);
}

static void closes(void **state)
{
	struct websocket_frames writer, reader;
	struct websocket_event event;
	struct feed feed;
	char reason[200];

	for (size_t i = 0; i + 1 < sizeof(reason); i += 2) /* of two bytes each */
		memcpy(reason + i, "\xd0\xb6", 2);
	reason[sizeof(reason) - 2] = '\0';
	pair_new(&writer, &reader, &feed, false);
	assert_true(websocket_frames_put_close(&writer, &feed.bytes, 1001, reason));
	assert_int_equal(next(&reader, &feed, &event), WEBSOCKET_GOT_CONTROL);
	assert_int_equal(event.frame, WEBSOCKET_CLOSE);
	assert_int_equal(event.code, 1001);
	assert_int_equal(event.payload.size, 122); /* of 123: cut between characters */
	assert_true(websocket_frames_put_close(&writer, &feed.bytes, WEBSOCKET_NO_CODE, NULL));
	assert_int_equal(next(&reader, &feed, &event), WEBSOCKET_GOT_CONTROL);
	assert_int_equal(event.code, WEBSOCKET_NO_CODE);
	pair_free(&writer, &reader, &feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_in_any_pieces),
		cmocka_unit_test(a_server_does_not_mask),
		cmocka_unit_test(each_message_has_all_the_room),
		cmocka_unit_test(a_full_buffer_takes_nothing),
		cmocka_unit_test(closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
