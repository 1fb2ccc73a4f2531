/*
 * test_telegram: each operation as it goes out, and each answer of the Bot API as it is understood.
 *
 * The error texts in tests/golden/telegram/replies.json are those of tdlib/telegram-bot-api.
 */
#include "fold_corpus.h"
#include "telegram.h"

struct request_case {
	struct str name, method, html, markup, body, url;
	int64_t chat_id, message_id;
	bool silent;
};

struct reply_case {
	struct str name, method, reply, outcome;
	int64_t status, message_id, retry_after_ms, new_chat_id;
};

struct cases {
	struct json_list cases;
};

static const struct json_field request_fields[] = {
	JSON_FIELD(struct request_case, name, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct request_case, method, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct request_case, html, JSON_STRING, 0),
	JSON_FIELD(struct request_case, markup, JSON_STRING, 0),
	JSON_FIELD(struct request_case, body, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct request_case, url, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct request_case, chat_id, JSON_INT64, 0),
	JSON_FIELD(struct request_case, message_id, JSON_INT64, 0),
	JSON_FIELD(struct request_case, silent, JSON_BOOL, 0),
	{0},
};

static const struct json_field reply_fields[] = {
	JSON_FIELD(struct reply_case, name, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct reply_case, method, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct reply_case, reply, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct reply_case, outcome, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct reply_case, status, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct reply_case, message_id, JSON_INT64, 0),
	JSON_FIELD(struct reply_case, retry_after_ms, JSON_INT64, 0),
	JSON_FIELD(struct reply_case, new_chat_id, JSON_INT64, 0),
	{0},
};

static enum telegram_method method_of(struct str name)
{
	static const char *const names[] = {"send", "edit", "delete", "get_me"};

	for (int i = 0; i < 4; i++) {
		if (str_equal(name, str_from(names[i])))
			return (enum telegram_method)i;
	}
	fail_msg("no method %.*s", STR_ARG(name));
	return TELEGRAM_SEND;
}

static const char *outcome_name(enum telegram_outcome outcome)
{
	static const char *const names[] = {
		[TELEGRAM_DONE] = "done",
		[TELEGRAM_SLOW_DOWN] = "slow_down",
		[TELEGRAM_MOVED] = "moved",
		[TELEGRAM_MESSAGE_GONE] = "message_gone",
		[TELEGRAM_CHAT_CLOSED] = "chat_closed",
		[TELEGRAM_BOT_REFUSED] = "bot_refused",
		[TELEGRAM_REJECTED] = "rejected",
		[TELEGRAM_TRY_AGAIN] = "try_again",
		[TELEGRAM_UNCLEAR] = "unclear",
	};

	return names[outcome];
}

/* `element` describes one case. The cases live in the arena. */
static struct json_list read_cases(
	const char *path, const struct json_field *element, size_t size_bytes, struct arena *arena)
{
	const struct json_field fields[] = {
		{.name = "cases",
			.type = JSON_LIST,
			.offset = offsetof(struct cases, cases),
			.flags = JSON_REQUIRED,
			.fields = element,
			.size_bytes = size_bytes},
		{0},
	};
	char *text = alloc_zeroed(1, CORPUS_LINE_BYTES);
	FILE *file = fopen(path, "r");
	struct cases cases = {0};
	struct error error = {0};
	struct json *json;
	size_t size;

	assert_non_null(file);
	size = fread(text, 1, CORPUS_LINE_BYTES, file);
	fclose(file);
	json = json_parse(str_of(text, size), (struct json_limits){CORPUS_LINE_BYTES, 8}, &error);
	assert_non_null(json);
	if (!json_read(json, fields, &cases, arena, &error))
		fail_msg("%s: %s", path, error.text);
	json_free(&json);
	free(text);
	return cases.cases;
}

static void requests_are_as_recorded(void **state)
{
	struct arena *arena = arena_new(CORPUS_ARENA_BYTES);
	struct json_list cases = read_cases(TESTS_DIR "/golden/telegram/requests.json",
		request_fields, sizeof(struct request_case), arena);
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (size_t i = 0; i < cases.count; i++) {
		const struct request_case *one = (struct request_case *)cases.items + i;
		const struct telegram_request request = {
			.method = method_of(one->method),
			.chat_id = one->chat_id,
			.message_id = one->message_id,
			.html = one->html,
			.markup = one->markup,
			.silent = one->silent,
		};

		buf_clear(&out);
		telegram_body(&request, &out);
		assert_string_equal(out.data, one->body.data);
		buf_clear(&out);
		telegram_url("https://api.telegram.org/", "1:a", request.method, &out);
		assert_string_equal(out.data, one->url.data);
	}
	buf_free(&out);
	arena_free(&arena);
}

static bool understood(const struct reply_case *want)
{
	const struct telegram_request request = {.method = method_of(want->method), .chat_id = 1};
	struct telegram_reply reply;

	telegram_read(&request, (int)want->status, want->reply, &reply);
	if (str_equal(want->outcome, str_from(outcome_name(reply.outcome))) &&
		reply.message_id == want->message_id &&
		reply.retry_after_ms == want->retry_after_ms &&
		reply.new_chat_id == want->new_chat_id)
		return true;
	printf("    %.*s: %s, message %lld, wait %lld, chat %lld\n", STR_ARG(want->name),
		outcome_name(reply.outcome), (long long)reply.message_id,
		(long long)reply.retry_after_ms, (long long)reply.new_chat_id);
	return false;
}

static void replies_are_understood(void **state)
{
	struct arena *arena = arena_new(CORPUS_ARENA_BYTES);
	struct json_list cases = read_cases(TESTS_DIR "/golden/telegram/replies.json", reply_fields,
		sizeof(struct reply_case), arena);
	size_t right = 0;

	(void)state;
	for (size_t i = 0; i < cases.count; i++)
		right += understood((struct reply_case *)cases.items + i);
	assert_true(cases.count > 30);
	assert_int_equal(right, cases.count);
	arena_free(&arena);
}

static void words_are_kept_for_people(void **state)
{
	const struct telegram_request request = {.method = TELEGRAM_SEND};
	struct telegram_reply reply;

	(void)state;
	telegram_read(&request, 403,
		STR("{\"ok\":false,\"error_code\":403,"
		    "\"description\":\"Forbidden: bot was blocked\\nby the user\"}"),
		&reply);
	assert_string_equal(reply.words, "Forbidden: bot was blocked by the user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_as_recorded),
		cmocka_unit_test(replies_are_understood),
		cmocka_unit_test(words_are_kept_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
