/*
 * pipeline_chat: see pipeline_chat.h.
 */
#include "pipeline_chat.h"

#include "json.h"

enum { MAX_EVENT_BYTES = 256 * 1024, MAX_DEPTH = 32, MAX_TOOL_BYTES = 8192, WORDS_BYTES = 120 };

void chat_answer_init(struct chat_answer *answer)
{
	*answer = (struct chat_answer){0};
	buf_init(&answer->text, CHAT_MAX_TEXT_BYTES);
	for (unsigned i = 0; i < CHAT_MAX_TOOLS; i++) {
		buf_init(&answer->tools[i].id, 256);
		buf_init(&answer->tools[i].name, 256);
		buf_init(&answer->tools[i].arguments, MAX_TOOL_BYTES);
	}
}

void chat_answer_free(struct chat_answer *answer)
{
	buf_free(&answer->text);
	for (unsigned i = 0; i < CHAT_MAX_TOOLS; i++) {
		buf_free(&answer->tools[i].id);
		buf_free(&answer->tools[i].name);
		buf_free(&answer->tools[i].arguments);
	}
}

/* By its index; servers that send uses whole leave that out, and then each is a new one. */
static struct chat_tool *tool_of(struct chat_answer *answer, const struct json *call)
{
	const struct json *index = json_member(call, "index");
	double number = index != NULL ? json_number(index) : answer->tool_count;

	if (number < 0 || number >= CHAT_MAX_TOOLS)
		return NULL;
	if ((unsigned)number >= answer->tool_count)
		answer->tool_count = (unsigned)number + 1;
	return &answer->tools[(unsigned)number];
}

static void take_tools(struct chat_answer *answer, const struct json *calls)
{
	for (const struct json *at = json_first(calls); at != NULL; at = json_next(at)) {
		const struct json *function = json_member(at, "function");
		struct chat_tool *tool = tool_of(answer, at);

		if (tool == NULL)
			continue;
		if (tool->id.size == 0)
			(void)buf_add(&tool->id, json_text(json_member(at, "id")));
		(void)buf_add(&tool->name, json_text(json_member(function, "name")));
		(void)buf_add(&tool->arguments, json_text(json_member(function, "arguments")));
	}
}

/* What passes the maximum is cut: a caller does not listen for that long. */
static void take_text(struct chat_answer *answer, struct str text)
{
	size_t room = answer->text.max_bytes - answer->text.size;

	if (text.size > room) {
		while (room > 0 && ((unsigned char)text.data[room] & 0xc0) == 0x80)
			room--;
		text.size = room;
		answer->done = true;
	}
	(void)buf_add(&answer->text, text);
}

static bool take_json(struct chat_answer *answer, const struct json *json, struct error *error)
{
	const struct json *problem = json_member(json, "error");
	const struct json *choice = json_item(json_member(json, "choices"), 0);
	const struct json *delta = json_member(choice, "delta");

	if (problem != NULL && json_kind(problem) != JSON_NULL)
		return error_set(error, ERROR_UPSTREAM, "%.*s",
			STR_ARG(json_text(json_member(problem, "message"))));
	if (delta == NULL)
		delta = json_member(choice, "message"); /* not streamed */
	if (delta == NULL)
		return true; /* usage, or the first event of some servers */
	take_text(answer, json_text(json_member(delta, "content")));
	take_tools(answer, json_member(delta, "tool_calls"));
	answer->done |= json_text(json_member(choice, "finish_reason")).size > 0;
	return true;
}

bool chat_answer_take(struct chat_answer *answer, struct str data, struct error *error)
{
	struct json *json;
	bool good;

	if (str_equal(str_trim(data), STR("[DONE]"))) {
		answer->done = true;
		return true;
	}
	json = json_parse(data, (struct json_limits){MAX_EVENT_BYTES, MAX_DEPTH}, error);
	if (json == NULL)
		return error_prefix(error, "the answer is no chat: ");
	good = take_json(answer, json, error);
	json_free(&json);
	return good;
}

void chat_error_words(struct str body, struct buf *to)
{
	struct json *json =
		json_parse(body, (struct json_limits){MAX_EVENT_BYTES, MAX_DEPTH}, NULL);
	struct str words = json_text(json_member(json_member(json, "error"), "message"));

	if (words.size == 0)
		words = str_trim(body);
	for (size_t i = 0; i < words.size && i < WORDS_BYTES; i++)
		(void)buf_add_char(to, (unsigned char)words.data[i] < ' ' ? ' ' : words.data[i]);
	json_free(&json);
}
