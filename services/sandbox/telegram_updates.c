/*
 * telegram_updates: the methods by which a bot listens: getUpdates, webhooks, answers to presses.
 *
 * Order and words of refusals: tdlib/telegram-bot-api, Client.cpp and WebhookActor.cpp.
 */
#include "alloc.h"
#include "clock.h"
#include "json_put.h"
#include "sandbox.h"
#include "telegram.h"

#include <ctype.h>

/* core.telegram.org/bots/api#getupdates, #setwebhook, #answercallbackquery, #setmycommands */
enum {
	LIMIT_MAX = 100,
	TIMEOUT_MAX_S = 50,
	SECRET_MAX = 256,
	PRESS_TEXT_MAX = 200,
	COMMANDS_MAX = 100
};

static struct listener *listener_of(const struct telegram_call *call)
{
	return updates_of(call->telegram->updates, call->bot->id);
}

static int64_t argument(const struct telegram_call *call, const char *name, int64_t fallback)
{
	int64_t value;
	return args_int(call->args, name, &value) ? value : fallback;
}

/* -- getUpdates ------------------------------------------------------------------------------------- */

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

int64_t telegram_hold_ms(struct telegram *telegram, struct outside_call *outside, int64_t bot_id)
{
	struct listener *listener = updates_of(telegram->updates, bot_id);
	int64_t timeout_s = 0, offset = 0;

	if (!str_equal_nocase(outside->method, STR("getUpdates")) || listener->webhook != NULL)
		return 0;
	if (outside->ticket == 0) {
		outside->ticket = ++listener->polls;
		flow_queue_wake_all(&outside->sandbox->held); /* the one before is over */
	}
	args_int(&outside->args, "timeout", &timeout_s);
	args_int(&outside->args, "offset", &offset);
	updates_confirm(listener, offset);
	if (listener->first != NULL || outside->ticket != listener->polls)
		return 0;
	return outside->at_ms + clamp(timeout_s, 0, TIMEOUT_MAX_S) * 1000 - clock_wall_ms();
}

static void get_updates(struct telegram_call *call)
{
	struct listener *listener = listener_of(call);
	int64_t limit = clamp(argument(call, "limit", LIMIT_MAX), 1, LIMIT_MAX);
	const struct update *at = listener->first;
	struct buf list;

	if (listener->webhook != NULL) {
		telegram_fail(call, 409,
			"Conflict: can't use getUpdates method while webhook is active; use "
			"deleteWebhook to delete the webhook first");
		return;
	}
	if (call->outside->ticket != listener->polls) {
		telegram_fail(call, 409,
			"Conflict: terminated by other getUpdates request; make sure that only one "
			"bot instance is running");
		return;
	}
	buf_init(&list, 3 << 20);
	buf_add_char(&list, '[');
	for (int64_t i = 0; at != NULL && i < limit; at = at->next, i++)
		buf_printf(&list, "%s%s", i > 0 ? "," : "", at->json);
	buf_add_char(&list, ']');
	telegram_reply_raw(call, list.data);
	buf_free(&list);
}

/* -- webhooks --------------------------------------------------------------------------------------- */

static bool is_secret(struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (!isalnum(c) && c != '_' && c != '-')
			return false;
	}
	return text.size <= SECRET_MAX;
}

