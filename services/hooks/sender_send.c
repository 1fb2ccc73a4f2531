/*
 * sender_send: one message of the outbox: may it go, when, what does the provider say?
 */
#include "sender_send.h"

#include "clock.h"

enum {
	SEND_DEADLINE_MS = 600000, /* as long as PostgreSQL may be away; then it is in doubt */
	CALL_TIMEOUT_MS = 10000,
	RECORD_AGAIN_MS = 500,
	NO_ACCOUNT_MS = 60000,
};

enum { SEND_CHECK, SEND_ASK, SEND_ASKED, SEND_LOOK, SEND_LOOKED, SEND_RECORD, SEND_RECORDED };

/* -- may it go -------------------------------------------------------------------------------------- */

static void refuse(struct text_result *result, const char *code, const char *words)
{
	result->outcome = TEXT_REFUSED;
	str_copy(result->code, sizeof(result->code), str_from(code));
	str_copy(result->words, sizeof(result->words), str_from(words));
}

static bool is_free_chat(const struct text_message *message)
{
	return strcmp(message->channel, "whatsapp") == 0 &&
	       strcmp(message->provider, "twilio") == 0 &&
	       json_kind(message->template) != JSON_OBJECT;
}

/* False: it never may, and `result` says why. */
static bool may_go(const struct send_state *state, struct text_result *result)
{
	const struct text_message *message = &state->message;

	if (message->opted_out)
		refuse(result, "21610", "the recipient has written STOP");
	else if (is_free_chat(message) && !message->in_window)
		refuse(result, "63016", text_error_words(STR("63016"), STR("")).data);
	else if (clock_wall_ms() - message->created_ms > SENDER_GIVE_UP_MS)
		refuse(result, "expired", "given up after 24 hours");
	else if (state->provider == NULL)
		refuse(result, "", "no such provider");
	else
		return true;
	return false;
}

static const char *copy(struct arena *arena, struct str text)
{
	return arena_strndup(arena, text.data != NULL ? text.data : "", text.size);
}

static struct str first_token(const struct json *config)
{
	struct str token = json_text(json_item(json_member(config, "auth_tokens"), 0));

	return token.size > 0 ? token : json_text(json_member(config, "auth_token"));
}

static const char *status_url(const struct hooks *hooks, struct arena *arena, int64_t id)
{
	struct str base = str_from(hooks->settings->public_base_url);

	while (str_ends(base, STR("/")))
		base.size--;
	if (base.size == 0)
		return "";
	return arena_printf(
		arena, "%.*s/webhook/message_status?ours=%lld", STR_ARG(base), (long long)id);
}

/* False: there is no account to send with; that may be mended. */
static bool find_access(struct flow *flow, struct send_state *state)
{
	const struct hooks *hooks = flow_context(flow);
	struct arena *arena = flow_arena(flow);
	const struct account *account =
		accounts_find(hooks->accounts, str_from(state->message.enterprise));
	const struct account_integration *twilio =
		account != NULL ? account_integration(account, STR("twilio")) : NULL;

	if (strcmp(state->provider->name, "baileys") == 0) {
		state->access = (struct text_access){.base_url = hooks->settings->baileys_url,
			.secret = hooks->settings->baileys_secret.value};
		return state->access.base_url[0] != '\0' && state->access.secret[0] != '\0';
	}
	if (twilio == NULL || !twilio->enabled || !account->active)
		return false;
	state->access = (struct text_access){
		.base_url = hooks->settings->twilio_url,
		.account_sid = copy(arena, json_text(json_member(twilio->config, "account_sid"))),
		.token = copy(arena, first_token(twilio->config)),
		.status_url = status_url(hooks, arena, state->message.id),
	};
	return state->access.account_sid[0] != '\0' && state->access.token[0] != '\0';
}

static enum flow_status send_check(struct flow *flow)
{
	struct send_state *state = flow_state(flow);

