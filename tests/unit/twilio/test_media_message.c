/*
 * media_message: the documented messages, what may be different in them, and exactly what we send.
 */
#include "media_message.h"

#include "../base/check.h"

#define SID "MZ00000000000000000000000000000001"

static struct arena *arena;

static int set_up(void **state)
{
	arena = arena_new((size_t)1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	arena_free(&arena);
	return 0;
}

static struct media_message read_well(const char *text)
{
	struct media_message message;
	struct error error = {0};

	if (!media_message_read(str_from(text), arena, &message, &error))
		fail_msg("%s: %s", text, error.text);
	return message;
}

static void check_wrong(const char *text, const char *words)
{
	struct media_message message;
	struct error error = {0};

	assert_false(media_message_read(str_from(text), arena, &message, &error));
	assert_string_equal(error.text, words);
	assert_int_equal(error.kind, ERROR_INPUT);
}

static void connected(void **state)
{
	struct media_message message =
		read_well("{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}");

	assert_int_equal(message.event, MEDIA_CONNECTED);
	assert_int_equal(message.sequence, -1);
}

static void start(void **state)
{
	struct media_message message = read_well(
		"{\"event\":\"start\",\"sequenceNumber\":\"1\",\"start\":{\"accountSid\":\"AC1\","
		"\"streamSid\":\"" SID "\",\"callSid\":\"CA1\",\"tracks\":[\"inbound\"],"
		"\"mediaFormat\":{\"encoding\":\"audio/"
		"x-mulaw\",\"sampleRate\":8000,\"channels\":1}"
		",\"customParameters\":{\"token\":\"a.b\",\"mode\":\"\\u00e9\"}},"
		"\"streamSid\":\"" SID "\"}");

	assert_int_equal(message.event, MEDIA_START);
	assert_int_equal(message.sequence, 1);
	assert_str(message.stream_sid, SID);
	assert_str(message.call_sid, "CA1");
	assert_str(message.account_sid, "AC1");
	assert_str(message.encoding, "audio/x-mulaw");
	assert_int_equal(message.sample_rate, 8000);
	assert_int_equal(message.channels, 1);
	assert_str(media_parameter(&message, "token"), "a.b");
	assert_str(media_parameter(&message, "mode"), "\xc3\xa9");
	assert_str(media_parameter(&message, "nothing"), "");
}

static void check_frame(const char *text, size_t used_bytes)
{
	size_t before = arena_used_bytes(arena);
	struct media_message message = read_well(text);

	assert_int_equal(message.event, MEDIA_MEDIA);
	assert_int_equal(message.sequence, 4);
	assert_int_equal(message.chunk, 2);
	assert_int_equal(message.timestamp_ms, 5);
	assert_str(message.payload, "//8=");
	assert_str(message.stream_sid, SID);
	if (used_bytes == 0)
		assert_int_equal(arena_used_bytes(arena), before);
}

/* As Twilio writes it, as Python would, in another order: all without an allocation. Escaped or
 * with new members: the same by the long way. */
static void media(void **state)
{
	check_frame("{\"event\":\"media\",\"sequenceNumber\":\"4\",\"media\":{\"track\":\"inbound\""
		    ",\"chunk\":\"2\",\"timestamp\":\"5\",\"payload\":\"//8=\"},"
		    "\"streamSid\":\"" SID "\"}",
		0);
	check_frame("{\"event\": \"media\", \"sequenceNumber\": \"4\", \"media\": {\"track\": "
		    "\"inbound\", \"chunk\": \"2\", \"timestamp\": \"5\", \"payload\": \"//8=\"}, "
		    "\"streamSid\": \"" SID "\"}",
		0);
	check_frame("{\"streamSid\":\"" SID "\",\"media\":{\"payload\":\"//8=\",\"timestamp\":\"5\""
		    ",\"chunk\":\"2\",\"track\":\"outbound\"},\"sequenceNumber\":\"4\","
		    "\"event\":\"media\"}",
		0);
	check_frame("{\"event\":\"media\",\"sequenceNumber\":4,\"media\":{\"track\":\"inbound\","
		    "\"chunk\":2,\"timestamp\":\"5\",\"payload\":\"\\/\\/8=\"},"
		    "\"streamSid\":\"" SID "\",\"new\":[{}]}",
		1);
}

/* Found by the fuzzer: a first payload that nobody looked at, because a second one came. */
static void of_two_payloads_both_are_looked_at(void **state)
{
	check_wrong("{\"event\":\"media\",\"sequenceNumber\":\"4\",\"media\":{\"payload\":\"\xb5\","
		    "\"payload\":\"//8=\"},\"streamSid\":\"" SID "\"}",
		"not valid UTF-8 at byte 58");
}

static void dtmf_mark_stop_and_what_is_new(void **state)
{
	struct media_message message =
		read_well("{\"event\":\"dtmf\",\"streamSid\":\"" SID "\",\"sequenceNumber\":\"5\","
			  "\"dtmf\":{\"track\":\"inbound_track\",\"digit\":\"#\"}}");

	assert_int_equal(message.event, MEDIA_DTMF);
	assert_int_equal(message.digit, '#');
	message = read_well("{\"event\":\"mark\",\"sequenceNumber\":\"4\",\"streamSid\":\"" SID
			    "\",\"mark\":{\"name\":\"g1u2\"}}");
	assert_int_equal(message.event, MEDIA_MARK);
	assert_str(message.name, "g1u2");
	message = read_well("{\"event\":\"stop\",\"sequenceNumber\":\"9\",\"streamSid\":\"" SID
			    "\",\"stop\":{\"accountSid\":\"AC1\",\"callSid\":\"CA1\"}}");
	assert_int_equal(message.event, MEDIA_STOP);
	assert_int_equal(message.sequence, 9);
	message = read_well("{\"event\":\"weather\",\"sun\":true}");
	assert_int_equal(message.event, MEDIA_UNKNOWN);
}

static void wrong_ones(void **state)
{
	check_wrong("{\"event\":\"media\"", "invalid JSON at byte 16");
	check_wrong("[]", "not an object");
	check_wrong("{}", "event: missing");
	check_wrong("{\"event\":7}", "event: not a string");
	check_wrong("{\"event\":\"stop\"}", "sequenceNumber: missing");
	check_wrong("{\"event\":\"stop\",\"sequenceNumber\":\"1\"}", "streamSid: not one");
	check_wrong("{\"event\":\"stop\",\"sequenceNumber\":\"1\",\"streamSid\":\"a\\\"b\"}",
		"streamSid: not one");
	check_wrong("{\"event\":\"media\",\"sequenceNumber\":\"x\",\"media\":{\"payload\":\"\"},"
		    "\"streamSid\":\"" SID "\"}",
		"sequenceNumber: not a whole number");
	check_wrong(
		"{\"event\":\"media\",\"sequenceNumber\":\"1\",\"media\":{},\"streamSid\":\"" SID
		"\"}",
		"media.payload: missing");
	check_wrong("{\"event\":\"media\",\"sequenceNumber\":\"1\",\"streamSid\":\"" SID "\"}",
		"media: missing");
	check_wrong(
		"{\"event\":\"start\",\"sequenceNumber\":\"1\",\"start\":{},\"streamSid\":\"" SID
		"\"}",
		"start.callSid: missing");
	check_wrong("{\"event\":\"start\",\"sequenceNumber\":\"1\",\"start\":{\"callSid\":\"CA1\","
		    "\"customParameters\":{\"a\":1}},\"streamSid\":\"" SID "\"}",
		"start.customParameters: not texts");
	check_wrong("{\"event\":\"dtmf\",\"sequenceNumber\":\"1\",\"dtmf\":{\"digit\":\"x\"},"
		    "\"streamSid\":\"" SID "\"}",
		"dtmf.digit: not a key of a telephone");
	check_wrong("{\"event\":\"mark\",\"sequenceNumber\":\"1\",\"mark\":{},\"streamSid\":\"" SID
		    "\"}",
		"mark.name: missing");
}

/* 31951 is what Twilio says of one member more or less. */
static void what_we_send_is_exact(void **state)
{
	struct buf to;

	buf_init(&to, 4096);
	media_put_audio(&to, STR(SID), (const uint8_t *)"\xff\xff\x7f", 3);
	assert_string_equal(to.data,
		"{\"event\":\"media\",\"streamSid\":\"" SID "\",\"media\":{\"payload\":\"//9/\"}}");
	buf_clear(&to);
	media_put_mark(&to, STR(SID), STR("a\"b"));
	assert_string_equal(to.data,
		"{\"event\":\"mark\",\"streamSid\":\"" SID "\",\"mark\":{\"name\":\"a\\\"b\"}}");
	buf_clear(&to);
	media_put_clear(&to, STR(SID));
	assert_string_equal(to.data, "{\"event\":\"clear\",\"streamSid\":\"" SID "\"}");
	buf_free(&to);
}

static void what_does_not_fit_is_said(void **state)
{
	uint8_t frame[160] = {0};
	struct buf to;

	buf_init(&to, 128);
	media_put_audio(&to, STR(SID), frame, sizeof(frame));
	assert_true(to.failed);
	buf_free(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connected),
		cmocka_unit_test(start),
		cmocka_unit_test(media),
		cmocka_unit_test(of_two_payloads_both_are_looked_at),
		cmocka_unit_test(dtmf_mark_stop_and_what_is_new),
		cmocka_unit_test(wrong_ones),
		cmocka_unit_test(what_we_send_is_exact),
		cmocka_unit_test(what_does_not_fit_is_said),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
