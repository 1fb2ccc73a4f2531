/*
 * text_list: what was written: GET /api/... of texts and chats. PostgreSQL puts the JSON together.
 *
 * A route is a statement and how its parameters are read; the rest is the same for all.
 */
#include "args.h"
#include "text_peer.h"
#include "text_room.h"

#include "uri.h"

enum { LIST_MS = 12000, PAGE_MOST = 100, PAGE_USUAL = 20 };
#define LIST_BYTES ((size_t)32 << 20)

struct list_state {
	struct api_key key;
	struct args args;
	struct pg_batch *batch;
};

/* -- parameters ------------------------------------------------------------------------------------ */

static int64_t number(const struct args *args, const char *name, int64_t usual, int64_t most)
{
	int64_t value = usual;

	if (!args_int(args, name, &value) || value < 0)
		value = usual;
	return value < most ? value : most;
}

static void put_arg(struct flow *flow, struct pg_params *params, const char *name)
{
	struct list_state *state = flow_state(flow);
	struct str value = args_get(&state->args, name);

	pg_put_str(params, flow_arena(flow), value.data != NULL ? value : STR(""));
}

/* page and per_page, as $n and $n+1. */
static void put_page(struct flow *flow, struct pg_params *params)
{
	const struct list_state *state = flow_state(flow);
	int64_t per_page = number(&state->args, "per_page", PAGE_USUAL, PAGE_MOST);
	int64_t page = number(&state->args, "page", 1, 1000000);

	pg_put_int(params, flow_arena(flow), page > 0 ? page : 1);
	pg_put_int(params, flow_arena(flow), per_page > 0 ? per_page : PAGE_USUAL);
}

static void put_window(struct flow *flow, struct pg_params *params)
{
	const struct list_state *state = flow_state(flow);

	pg_put_int(params, flow_arena(flow), number(&state->args, "limit", 50, PAGE_MOST));
	pg_put_int(params, flow_arena(flow), number(&state->args, "offset", 0, 10000000));
}

/* -- the flow that all share ------------------------------------------------------------------------ */

static enum flow_status list_who(struct flow *flow)
{
	struct list_state *state = flow_state(flow);

	return await_api_key(flow, &state->key);
}

/* False: the request was answered already. */
static bool begin(struct flow *flow, struct pg_params *params)
{
	struct list_state *state = flow_state(flow);
	const struct http_request *request = http_request(flow);
	const struct args_source source = {.query = request->query,
		.content_type = STR("application/json"),
		.body = request->body};
	struct error error;

	if (state->key.enterprise == NULL) {
		(void)flow_fail_error(flow, &state->key.error);
		return false;
	}
	if (!args_read(&state->args, &source, flow_arena(flow), &error)) {
		(void)flow_fail_error(flow, &error);
		return false;
	}
	pg_put_text(params, state->key.enterprise);
	return true;
}

static enum flow_status ask(struct flow *flow, const char *sql, const struct pg_params *params)
{
	const struct hooks *hooks = flow_context(flow);
	struct list_state *state = flow_state(flow);

	return await_pg_query(flow, hooks->pg, &state->batch, sql, params);
}

static enum flow_status list_answer(struct flow *flow)
{
	struct list_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error)) {
		log_warn(flow_log(flow), "texts: %s", error.text);
		return flow_fail(flow, ERROR_BUSY, "PostgreSQL does not answer");
	}
	if (pg_rows(state->batch, 0) == 0 || pg_is_null(state->batch, 0, 0, 0))
		return http_reply_detail(flow, 404, "Not Found");
	return http_reply(flow, 200, "application/json", pg_text(state->batch, 0, 0, 0));
}

/* -- messages ---------------------------------------------------------------------------------------- */

/* $1 enterprise, $2 page, $3 per page, $4 channel, $5 direction, $6 status */
static const char sql_messages[] =
	"WITH found AS MATERIALIZED (SELECT m.id FROM messages m JOIN threads t ON t.id = "
	"m.thread_id"
	" WHERE m.enterprise_number = $1 AND t.channel = $4"
	" AND ($5 = '' OR m.direction = $5) AND ($6 = '' OR m.status = $6)),"
	" shown AS (SELECT m.id, text_json(m, t) AS said FROM messages m"
	" JOIN threads t ON t.id = m.thread_id WHERE m.id IN (SELECT id FROM found ORDER BY id DESC"
	" LIMIT $3::bigint OFFSET ($2::bigint - 1) * $3::bigint))"
	" SELECT jsonb_build_object('success', true, 'messages',"
	" coalesce((SELECT jsonb_agg(said ORDER BY id DESC) FROM shown), '[]'),"
	" 'pagination', jsonb_build_object('page', $2::bigint, 'per_page', $3::bigint,"
	" 'total', count(*), 'pages', (count(*) + $3::bigint - 1) / $3::bigint))::text FROM found";

static enum flow_status ask_messages(struct flow *flow, const char *channel)
{
	struct pg_params params = {0};
	struct list_state *state = flow_state(flow);
	struct str direction;

