/* realtime_message, engine_options: the Realtime wire in both of its dialects, and where engines are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto.h"
#include "realtime_message.h"

#include <stdlib.h>

static const struct engine_call call = {.language = "he"};
static const struct engine_options options = {
	.transcription_model = {"hears", 5},
	.voice = {"marin", 5},
	.instructions = {"You are the desk.", 17},
};

static struct json *session_of(bool beta)
{
	struct buf text;
	struct json *json;

	buf_init(&text, 1 << 20);
	realtime_put_session(&text, beta, &options, &call);
	json = json_parse(buf_str(&text), (struct json_limits){1 << 20, 32}, NULL);
	assert_non_null(json);
	assert_string_equal(json_text(json_member(json, "type")).data, "session.update");
	buf_free(&text);
	return json;
}

/* "audio.input.format.type" */
static const struct json *at(const struct json *json, const char *path)
{
	struct str rest = str_from(path);

	while (rest.size > 0) {
		struct str name = str_cut(&rest, '.');
		char copy[64];

		assert_true(str_copy(copy, sizeof(copy), name));
		json = json_member(json, copy);
	}
	return json;
}

static void must_be(const struct json *json, const char *path, const char *value)
{
	assert_string_equal(json_text(at(json, path)).data, value);
}

static void test_a_session_in_the_names_of_today(void **state)
{
	struct json *json = session_of(false);
	const struct json *session = json_member(json, "session");

	must_be(session, "type", "realtime");
	must_be(session, "audio.input.format.type", "audio/pcmu");
	must_be(session, "audio.output.format.type", "audio/pcmu");
	must_be(session, "audio.output.voice", "marin");
	must_be(session, "audio.input.turn_detection.type", "server_vad");
	must_be(session, "audio.input.transcription.model", "hears");
	must_be(session, "audio.input.transcription.language", "he");
	assert_true(json_is_true(at(session, "audio.input.turn_detection.interrupt_response")));
	assert_null(json_member(session, "modalities"));
	assert_null(json_member(session, "input_audio_format"));
	assert_int_equal(json_count(json_member(session, "tools")), 5);
	must_be(json_item(json_member(session, "tools"), 0), "name", "transfer");
	assert_non_null(strstr(json_text(json_member(session, "instructions")).data, "Hebrew"));
	json_free(&json);
}

static void test_a_session_in_the_names_of_the_beta(void **state)
{
	struct json *json = session_of(true);
	const struct json *session = json_member(json, "session");

	must_be(session, "input_audio_format", "g711_ulaw");
	must_be(session, "output_audio_format", "g711_ulaw");
	must_be(session, "voice", "marin");
	assert_null(json_member(session, "type"));
	assert_null(json_member(session, "audio"));
	assert_null(json_member(session, "output_modalities"));
	json_free(&json);
}

static void must_put(const struct buf *to, const char *text)
{
	assert_string_equal(to->data, text);
}

static void test_what_is_sent(void **state)
{
	uint8_t sound[2000], back[2100];
	struct str audio;
	struct buf out;
	size_t size;

	buf_init(&out, 65536);
	realtime_put_truncate(&out, STR("item_7"), 1234);
	must_put(&out, "{\"type\":\"conversation.item.truncate\",\"item_id\":\"item_7\","
		       "\"content_index\":0,\"audio_end_ms\":1234}");
	buf_clear(&out);
	realtime_put_tool_result(&out, STR("c\"1"), STR("{\"a\":1}"));
	must_put(&out,
		"{\"type\":\"conversation.item.create\",\"item\":{\"type\":"
		"\"function_call_output\",\"call_id\":\"c\\\"1\",\"output\":\"{\\\"a\\\":1}\"}}");
	buf_clear(&out);
	realtime_put_response(&out, (struct str){0});
	must_put(&out, "{\"type\":\"response.create\"}");
	buf_clear(&out);
	for (size_t i = 0; i < sizeof(sound); i++)
		sound[i] = (uint8_t)(i * 7);
	realtime_put_audio(&out, sound, sizeof(sound));
	audio = str_of(out.data + 45, out.size - 47);
	assert_true(str_starts(
		buf_str(&out), STR("{\"type\":\"input_audio_buffer.append\",\"audio\":\"")));
	assert_true(crypto_base64_read(audio, back, sizeof(back), &size));
	assert_int_equal(size, sizeof(sound));
	assert_memory_equal(back, sound, size);
	buf_free(&out);
}

static void must_read(const char *text, enum realtime_event event)
{
	struct realtime_message message;
	struct error error;

	assert_true(realtime_read(str_from(text), &message, &error));
	assert_int_equal(message.event, event);
	realtime_message_free(&message);
}

