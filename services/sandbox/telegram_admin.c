/*
 * telegram_admin: what tests ask and declare about the sandbox's Telegram: the world that a real
 * account cannot be brought into at will (blocked, migrated, revoked).
 */
#include "crm.h"
#include "sandbox.h"

#include "json.h"
#include "listing.h"
#include "telegram.h"
#include "uri.h"

/* What was asked, and how far the answer is; lives in the flow between two pieces. */
struct messages_listing {
	int64_t chat_id; /* 0: all */
	int64_t message_id;
	int64_t since_revision;
	int64_t since_ms; /* sent then or later */
	int64_t number;	  /* of the last message that was told */
	bool began;
	struct listing listing;
};

enum { MESSAGES_BEGIN, MESSAGES_PIECE, MESSAGES_MORE };

static bool is_wanted(const struct messages_listing *state, const struct message *message)
{
	return (state->chat_id == 0 || message->chat_id == state->chat_id) &&
	       (state->message_id == 0 || message->message_id == state->message_id) &&
	       message->revision > state->since_revision &&
	       message_sent_ms(message) >= state->since_ms;
}

/* Goes by the messages' numbers: between two pieces the oldest may have been dropped. */
static bool write_messages(
	const struct messages *messages, struct messages_listing *state, struct buf *to)
{
	const struct message *at = messages_oldest(messages);

	if (!state->began)
		buf_add_char(to, '[');
	while (at != NULL && at->number <= state->number)
		at = at->newer;
	for (; at != NULL; at = at->newer) {
		if (to->size > LISTING_PIECE_BYTES)
			return false;
		if (!is_wanted(state, at))
			continue;
		if (state->began)
			buf_add_char(to, ',');
		state->began = true;
		state->number = at->number;
		message_write(at, true, to);
	}
	buf_add_char(to, ']');
	return true;
}

static enum flow_status messages_begin(struct flow *flow)
{
	struct messages_listing *state = flow_state(flow);

	if (!admin_query_int(flow, "chat_id", 0, &state->chat_id) ||
		!admin_query_int(flow, "message_id", 0, &state->message_id) ||
		!admin_query_int(flow, "since_revision", 0, &state->since_revision) ||
		!admin_query_int(flow, "since_ms", 0, &state->since_ms))
		return FLOW_END;
	return FLOW_NEXT;
}

static enum flow_status messages_piece(struct flow *flow)
{
	struct messages_listing *state = flow_state(flow);
	struct buf piece;
	bool is_last;

	buf_init(&piece, LISTING_MAX_BYTES);
	is_last = write_messages(sandbox_telegram(flow_context(flow))->messages, state, &piece);
	return listing_send(flow, &state->listing, &piece, is_last);
}

static enum flow_status messages_more(struct flow *flow)
{
	struct messages_listing *state = flow_state(flow);

	return listing_more(flow, &state->listing, MESSAGES_PIECE);
}

static const struct flow_step messages_steps[] = {
	[MESSAGES_BEGIN] = {"begin", messages_begin},
	[MESSAGES_PIECE] = {"piece", messages_piece},
	[MESSAGES_MORE] = {"more", messages_more},
	{NULL, NULL},
};

const struct flow_spec telegram_messages_flow = {
	.name = "messages",
	.steps = messages_steps,
	.state_bytes = sizeof(struct messages_listing),
	.deadline_ms = 60000,
};

struct chat_input {
	int64_t chat_id, migrate_to;
	struct str state;
};

static const struct json_field chat_fields[] = {
	JSON_FIELD(struct chat_input, chat_id, JSON_INT64, JSON_REQUIRED | JSON_LAX),
	JSON_FIELD(struct chat_input, migrate_to, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct chat_input, state, JSON_STRING, JSON_REQUIRED),
	{NULL},
};

static enum flow_status declare_chat(struct flow *flow)
{
	struct telegram *telegram = sandbox_telegram(flow_context(flow));
	struct chat_input input = {0};
	enum chat_state state;
	struct error error;
	struct chat *chat;

