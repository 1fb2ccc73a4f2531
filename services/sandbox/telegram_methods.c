/*
 * telegram_methods: what each method of the Bot API does, in the order in which the real server
 * checks: text, chat, message, limits, change.
 */
#include "telegram.h"

#include "json.h"

#include <inttypes.h>
#include <stdio.h>

/* core.telegram.org/bots/api#deletemessage */
#define DELETE_WINDOW_MS (48LL * 3600 * 1000)

static const char not_modified[] =
	"Bad Request: message is not modified: specified new message content and reply markup are "
	"exactly the same as a current content and reply markup of the message";

static bool fail_input(struct telegram_call *call, const struct error *error)
{
	char words[300];

	snprintf(words, sizeof(words), "Bad Request: %s", error->text);
	return telegram_fail(call, 400, words);
}

/* Words of tdlib/telegram-bot-api, Client.cpp: the dispatcher decides by them whether to disable
 * a subscriber, so each must be exact. */
static bool check_state(struct telegram_call *call)
{
	switch (call->chat->state) {
	case CHAT_OK:
		return true;
	case CHAT_BLOCKED:
		return telegram_fail(call, 403, "Forbidden: bot was blocked by the user");
	case CHAT_DEACTIVATED:
		return telegram_fail(call, 403, "Forbidden: user is deactivated");
	case CHAT_KICKED:
		return telegram_fail(call, 403,
			call->chat->id < -1000000000000
				? "Forbidden: bot was kicked from the supergroup chat"
				: "Forbidden: bot was kicked from the group chat");
	case CHAT_MIGRATED:
		return telegram_fail_migrated(call, call->chat->migrate_to);
	case CHAT_MISSING:
		break;
	}
	return telegram_fail(call, 400, "Bad Request: chat not found");
}

bool telegram_find_chat(struct telegram_call *call)
{
	struct str name = str_trim(args_get(call->args, "chat_id"));
	int64_t chat_id;

	if (name.size == 0)
		return telegram_fail(call, 400, "Bad Request: chat_id is empty");
	/* @names are chats that this server has never heard of. */
	if (!str_to_int64(name, &chat_id) || chat_id == 0)
		return telegram_fail(call, 400, "Bad Request: chat not found");
	call->chat = peers_chat(call->telegram->peers, chat_id);
	if (call->chat == NULL)
		return telegram_fail(call, 500, "Internal Server Error: too many chats");
	return check_state(call);
}

/* Take from the limits, or answer 429. */
static bool pass_limits(struct telegram_call *call)
{
	struct rate_chat *rate = peers_rate(call->telegram->peers, call->bot->id, call->chat->id);
	int64_t wait_ms = rate_take(&call->telegram->limits, &call->bot->bucket, rate,
		call->chat->id < 0, call->outside->at_ms);
	/* Up: told less than the wait, a client that obeys would be refused again. */
	int64_t seconds = (wait_ms + 999) / 1000;
	char words[64];

	if (wait_ms == 0)
		return true;
	call->bot->violations++;
	snprintf(words, sizeof(words), "Too Many Requests: retry after %" PRId64, seconds);
	telegram_write_error(call->outside, 429, str_from(words), seconds, 0);
	return false;
}

/* The message that an edit or a delete speaks of; NULL when the call is answered. */
static struct message *find_message(
	struct telegram_call *call, const char *missing_words, const char *foreign_words)
{
	struct message *message;
	int64_t id;

	if (!args_int(call->args, "message_id", &id) || id <= 0) {
		telegram_fail(call, 400, "Bad Request: message identifier is not specified");
		return NULL;
	}
	if (!telegram_find_chat(call))
		return NULL;
	message = messages_find(call->telegram->messages, call->bot->id, call->chat->id, id);
	/* A deleted message stays in the store for its history; for bots it is gone. */
	if (message == NULL || message->deleted) {
		telegram_fail(call, 400, missing_words);
		return NULL;
	}
	/* Groups have one numbering for all bots, so a bot may name another's message; it may
	 * not touch it. */
	if (message->bot_id != call->bot->id || message->user_id != 0) {
		telegram_fail(call, 400, foreign_words);
		return NULL;
	}
	return message;
}

struct reply_parameters {
	int64_t message_id;
	bool allow_sending_without_reply;
};

static const struct json_field reply_fields[] = {
	JSON_FIELD(struct reply_parameters, message_id, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct reply_parameters, allow_sending_without_reply, JSON_BOOL, 0),
	{NULL},
};

