/*
 * subscription: what Telegram told about a chat, written down until it is written.
 *
 * A chat that is closed to a bot is not asked again; a group that became a supergroup goes on under
 * its new id, also for the rows that still wait.
 */
#include "dispatcher.h"

#define RETRY_MS 1000
/* Until the directory has been read again nothing new is sent to a closed chat. */
#define CLOSED_PAUSE_MS 3000

static const char sql_close_user[] =
	"UPDATE telegram_users SET disabled_at = now(), disabled_reason = $3, updated_at = now()"
	" WHERE bot_token = $1 AND tg_id = $2::bigint AND disabled_at IS NULL";
static const char sql_close_owner[] =
	"UPDATE enterprises SET chat_disabled_at = now(), chat_disabled_reason = $3"
	" WHERE bot_token = $1 AND chat_id = $2::bigint AND chat_disabled_at IS NULL";
static const char sql_close_owner2[] =
	"UPDATE enterprises SET chat2_disabled_at = now(), chat2_disabled_reason = $3"
	" WHERE bot_token = $1 AND chat_id2 = $2::bigint AND chat2_disabled_at IS NULL";

static const char sql_move_known[] =
	"DELETE FROM telegram_users o USING telegram_users n WHERE o.bot_token = $1"
	" AND o.tg_id = $2::bigint AND n.bot_token = $1 AND n.tg_id = $3::bigint";
static const char sql_move_user[] =
	"UPDATE telegram_users SET tg_id = $3::bigint, updated_at = now()"
	" WHERE bot_token = $1 AND tg_id = $2::bigint";
static const char sql_move_owner[] =
	"UPDATE enterprises SET chat_id = $3::bigint WHERE bot_token = $1 AND chat_id = $2::bigint";
static const char sql_move_owner2[] =
	"UPDATE enterprises SET chat_id2 = $3::bigint WHERE bot_token = $1 AND chat_id2 = "
	"$2::bigint";
static const char sql_move_rows[] =
	"UPDATE outbox o SET destination = 'telegram:' || $3, updated_at = now()"
	" FROM enterprises e WHERE e.bot_token = $1 AND o.enterprise_number = e.number"
	" AND o.destination = 'telegram:' || $2"
	" AND (o.state IN ('queued', 'sending', 'failed') OR (o.state = 'unknown' AND o.final))"
	" AND NOT EXISTS (SELECT FROM outbox n WHERE n.call_id = o.call_id"
	" AND n.destination = 'telegram:' || $3 AND n.slot = o.slot)";

struct subscription {
	struct chat *moving; /* NULL: closed. It stays in memory while it moves */
	int64_t chat_id, to;
	const char *token, *words;
	struct pg_batch *batch;
};

enum { SUBSCRIPTION_WRITE, SUBSCRIPTION_CHECK, SUBSCRIPTION_AGAIN };

static enum flow_status subscription_write(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct subscription *subscription = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct pg_params params = {0};
	subscription->batch = pg_batch_new(arena);
	pg_put_text(&params, subscription->token);
	pg_put_int(&params, arena, subscription->chat_id);
	if (subscription->moving == NULL) {
		pg_put_text(&params, subscription->words);
		pg_batch_add(subscription->batch, sql_close_user, &params);
		pg_batch_add(subscription->batch, sql_close_owner, &params);
		pg_batch_add(subscription->batch, sql_close_owner2, &params);
	} else {
		pg_put_int(&params, arena, subscription->to);
		pg_batch_add(subscription->batch, sql_move_known, &params);
		pg_batch_add(subscription->batch, sql_move_user, &params);
		pg_batch_add(subscription->batch, sql_move_owner, &params);
		pg_batch_add(subscription->batch, sql_move_owner2, &params);
		pg_batch_add(subscription->batch, sql_move_rows, &params);
	}
	return await_pg(flow, d->side_pg, subscription->batch);
}

