/*
 * telegram_people: people as tests and the page play them: they write to bots and press buttons.
 */
#include "alloc.h"
#include "clock.h"
#include "json_put.h"
#include "sandbox.h"
#include "telegram.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_UPDATE_BYTES (64u << 10)

struct deed {
	int64_t bot_id, chat_id, user_id, message_id, age_ms;
	struct str text, button, data, status;
	bool anonymous, forged;
};

static const struct json_field deed_fields[] = {
	JSON_FIELD(struct deed, bot_id, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct deed, chat_id, JSON_INT64, JSON_REQUIRED | JSON_LAX),
	JSON_FIELD(struct deed, user_id, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct deed, message_id, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct deed, age_ms, JSON_INT64, 0),
	JSON_FIELD(struct deed, text, JSON_STRING, 0),
	JSON_FIELD(struct deed, button, JSON_STRING, 0),
	JSON_FIELD(struct deed, data, JSON_STRING, 0),
	JSON_FIELD(struct deed, status, JSON_STRING, 0),
	JSON_FIELD(struct deed, anonymous, JSON_BOOL, 0),
	JSON_FIELD(struct deed, forged, JSON_BOOL, 0),
	{NULL},
};

static bool read_deed(struct flow *flow, struct deed *deed, struct error *error)
{
	*deed = (struct deed){0};
	if (!admin_read_body(flow, deed_fields, deed, error))
		return false;
	/* In a private chat there is but one person. */
	if (deed->user_id == 0 && deed->chat_id > 0)
		deed->user_id = deed->chat_id;
	return true;
}

/* Into the bot's line; whoever waits for it is woken. */
static void tell_bot(struct sandbox *sandbox, int64_t bot_id, struct str member)
{
	struct listener *listener = updates_of(sandbox_telegram(sandbox)->updates, bot_id);

	updates_add(listener, member);
	flow_queue_wake_all(&sandbox->held);
	flow_queue_wake_all(&sandbox->changed);
	webhook_kick(sandbox, listener);
}

/* -- writing ---------------------------------------------------------------------------------------- */

static const struct message *keep_message(
	struct telegram *telegram, const struct deed *deed, struct bot *bot, struct chat *chat)
{
	struct message head = {.bot_id = bot->id,
		.chat_id = chat->id,
		.user_id = deed->user_id,
		.message_id = peers_next_message_id(bot, chat)};
	struct message_text text = {.source = deed->text, .plain = deed->text};

	return messages_send(telegram->messages, &head, &text, clock_wall_ms());
}

static void write_message_update(
	const struct deed *deed, const struct message *message, struct buf *to)
{
	struct json_writer writer;

	buf_add(to, STR("\"message\":"));
	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_int(&writer, "message_id", message->message_id);
	json_put_name(&writer, "from");
	telegram_put_user(&writer, deed->user_id);
	if (deed->anonymous) {
		json_put_name(&writer, "sender_chat");
		telegram_put_chat(&writer, deed->chat_id);
	}
	json_put_name(&writer, "chat");
	telegram_put_chat(&writer, deed->chat_id);
	json_put_member_int(&writer, "date", message_sent_ms(message) / 1000);
	json_put_member_str(&writer, "text", deed->text);
	json_close_object(&writer);
}

static enum flow_status reply_number(struct flow *flow, const char *name, int64_t value)
{
	enum flow_status status;
	struct buf json;

	/* As a string where the API has one. */
	buf_init(&json, 128);
	buf_printf(&json, "{\"%s\":\"%" PRId64 "\"}", name, value);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

static enum flow_status write_to_bot(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct telegram *telegram = sandbox_telegram(sandbox);
	const struct message *message;
	struct error error;
	struct deed deed;
	struct chat *chat;
	struct buf update;
	struct bot *bot;

	if (!read_deed(flow, &deed, &error))
		return flow_fail_error(flow, &error);
	if (deed.bot_id <= 0 || deed.text.size == 0 || deed.user_id <= 0)
		return flow_fail(flow, ERROR_INPUT, "bot_id, text, in groups user_id: missing");
	bot = peers_bot(telegram->peers, deed.bot_id);
	chat = peers_chat(telegram->peers, deed.chat_id);
	if (bot == NULL || chat == NULL)
		return flow_fail(flow, ERROR_BUSY, "too many bots or chats");
	message = keep_message(telegram, &deed, bot, chat);
	buf_init(&update, MAX_UPDATE_BYTES);
	write_message_update(&deed, message, &update);
	tell_bot(sandbox, bot->id, buf_str(&update));
	buf_free(&update);
	return reply_number(flow, "message_id", message->message_id);
}

/* -- pressing --------------------------------------------------------------------------------------- */

/* The data of the button that says so, or that has these data; empty: there is none. */
static struct str find_button(const struct json *markup, const struct deed *deed)
{
	const struct json *rows = json_member(markup, "inline_keyboard");