/* reply_parameters, or the two older parameters that it replaced. */
static void read_reply(struct telegram_call *call, struct reply_parameters *reply)
{
	const struct args *args = call->args;
	struct json *json = json_parse(
		args_get(args, "reply_parameters"), (struct json_limits){65536, 8}, NULL);

	*reply = (struct reply_parameters){0};
	if (json != NULL) {
		json_read(json, reply_fields, reply, call->outside->arena, NULL);
	} else {
		args_int(args, "reply_to_message_id", &reply->message_id);
		reply->allow_sending_without_reply = args_true(args, "allow_sending_without_reply");
	}
	json_free(&json);
}

/* Before the limits: a message that is refused must not count against them. */
static bool check_reply(struct telegram_call *call, int64_t *reply_to)
{
	const struct message *message;
	struct reply_parameters reply;

	read_reply(call, &reply);
	*reply_to = reply.message_id;
	if (*reply_to == 0)
		return true;
	message = messages_find(call->telegram->messages, call->bot->id, call->chat->id, *reply_to);
	if (message != NULL && !message->deleted)
		return true;
	*reply_to = 0;
	return reply.allow_sending_without_reply ||
	       telegram_fail(call, 400, "Bad Request: message to be replied not found");
}

static void send_message(struct telegram_call *call)
{
	struct message head = {.bot_id = call->bot->id};
	struct message_text text;
	struct error error;

	if (!telegram_read_text(call, false, &text, &error)) {
		fail_input(call, &error);
		return;
	}
	if (!telegram_find_chat(call) || !check_reply(call, &head.reply_to) || !pass_limits(call))
		return;
	head.chat_id = call->chat->id;
	head.message_id = peers_next_message_id(call->bot, call->chat);
	head.silent = args_true(call->args, "disable_notification");
	call->bot->sends++;
	telegram_reply_message(
		call, messages_send(call->telegram->messages, &head, &text, call->outside->at_ms));
}

static void change(
	struct telegram_call *call, struct message *message, const struct message_text *text)
{
	const struct message_text *now = message_current(message);

	/* Edits share the limits of sends (tdlib/td#3034). Before the comparison: an edit that changes
	 * nothing is a request all the same, and a client that sends many shall notice. */
	if (!pass_limits(call))
		return;
	if (str_equal(now->plain, text->plain) && str_equal(now->entities, text->entities) &&
		str_equal(now->markup, text->markup)) {
		telegram_fail(call, 400, not_modified);
		return;
	}
	messages_edit(call->telegram->messages, message, text, call->outside->at_ms);
	call->bot->edits++;
	telegram_reply_message(call, message);
}

static struct message *find_to_edit(struct telegram_call *call)
{
	return find_message(call, "Bad Request: message to edit not found",
		"Bad Request: message can't be edited");
}

static void edit_message_text(struct telegram_call *call)
{
	struct message_text text;
	struct message *message;
	struct error error;

	if (!telegram_read_text(call, true, &text, &error)) {
		fail_input(call, &error);
		return;
	}
	message = find_to_edit(call);
	if (message != NULL)
		change(call, message, &text);
}

/* The old text stays, and borrowed it may be: messages_edit() copies before it forgets. */
static void edit_message_reply_markup(struct telegram_call *call)
{
	struct message_text text;
	struct message *message;
	struct error error;
	struct str markup;

	if (!telegram_read_markup(call, &markup, &error)) {
		fail_input(call, &error);
		return;
	}
	message = find_to_edit(call);
	if (message == NULL)
		return;
	text = *message_current(message);
	text.markup = markup;
	change(call, message, &text);
}

/* No limits here: Telegram names none for deletions. */
static void delete_message(struct telegram_call *call)
{
	struct message *message = find_message(call, "Bad Request: message to delete not found",
		"Bad Request: message can't be deleted");

	if (message == NULL)
		return;
	if (call->outside->at_ms - message_sent_ms(message) > DELETE_WINDOW_MS) {
		telegram_fail(call, 400, "Bad Request: message can't be deleted");
		return;
	}
	messages_delete(call->telegram->messages, message, call->outside->at_ms);
	call->bot->deletes++;
	telegram_reply_raw(call, "true");
}

static void get_chat(struct telegram_call *call)
{
	if (telegram_find_chat(call))
		telegram_reply_chat(call);
}

static void send_chat_action(struct telegram_call *call)
{
	if (telegram_find_chat(call))
		telegram_reply_raw(call, "true");
}

/* Names are compared without case, as the real server does. */
telegram_method_fn *telegram_method(struct str name)
{
	static const struct {
		const char *name;
		telegram_method_fn *run;
	} methods[] = {
		{"sendMessage", send_message},
		{"editMessageText", edit_message_text},
		{"editMessageReplyMarkup", edit_message_reply_markup},
		{"deleteMessage", delete_message},
		{"getMe", telegram_reply_me},
		{"getChat", get_chat},
		{"sendChatAction", send_chat_action},
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (str_equal_nocase(name, str_from(methods[i].name)))
			return methods[i].run;
	}
	return telegram_listening_method(name);
}