static void test_both_dialects_say_the_same(void **state)
{
	must_read("{\"type\":\"response.output_audio.delta\",\"delta\":\"\"}", REALTIME_AUDIO);
	must_read("{\"type\":\"response.audio.delta\",\"delta\":\"\"}", REALTIME_AUDIO);
	must_read("{\"type\":\"response.output_audio.done\"}", REALTIME_AUDIO_DONE);
	must_read("{\"type\":\"response.audio.done\"}", REALTIME_AUDIO_DONE);
	must_read("{\"type\":\"response.output_audio_transcript.done\"}", REALTIME_REPLY_TEXT);
	must_read("{\"type\":\"response.audio_transcript.done\"}", REALTIME_REPLY_TEXT);
	must_read("{\"type\":\"rate_limits.updated\"}", REALTIME_OTHER);
	must_read("{\"type\":\"response.output_item.done\",\"item\":{\"type\":\"message\"}}",
		REALTIME_OTHER);
}

static void test_what_a_message_holds(void **state)
{
	struct realtime_message message;
	struct error error;

	assert_true(realtime_read(STR("{\"type\":\"response.output_item.done\",\"item\":{\"type\":"
				      "\"function_call\",\"name\":\"transfer\",\"call_id\":\"c\","
				      "\"arguments\":\"{}\"}}"),
		&message, &error));
	assert_int_equal(message.event, REALTIME_TOOL);
	assert_string_equal(message.name.data, "transfer");
	realtime_message_free(&message);
	assert_true(
		realtime_read(STR("{\"type\":\"response.done\",\"response\":{\"status\":\"failed\","
				  "\"status_details\":{\"error\":{\"code\":\"x\",\"message\":"
				  "\"no\"}}}}"),
			&message, &error));
	assert_string_equal(message.status.data, "failed");
	assert_string_equal(message.words.data, "no");
	realtime_message_free(&message);
	assert_true(realtime_read(STR("{\"type\":\"session.created\",\"session\":{\"type\":"
				      "\"realtime\"}}"),
		&message, &error));
	assert_false(message.beta);
	realtime_message_free(&message);
	assert_true(
		realtime_read(STR("{\"type\":\"session.created\",\"session\":{\"modalities\":[]}}"),
			&message, &error));
	assert_true(message.beta);
	realtime_message_free(&message);
}

static void test_what_is_none(void **state)
{
	static const char *const wrong[] = {"", "[]", "{}", "{\"type\":7}", "hello", "{\"type\":"};
	struct realtime_message message;
	struct error error;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(realtime_read(str_from(wrong[i]), &message, &error));
}

/* P10: one joiner of URLs. */
static void must_join(const char *base, bool websocket, const char *url)
{
	struct buf to;

	buf_init(&to, 256);
	engine_url(&to, str_from(base), "/x", websocket);
	assert_string_equal(to.data, url);
	buf_free(&to);
}

static void test_p10_urls(void **state)
{
	must_join("https://api.example.com", false, "https://api.example.com/v1/x");
	must_join("https://api.example.com//", false, "https://api.example.com/v1/x");
	must_join("https://api.example.com/v1", false, "https://api.example.com/v1/x");
	must_join(
		"https://api.example.com/openai/v1/", false, "https://api.example.com/openai/v1/x");
	must_join("https://api.example.com/v1", true, "wss://api.example.com/v1/x");
	must_join("http://10.0.0.1:8000", true, "ws://10.0.0.1:8000/v1/x");
	must_join("wss://api.example.com/v1/realtime", true, "wss://api.example.com/v1/x");
	must_join("wss://api.example.com/v1/realtime", false, "https://api.example.com/v1/x");
}

static bool read_options(const char *config, struct engine_options *to, struct error *error)
{
	struct json *json = json_parse(str_from(config), (struct json_limits){65536, 8}, NULL);
	struct engine_call of = {.language = "fr", .config = json};
	struct arena *arena = arena_new(65536);
	bool good = engine_options_read(&of, arena, to, error);

	arena_free(&arena);
	json_free(&json);
	return good;
}

static void test_options(void **state)
{
	struct engine_options to;
	struct error error;

	assert_true(read_options("{\"url\":\"https://x\"}", &to, &error));
	assert_true(str_starts(to.greeting, STR("Bonjour")));
	assert_int_equal(to.speech_hz, 24000);
	assert_true(read_options("{\"url\":\"https://x\",\"greeting\":\"\"}", &to, &error));
	assert_int_equal(to.greeting.size, 0);
	assert_false(read_options("{}", &to, &error));
	assert_string_equal(error.text, "url: missing");
	assert_false(read_options("{\"url\":\"file:///etc/passwd\"}", &to, &error));
	assert_false(read_options("{\"url\":\"https://x\",\"silence_ms\":1}", &to, &error));
	assert_false(read_options("{\"url\":\"https://x\",\"speech_hz\":4000}", &to, &error));
	assert_false(engine_options_read(&call, NULL, &to, &error));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_session_in_the_names_of_today),
		cmocka_unit_test(test_a_session_in_the_names_of_the_beta),
		cmocka_unit_test(test_what_is_sent),
		cmocka_unit_test(test_both_dialects_say_the_same),
		cmocka_unit_test(test_what_a_message_holds),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_p10_urls),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