	if (!begin(flow, &params))
		return FLOW_END;
	direction = args_get(&state->args, "direction");
	put_page(flow, &params);
	pg_put_text(&params, channel);
	pg_put_text(&params, str_starts(direction, STR("in"))	 ? "in"
			     : str_starts(direction, STR("out")) ? "out"
								 : "");
	put_arg(flow, &params, "status");
	return ask(flow, sql_messages, &params);
}

static enum flow_status ask_sms(struct flow *flow)
{
	return ask_messages(flow, "sms");
}

static enum flow_status ask_chat(struct flow *flow)
{
	return ask_messages(flow, "whatsapp");
}

/* -- conversations ------------------------------------------------------------------------------------ */

static const char sql_conversations[] =
	"WITH found AS (SELECT t.id, t.peer, m.body, m.direction, m.status, m.provider,"
	" m.created_at FROM threads t CROSS JOIN LATERAL (SELECT * FROM messages x"
	" WHERE x.thread_id = t.id ORDER BY x.id DESC LIMIT 1) AS m"
	" WHERE t.enterprise_number = $1 AND t.channel = 'whatsapp'"
	" ORDER BY t.last_message_at DESC NULLS LAST LIMIT 500)"
	" SELECT jsonb_build_object('success', true, 'conversations',"
	" coalesce(jsonb_agg(jsonb_build_object('thread_id', id, 'phone_number', peer,"
	" 'last_message', body, 'last_message_time', text_time(created_at), 'direction', direction,"
	" 'status', status, 'provider', provider) ORDER BY created_at DESC), '[]'),"
	" 'total', count(*))::text FROM found";

static enum flow_status ask_conversations(struct flow *flow)
{
	struct pg_params params = {0};

	return begin(flow, &params) ? ask(flow, sql_conversations, &params) : FLOW_END;
}

/* $1 enterprise, $2 page, $3 per page, $4 peer */
static const char sql_conversation[] =
	"WITH found AS MATERIALIZED (SELECT m.id FROM messages m JOIN threads t ON t.id = "
	"m.thread_id"
	" WHERE t.enterprise_number = $1 AND t.channel = 'whatsapp' AND t.peer = $4),"
	" shown AS (SELECT m.id, text_json(m, t) AS said FROM messages m"
	" JOIN threads t ON t.id = m.thread_id WHERE m.id IN (SELECT id FROM found ORDER BY id"
	" LIMIT $3::bigint OFFSET ($2::bigint - 1) * $3::bigint))"
	" SELECT jsonb_build_object('success', true, 'phone_number', $4, 'conversation',"
	" coalesce((SELECT jsonb_agg(said ORDER BY id) FROM shown), '[]'),"
	" 'pagination', jsonb_build_object('page', $2::bigint, 'per_page', $3::bigint,"
	" 'total', count(*), 'pages', (count(*) + $3::bigint - 1) / $3::bigint))::text FROM found";

static enum flow_status ask_conversation(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	const struct list_state *state = flow_state(flow);
	struct pg_params params = {0};
	const struct account *account;
	char peer[TEXT_PEER_BYTES];
	struct str phone;

	if (!begin(flow, &params))
		return FLOW_END;
	account = accounts_find(hooks->accounts, str_from(state->key.enterprise));
	if (!uri_decode(http_request(flow)->tail, false, flow_arena(flow), &phone) ||
		text_peer_read(phone, account != NULL ? account->country : "", peer) ==
			TEXT_PEER_WRONG)
		return flow_fail(flow, ERROR_INPUT, "phone: not a telephone number");
	put_page(flow, &params);
	pg_put_text(&params, arena_strdup(flow_arena(flow), peer));
	return ask(flow, sql_conversation, &params);
}

/* -- threads ------------------------------------------------------------------------------------------ */

/* $1 enterprise, $2 limit, $3 offset, $4 channel */
static const char sql_threads[] =
	"WITH found AS (SELECT t.*, (SELECT m.provider FROM messages m WHERE m.thread_id = t.id"
	" ORDER BY m.id DESC LIMIT 1) AS provider FROM threads t WHERE t.enterprise_number = $1"
	" AND ($4 = '' OR t.channel = $4) ORDER BY t.last_message_at DESC NULLS LAST, t.id DESC"
	" LIMIT $2::bigint OFFSET $3::bigint)"
	" SELECT jsonb_build_object('threads', coalesce(jsonb_agg(jsonb_build_object('id', id,"
	" 'business_id', enterprise_number, 'type', channel, 'provider', provider,"
	" 'peer_number', peer, 'title', title, 'last_message_at', text_time(last_message_at),"
	" 'last_inbound_at', text_time(last_inbound_at), 'created_at', text_time(created_at),"
	" 'opted_out', text_opted_out(enterprise_number, channel, peer))"
	" ORDER BY last_message_at DESC NULLS LAST, id DESC), '[]'), 'count', count(*))::text"
	" FROM found";

static enum flow_status ask_threads(struct flow *flow)
{
	struct pg_params params = {0};

	if (!begin(flow, &params))
		return FLOW_END;
	put_window(flow, &params);
	put_arg(flow, &params, "type");
	return ask(flow, sql_threads, &params);
}

