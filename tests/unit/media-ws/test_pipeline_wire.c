/* pipeline: what is sent to OpenAI-compatible servers, byte for byte, and what is read of their answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_tools.h"
#include "mulaw.h"
#include "pipeline_audio.h"
#include "pipeline_chat.h"
#include "pipeline_history.h"
#include "pipeline_requests.h"
#include "wav.h"

#include <stdio.h>
#include <stdlib.h>

static const struct engine_options options = {
	.model = {"m", 1},
	.transcription_model = {"hears", 5},
	.speech_model = {"speaks", 6},
	.voice = {"anna", 4},
	.instructions = {"You are the desk.", 17},
};

/* -- requests -------------------------------------------------------------------------------------- */

static void test_a_transcription(void **state)
{
	static const char head[] =
		"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nhears\r\n"
		"--b\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nfr\r\n"
		"--b\r\nContent-Disposition: form-data; name=\"response_format\"\r\n\r\njson\r\n"
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"call.wav\"\r\n"
		"Content-Type: audio/wav\r\n\r\nRIFF";
	struct buf body;
	struct str file;
	struct wav wav;

	buf_init(&body, 65536);
	pipeline_put_transcription(&body, "b", &options, "fr", STR("\xff\x00\x80\x7f"));
	assert_memory_equal(body.data, head, sizeof(head) - 1);
	assert_true(str_ends(buf_str(&body), STR("\r\n--b--\r\n")));
	file = str_of(body.data + sizeof(head) - 5, body.size - (sizeof(head) - 5) - 9);
	assert_true(wav_read(file, &wav, NULL));
	assert_int_equal(wav.hz, 8000);
	assert_false(wav.mulaw);
	assert_int_equal(wav.data.size, 8);
	buf_free(&body);
}

static void test_speech(void **state)
{
	struct buf body;

	buf_init(&body, 4096);
	pipeline_put_speech(&body, &options, STR("Say \"hi\"."));
	assert_string_equal(body.data,
		"{\"model\":\"speaks\",\"voice\":\"anna\",\"input\":\"Say \\\"hi\\\".\","
		"\"response_format\":\"pcm\"}");
	buf_free(&body);
}

static struct json *chat_of(const struct history *history)
{
	static const struct engine_call call = {.language = "fr"};
	struct buf body;
	struct json *json;

	buf_init(&body, 1 << 20);
	pipeline_put_chat(&body, &options, &call, history);
	json = json_parse(buf_str(&body), (struct json_limits){1 << 20, 32}, NULL);
	assert_non_null(json);
	buf_free(&body);
	return json;
}

/* "system user assistant[call] tool ..." */
static void roles_of(const struct json *chat, char *out, size_t room)
{
	size_t used = 0;

	for (const struct json *at = json_first(json_member(chat, "messages")); at != NULL;
		at = json_next(at))
		used += (size_t)snprintf(out + used, room - used, "%s%.*s%s", used > 0 ? " " : "",
			STR_ARG(json_text(json_member(at, "role"))),
			json_member(at, "tool_calls") != NULL ? "[call]" : "");
}

static void test_a_chat(void **state)
{
	struct history history = {0};
	struct json *chat;
	const struct json *first;
	char roles[256];

	history_add_user(&history, STR("Hello"));
	history_add_user(&history, STR("who am I?"));
	history_add_tool(&history, STR("c1"), STR("lookup_customer"), STR(""), STR("{}"));
	history_add_assistant(&history, STR("Ann."));
	history_add_user(&history, STR("Right"));
	chat = chat_of(&history);
	roles_of(chat, roles, sizeof(roles));
	assert_string_equal(roles, "system user assistant[call] tool assistant user");
	first = json_item(json_member(chat, "messages"), 0);
	assert_true(str_starts(json_text(json_member(first, "content")), STR("You are the desk.")));
	assert_non_null(strstr(json_text(json_member(first, "content")).data, "Speak French"));
	assert_string_equal(
		json_text(json_member(json_item(json_member(chat, "messages"), 1), "content")).data,
		"Hello who am I?");
	assert_true(json_is_true(json_member(chat, "stream")));
	assert_int_equal(json_count(json_member(chat, "tools")), 5);
	json_free(&chat);
	history_free(&history);
}

/* -- what is remembered ---------------------------------------------------------------------------- */

static void test_old_turns_are_forgotten_whole(void **state)
{
	struct history history = {0};
	char roles[2048], text[32];
	struct json *chat;

	for (int i = 0; i < 100; i++) {
		(void)snprintf(text, sizeof(text), "question %d", i);
		history_add_user(&history, str_from(text));
		for (int tool = 0; tool < i % 4; tool++)
			history_add_tool(&history, STR("id"), STR("t"), STR("{}"), STR("{}"));
		history_add_assistant(&history, STR("answer"));
	}
	chat = chat_of(&history);
	roles_of(chat, roles, sizeof(roles));
	assert_true(str_starts(str_from(roles), STR("system user ")));
	assert_true(str_ends(str_from(roles), STR("assistant")));
	assert_true(history.count <= HISTORY_ITEMS);
	assert_non_null(strstr(
		json_text(json_member(json_item(json_member(chat, "messages"), 1), "content")).data,
		"question 90"));
	json_free(&chat);
	history_free(&history);
}