	if (!admin_read_body(flow, chat_fields, &input, &error))
		return flow_fail_error(flow, &error);
	if (!chat_state_from(input.state, &state))
		return flow_fail(flow, ERROR_INPUT,
			"state: takes ok, blocked, kicked, deactivated, missing, migrated");
	/* Without it the error would name chat 0, which no server does. */
	if (state == CHAT_MIGRATED && input.migrate_to == 0)
		return flow_fail(flow, ERROR_INPUT, "migrate_to: missing");
	chat = peers_chat(telegram->peers, input.chat_id);
	if (chat == NULL)
		return flow_fail(flow, ERROR_BUSY, "too many chats");
	chat->state = state;
	chat->migrate_to = input.migrate_to;
	return admin_say_ok(flow);
}

struct bot_input {
	struct str token, state;
};

static const struct json_field bot_fields[] = {
	JSON_FIELD(struct bot_input, token, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct bot_input, state, JSON_STRING, JSON_REQUIRED),
	{NULL},
};

static enum flow_status declare_bot(struct flow *flow)
{
	struct telegram *telegram = sandbox_telegram(flow_context(flow));
	struct bot_input input = {0};
	struct error error;
	struct str rest;
	struct bot *bot;
	int64_t id;

	if (!admin_read_body(flow, bot_fields, &input, &error))
		return flow_fail_error(flow, &error);
	/* Only the id counts: a bot is revoked whatever secret its token has. */
	rest = input.token;
	if (!str_to_int64(str_cut(&rest, ':'), &id) || id <= 0)
		return flow_fail(flow, ERROR_INPUT, "token: takes <digits>:<text>");
	if (!str_equal(input.state, STR("ok")) && !str_equal(input.state, STR("revoked")))
		return flow_fail(flow, ERROR_INPUT, "state: takes ok, revoked");
	bot = peers_bot(telegram->peers, id);
	if (bot == NULL)
		return flow_fail(flow, ERROR_BUSY, "too many bots");
	bot->revoked = str_equal(input.state, STR("revoked"));
	return admin_say_ok(flow);
}

static const struct json_field limits_fields[] = {
	JSON_FIELD(struct rate_limits, chat_per_second, JSON_DOUBLE, 0),
	JSON_FIELD(struct rate_limits, chat_burst, JSON_DOUBLE, 0),
	JSON_FIELD(struct rate_limits, group_per_minute, JSON_INT64, 0),
	JSON_FIELD(struct rate_limits, bot_per_second, JSON_DOUBLE, 0),
	JSON_FIELD(struct rate_limits, enabled, JSON_BOOL, 0),
	{NULL},
};

static enum flow_status set_limits(struct flow *flow)
{
	struct telegram *telegram = sandbox_telegram(flow_context(flow));
	struct rate_limits limits = telegram->limits;
	enum flow_status status;
	struct error error;
	struct buf json;

	if (crm_limits_meant(flow))
		return crm_set_limits(flow);
	if (!admin_read_body(flow, limits_fields, &limits, &error))
		return flow_fail_error(flow, &error);
	/* Both ends: at 1e-300 a second the wait would not fit its integer. */
	if (limits.chat_per_second < 0.001 || limits.chat_per_second > RATE_MAX ||
		limits.bot_per_second < 1 || limits.bot_per_second > RATE_MAX ||
		limits.chat_burst < 1 || limits.chat_burst > RATE_MAX)
		return flow_fail(flow, ERROR_INPUT,
			"chat_per_second: takes 0.001 to %d; bot_per_second, chat_burst: 1 to %d",
			RATE_MAX, RATE_MAX);
	if (limits.group_per_minute < 1 || limits.group_per_minute > RATE_GROUP_MAX)
		return flow_fail(
			flow, ERROR_INPUT, "group_per_minute: takes 1 to %d", RATE_GROUP_MAX);
	telegram->limits = limits;
	/* Answered with all of them, so that a test sees what it left at its default. */
	buf_init(&json, 1024);
	json_write(&json, limits_fields, &limits);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

const struct flow_spec telegram_chats_flow = ONE_STEP("declare_chat", declare_chat);
const struct flow_spec telegram_bots_flow = ONE_STEP("declare_bot", declare_bot);
const struct flow_spec telegram_limits_flow = ONE_STEP("set_limits", set_limits);
