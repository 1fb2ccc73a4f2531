/*
 * telegram_reply: the shapes of the Bot API's answers (core.telegram.org/bots/api#message, #chat,
 * #making-requests): members in the real server's order, absent where it leaves them out.
 */
#include "telegram.h"

#include "json_put.h"

#include <inttypes.h>
#include <stdio.h>

static void begin_ok(struct telegram_call *call, struct json_writer *writer)
{
	call->outside->status = 200;
	/* A fault may have had it act already; what it said then is replaced. */
	buf_clear(&call->outside->reply);
	json_begin(writer, &call->outside->reply);
	json_open_object(writer);
	json_put_member_bool(writer, "ok", true);
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
	json_put_member_int(writer, "id", bot_id);
	json_put_member_bool(writer, "is_bot", true);
	json_put_member_str(writer, "first_name", str_from("Sandbox bot"));
	snprintf(name, sizeof(name), "sandbox_%" PRId64 "_bot", bot_id);
	json_put_member_str(writer, "username", str_from(name));
	if (with_rights) {
		json_put_member_bool(writer, "can_join_groups", true);
		json_put_member_bool(writer, "can_read_all_group_messages", false);
		json_put_member_bool(writer, "supports_inline_queries", false);
	}
	json_close_object(writer);
}

/* Supergroups and channels have ids from -100... on downwards. */
static bool is_supergroup(int64_t chat_id)
{
	return chat_id < -1000000000000;
}

/* Names are made up from the id, so that a page can show them and a test foretell them. */
void telegram_put_chat(struct json_writer *writer, int64_t chat_id)
{
	char name[64];

	json_open_object(writer);
	json_put_member_int(writer, "id", chat_id);
	snprintf(name, sizeof(name), "%s %" PRId64, chat_id < 0 ? "Group" : "User", chat_id);
	json_put_member_str(writer, chat_id < 0 ? "title" : "first_name", str_from(name));
	json_put_member_str(writer, "type",
		str_from(chat_id >= 0		  ? "private"
			 : is_supergroup(chat_id) ? "supergroup"
						  : "group"));
	json_close_object(writer);
}

/* Named by the id, as chats are: in a private chat they are the same. */
void telegram_put_user(struct json_writer *writer, int64_t user_id)
{
	char name[64];

	json_open_object(writer);
	json_put_member_int(writer, "id", user_id);
	json_put_member_bool(writer, "is_bot", false);
	snprintf(name, sizeof(name), "User %" PRId64, user_id);
	json_put_member_str(writer, "first_name", str_from(name));
	json_put_member_str(writer, "language_code", STR("ru"));
	json_close_object(writer);
}

void telegram_put_message(struct json_writer *writer, const struct message *message)
{
	const struct message_text *text = message_current(message);

	json_open_object(writer);
	json_put_member_int(writer, "message_id", message->message_id);
	json_put_name(writer, "from");
	put_bot(writer, message->bot_id, false);
	json_put_name(writer, "chat");
	telegram_put_chat(writer, message->chat_id);
	json_put_member_int(writer, "date", message_sent_ms(message) / 1000);
	/* Absent and not 0 for a message that was never edited: clients test for presence. */
	if (message_edited_ms(message) != 0)
		json_put_member_int(writer, "edit_date", message_edited_ms(message) / 1000);
	json_put_member_str(writer, "text", text->plain);
	if (text->entities.size > 0) {
		json_put_member_raw(writer, "entities", text->entities);
	}
	if (text->markup.size > 0) {
		json_put_member_raw(writer, "reply_markup", text->markup);
	}
	json_close_object(writer);
}

void telegram_reply_message(struct telegram_call *call, const struct message *message)
{
	struct json_writer writer;

	begin_ok(call, &writer);
	telegram_put_message(&writer, message);
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
	telegram_put_chat(&writer, call->chat->id);
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
	json_put_member_bool(&writer, "ok", false);
	json_put_member_int(&writer, "error_code", code);
	json_put_member_str(&writer, "description", words);
	/* ResponseParameters (core.telegram.org/bots/api#responseparameters) holds one of the
	 * two. */
	if (retry_after_s != 0 || migrate_to != 0) {
		json_put_name(&writer, "parameters");
		json_open_object(&writer);
		json_put_member_int(&writer,
			retry_after_s != 0 ? "retry_after" : "migrate_to_chat_id",
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