/* A model that uses tools again and again in one turn. */
static void test_many_tools_in_a_turn(void **state)
{
	struct history history = {0};
	char roles[4096];
	struct json *chat;

	history_add_user(&history, STR("q"));
	for (int i = 0; i < 200; i++)
		history_add_tool(&history, STR("id"), STR("t"), STR("{}"), STR("{}"));
	history_add_assistant(&history, STR("a"));
	assert_true(history.count <= HISTORY_ITEMS);
	chat = chat_of(&history);
	roles_of(chat, roles, sizeof(roles));
	assert_null(strstr(roles, "system tool"));
	assert_null(strstr(roles, "user tool"));
	json_free(&chat);
	history_free(&history);
}

static void test_what_was_not_heard_is_not_remembered(void **state)
{
	struct history history = {0};

	history_add_user(&history, STR("q"));
	history_add_assistant(&history, STR("one two three"));
	history_cut_last(&history, str_of(history.items[1].text, 7));
	assert_string_equal(history.items[1].text, "one two");
	history_cut_last(&history, (struct str){0});
	assert_int_equal(history.count, 1);
	history_cut_last(&history, (struct str){0}); /* nothing left to cut */
	assert_int_equal(history.count, 1);
	history_free(&history);
}

/* -- answers --------------------------------------------------------------------------------------- */

static bool take(struct chat_answer *answer, const char *data, struct error *error)
{
	return chat_answer_take(answer, str_from(data), error);
}

static void test_an_answer_in_fragments(void **state)
{
	struct chat_answer answer;
	struct error error;

	chat_answer_init(&answer);
	assert_true(take(&answer,
		"{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}", &error));
	assert_true(take(&answer, "{\"choices\":[{\"delta\":{\"content\":\"Bon\"}}]}", &error));
	assert_true(take(&answer,
		"{\"choices\":[{\"delta\":{\"content\":\"jour\"},\"finish_reason\":null}]}",
		&error));
	assert_false(answer.done);
	assert_true(take(&answer,
		"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{"
		"\"name\":\"hang_up\",\"arguments\":\"\"}}]}}]}",
		&error));
	assert_true(take(&answer,
		"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{"
		"\"name\":\"tr\"}},{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]}}]}",
		&error));
	assert_true(take(&answer,
		"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":"
		"\"ansfer\",\"arguments\":\"{\\\"to\\\"\"}}]}}]}",
		&error));
	assert_true(take(&answer, "{\"choices\":[],\"usage\":{}}", &error));
	assert_true(take(&answer, "{\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}",
		&error));
	assert_true(take(&answer, "[DONE]", &error));
	assert_true(answer.done);
	assert_string_equal(answer.text.data, "Bonjour");
	assert_int_equal(answer.tool_count, 2);
	assert_string_equal(answer.tools[0].name.data, "transfer");
	assert_string_equal(answer.tools[0].arguments.data, "{\"to\"");
	assert_string_equal(answer.tools[1].id.data, "b");
	chat_answer_free(&answer);
}

static void test_answers_of_other_servers(void **state)
{
	struct chat_answer answer;
	struct error error;

	chat_answer_init(&answer);
	/* Not streamed; uses without an index; more of them than anybody needs. */
	assert_true(take(&answer,
		"{\"choices\":[{\"message\":{\"content\":\"Hi\",\"tool_calls\":[{\"function\":{"
		"\"name\":\"a\"}},{\"function\":{\"name\":\"b\"}},{\"function\":{\"name\":\"c\"}},{"
		"\"function\":{\"name\":\"d\"}},{\"function\":{\"name\":\"e\"}},{\"index\":99},{"
		"\"index\":-1}]},\"finish_reason\":\"stop\"}]}",
		&error));
	assert_int_equal(answer.tool_count, CHAT_MAX_TOOLS);
	assert_string_equal(answer.tools[3].name.data, "d");
	assert_false(take(&answer, "{\"error\":{\"message\":\"overloaded\"}}", &error));
	assert_string_equal(error.text, "overloaded");
	assert_false(take(&answer, "<html>", &error));
	chat_answer_free(&answer);
}

static void test_an_answer_without_end_is_cut(void **state)
{
	struct chat_answer answer;
	struct error error;

	chat_answer_init(&answer);
	for (int i = 0; i < 1000; i++)
		assert_true(take(&answer,
			"{\"choices\":[{\"delta\":{\"content\":\"слово за словом \"}}]}", &error));
	assert_true(answer.text.size <= CHAT_MAX_TEXT_BYTES);
	assert_true(answer.done && !answer.text.failed);
	assert_true(str_is_utf8(buf_str(&answer.text)));
	chat_answer_free(&answer);
}

