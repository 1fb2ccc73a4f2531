/*
 * update: one update, from what it is to the transaction that does what it asks for.
 *
 * Nothing is decided here that the database knows better: who is subscribed, which code is good, whose
 * phone it is. A function of migrations/0004_bot.sql does it all at once, or nothing.
 */
#include "bots.h"
#include "signed.h"

#define UPDATE_DEADLINE_MS 40000
#define ARGUMENT_MAX	   64 /* of a command; a code has 8 characters */
#define CALLBACK_ID_MAX	   64

/* $1 is NULL for an update that a webhook brought. */
static const char sql_take[] = "SELECT bot_take($1, $2, $3::bigint)";
static const char sql_command[] = "SELECT bot_command($1, $2, $3::bigint, $4::bigint, $5, $6)";
static const char sql_left[] = "SELECT bot_left($1, $2, $3::bigint, $4::bigint, $5)";
static const char sql_press_answer[] =
	"SELECT bot_press_answer($1, $2, $3::bigint, $4, $5::bigint, $6)";
static const char sql_press[] = "SELECT bot_press($1, $2, $3::bigint, $4, $5::bigint, $6::bigint,"
				" $7, $8::bigint, $9, $10::interval)";

static const char *const action_names[] = {[CALLBACK_LISTEN] = "listen",
	[CALLBACK_WHISPER] = "whisper",
	[CALLBACK_CONFERENCE] = "conference",
	[CALLBACK_CALL_BACK] = "call"};

struct update {
	const char *token, *username;
	bool polled, passed_over;
	struct telegram_update item; /* its texts are the parent's */
	const char *verb;	     /* of bot_command(); NULL: nothing is said */
	struct bot_request request;
	struct pg_batch *batch;
};

enum { UPDATE_DECIDE, UPDATE_ASK_MEMBER, UPDATE_MEMBER, UPDATE_STORE, UPDATE_STORED };

/* -- what it is ----------------------------------------------------------------------------------- */

/* The name in telegram_bots and the one behind the @ differ in case only. */
static bool is_for_us(const struct update *update)
{
	struct str name = update->item.bot_name;
	return name.size == 0 || str_equal_nocase(name, str_from(update->username));
}

/* NULL: not one of ours. */
static const char *verb_of(struct str command)
{
	static const char *const verbs[] = {"start", "stop", "mine", "status", "help"};
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (str_equal(command, str_from(verbs[i])))
			return verbs[i];
	}
	return NULL;
}

/* In a private chat everything is answered; in a group only what is meant for us. */
static enum flow_status update_decide(struct flow *flow)
{
	struct update *update = flow_state(flow);
	const struct telegram_update *item = &update->item;
	bool in_group = item->chat_id < 0;
	if (item->kind == UPDATE_TEXT)
		update->verb = "help";
	if (item->kind != UPDATE_COMMAND || !is_for_us(update))
		return flow_goto(flow, UPDATE_STORE);
	update->verb = verb_of(item->command);
	if (update->verb == NULL && !in_group)
		update->verb = "help";
	bool changes = update->verb != NULL && strcmp(update->verb, "help") != 0 &&
		       strcmp(update->verb, "status") != 0;
	return flow_goto(
		flow, in_group && changes && !item->anonymous ? UPDATE_ASK_MEMBER : UPDATE_STORE);
}

/* -- in groups, only who runs the group ----------------------------------------------------------- */

static enum flow_status update_ask_member(struct flow *flow)
{
	struct update *update = flow_state(flow);
	struct buf body;
	buf_init(&body, 256);
	buf_printf(&body, "{\"chat_id\":%lld,\"user_id\":%lld}", (long long)update->item.chat_id,
		(long long)update->item.account_id);
	enum flow_status status = await_telegram(
		flow, &update->request, update->token, "getChatMember", buf_str(&body));
	buf_free(&body);
	return status;
}

/* When Telegram cannot say it, nobody is taken for an administrator. */
static enum flow_status update_member(struct flow *flow)
{
	struct update *update = flow_state(flow);
	const struct http_answer *answer = &update->request.answer;
	bool is_admin = false;
	bool known = answer->reach == HTTP_ANSWERED && answer->status == 200 &&
		     telegram_member_read(answer->body, flow_arena(flow), &is_admin);
	if (!known)
		update->verb = "admins_unknown";
	else if (!is_admin)
		update->verb = "admins_only";
	return FLOW_NEXT;
}

/* -- the transaction ------------------------------------------------------------------------------ */

static void put_head(struct flow *flow, struct pg_params *params)
{
	const struct bots *b = flow_context(flow);
	const struct update *update = flow_state(flow);
	pg_put_text(params, update->polled ? b->name : NULL);
	pg_put_text(params, update->token);
	pg_put_int(params, flow_arena(flow), update->item.id);
}

static const char *put_command(struct flow *flow, struct pg_params *params)
{
	const struct update *update = flow_state(flow);
	struct str argument = update->item.argument;
	if (update->verb == NULL)
		return sql_take;
	pg_put_int(params, flow_arena(flow), update->item.chat_id);
	pg_put_text(params, update->verb);
	pg_put_str(params, flow_arena(flow),
		str_of(argument.data, argument.size < ARGUMENT_MAX ? argument.size : 0));
	return sql_command;
}

