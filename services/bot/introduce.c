/*
 * introduce: before a bot is asked for the first time, Telegram is told how it listens: its commands, and
 * where updates go. What was told is remembered in telegram_bots.introduced, so that thousands of bots
 * are introduced once and not at each start.
 */
#include "bots.h"

#include "crypto.h"

#include <stdio.h>

/* Grows when the commands below change, so that all bots are introduced again. */
#define COMMANDS_VERSION      1
#define INTRODUCE_DEADLINE_MS 60000

static const char sql_introduced[] = "UPDATE telegram_bots SET username = $2, introduced = $3 "
				     "WHERE bot_token = $1 AND owner = $4";

static const struct telegram_command commands_en[] = {
	{"status", "Am I subscribed, and as whom"},
	{"mine", "on: only my calls, off: all calls"},
	{"stop", "No more messages about calls"},
	{"help", "What this bot can do"},
	{NULL, NULL},
};

static const struct telegram_command commands_ru[] = {
	{"status", "Подписан ли этот чат и кто я"},
	{"mine", "on: только мои звонки, off: все"},
	{"stop", "Больше не сообщать о звонках"},
	{"help", "Что умеет этот бот"},
	{NULL, NULL},
};

/* The requests, in order. */
enum ask { ASK_ME, ASK_COMMANDS, ASK_COMMANDS_RU, ASK_WEBHOOK, ASKS, ASK_INFO };

struct introduce {
	struct bot *bot;
	struct telegram_reply *reply; /* the parent's */
	unsigned ask;
	struct bot_request request;
	const char *username;
	char marker[320];
	struct pg_batch *batch;
};

enum { INTRODUCE_ASK, INTRODUCE_READ, INTRODUCE_STORE, INTRODUCE_STORED };

static bool by_webhook(const struct bots *b)
{
	return b->config->webhook_url[0] != '\0';
}

static void webhook_url(const struct bots *b, const struct bot *bot, char *to, size_t capacity)
{
	struct str base = str_from(b->config->webhook_url);
	while (str_ends(base, STR("/")))
		base.size--;
	snprintf(to, capacity, "%.*s/telegram/%s", STR_ARG(base), bot->number);
}

/* The secret as a part of a hash: another key is another introduction, and nothing can be read off. */
static void make_marker(const struct bots *b, const struct bot *bot, char to[320])
{
	char url[280], secret[WEBHOOK_SECRET_TEXT], hex[9];
	unsigned char digest[CRYPTO_SHA256_BYTES];
	if (!by_webhook(b)) {
		snprintf(to, 320, "%d poll", COMMANDS_VERSION);
		return;
	}
	webhook_url(b, bot, url, sizeof(url));
	webhook_secret(b, bot, secret);
	crypto_sha256(str_from(secret), digest);
	crypto_hex(digest, 4, hex);
	snprintf(to, 320, "%d webhook %s %s", COMMANDS_VERSION, url, hex);
}

static bool is_introduced(const struct bots *b, const struct bot *bot)
{
	char marker[320];
	make_marker(b, bot, marker);
	return str_equal(str_from(bot->introduced), str_from(marker));
}

/* A webhook is looked at each time that its bot is due (hourly): others may have changed it, and what
 * ails it only Telegram knows. */
bool introduce_is_due(const struct bots *b, const struct bot *bot)
{
	return by_webhook(b) || !is_introduced(b, bot);
}

static const char *write_webhook(const struct bots *b, const struct bot *bot, struct buf *body)
{
	char url[280], secret[WEBHOOK_SECRET_TEXT];
	if (!by_webhook(b)) {
		buf_add(body, STR("{}"));
		return "deleteWebhook";
	}
	webhook_url(b, bot, url, sizeof(url));
	webhook_secret(b, bot, secret);
	telegram_set_webhook_body(url, secret, body);
	return "setWebhook";
}

static const char *write_request(
	const struct bots *b, const struct introduce *introduce, struct buf *body)
{
	switch (introduce->ask) {
	case ASK_ME:
		buf_add(body, STR("{}"));
		return "getMe";
	case ASK_COMMANDS:
		telegram_commands_body(commands_en, "", body);
		return "setMyCommands";
	case ASK_COMMANDS_RU:
		telegram_commands_body(commands_ru, "ru", body);
		return "setMyCommands";
	case ASK_INFO:
		buf_add(body, STR("{}"));
		return "getWebhookInfo";
	default:
		return write_webhook(b, introduce->bot, body);
	}
}