	for (const struct json *row = json_first(rows); row != NULL; row = json_next(row)) {
		for (const struct json *at = json_first(row); at != NULL; at = json_next(at)) {
			struct str data = json_text(json_member(at, "callback_data"));
			bool wanted = deed->data.size > 0
					      ? str_equal(data, deed->data)
					      : str_equal(json_text(json_member(at, "text")),
							deed->button);
			if (wanted && data.size > 0)
				return data;
		}
	}
	return (struct str){0};
}

/* Real clients press what stands below a message; a forger sends whatever he likes. */
static bool choose_data(
	struct flow *flow, const struct deed *deed, const struct message *message, struct str *data)
{
	struct str markup = message_current(message)->markup;
	struct json *json = json_parse(markup, (struct json_limits){65536, 16}, NULL);
	struct str found = json != NULL ? find_button(json, deed) : (struct str){0};

	if (deed->forged)
		found = deed->data;
	*data = str_from(arena_strndup(flow_arena(flow), found.data, found.size));
	json_free(&json);
	return data->size > 0;
}

static void write_press_update(
	const struct press *press, const struct message *message, struct buf *to)
{
	struct json_writer writer;
	char id[24];

	snprintf(id, sizeof(id), "%" PRId64, press->number);
	buf_add(to, STR("\"callback_query\":"));
	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_str(&writer, "id", str_from(id));
	json_put_name(&writer, "from");
	telegram_put_user(&writer, press->user_id);
	json_put_name(&writer, "message");
	telegram_put_message(&writer, message);
	json_put_member_str(&writer, "chat_instance", STR("1"));
	json_put_member_str(&writer, "data", str_from(press->data));
	json_close_object(&writer);
}

static enum flow_status press_button(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct telegram *telegram = sandbox_telegram(sandbox);
	const struct message *message;
	struct press *press;
	struct error error;
	struct buf update;
	struct deed deed;
	struct str data;

	if (!read_deed(flow, &deed, &error))
		return flow_fail_error(flow, &error);
	message = messages_find(telegram->messages, deed.bot_id, deed.chat_id, deed.message_id);
	if (message == NULL || message->deleted || message->user_id != 0)
		return flow_fail(flow, ERROR_MISSING, "no such message of a bot");
	if (!choose_data(flow, &deed, message, &data))
		return flow_fail(flow, ERROR_MISSING, "no such button below this message");
	press = updates_press(telegram->updates,
		&(struct press){.bot_id = message->bot_id,
			.chat_id = message->chat_id,
			.message_id = message->message_id,
			.user_id = deed.user_id,
			.at_ms = clock_wall_ms() - deed.age_ms},
		data);
	buf_init(&update, 1u << 20);
	write_press_update(press, message, &update);
	tell_bot(sandbox, press->bot_id, buf_str(&update));
	buf_free(&update);
	return reply_number(flow, "callback_query_id", press->number);
}

static enum flow_status list_presses(struct flow *flow)
{
	struct telegram *telegram = sandbox_telegram(flow_context(flow));
	enum flow_status status;
	struct buf json;
	int64_t id;

	if (!admin_query_int(flow, "id", 0, &id))
		return FLOW_END;
	buf_init(&json, 8u << 20);
	updates_write_presses(telegram->updates, id, &json);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

/* -- coming and going ------------------------------------------------------------------------------- */

static enum flow_status declare_member(struct flow *flow)
{
	struct telegram *telegram = sandbox_telegram(flow_context(flow));
	struct error error;
	struct deed deed;

	if (!read_deed(flow, &deed, &error))
		return flow_fail_error(flow, &error);
	if (!updates_set_member(telegram->updates, deed.chat_id, deed.user_id, deed.status))
		return flow_fail(flow, ERROR_INPUT,
			"status: takes creator, administrator, member, restricted, left, kicked");
	return admin_say_ok(flow);
}

/* The chat is closed to the bot from now on, and the bot is told so. */
static enum flow_status leave_bot(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct json_writer writer;
	struct error error;
	struct deed deed;
	struct chat *chat;
	struct buf update;

	if (!read_deed(flow, &deed, &error))
		return flow_fail_error(flow, &error);
	chat = peers_chat(sandbox_telegram(sandbox)->peers, deed.chat_id);
	if (chat == NULL || deed.bot_id <= 0)
		return flow_fail(flow, ERROR_INPUT, "bot_id: missing");
	chat->state = deed.chat_id > 0 ? CHAT_BLOCKED : CHAT_KICKED;
	buf_init(&update, MAX_UPDATE_BYTES);
	buf_add(&update, STR("\"my_chat_member\":"));
	json_begin(&writer, &update);
	json_open_object(&writer);
	json_put_name(&writer, "chat");
	telegram_put_chat(&writer, deed.chat_id);
	json_put_name(&writer, "from");
	telegram_put_user(&writer, deed.user_id);
	json_put_member_int(&writer, "date", clock_wall_ms() / 1000);
	json_put_member_raw(&writer, "new_chat_member", STR("{\"status\":\"kicked\"}"));
	json_close_object(&writer);
	tell_bot(sandbox, deed.bot_id, buf_str(&update));
	buf_free(&update);
	return admin_say_ok(flow);
}

const struct flow_spec telegram_write_flow = ONE_STEP("write_to_bot", write_to_bot);
const struct flow_spec telegram_press_flow = ONE_STEP("press_button", press_button);
const struct flow_spec telegram_presses_flow = ONE_STEP("list_presses", list_presses);
const struct flow_spec telegram_members_flow = ONE_STEP("declare_member", declare_member);
const struct flow_spec telegram_leave_flow = ONE_STEP("leave_bot", leave_bot);