	flow_set_enterprise(flow, state->message.enterprise);
	if (!may_go(state, &state->result))
		return flow_goto(flow, SEND_RECORD);
	if (!find_access(flow, state)) {
		state->result.outcome = TEXT_AGAIN;
		state->result.pause_ms = NO_ACCOUNT_MS;
		str_copy(state->result.words, sizeof(state->result.words),
			STR("the enterprise has no account to send with"));
		return flow_goto(flow, SEND_RECORD);
	}
	if (state->message.doubtful && !state->provider->repeatable)
		return flow_goto(flow, SEND_LOOK);
	(void)flow_goto(flow, SEND_ASK);
	return await_sleep(flow, sender_slot(state->sender, &state->message));
}

/* -- the provider ------------------------------------------------------------------------------------ */

static enum flow_status send_ask(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);

	state->provider->send(&state->message, &state->access, flow_arena(flow), &state->call);
	state->call.timeout_ms = CALL_TIMEOUT_MS;
	return await_http(flow, hooks->http, &state->call, &state->answer);
}

static enum flow_status send_asked(struct flow *flow)
{
	struct send_state *state = flow_state(flow);

	state->provider->sent(&state->answer, flow_arena(flow), &state->result);
	return flow_goto(flow, SEND_RECORD);
}

static enum flow_status send_look(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);

	state->provider->look(&state->message, &state->access, flow_arena(flow), &state->call);
	state->call.timeout_ms = CALL_TIMEOUT_MS;
	return await_http(flow, hooks->http, &state->call, &state->answer);
}

static enum flow_status send_looked(struct flow *flow)
{
	struct send_state *state = flow_state(flow);

	state->provider->seen(&state->message, &state->answer, flow_arena(flow), &state->result);
	return flow_goto(flow, SEND_RECORD);
}

/* -- what came of it --------------------------------------------------------------------------------- */

static enum flow_status send_record(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);

	state->batch = pg_batch_new(flow_arena(flow));
	sender_record(flow, state);
	return await_pg(flow, hooks->pg, state->batch);
}

static void tell(struct flow *flow, const struct send_state *state)
{
	struct sender *sender = state->sender;
	const struct text_result *result = &state->result;

	switch (result->outcome) {
	case TEXT_SENT:
	case TEXT_FOUND:
		metric_add(sender->sent, 1);
		break;
	case TEXT_REFUSED:
	case TEXT_STOPPED:
		metric_add(sender->failed, 1);
		log_warn(flow_log(flow), "text %lld is refused: %s %s",
			(long long)state->message.id, result->code, result->words);
		break;
	case TEXT_DOUBTFUL:
	case TEXT_ABSENT:
		metric_add(sender->doubtful, 1);
		log_warn(flow_log(flow), "text %lld: it is not known whether it was sent: %s",
			(long long)state->message.id, result->words);
		break;
	case TEXT_AGAIN:
	case TEXT_ELSEWHERE:
		metric_add(sender->again, 1);
		log_warn(flow_log(flow), "text %lld is tried again: %s %s",
			(long long)state->message.id, result->code, result->words);
		break;
	}
}

/* What was found may be another message of ours, after all. */
static enum flow_status send_recorded(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error)) {
		if (error.kind == ERROR_CONFLICT) /* another message has that id: better none */
			state->result.id = STR("");
		log_warn(flow_log(flow), "text %lld: what came of it is not stored yet: %s",
			(long long)state->message.id, error.text);
		(void)flow_goto(flow, SEND_RECORD);
		return await_pg_again(flow, hooks->pg, RECORD_AGAIN_MS);
	}
	if (state->result.outcome == TEXT_FOUND && pg_affected(state->batch, 0) == 0) {
		state->result.outcome = TEXT_ABSENT;
		return flow_goto(flow, SEND_RECORD);
	}
	tell(flow, state);
	return FLOW_END;
}

