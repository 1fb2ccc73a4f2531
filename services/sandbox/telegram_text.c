/*
 * telegram_text: what a message says: its text by parse mode, its keyboard. All that can be wrong
 * with it is found before anything is changed, as on the real server.
 */
#include "telegram.h"

#include "html.h"
#include "json_put.h"

/* core.telegram.org/bots/api#sendmessage: 1 to 4096 characters after entities parsing, counted
 * in UTF-16 units; #inlinekeyboardbutton: callback_data has 1 to 64 bytes. */
#define MAX_TEXT_UNITS	  4096
#define MAX_CALLBACK_SIZE 64

/* Grown in a buffer, kept in the flow: the arena cannot grow what it gave out. */
static struct str in_arena(struct telegram_call *call, struct buf *buf)
{
	struct str text = buf_str(buf);

	text.data = arena_strndup(call->outside->arena, text.data, text.size);
	buf_free(buf);
	return text;
}

/* False when they are too long: links without an href hold their text, so that nesting them makes
 * more of it than was sent. */
static bool write_entities(
	struct telegram_call *call, const struct html_text *text, struct str *entities)
{
	static const char *const argument_names[] = {[HTML_LINK] = "url",
		[HTML_PRE] = "language",
		[HTML_CUSTOM_EMOJI] = "custom_emoji_id"};
	struct json_writer writer;
	struct buf buf;

	*entities = (struct str){0};
	if (text->count == 0)
		return true;
	buf_init(&buf, 1 << 20);
	json_begin(&writer, &buf);
	json_open_array(&writer);
	for (size_t i = 0; i < text->count; i++) {
		const struct html_entity *entity = &text->entities[i];
		const char *argument = argument_names[entity->type];
		json_open_object(&writer);
		json_put_member_int(&writer, "offset", entity->offset);
		json_put_member_int(&writer, "length", entity->length);
		json_put_member_str(&writer, "type", str_from(html_type_name(entity->type)));
		if (argument != NULL && entity->argument.size > 0) {
			json_put_member_str(&writer, argument, entity->argument);
		}
		json_close_object(&writer);
	}
	json_close_array(&writer);
	if (buf.failed) {
		buf_free(&buf);
		return false;
	}
	*entities = in_arena(call, &buf);
	return true;
}

static bool parse_text(
	struct telegram_call *call, struct str source, struct html_text *text, struct error *error)
{
	struct str mode = args_get(call->args, "parse_mode");

	if (mode.size == 0 || str_equal_nocase(mode, STR("none"))) {
		html_plain(source, text);
		return true;
	}
	/* Markdown is a dialect that callweave does not write. */
	if (!str_equal_nocase(mode, STR("html")))
		return error_set(error, ERROR_INPUT, "unsupported parse_mode");
	if (!html_parse(source, call->outside->arena, text, error))
		return error_prefix(error, "can't parse entities: ");
	return true;
}

bool telegram_read_text(
	struct telegram_call *call, bool is_edit, struct message_text *text, struct error *error)
{
	struct str source = args_get(call->args, "text");
	struct html_text parsed;
	const char *too_long = is_edit ? "MESSAGE_TOO_LONG" : "message is too long";

	if (source.size == 0)
		return error_set(error, ERROR_INPUT, "message text is empty");
	/* Before it is parsed: tags may be many, but no text of 4096 characters needs so much. */
	if (source.size > HTML_MAX_SOURCE_BYTES)
		return error_set(error, ERROR_INPUT, "%s", too_long);
	if (!parse_text(call, source, &parsed, error))
		return false;
	html_trim(&parsed);
	if (parsed.plain.size == 0)
		return error_set(error, ERROR_INPUT, "message text is empty");
	if (parsed.length > MAX_TEXT_UNITS)
		return error_set(error, ERROR_INPUT, "%s", too_long);
	/* Kept as it was sent, for tests that compare bytes; people see `plain`. */
	text->source = source;
	text->plain = parsed.plain;
	if (!write_entities(call, &parsed, &text->entities))
		return error_set(error, ERROR_INPUT, "ENTITIES_TOO_LONG");
	return telegram_read_markup(call, &text->markup, error);
}

/* tdlib/telegram-bot-api: LinkManager::check_link() and the words around it. */
static bool check_button_url(struct str url, struct error *error)
{
	if (html_link_works(url))
		return true;
	return error_set(error, ERROR_INPUT,
		"inline keyboard button URL '%.*s' is invalid: Wrong HTTP URL", STR_ARG(url));
}

/* A button that does nothing is a keyboard button, which only the reply keyboard has. */
static bool check_button(const struct json *button, struct error *error)
{
	static const char *const actions[] = {"url", "callback_data", "web_app", "login_url",
		"switch_inline_query", "switch_inline_query_current_chat", "pay", "copy_text",
		"callback_game"};
	bool acts = false;

	if (json_kind(button) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT,
			"can't parse inline keyboard button: expected an Object");
	if (json_text(json_member(button, "text")).size == 0)
		return error_set(error, ERROR_INPUT,
			"can't parse inline keyboard button: Can't find field \"text\"");
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		acts = acts || json_member(button, actions[i]) != NULL;
	if (!acts)
		return error_set(error, ERROR_INPUT,
			"can't parse inline keyboard button: Text buttons are unallowed in the "
			"inline keyboard");
	const struct json *data = json_member(button, "callback_data");
	size_t size = json_text(data).size;
	if (data != NULL && (size == 0 || size > MAX_CALLBACK_SIZE))
		return error_set(error, ERROR_INPUT, "BUTTON_DATA_INVALID");
	const struct json *url = json_member(button, "url");
	return url == NULL || check_button_url(json_text(url), error);
}

static bool check_keyboard(const struct json *rows, struct error *error)
{
	if (json_kind(rows) != JSON_ARRAY)
		return error_set(error, ERROR_INPUT,
			"object expected as reply markup: field \"inline_keyboard\" must be of "
			"type Array");
	for (const struct json *row = json_first(rows); row != NULL; row = json_next(row)) {
		if (json_kind(row) != JSON_ARRAY)
			return error_set(error, ERROR_INPUT,
				"can't parse inline keyboard row: expected an Array");
		for (const struct json *at = json_first(row); at != NULL; at = json_next(at)) {
			if (!check_button(at, error))
				return false;
		}
	}
	return true;
}

static bool read_keyboard(struct telegram_call *call, const struct json *json, struct str *markup,
	struct error *error)
{
	const struct json *rows =
		json_kind(json) == JSON_OBJECT ? json_member(json, "inline_keyboard") : NULL;
	struct buf printed;

	if (json_kind(json) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "object expected as reply markup");
	if (rows == NULL)
		return true; /* a reply keyboard is not part of the message */
	if (!check_keyboard(rows, error))
		return false;
	/* An empty keyboard is how a bot takes the old one away. */
	if (json_count(rows) == 0)
		return true;
	buf_init(&printed, 1 << 20);
	/* Printed again and not copied, so that the same keyboard with other spaces is "not
	 * modified". */
	json_print(&printed, json, false);
	*markup = in_arena(call, &printed);
	return true;
}

bool telegram_read_markup(struct telegram_call *call, struct str *markup, struct error *error)
{
	struct str source = args_get(call->args, "reply_markup");
	struct json *json;
	bool good;

	*markup = (struct str){0};
	if (source.size == 0)
		return true;
	json = json_parse(source, (struct json_limits){65536, 16}, NULL);
	if (json == NULL)
		return error_set(
			error, ERROR_INPUT, "can't parse reply keyboard markup JSON object");
	good = read_keyboard(call, json, markup, error);
	json_free(&json);
	return good;
}
