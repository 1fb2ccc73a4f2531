/*
 * telegram: requests written by a table of fields, answers understood by a table of phrases.
 *
 * Telegram's error codes are few and its descriptions many; what an error means is in the words.
 */
#include "telegram.h"

enum { REPLY_MAX_BYTES = 1 << 20, REPLY_DEPTH = 64, ARENA_BYTES = 1 << 22 };
enum { SLOWEST_MS = 24 * 60 * 60 * 1000, SHORTEST_MS = 1000 };

static const char *const method_names[] = {
	[TELEGRAM_SEND] = "sendMessage",
	[TELEGRAM_EDIT] = "editMessageText",
	[TELEGRAM_DELETE] = "deleteMessage",
	[TELEGRAM_GET_ME] = "getMe",
};

void telegram_url(
	const char *base, const char *bot_token, enum telegram_method method, struct buf *to)
{
	struct str root = str_from(base);

	while (str_ends(root, STR("/")))
		root.size--;
	buf_printf(to, "%.*s/bot%s/%s", STR_ARG(root), bot_token, method_names[method]);
}

/* link_preview_options has taken the place of disable_web_page_preview (Bot API 7.0). */
void telegram_body(const struct telegram_request *request, struct buf *to)
{
	bool has_text = request->method == TELEGRAM_SEND || request->method == TELEGRAM_EDIT;
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	if (request->method != TELEGRAM_GET_ME) {
		json_put_name(&writer, "chat_id");
		json_put_int(&writer, request->chat_id);
	}
	if (request->method == TELEGRAM_EDIT || request->method == TELEGRAM_DELETE) {
		json_put_name(&writer, "message_id");
		json_put_int(&writer, request->message_id);
	}
	if (has_text) {
		json_put_name(&writer, "text");
		json_put_str(&writer, request->html);
		json_put_name(&writer, "parse_mode");
		json_put_str(&writer, STR("HTML"));
		json_put_name(&writer, "link_preview_options");
		json_open_object(&writer);
		json_put_name(&writer, "is_disabled");
		json_put_bool(&writer, true);
		json_close_object(&writer);
	}
	if (has_text && request->markup.size > 0) {
		json_put_name(&writer, "reply_markup");
		json_put_raw(&writer, request->markup);
	}
	if (request->method == TELEGRAM_SEND && request->silent) {
		json_put_name(&writer, "disable_notification");
		json_put_bool(&writer, true);
	}
	json_close_object(&writer);
}

/* An answer as it is on the wire; only what we act on. */
struct parameters {
	int64_t retry_after, migrate_to_chat_id;
};

struct result {
	int64_t message_id;
};

struct answer {
	bool ok;
	int64_t error_code;
	struct str description;
	struct parameters parameters;
	const struct json *result; /* an object, or true */
};

static const struct json_field parameter_fields[] = {
	JSON_FIELD(struct parameters, retry_after, JSON_INT64, 0),
	JSON_FIELD(struct parameters, migrate_to_chat_id, JSON_INT64, 0),
	{0},
};

static const struct json_field result_fields[] = {
	JSON_FIELD(struct result, message_id, JSON_INT64, JSON_REQUIRED),
	{0},
};

static const struct json_field answer_fields[] = {
	JSON_FIELD(struct answer, ok, JSON_BOOL, JSON_REQUIRED),
	JSON_FIELD(struct answer, error_code, JSON_INT64, 0),
	JSON_FIELD(struct answer, description, JSON_STRING, 0),
	{.name = "parameters",
		.type = JSON_NESTED,
		.offset = offsetof(struct answer, parameters),
		.fields = parameter_fields,
		.size_bytes = sizeof(struct parameters)},
	JSON_FIELD(struct answer, result, JSON_RAW, 0),
	{0},
};

/* The words of 400s; the first that occurs counts. The rest are faults of our own. */
static const struct {
	const char *words;
	enum telegram_outcome outcome;
} refusals[] = {
	{"message is not modified", TELEGRAM_DONE},
	{"message to edit not found", TELEGRAM_MESSAGE_GONE},
	{"message to delete not found", TELEGRAM_MESSAGE_GONE},
	{"message can't be edited", TELEGRAM_MESSAGE_GONE},
	{"message can't be deleted", TELEGRAM_MESSAGE_GONE},
	{"MESSAGE_ID_INVALID", TELEGRAM_MESSAGE_GONE},
	{"chat not found", TELEGRAM_CHAT_CLOSED},
	{"user not found", TELEGRAM_CHAT_CLOSED},
	{"PEER_ID_INVALID", TELEGRAM_CHAT_CLOSED},
	{"group chat was deactivated", TELEGRAM_CHAT_CLOSED},
	{"not enough rights to send", TELEGRAM_CHAT_CLOSED},
	{"have no rights to send a message", TELEGRAM_CHAT_CLOSED},
	{"CHAT_WRITE_FORBIDDEN", TELEGRAM_CHAT_CLOSED},
	{"TOPIC_CLOSED", TELEGRAM_CHAT_CLOSED},
};