/* $1 enterprise, $2 limit, $3 offset, $4 thread */
static const char sql_thread[] =
	"SELECT (SELECT jsonb_build_object('messages', coalesce(jsonb_agg(s.said ORDER BY s.id), "
	"'[]'),"
	" 'count', count(*)) FROM (SELECT m.id, text_json(m, t) AS said FROM messages m"
	" WHERE m.thread_id = t.id ORDER BY m.id LIMIT $2::bigint OFFSET $3::bigint) AS s)::text"
	" FROM threads t WHERE t.enterprise_number = $1 AND t.id = $4::bigint";

/* /api/threads/17/messages */
static enum flow_status ask_thread(struct flow *flow)
{
	struct str rest = http_request(flow)->tail, id = str_cut(&rest, '/');
	struct pg_params params = {0};

	while (str_ends(rest, STR("/")))
		rest.size--;
	if (!begin(flow, &params))
		return FLOW_END;
	if (!str_is_digits(id) || id.size > 18 || !str_equal(rest, STR("messages")))
		return http_reply_detail(flow, 404, "Not Found");
	put_window(flow, &params);
	pg_put_str(&params, flow_arena(flow), id);
	return ask(flow, sql_thread, &params);
}

/* -- who wrote STOP ------------------------------------------------------------------------------------ */

static const char sql_opt_outs[] =
	"SELECT jsonb_build_object('opt_outs', coalesce(jsonb_agg(jsonb_build_object('channel',"
	" channel, 'phone_number', peer, 'since', text_time(since), 'by', by)"
	" ORDER BY since DESC), '[]'), 'count', count(*))::text"
	" FROM (SELECT * FROM opt_outs WHERE enterprise_number = $1 ORDER BY since DESC"
	" LIMIT $2::bigint OFFSET $3::bigint) AS o";

static enum flow_status ask_opt_outs(struct flow *flow)
{
	struct pg_params params = {0};

	if (!begin(flow, &params))
		return FLOW_END;
	put_window(flow, &params);
	return ask(flow, sql_opt_outs, &params);
}

/* $1 enterprise, $2 channel, $3 peer, $4 opted out */
static const char sql_opt_out[] =
	"WITH added AS (INSERT INTO opt_outs (enterprise_number, channel, peer, by)"
	" SELECT $1, $2, $3, 'operator' WHERE $4::boolean ON CONFLICT DO NOTHING),"
	" gone AS (DELETE FROM opt_outs WHERE enterprise_number = $1 AND channel = $2 AND peer = $3"
	" AND NOT $4::boolean)"
	" SELECT jsonb_build_object('success', true, 'channel', $2, 'phone_number', $3,"
	" 'opted_out', $4::boolean)::text";

/* {"phone": ..., "channel": "sms", "opted_out": true}: what somebody said by telephone. */
static enum flow_status ask_opt_out(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	const struct list_state *state = flow_state(flow);
	struct pg_params params = {0};
	const struct account *account;
	char peer[TEXT_PEER_BYTES];
	struct str channel;

	if (!begin(flow, &params))
		return FLOW_END;
	channel = args_get(&state->args, "channel");
	account = accounts_find(hooks->accounts, str_from(state->key.enterprise));
	if (!str_equal(channel, STR("sms")) && !str_equal(channel, STR("whatsapp")))
		return flow_fail(flow, ERROR_INPUT, "channel: sms or whatsapp");
	if (!args_has(&state->args, "opted_out"))
		return flow_fail(flow, ERROR_INPUT, "opted_out: missing");
	if (text_peer_read(args_get(&state->args, "phone"), account != NULL ? account->country : "",
		    peer) != TEXT_PEER_PERSON)
		return flow_fail(flow, ERROR_INPUT, "phone: not a telephone number");
	pg_put_str(&params, flow_arena(flow), channel);
	pg_put_text(&params, arena_strdup(flow_arena(flow), peer));
	pg_put_bool(&params, args_true(&state->args, "opted_out"));
	return ask(flow, sql_opt_out, &params);
}

/* -- the table ------------------------------------------------------------------------------------------ */

#define LIST_FLOW(title, step)                                                                     \
	static const struct flow_step step##_steps[] = {                                           \
		{"who", list_who}, {"ask", step}, {"answer", list_answer}, {NULL, NULL}};          \
	const struct flow_spec text_##title##_flow = {.name = #title,                              \
		.steps = step##_steps,                                                             \
		.state_bytes = sizeof(struct list_state),                                          \
		.arena_max_bytes = LIST_BYTES,                                                     \
		.deadline_ms = LIST_MS}

LIST_FLOW(list_sms, ask_sms);
LIST_FLOW(list_chat, ask_chat);
LIST_FLOW(conversations, ask_conversations);
LIST_FLOW(conversation, ask_conversation);
LIST_FLOW(threads, ask_threads);
LIST_FLOW(thread, ask_thread);
LIST_FLOW(opt_outs, ask_opt_outs);
LIST_FLOW(opt_out, ask_opt_out);
