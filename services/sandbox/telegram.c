/*
 * telegram: the Bot API of api.telegram.org as an outside service.
 *
 * Error texts follow tdlib/telegram-bot-api (telegram-bot-api/Client.cpp, Query.cpp). Not here:
 * Markdown, entities that Telegram finds by itself (links, phone numbers), files.
 */
#include "telegram.h"

#include "alloc.h"
#include "flow.h"
#include "json_put.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* https://api.telegram.org/bot<token>/<method>; /file/bot<token>/ is not stood in for. */
static bool owns(struct str path)
{
	return str_starts(path, STR("/bot"));
}

static void *start(struct sandbox *sandbox)
{
	struct telegram *telegram = alloc_zeroed(1, sizeof(*telegram));

	telegram->messages = messages_new(MESSAGES_MAX_BYTES);
	telegram->peers = peers_new();
	telegram->updates = updates_new();
	telegram->limits = rate_default();
	return telegram;
}

static void stop(void *state)
{
	struct telegram *telegram = state;

	messages_free(&telegram->messages);
	peers_free(&telegram->peers);
	updates_free(&telegram->updates);
	free(telegram);
}

/* The store is emptied rather than made anew: its revisions must go on growing for pages that
 * wait. */
static void reset(void *state)
{
	struct telegram *telegram = state;
	struct flow *sender;

	while (updates_next_sender(telegram->updates, &sender))
		flow_cancel(sender);
	updates_free(&telegram->updates);
	telegram->updates = updates_new();
	messages_clear(telegram->messages);
	peers_free(&telegram->peers);
	telegram->peers = peers_new();
	telegram->limits = rate_default();
}

/* "<digits>:<at least three of A-Z a-z 0-9 _ ->". */
static bool read_token(struct str token, int64_t *bot_id)
{
	struct str rest = token, digits = str_cut(&rest, ':');

	if (!str_is_digits(digits) || !str_to_int64(digits, bot_id) || rest.size < 3)
		return false;
	for (size_t i = 0; i < rest.size; i++) {
		unsigned char c = (unsigned char)rest.data[i];
		if (!isalnum(c) && c != '_' && c != '-')
			return false;
	}
	return *bot_id > 0;
}

/* Behind "/bot", which owns() has seen. */
static struct str token_of(const struct outside_call *call, struct str *method)
{
	*method = str_of(call->path.data + 4, call->path.size - 4);
	return str_cut(method, '/');
}

static bool is_word(struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (!isalpha((unsigned char)text.data[i]))
			return false;
	}
	return true;
}

static void read_call(void *state, struct outside_call *call)
{
	struct args_source source = {call->query, call->content_type, call->body};
	struct str token = token_of(call, &call->method);
	/* A URL that was put together wrongly may hold the token in the method's place. */
	struct str method = is_word(call->method) ? call->method : STR("***");
	const char *shown;
	int64_t bot_id;

	if (read_token(token, &bot_id))
		shown = arena_printf(
			call->arena, "/bot%" PRId64 ":***/%.*s", bot_id, STR_ARG(method));
	else
		shown = arena_printf(call->arena, "/bot***/%.*s", STR_ARG(method));
	call->shown_path = str_from(shown);
	/* Kept, not answered: a wrong token or method comes first on the real server. */
	call->args_error.kind = ERROR_NONE;
	if (args_read(&call->args, &source, call->arena, &call->args_error))
		args_int(&call->args, "chat_id", &call->chat_id);
}

/* Any well-formed token is a bot: tests need not register ten thousand. A revoked one was
 * declared. */
static bool know_bot(struct telegram_call *call)
{
	struct str method;
	int64_t bot_id;

	if (!read_token(token_of(call->outside, &method), &bot_id))
		return telegram_fail(call, 404, "Not Found");
	call->bot = peers_bot(call->telegram->peers, bot_id);
	if (call->bot == NULL)
		return telegram_fail(call, 500, "Internal Server Error: too many bots");
	return !call->bot->revoked || telegram_fail(call, 401, "Unauthorized");
}

static int64_t hold_ms(void *state, struct outside_call *call)
{
	struct str method;
	int64_t bot_id;

	return read_token(token_of(call, &method), &bot_id) ? telegram_hold_ms(state, call, bot_id)
							    : 0;
}

static void run(struct telegram_call *call)
{
	telegram_method_fn *method = telegram_method(call->outside->method);
	char words[300];

	if (method == NULL) {
		telegram_fail(call, 404, "Not Found: method not found");
	} else if (call->outside->args_error.kind != ERROR_NONE) {
		snprintf(words, sizeof(words), "Bad Request: %s", call->outside->args_error.text);
		telegram_fail(call, 400, words);
	} else {
		method(call);
	}
}

static void act(void *state, struct outside_call *outside)
{
	struct telegram_call call = {.telegram = state, .outside = outside, .args = &outside->args};

	if (know_bot(&call))
		run(&call);
	/* Here, where every refusal comes by, whichever check it was. */
	if (call.bot != NULL && outside->status >= 400)
		call.bot->refused++;
}

/* For faults that name a status only; one of the texts that the server has for it. */
static struct str usual_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} usual[] = {
		{400, "Bad Request: chat not found"},
		{401, "Unauthorized"},
		{403, "Forbidden: bot was blocked by the user"},
		{404, "Not Found"},
		{409, "Conflict: terminated by other getUpdates request; make sure that only one "
		      "bot instance is running"},
		{413, "Request Entity Too Large"},
		{500, "Internal Server Error: restart"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (usual[i].status == status)
			return str_from(usual[i].words);
	}
	return STR("Internal Server Error");
}

static void refuse(struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	char slow[64];

	if (status == 429 && retry_after_s == 0)
		retry_after_s = 1;
	snprintf(slow, sizeof(slow), "Too Many Requests: retry after %" PRId64, retry_after_s);
	if (words.size == 0)
		words = status == 429 ? str_from(slow) : usual_words(status);
	telegram_write_error(call, status, words, retry_after_s, 0);
}

static void write_stats(void *state, struct buf *to)
{
	const struct telegram *telegram = state;
	struct json_writer writer;
	struct buf bots;

	/* 20,000 bots of about a hundred bytes. */
	buf_init(&bots, 8 << 20);
	peers_write_bots(telegram->peers, &bots);
	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_int(&writer, "messages", (int64_t)messages_count(telegram->messages));
	json_put_member_int(&writer, "revision", messages_revision(telegram->messages));
	json_put_member_raw(&writer, "bots", buf_str(&bots));
	json_close_object(&writer);
	buf_free(&bots);
}

const struct outside_service telegram_service = {
	.name = "telegram",
	.owns = owns,
	.start = start,
	.stop = stop,
	.reset = reset,
	.read = read_call,
	.hold_ms = hold_ms,
	.act = act,
	.refuse = refuse,
	.stats = write_stats,
};