static bool contains(struct str text, const char *words)
{
	return memmem(text.data, text.size, words, strlen(words)) != NULL;
}

/* A new chat id says more than any words. */
static enum telegram_outcome bad_request(const struct answer *answer)
{
	if (answer->parameters.migrate_to_chat_id != 0)
		return TELEGRAM_MOVED;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (answer->description.size > 0 &&
			contains(answer->description, refusals[i].words))
			return refusals[i].outcome;
	}
	return TELEGRAM_REJECTED;
}

/* The code in the body counts before the HTTP status: proxies change the latter. */
static enum telegram_outcome refused(int64_t code, const struct answer *answer)
{
	switch (code) {
	case 400:
		return bad_request(answer);
	case 401:
	case 404:
		return TELEGRAM_BOT_REFUSED;
	case 403:
		return TELEGRAM_CHAT_CLOSED;
	case 429:
		return TELEGRAM_SLOW_DOWN;
	default:
		/* 409 and the like are between two servers of one bot: not this request's fault. */
		return code >= 500 || code == 409 || code == 408 ? TELEGRAM_TRY_AGAIN
								 : TELEGRAM_REJECTED;
	}
}

/* On one line, for logs and the outbox. */
static void set_words(struct telegram_reply *reply, struct str words)
{
	str_copy(reply->words, sizeof(reply->words), words);
	for (char *at = reply->words; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ')
			*at = ' ';
	}
}

/* At least a second, at most a day: a number out of that is a fault of theirs. */
static int64_t wait_ms(int64_t seconds)
{
	if (seconds <= 0)
		return SHORTEST_MS;
	return seconds > SLOWEST_MS / 1000 ? SLOWEST_MS : seconds * 1000;
}

/* A send whose fate the answer does not tell may have put a message into the chat. */
static enum telegram_outcome unreadable(const struct telegram_request *request, int http_status)
{
	const struct answer nothing = {0};

	if (http_status < 200 || http_status >= 300)
		return refused(http_status, &nothing);
	return request->method == TELEGRAM_SEND ? TELEGRAM_UNCLEAR : TELEGRAM_TRY_AGAIN;
}

/* Only a send brings something that we need. */
static void read_success(const struct telegram_request *request, const struct answer *answer,
	struct arena *arena, struct telegram_reply *reply)
{
	struct result result = {0};

	reply->outcome = TELEGRAM_DONE;
	if (request->method != TELEGRAM_SEND)
		return;
	if (answer->result == NULL ||
		!json_read(answer->result, result_fields, &result, arena, NULL)) {
		reply->outcome = TELEGRAM_UNCLEAR;
		set_words(reply, STR("sent, but no message_id came back"));
		return;
	}
	reply->message_id = result.message_id;
}

static void read_failure(int http_status, const struct answer *answer, struct telegram_reply *reply)
{
	int64_t code = answer->error_code != 0 ? answer->error_code : http_status;

	reply->outcome = refused(code, answer);
	reply->new_chat_id = answer->parameters.migrate_to_chat_id;
	if (reply->outcome == TELEGRAM_SLOW_DOWN)
		reply->retry_after_ms = wait_ms(answer->parameters.retry_after);
	set_words(reply, answer->description);
}

void telegram_read(const struct telegram_request *request, int http_status, struct str body,
	struct telegram_reply *reply)
{
	const struct json_limits limits = {REPLY_MAX_BYTES, REPLY_DEPTH};
	struct error error = {0};
	struct json *json = json_parse(body, limits, &error);
	struct arena *arena = arena_new(ARENA_BYTES);
	struct answer answer = {0};
	bool read = json != NULL && json_read(json, answer_fields, &answer, arena, &error);

	*reply = (struct telegram_reply){0};
	if (read && answer.ok && http_status < 300) {
		read_success(request, &answer, arena, reply);
	} else if (read && !answer.ok) {
		read_failure(http_status, &answer, reply);
	} else {
		reply->outcome = unreadable(request, http_status);
		if (reply->outcome == TELEGRAM_SLOW_DOWN)
			reply->retry_after_ms = SHORTEST_MS;
		set_words(reply, STR("an answer that is not the Bot API's"));
	}
	json_free(&json);
	arena_free(&arena);
}