static enum flow_status subscription_check(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct subscription *subscription = flow_state(flow);
	struct error error;
	if (!pg_batch_ok(subscription->batch, &error)) {
		log_warn(flow_log(flow), "telegram: a chat's change is not written yet: %s",
			error.text);
		return await_pg_again(flow, d->side_pg, RETRY_MS);
	}
	directory_want(d);
	if (subscription->moving == NULL)
		log_warn(flow_log(flow), "telegram: a chat is closed to its bot: %s",
			subscription->words);
	else
		chat_move(d, subscription->moving, subscription->to);
	return FLOW_END;
}

static enum flow_status subscription_again(struct flow *flow)
{
	return flow_goto(flow, SUBSCRIPTION_WRITE);
}

static void subscription_finally(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	const struct subscription *subscription = flow_state(flow);
	const struct error *error = flow_error(flow);
	if (subscription->moving == NULL || error == NULL || error->kind == ERROR_INTERNAL)
		return;
	subscription->moving->moving = false;
	couriers_kick(d, subscription->moving);
}

static const struct flow_step subscription_steps[] = {
	[SUBSCRIPTION_WRITE] = {"write", subscription_write},
	[SUBSCRIPTION_CHECK] = {"check", subscription_check},
	[SUBSCRIPTION_AGAIN] = {"again", subscription_again},
	{NULL, NULL},
};

/* A quarter of an hour; by then it comes up again with the next message. */
static const struct flow_spec subscription_flow = {
	.name = "subscription",
	.steps = subscription_steps,
	.finally = subscription_finally,
	.state_bytes = sizeof(struct subscription),
	.arena_max_bytes = (size_t)4 << 20,
	.deadline_ms = (int64_t)15 * 60 * 1000,
};

/* The flow has its own copies: chat and bot may be gone before PostgreSQL is back. */
static void subscription_start(
	struct dispatcher *d, struct chat *chat, int64_t to, const char *words)
{
	struct flow *flow = flow_spawn(d->root, &subscription_flow);
	struct subscription *subscription = flow_state(flow);
	subscription->moving = to != 0 ? chat : NULL;
	subscription->chat_id = chat->id;
	subscription->to = to;
	subscription->token = arena_strdup(flow_arena(flow), chat->bot->token);
	subscription->words = arena_strdup(flow_arena(flow), words);
}

/* A group that moved is known under its old id until the directory has been read again. */
static bool subscribed(
	const struct dispatcher *d, const struct directory_tenant *tenant, const struct chat *chat)
{
	if (directory_tells(&d->directory, tenant, chat->id))
		return true;
	size_t at = 0;
	struct str from;
	void *value;
	while (chat->bot->moved != NULL && table_next(chat->bot->moved, &at, &from, &value)) {
		const struct moved *moved = value;
		int64_t old_id;
		memcpy(&old_id, from.data, sizeof(old_id));
		if (moved->to == chat->id && directory_tells(&d->directory, tenant, old_id))
			return true;
	}
	return false;
}

const char *subscription_why_not(const struct dispatcher *d, const struct delivery *delivery)
{
	const struct directory_tenant *tenant =
		directory_find(&d->directory, str_from(delivery->call->enterprise));
	const struct chat *chat = delivery->chat;
	if (tenant == NULL || !tenant->active)
		return "the enterprise is gone or not active";
	if (tenant->bot_token[0] == '\0')
		return "the enterprise has no bot any more";
	if (strcmp(tenant->bot_token, chat->bot->token) != 0)
		return "the enterprise has another bot now";
	return subscribed(d, tenant, chat) ? NULL : "the chat is not subscribed any more";
}

void subscription_close(struct dispatcher *d, struct chat *chat, const char *words)
{
	if (chat->paused_until_ms > loop_now_ms(d->loop))
		return; /* being written already */
	chat->paused_until_ms = loop_now_ms(d->loop) + CLOSED_PAUSE_MS;
	subscription_start(d, chat, 0, words);
}

void subscription_move(struct dispatcher *d, struct chat *chat, int64_t to)
{
	if (chat->moving || to == 0)
		return;
	chat->moving = true;
	subscription_start(d, chat, to, "");
}