/* -- tools ----------------------------------------------------------------------------------------- */

static void test_outcomes_of_tools(void **state)
{
	struct arena *arena = arena_new(65536);
	struct engine_outcome outcome;

	assert_true(engine_tool_outcome(engine_tool_find(STR("transfer")),
		STR("{\"to\":\"101\",\"reason\":\"a price\"}"), arena, &outcome));
	assert_int_equal(outcome.end, ENGINE_TRANSFER);
	assert_string_equal(outcome.to.data, "101");
	assert_string_equal(outcome.reason.data, "a price");
	/* Nonsense does not keep a caller from a person. */
	assert_true(engine_tool_outcome(TOOL_TRANSFER, STR("{\"to\":"), arena, &outcome));
	assert_int_equal(outcome.to.size, 0);
	assert_true(engine_tool_outcome(TOOL_HANG_UP, STR(""), arena, &outcome));
	assert_int_equal(outcome.end, ENGINE_HANGUP);
	assert_false(engine_tool_outcome(TOOL_LOOKUP, STR("{}"), arena, &outcome));
	assert_int_equal(engine_tool_find(STR("rm")), TOOL_UNKNOWN);
	arena_free(&arena);
}

/* -- sound ----------------------------------------------------------------------------------------- */

/* Half a second of one value, in pieces of `step` bytes; gives the mu-law. */
static void convert(struct str head, unsigned hz, size_t step, struct buf *mulaw)
{
	struct pipeline_audio audio;
	struct error error;
	struct buf all;

	buf_init(&all, 1 << 20);
	(void)buf_add(&all, head);
	for (unsigned i = 0; i < hz / 2; i++)
		(void)buf_append(&all, "\x00\x10", 2); /* 4096 */
	buf_clear(mulaw);
	pipeline_audio_init(&audio, hz);
	for (size_t at = 0; at < all.size; at += step)
		assert_true(pipeline_audio_take(&audio,
			str_of(all.data + at, all.size - at < step ? all.size - at : step), mulaw,
			&error));
	assert_true(pipeline_audio_end(&audio, mulaw, &error));
	pipeline_audio_free(&audio);
	buf_free(&all);
}

static void must_be_even(const struct buf *mulaw)
{
	assert_true(mulaw->size > 3900 && mulaw->size < 4200);
	for (size_t i = 40; i < 3900; i++)
		assert_true(abs(mulaw_decode((uint8_t)mulaw->data[i]) - 4096) < 300);
}

static void test_samples_in_any_pieces(void **state)
{
	static const size_t steps[] = {1, 3, 479, 480, 4799, 1 << 20};
	struct buf mulaw;

	buf_init(&mulaw, 1 << 20);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		convert((struct str){0}, 24000, steps[i], &mulaw);
		must_be_even(&mulaw);
	}
	convert((struct str){0}, 22050, 777, &mulaw);
	must_be_even(&mulaw);
	buf_free(&mulaw);
}

static void test_a_file_instead_of_samples(void **state)
{
	static const int16_t none[1];
	struct buf head, mulaw;

	buf_init(&head, 4096);
	buf_init(&mulaw, 1 << 20);
	wav_put_pcm(&head, none, 0, 16000);
	memset(head.data + 4, 0xff, 4); /* its length was not known when it began */
	memset(head.data + 40, 0xff, 4);
	for (size_t step = 1; step < 100; step += 7) {
		convert(buf_str(&head), 16000, step, &mulaw);
		must_be_even(&mulaw); /* at the file's rate, and its head is not heard */
	}
	buf_free(&head);
	buf_free(&mulaw);
}

static void test_a_broken_file(void **state)
{
	struct pipeline_audio audio;
	struct buf mulaw;
	struct error error;
	char file[64] = "RIFF1234WAVEfmt ";

	buf_init(&mulaw, 4096);
	memcpy(file + 50, "data", 4);
	pipeline_audio_init(&audio, 24000);
	assert_false(pipeline_audio_take(&audio, str_of(file, sizeof(file)), &mulaw, &error) &&
		     pipeline_audio_end(&audio, &mulaw, &error));
	assert_int_equal(mulaw.size, 0);
	pipeline_audio_free(&audio);
	buf_free(&mulaw);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_transcription),
		cmocka_unit_test(test_speech),
		cmocka_unit_test(test_a_chat),
		cmocka_unit_test(test_old_turns_are_forgotten_whole),
		cmocka_unit_test(test_many_tools_in_a_turn),
		cmocka_unit_test(test_what_was_not_heard_is_not_remembered),
		cmocka_unit_test(test_an_answer_in_fragments),
		cmocka_unit_test(test_answers_of_other_servers),
		cmocka_unit_test(test_an_answer_without_end_is_cut),
		cmocka_unit_test(test_outcomes_of_tools),
		cmocka_unit_test(test_samples_in_any_pieces),
		cmocka_unit_test(test_a_file_instead_of_samples),
		cmocka_unit_test(test_a_broken_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