static enum flow_status introduce_ask(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct introduce *introduce = flow_state(flow);
	struct buf body;
	if (introduce->ask == ASK_ME && is_introduced(b, introduce->bot))
		introduce->ask = ASK_INFO;
	make_marker(b, introduce->bot, introduce->marker);
	buf_init(&body, 8192);
	const char *method = write_request(b, introduce, &body);
	enum flow_status status = await_telegram(
		flow, &introduce->request, introduce->bot->token, method, buf_str(&body));
	buf_free(&body);
	return status;
}

/* One that somebody else has set is set anew in a minute. */
static void read_info(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct introduce *introduce = flow_state(flow);
	char expected[280];
	struct str url, trouble;
	webhook_url(b, introduce->bot, expected, sizeof(expected));
	if (!telegram_webhook_read(
		    introduce->request.answer.body, flow_arena(flow), &url, &trouble))
		return;
	if (!str_equal(url, str_from(expected))) {
		*introduce->reply = (struct telegram_reply){.outcome = TELEGRAM_TRY_AGAIN,
			.words = "its webhook was changed by somebody else"};
		roster_set_text(&introduce->bot->introduced, STR(""));
	} else if (trouble.size > 0) {
		log_warn(flow_log(flow), "bot: Telegram cannot deliver to its webhook: %.*s",
			STR_ARG(trouble));
	}
}

static enum flow_status introduce_read(struct flow *flow)
{
	struct introduce *introduce = flow_state(flow);
	struct str username;
	telegram_reply_of(&introduce->request, introduce->reply);
	if (introduce->reply->outcome != TELEGRAM_DONE)
		return FLOW_END;
	if (introduce->ask == ASK_INFO) {
		read_info(flow);
		return FLOW_END;
	}
	if (introduce->ask == ASK_ME) {
		telegram_me_read(introduce->request.answer.body, flow_arena(flow), &username);
		introduce->username = arena_strndup(flow_arena(flow), username.data, username.size);
	}
	return flow_goto(flow, ++introduce->ask < ASKS ? INTRODUCE_ASK : INTRODUCE_STORE);
}

static enum flow_status introduce_store(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct introduce *introduce = flow_state(flow);
	struct pg_params params = {0};
	pg_put_text(&params, introduce->bot->token);
	pg_put_text(&params, introduce->username);
	pg_put_text(&params, introduce->marker);
	pg_put_text(&params, b->name);
	return await_pg_query(flow, b->pg, &introduce->batch, sql_introduced, &params);
}

/* Not written: the bot is introduced once more, which does no harm. */
static enum flow_status introduce_stored(struct flow *flow)
{
	struct introduce *introduce = flow_state(flow);
	struct error error;
	if (!pg_batch_ok(introduce->batch, &error)) {
		log_warn(flow_log(flow), "bot: its introduction is not written: %s", error.text);
		return FLOW_END;
	}
	roster_set_text(&introduce->bot->username, str_from(introduce->username));
	roster_set_text(&introduce->bot->introduced, str_from(introduce->marker));
	return FLOW_END;
}

static const struct flow_step introduce_steps[] = {
	[INTRODUCE_ASK] = {"ask", introduce_ask},
	[INTRODUCE_READ] = {"read", introduce_read},
	[INTRODUCE_STORE] = {"store", introduce_store},
	[INTRODUCE_STORED] = {"stored", introduce_stored},
	{NULL, NULL},
};

static const struct flow_spec introduce_flow = {
	.name = "introduce",
	.steps = introduce_steps,
	.state_bytes = sizeof(struct introduce),
	.deadline_ms = INTRODUCE_DEADLINE_MS,
};

void introduce_start(struct flow *parent, struct bot *bot, struct telegram_reply *reply)
{
	struct introduce *introduce = flow_state(flow_spawn(parent, &introduce_flow));
	*reply = (struct telegram_reply){.outcome = TELEGRAM_TRY_AGAIN,
		.words = "Telegram was not told in time how the bot listens"};
	introduce->bot = bot;
	introduce->reply = reply;
	introduce->username = "";
}
