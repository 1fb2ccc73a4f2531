/*
 * telegram_update_write: the requests of a bot that listens. See telegram_update.h.
 */
#include "json_put.h"
#include "telegram_update.h"

/* core.telegram.org/bots/api#answercallbackquery: 0-200 characters. */
enum { PRESS_TEXT_MAX = 200 };

void telegram_method_url(
	const char *base, const char *bot_token, const char *method, struct buf *to)
{
	struct str root = str_from(base);
	while (str_ends(root, STR("/")))
		root.size--;
	buf_printf(to, "%.*s/bot%s/%s", STR_ARG(root), bot_token, method);
}

/* The kinds that we act upon; Telegram keeps the rest to itself. */
static void put_allowed(struct json_writer *writer)
{
	static const char *const kinds[] = {"message", "callback_query", "my_chat_member"};
	json_put_name(writer, "allowed_updates");
	json_open_array(writer);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		json_put_str(writer, str_from(kinds[i]));
	json_close_array(writer);
}

void telegram_get_updates_body(int64_t offset, int limit, int timeout_s, struct buf *to)
{
	struct json_writer writer;
	json_begin(&writer, to);
	json_open_object(&writer);
	if (offset != 0)
		json_put_member_int(&writer, "offset", offset);
	json_put_member_int(&writer, "limit", limit);
	json_put_member_int(&writer, "timeout", timeout_s);
	put_allowed(&writer);
	json_close_object(&writer);
}

void telegram_set_webhook_body(const char *url, const char *secret, struct buf *to)
{
	struct json_writer writer;
	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_str(&writer, "url", str_from(url));
	json_put_member_str(&writer, "secret_token", str_from(secret));
	json_put_member_int(&writer, "max_connections", 1);
	put_allowed(&writer);
	json_close_object(&writer);
}

/* Counted in characters, as the API does; never cut inside one. */
static struct str first_characters(struct str text, size_t most)
{
	size_t size = 0;
	for (size_t count = 0; count < most && size < text.size; count++) {
		size_t bytes = str_utf8_size(str_of(text.data + size, text.size - size));
		if (bytes == 0)
			break;
		size += bytes;
	}
	return str_of(text.data, size);
}

void telegram_answer_press_body(struct str callback_id, struct str text, bool alert, struct buf *to)
{
	struct json_writer writer;
	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_str(&writer, "callback_query_id", callback_id);
	json_put_member_str(&writer, "text", first_characters(text, PRESS_TEXT_MAX));
	json_put_member_bool(&writer, "show_alert", alert);
	json_close_object(&writer);
}

void telegram_commands_body(
	const struct telegram_command *commands, const char *language, struct buf *to)
{
	struct json_writer writer;
	json_begin(&writer, to);
	json_open_object(&writer);
	if (language[0] != '\0')
		json_put_member_str(&writer, "language_code", str_from(language));
	json_put_name(&writer, "commands");
	json_open_array(&writer);
	for (; commands->name != NULL; commands++) {
		json_open_object(&writer);
		json_put_member_str(&writer, "command", str_from(commands->name));
		json_put_member_str(&writer, "description", str_from(commands->summary));
		json_close_object(&writer);
	}
	json_close_array(&writer);
	json_close_object(&writer);
}