static void send_over(struct flow *flow)
{
	struct send_state *state = flow_state(flow);

	json_free(&state->media);
	json_free(&state->template);
	pg_array_free(&state->candidates);
	sender_over(state->sender, state->message.id);
}

static const struct flow_step send_steps[] = {
	[SEND_CHECK] = {"check", send_check},
	[SEND_ASK] = {"ask", send_ask},
	[SEND_ASKED] = {"asked", send_asked},
	[SEND_LOOK] = {"look", send_look},
	[SEND_LOOKED] = {"looked", send_looked},
	[SEND_RECORD] = {"record", send_record},
	[SEND_RECORDED] = {"recorded", send_recorded},
	{NULL, NULL},
};

static const struct flow_spec send_flow = {
	.name = "send",
	.steps = send_steps,
	.finally = send_over,
	.state_bytes = sizeof(struct send_state),
	.arena_max_bytes = (size_t)4 << 20,
	.deadline_ms = SEND_DEADLINE_MS,
};

/* -- the row ------------------------------------------------------------------------------------------ */

enum {
	ROW_ID,
	ROW_ENTERPRISE,
	ROW_PROVIDER,
	ROW_CHANNEL,
	ROW_PEER,
	ROW_OURS,
	ROW_KIND,
	ROW_BODY,
	ROW_MEDIA,
	ROW_TEMPLATE,
	ROW_ATTEMPTS,
	ROW_DOUBTFUL,
	ROW_LOOKS,
	ROW_OPTED_OUT,
	ROW_IN_WINDOW,
	ROW_CREATED_MS,
	ROW_OTHER
};

static struct json *parse(const struct pg_batch *batch, int row, int column)
{
	const struct json_limits limits = {.max_bytes = (size_t)256 << 10, .max_depth = 16};

	return pg_is_null(batch, 0, row, column)
		       ? NULL
		       : json_parse(pg_text(batch, 0, row, column), limits, NULL);
}

void sender_send(struct sender *sender, const struct pg_batch *batch, int row)
{
	struct flow *flow = flow_start(sender->hooks->loop, &send_flow, sender->hooks,
		service_log(sender->hooks->service));
	struct send_state *state = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct str body = pg_text(batch, 0, row, ROW_BODY);

	sender->flying++;
	state->sender = sender;
	state->media = parse(batch, row, ROW_MEDIA);
	state->template = parse(batch, row, ROW_TEMPLATE);
	pg_array_text_init(&state->candidates, (size_t)64 << 10);
	state->message = (struct text_message){
		.id = pg_int(batch, 0, row, ROW_ID),
		.enterprise = copy(arena, pg_text(batch, 0, row, ROW_ENTERPRISE)),
		.provider = copy(arena, pg_text(batch, 0, row, ROW_PROVIDER)),
		.channel = copy(arena, pg_text(batch, 0, row, ROW_CHANNEL)),
		.peer = copy(arena, pg_text(batch, 0, row, ROW_PEER)),
		.ours = copy(arena, pg_text(batch, 0, row, ROW_OURS)),
		.kind = copy(arena, pg_text(batch, 0, row, ROW_KIND)),
		.other = copy(arena, pg_text(batch, 0, row, ROW_OTHER)),
		.body = str_of(copy(arena, body), body.size),
		.media = state->media,
		.template = state->template,
		.attempts = pg_int(batch, 0, row, ROW_ATTEMPTS),
		.looks = pg_int(batch, 0, row, ROW_LOOKS),
		.created_ms = pg_int(batch, 0, row, ROW_CREATED_MS),
		.doubtful = pg_bool(batch, 0, row, ROW_DOUBTFUL),
		.opted_out = pg_bool(batch, 0, row, ROW_OPTED_OUT),
		.in_window = pg_bool(batch, 0, row, ROW_IN_WINDOW),
	};
	state->provider = text_provider_find(state->message.provider);
}
