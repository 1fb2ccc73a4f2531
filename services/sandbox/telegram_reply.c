/*
 * telegram_reply: the shapes of the Bot API's answers.
 */
#include "telegram.h"

#include "json.h"

#include <inttypes.h>
#include <stdio.h>

static void put_int(struct json_writer *writer, const char *name, int64_t value)
{
	json_put_name(writer, name);
	json_put_int(writer, value);
}

static void put_text(struct json_writer *writer, const char *name, const char *value)
{
	json_put_name(writer, name);
	json_put_str(writer, str_from(value));
}

static void put_bool(struct json_writer *writer, const char *name, bool value)
{
	json_put_name(writer, name);
	json_put_bool(writer, value);
}

static void begin_ok(struct telegram_call *call, struct json_writer *writer)
{
	call->outside->status = 200;
	buf_clear(&call->outside->reply);
	json_begin(writer, &call->outside->reply);
	json_open_object(writer);
	put_bool(writer, "ok", true);
	json_put_name(writer, "result");
}

void telegram_reply_raw(struct telegram_call *call, const char *result_json)
{
	struct json_writer writer;

	begin_ok(call, &writer);
	json_put_raw(&writer, str_from(result_json));
	json_close_object(&writer);
}

static void put_bot(struct json_writer *writer, int64_t bot_id, bool with_rights)
{
	char name[64];

	json_open_object(writer);
	put_int(writer, "id", bot_id);
	put_bool(writer, "is_bot", true);
	put_text(writer, "first_name", "Sandbox bot");
	snprintf(name, sizeof(name), "sandbox_%" PRId64 "_bot", bot_id);
	put_text(writer, "username", name);
	if (with_rights) {
		put_bool(writer, "can_join_groups", true);
		put_bool(writer, "can_read_all_group_messages", false);
		put_bool(writer, "supports_inline_queries", false);
	}
	json_close_object(writer);
}

/* Supergroups and channels have ids from -100... on downwards. */
static bool is_supergroup(int64_t chat_id)
{
	return chat_id < -1000000000000;
}

static void put_chat(struct json_writer *writer, int64_t chat_id)
{
	char name[64];

	json_open_object(writer);
	put_int(writer, "id", chat_id);
	snprintf(name, sizeof(name), "%s %" PRId64, chat_id < 0 ? "Group" : "User", chat_id);
	put_text(writer, chat_id < 0 ? "title" : "first_name", name);
	put_text(writer, "type",
		chat_id >= 0		 ? "private"
		: is_supergroup(chat_id) ? "supergroup"
					 : "group");
	json_close_object(writer);
}

static void put_message(struct json_writer *writer, const struct message *message)
{
	const struct message_text *text = message_current(message);

	json_open_object(writer);
	put_int(writer, "message_id", message->message_id);
	json_put_name(writer, "from");
	put_bot(writer, message->bot_id, false);
	json_put_name(writer, "chat");
	put_chat(writer, message->chat_id);
	put_int(writer, "date", message_sent_ms(message) / 1000);
	if (message_edited_ms(message) != 0)
		put_int(writer, "edit_date", message_edited_ms(message) / 1000);
	json_put_name(writer, "text");
	json_put_str(writer, text->plain);
	if (text->entities.size > 0) {
		json_put_name(writer, "entities");
		json_put_raw(writer, text->entities);
	}
	if (text->markup.size > 0) {
		json_put_name(writer, "reply_markup");
		json_put_raw(writer, text->markup);
	}
	json_close_object(writer);
}

void telegram_reply_message(struct telegram_call *call, const struct message *message)
{
	struct json_writer writer;

	begin_ok(call, &writer);
	put_message(&writer, message);
	json_close_object(&writer);
}

void telegram_reply_me(struct telegram_call *call)
{
	struct json_writer writer;

	begin_ok(call, &writer);
	put_bot(&writer, call->bot->id, true);
	json_close_object(&writer);
}

void telegram_reply_chat(struct telegram_call *call)
{
	struct json_writer writer;

	begin_ok(call, &writer);
	put_chat(&writer, call->chat->id);
	json_close_object(&writer);
}

void telegram_write_error(struct outside_call *outside, int code, struct str words,
	int64_t retry_after_s, int64_t migrate_to)
{
	struct json_writer writer;

	outside->status = code;
	outside->retry_after_s = retry_after_s;
	buf_clear(&outside->reply);
	json_begin(&writer, &outside->reply);
	json_open_object(&writer);
	put_bool(&writer, "ok", false);
	put_int(&writer, "error_code", code);
	json_put_name(&writer, "description");
	json_put_str(&writer, words);
	if (retry_after_s != 0 || migrate_to != 0) {
		json_put_name(&writer, "parameters");
		json_open_object(&writer);
		put_int(&writer, retry_after_s != 0 ? "retry_after" : "migrate_to_chat_id",
			retry_after_s != 0 ? retry_after_s : migrate_to);
		json_close_object(&writer);
	}
	json_close_object(&writer);
}

bool telegram_fail(struct telegram_call *call, int code, const char *words)
{
	telegram_write_error(call->outside, code, str_from(words), 0, 0);
	return false;
}

bool telegram_fail_migrated(struct telegram_call *call, int64_t to_chat_id)
{
	telegram_write_error(call->outside, 400,
		STR("Bad Request: group chat was upgraded to a supergroup chat"), 0, to_chat_id);
	return false;
}
