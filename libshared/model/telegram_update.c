/*
 * telegram_update: see telegram_update.h. Reading; telegram_update_write.c has the requests.
 *
 * Updates are read one by one and leniently: one of a kind that comes with a future version of the
 * API must not hold up those behind it.
 */
#include "telegram_update.h"

#include <ctype.h>

enum { DEPTH = 64, COMMAND_MAX = 32 }; /* #botcommand: 1 to 32 characters */

struct party {
	int64_t id;
};

struct wire_message {
	struct party chat, from, sender_chat;
	struct str text;
};

struct wire_press {
	struct str id, data;
	struct party from;
	struct wire_message message;
};

struct wire_member {
	struct str status;
};

struct wire_membership {
	struct party chat, from;
	struct wire_member new_chat_member;
};

struct wire_update {
	int64_t update_id;
	const struct json *message, *callback_query, *my_chat_member;
};

#define NESTED(owner, member, table, flag)                                                         \
	{                                                                                          \
		.name = #member, .type = JSON_NESTED, .offset = offsetof(owner, member),           \
		.flags = (flag), .fields = (table), .size_bytes = sizeof(((owner *)0)->member)     \
	}

static const struct json_field party_fields[] = {
	JSON_FIELD(struct party, id, JSON_INT64, JSON_REQUIRED),
	{0},
};

static const struct json_field message_fields[] = {
	NESTED(struct wire_message, chat, party_fields, JSON_REQUIRED),
	NESTED(struct wire_message, from, party_fields, 0),
	NESTED(struct wire_message, sender_chat, party_fields, 0),
	JSON_FIELD(struct wire_message, text, JSON_STRING, 0),
	{0},
};

/* Also of a message that is too old to be shown: chat and message_id are there all the same. */
static const struct json_field press_fields[] = {
	JSON_FIELD(struct wire_press, id, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct wire_press, data, JSON_STRING, 0),
	NESTED(struct wire_press, from, party_fields, JSON_REQUIRED),
	NESTED(struct wire_press, message, message_fields, 0),
	{0},
};

static const struct json_field member_fields[] = {
	JSON_FIELD(struct wire_member, status, JSON_STRING, JSON_REQUIRED),
	{0},
};

static const struct json_field membership_fields[] = {
	NESTED(struct wire_membership, chat, party_fields, JSON_REQUIRED),
	NESTED(struct wire_membership, from, party_fields, 0),
	NESTED(struct wire_membership, new_chat_member, member_fields, JSON_REQUIRED),
	{0},
};

static const struct json_field update_fields[] = {
	JSON_FIELD(struct wire_update, update_id, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct wire_update, message, JSON_RAW, 0),
	JSON_FIELD(struct wire_update, callback_query, JSON_RAW, 0),
	JSON_FIELD(struct wire_update, my_chat_member, JSON_RAW, 0),
	{0},
};

/* The first word, cut off `*rest`, which is trimmed. */
static struct str first_word(struct str *rest)
{
	size_t size = 0;
	while (size < rest->size && !isspace((unsigned char)rest->data[size]))
		size++;
	struct str word = str_of(rest->data, size);
	*rest = str_trim(str_of(rest->data + size, rest->size - size));
	return word;
}