static const char *put_left(struct flow *flow, struct pg_params *params)
{
	const struct update *update = flow_state(flow);
	pg_put_int(params, flow_arena(flow), update->item.chat_id);
	pg_put_text(params, update->item.chat_id > 0 ? "bot was blocked by the user"
						     : "bot was removed from the group");
	return sql_left;
}

/* Why a button is not ours any more is for the log: a forger is told what everybody is. */
static const char *put_bad_press(
	struct flow *flow, struct pg_params *params, const struct error *error)
{
	struct bots *b = flow_context(flow);
	const struct update *update = flow_state(flow);
	log_info(flow_log(flow), "press refused: %s", error->text);
	metric_add(b->meters.forged, 1);
	pg_put_int(params, flow_arena(flow), update->item.chat_id);
	pg_put_text(params, "press_over");
	return sql_press_answer;
}

static const char *put_press(struct flow *flow, struct pg_params *params)
{
	const struct bots *b = flow_context(flow);
	const struct telegram_update *item = &((struct update *)flow_state(flow))->item;
	struct arena *arena = flow_arena(flow);
	struct callback callback;
	struct error error = {.text = ""};
	if (item->callback_id.size > CALLBACK_ID_MAX) /* no server sends one */
		return sql_take;
	pg_put_str(params, arena, item->callback_id);
	if (!signed_callback_read(service_link_key(b->service), item->data, item->chat_id,
		    clock_wall_ms(), &callback, &error))
		return put_bad_press(flow, params, &error);
	pg_put_int(params, arena, item->chat_id);
	pg_put_int(params, arena, item->account_id);
	pg_put_text(params, action_names[callback.action]);
	pg_put_int(params, arena, callback.call_id);
	pg_put_text(params, arena_strdup(arena, callback.phone));
	pg_put_text(
		params, arena_printf(arena, "%lld milliseconds", (long long)b->config->press_ms));
	return sql_press;
}

static const char *put_params(struct flow *flow, struct pg_params *params)
{
	const struct update *update = flow_state(flow);
	put_head(flow, params);
	if (update->passed_over)
		return sql_take;
	switch (update->item.kind) {
	case UPDATE_COMMAND:
	case UPDATE_TEXT:
		return put_command(flow, params);
	case UPDATE_PRESS:
		return put_press(flow, params);
	case UPDATE_LEFT:
		return put_left(flow, params);
	case UPDATE_OTHER:
		break;
	}
	return sql_take;
}

static enum flow_status update_store(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct update *update = flow_state(flow);
	struct pg_params params = {0};
	const char *sql = put_params(flow, &params);
	return await_pg_query(flow, b->pg, &update->batch, sql, &params);
}

/* What the database refuses for itself it would refuse for ever, and with it all that follows. */
static enum flow_status update_refused(struct flow *flow, const struct error *error)
{
	struct bots *b = flow_context(flow);
	struct update *update = flow_state(flow);
	if (strcmp(pg_batch_sqlstate(update->batch), "CW002") == 0) {
		lease_want(b);
		return flow_fail_error(flow, error);
	}
	if (error->kind == ERROR_BUSY || error->kind == ERROR_CONFLICT || update->passed_over)
		return flow_fail_error(flow, error);
	log_error(flow_log(flow), "update %lld cannot be handled and is passed over: %s",
		(long long)update->item.id, error->text);
	update->passed_over = true;
	return flow_goto(flow, UPDATE_STORE);
}

static enum flow_status update_stored(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	const struct update *update = flow_state(flow);
	struct error error;
	if (!pg_batch_ok(update->batch, &error))
		return update_refused(flow, &error);
	metric_add(b->meters.updates[update->item.kind], 1);
	worker_wake(&b->commands);
	worker_wake(&b->answers);
	return FLOW_END;
}

static void update_finally(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	const struct error *error = flow_error(flow);
	b->handling--;
	if (error != NULL && error->kind != ERROR_INTERNAL)
		log_warn(flow_log(flow), "update: not handled yet: %s", error->text);
}

static const struct flow_step update_steps[] = {
	[UPDATE_DECIDE] = {"decide", update_decide},
	[UPDATE_ASK_MEMBER] = {"ask-member", update_ask_member},
	[UPDATE_MEMBER] = {"member", update_member},
	[UPDATE_STORE] = {"store", update_store},
	[UPDATE_STORED] = {"stored", update_stored},
	{NULL, NULL},
};

static const struct flow_spec update_flow = {
	.name = "update",
	.steps = update_steps,
	.finally = update_finally,
	.state_bytes = sizeof(struct update),
	.deadline_ms = UPDATE_DEADLINE_MS,
};

void update_start(
	struct flow *parent, const struct bot *bot, bool polled, const struct telegram_update *item)
{
	struct bots *b = flow_context(parent);
	struct flow *flow = flow_spawn(parent, &update_flow);
	struct update *update = flow_state(flow);
	update->token = arena_strdup(flow_arena(flow), bot->token);
	update->username = arena_strdup(flow_arena(flow), bot->username);
	update->polled = polled;
	update->item = *item;
	b->handling++;
}