/* The real server wants TLS; here plain HTTP on this machine has to do. */
static void set_webhook(struct telegram_call *call)
{
	struct str url = str_trim(args_get(call->args, "url"));
	struct str secret = args_get(call->args, "secret_token");
	struct listener *listener = listener_of(call);

	if (url.size > 0 && !str_starts(url, STR("https://")) &&
		!str_starts(url, STR("http://127.0.0.1"))) {
		telegram_fail(call, 400,
			"Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
		return;
	}
	if (!is_secret(secret)) {
		telegram_fail(call, 400, "Bad Request: secret token contains unallowed characters");
		return;
	}
	listener_set_webhook(listener, url, secret);
	flow_queue_wake_all(&call->outside->sandbox->held);
	webhook_kick(call->outside->sandbox, listener);
	telegram_reply_raw(call, "true");
}

static void delete_webhook(struct telegram_call *call)
{
	struct listener *listener = listener_of(call);

	listener_set_webhook(listener, (struct str){0}, (struct str){0});
	if (args_true(call->args, "drop_pending_updates"))
		updates_confirm(listener, INT64_MAX);
	telegram_reply_raw(call, "true");
}

static void get_webhook_info(struct telegram_call *call)
{
	const struct listener *listener = listener_of(call);
	struct json_writer writer;
	struct buf info;

	buf_init(&info, 8192);
	json_begin(&writer, &info);
	json_open_object(&writer);
	json_put_member_str(&writer, "url", str_from(listener->webhook));
	json_put_member_bool(&writer, "has_custom_certificate", false);
	json_put_member_int(&writer, "pending_update_count", (int64_t)listener->count);
	if (listener->trouble != NULL)
		json_put_member_str(&writer, "last_error_message", str_from(listener->trouble));
	json_close_object(&writer);
	telegram_reply_raw(call, info.data);
	buf_free(&info);
}

/* -- the rest --------------------------------------------------------------------------------------- */

static size_t characters(struct str text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.size; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

/* Once, and in time. */
static void answer_callback_query(struct telegram_call *call)
{
	struct str text = args_get(call->args, "text");
	struct press *press =
		updates_find_press(call->telegram->updates, argument(call, "callback_query_id", 0));

	if (press == NULL || press->bot_id != call->bot->id || press->text != NULL ||
		call->outside->at_ms - press->at_ms > UPDATES_PRESS_LIFE) {
		telegram_fail(call, 400,
			"Bad Request: query is too old and response timeout expired or query ID is "
			"invalid");
		return;
	}
	if (characters(text) > PRESS_TEXT_MAX) {
		telegram_fail(call, 400, "Bad Request: MESSAGE_TOO_LONG");
		return;
	}
	press->text = alloc_text(text);
	press->alert = args_true(call->args, "show_alert");
	press->answered_ms = call->outside->at_ms;
	telegram_reply_raw(call, "true");
}

static bool is_command(const struct json *json)
{
	struct str name = json_text(json_member(json, "command"));
	size_t words = characters(json_text(json_member(json, "description")));

	for (size_t i = 0; i < name.size; i++) {
		unsigned char c = (unsigned char)name.data[i];
		if (!islower(c) && !isdigit(c) && c != '_')
			return false;
	}
	return name.size >= 1 && name.size <= 32 && words >= 1 && words <= 256;
}

static void set_my_commands(struct telegram_call *call)
{
	struct json *list =
		json_parse(args_get(call->args, "commands"), (struct json_limits){65536, 4}, NULL);
	bool good =
		list != NULL && json_kind(list) == JSON_ARRAY && json_count(list) <= COMMANDS_MAX;

	for (const struct json *at = good ? json_first(list) : NULL; at != NULL; at = json_next(at))
		good = good && json_kind(at) == JSON_OBJECT && is_command(at);
	json_free(&list);
	if (good)
		telegram_reply_raw(call, "true");
	else
		telegram_fail(call, 400, "Bad Request: BOT_COMMAND_INVALID");
}

static void get_chat_member(struct telegram_call *call)
{
	int64_t user_id = argument(call, "user_id", 0);
	struct json_writer writer;
	struct buf member;

	if (!telegram_find_chat(call))
		return;
	if (user_id <= 0) {
		telegram_fail(call, 400, "Bad Request: invalid user_id specified");
		return;
	}
	buf_init(&member, 4096);
	json_begin(&writer, &member);
	json_open_object(&writer);
	json_put_member_str(&writer, "status",
		str_from(updates_member(call->telegram->updates, call->chat->id, user_id)));
	json_put_name(&writer, "user");
	telegram_put_user(&writer, user_id);
	json_close_object(&writer);
	telegram_reply_raw(call, member.data);
	buf_free(&member);
}

telegram_method_fn *telegram_listening_method(struct str name)
{
	static const struct {
		const char *name;
		telegram_method_fn *run;
	} methods[] = {
		{"getUpdates", get_updates},
		{"setWebhook", set_webhook},
		{"deleteWebhook", delete_webhook},
		{"getWebhookInfo", get_webhook_info},
		{"answerCallbackQuery", answer_callback_query},
		{"setMyCommands", set_my_commands},
		{"getChatMember", get_chat_member},
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (str_equal_nocase(name, str_from(methods[i].name)))
			return methods[i].run;
	}
	return NULL;
}