static struct str lower(struct str text, struct arena *arena)
{
	char *copy = arena_strndup(arena, text.data, text.size);
	for (char *at = copy; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return str_from(copy);
}

/* "/start@june_bot CODE"; in groups bots are named, since several may know a command. */
static void read_command(struct str text, struct arena *arena, struct telegram_update *update)
{
	struct str rest = text;
	struct str word = first_word(&rest);
	word = str_of(word.data + 1, word.size - 1); /* behind the slash */
	struct str name = str_cut(&word, '@');
	if (name.size == 0 || name.size > COMMAND_MAX)
		return;
	update->kind = UPDATE_COMMAND;
	update->command = lower(name, arena);
	update->bot_name = word;
	update->argument = rest;
}

static void read_message(
	const struct json *json, struct arena *arena, struct telegram_update *update)
{
	struct wire_message message = {0};
	if (!json_read(json, message_fields, &message, arena, NULL))
		return;
	struct str text = str_trim(message.text);
	update->chat_id = message.chat.id;
	update->account_id = message.from.id;
	update->anonymous = message.sender_chat.id == message.chat.id;
	if (str_starts(text, STR("/")))
		read_command(text, arena, update);
	else if (message.chat.id > 0)
		update->kind = UPDATE_TEXT;
}

static void read_press(const struct json *json, struct arena *arena, struct telegram_update *update)
{
	struct wire_press press = {0};
	if (!json_read(json, press_fields, &press, arena, NULL) || press.id.size == 0)
		return;
	update->kind = UPDATE_PRESS;
	update->chat_id = press.message.chat.id;
	update->account_id = press.from.id;
	update->callback_id = press.id;
	update->data = press.data;
}

/* #chatmember: who blocked a bot is "kicked" in his private chat with it. */
static void read_membership(
	const struct json *json, struct arena *arena, struct telegram_update *update)
{
	struct wire_membership membership = {0};
	if (!json_read(json, membership_fields, &membership, arena, NULL))
		return;
	update->chat_id = membership.chat.id;
	update->account_id = membership.from.id;
	struct str status = membership.new_chat_member.status;
	if (str_equal(status, STR("kicked")) || str_equal(status, STR("left")))
		update->kind = UPDATE_LEFT;
}

static bool read_update(const struct json *json, struct arena *arena,
	struct telegram_update *update, struct error *error)
{
	struct wire_update wire = {0};
	*update = (struct telegram_update){0};
	if (!json_read(json, update_fields, &wire, arena, error))
		return false;
	update->id = wire.update_id;
	if (wire.message != NULL)
		read_message(wire.message, arena, update);
	else if (wire.callback_query != NULL)
		read_press(wire.callback_query, arena, update);
	else if (wire.my_chat_member != NULL)
		read_membership(wire.my_chat_member, arena, update);
	return true;
}

static struct json *parse(struct str body, struct error *error)
{
	return json_parse(body, (struct json_limits){TELEGRAM_UPDATES_MAX_BYTES, DEPTH}, error);
}

bool telegram_update_read(
	struct str body, struct arena *arena, struct telegram_update *update, struct error *error)
{
	struct json *json = parse(body, error);
	bool good = json != NULL && read_update(json, arena, update, error);
	json_free(&json);
	return good;
}

/* An update without a number cannot be confirmed, so it is passed over: Telegram sends none. */
static void read_updates(
	const struct json *list, struct arena *arena, struct telegram_updates *updates)
{
	updates->items = arena_array(arena, json_count(list) + 1, sizeof(updates->items[0]));
	for (const struct json *at = json_first(list); at != NULL; at = json_next(at)) {
		if (read_update(at, arena, &updates->items[updates->count], NULL))
			updates->count++;
	}
}

bool telegram_updates_read(
	struct str body, struct arena *arena, struct telegram_updates *updates, struct error *error)
{
	struct json *json = parse(body, error);
	const struct json *list = NULL;
	*updates = (struct telegram_updates){0};
	if (json == NULL)
		return false;
	if (json_kind(json) == JSON_OBJECT)
		list = json_member(json, "result");
	bool good = list != NULL && json_kind(list) == JSON_ARRAY;
	if (good)
		read_updates(list, arena, updates);
	else
		error_set(error, ERROR_UPSTREAM, "result: missing");
	json_free(&json);
	return good;
}

/* -- other results ------------------------------------------------------------------------------ */

struct wire_result {
	struct str username, url, last_error_message, status;
};

static const struct json_field result_fields[] = {
	JSON_FIELD(struct wire_result, username, JSON_STRING, 0),
	JSON_FIELD(struct wire_result, url, JSON_STRING, 0),
	JSON_FIELD(struct wire_result, last_error_message, JSON_STRING, 0),
	JSON_FIELD(struct wire_result, status, JSON_STRING, 0),
	{0},
};

static bool read_result(struct str body, struct arena *arena, struct wire_result *result)
{
	struct json *json = parse(body, NULL);
	const struct json *member = NULL;
	*result = (struct wire_result){0};
	if (json != NULL && json_kind(json) == JSON_OBJECT)
		member = json_member(json, "result");
	bool good = member != NULL && json_read(member, result_fields, result, arena, NULL);
	json_free(&json);
	return good;
}

bool telegram_me_read(struct str body, struct arena *arena, struct str *username)
{
	struct wire_result result;
	bool good = read_result(body, arena, &result) && result.username.size > 0;
	*username = result.username;
	return good;
}

bool telegram_webhook_read(
	struct str body, struct arena *arena, struct str *url, struct str *trouble)
{
	struct wire_result result;
	bool good = read_result(body, arena, &result);
	*url = result.url;
	*trouble = result.last_error_message;
	return good;
}

bool telegram_member_read(struct str body, struct arena *arena, bool *is_admin)
{
	struct wire_result result;
	bool good = read_result(body, arena, &result) && result.status.size > 0;
	*is_admin = good && (str_equal(result.status, STR("creator")) ||
				    str_equal(result.status, STR("administrator")));
	return good;
}
