/*
 * text_send: POST /api/sms/send, /api/whatsapp/send, /internal/text: into the outbox, and a moment later
 * what came of it.
 *
 * `success` is true when the provider has the text (result.status is its word) or the outbox has it
 * (result.status is "outbox"): it then goes out as soon as it can. Whoever needs the end of it asks
 * /api/.../messages.
 */
#include "args.h"
#include "json_put.h"
#include "sender.h"
#include "text_choice.h"
#include "text_peer.h"
#include "text_room.h"

#include "clock.h"
#include "crypto.h"

enum {
	SEND_MS = 30000,
	WAIT_MS = 3000, /* how long an answer waits for the provider's */
	WAIT_MAX_MS = 10000,
	SLICE_MS = 500,		      /* another instance may send it */
	TWILIO_MAX_CHARACTERS = 1600, /* 21617 */
	BRIDGE_MAX_CHARACTERS = 4096,
	KEY_MAX_BYTES = 200,
};

static const char sql_out[] =
	"SELECT message, thread, coalesce(refused, '') FROM text_out($1::jsonb)";

static const char sql_state[] =
	"SELECT status, provider, coalesce(provider_id, ''), error_code, error,"
	" next_at IS NOT NULL, attempts FROM messages WHERE id = $1::bigint";

struct send_state {
	struct api_key key;
	const char *channel;
	bool internal;
	struct args args;
	const char *provider;
	struct pg_batch *batch;
	int64_t message, thread, until_ms;
	bool watching, stored;
	struct sender_wait wait;
};

enum { SEND_WHO, SEND_PUT, SEND_STORED, SEND_LOOK, SEND_ANSWER };

/* -- answers --------------------------------------------------------------------------------------- */

struct said {
	int http_status;
	bool success;
	struct str provider, provider_id, status, code, error;
};

static void put_result(struct json_writer *json, const struct said *said)
{
	json_put_name(json, "result");
	json_open_object(json);
	json_put_member_str(json, "provider", said->provider);
	json_put_member_str(json, "status", said->status);
	json_put_member_str(json, "sid", said->provider_id);
	json_put_member_raw(json, "price", STR("null"));
	if (said->error.size > 0)
		json_put_member_str(json, "error", said->error);
	json_close_object(json);
}

static void put_id(struct json_writer *json, const char *name, int64_t id)
{
	if (id > 0)
		json_put_member_int(json, name, id);
	else
		json_put_member_raw(json, name, STR("null"));
}

static void put_text(struct json_writer *json, const char *name, struct str text)
{
	if (text.size > 0)
		json_put_member_str(json, name, text);
	else
		json_put_member_raw(json, name, STR("null"));
}

static enum flow_status reply(struct flow *flow, const struct said *said)
{
	const struct send_state *state = flow_state(flow);
	struct json_writer json;
	struct buf buf;
	enum flow_status next;

	buf_init(&buf, (size_t)16 << 10);
	json_begin(&json, &buf);
	json_open_object(&json);
	json_put_member_bool(&json, "success", said->success);
	json_put_member_bool(&json, "ok", said->success);
	put_id(&json, "message_id", state->message);
	put_id(&json, "thread_id", state->thread);
	put_text(&json, "provider", said->provider);
	put_text(&json, "provider_used", said->provider);
	put_text(&json, "provider_msg_id", said->provider_id);
	put_result(&json, said);
	put_text(&json, "error_code", said->code);
	put_text(&json, "error", said->error);
	json_close_object(&json);
	next = http_reply_json(flow, said->http_status, &buf);
	buf_free(&buf);
	return next;
}

static enum flow_status refuse(struct flow *flow, int status, const char *code, const char *words)
{
	const struct send_state *state = flow_state(flow);
	const struct said said = {.http_status = status,
		.provider = str_from(state->provider),
		.status = STR("error"),
		.code = str_from(code),
		.error = str_from(words)};

	return reply(flow, &said);
}

static enum flow_status refuse_error(struct flow *flow, const struct error *error)
{
	return refuse(flow, error->kind == ERROR_INPUT ? 400 : error_http_status(error->kind), "",
		error->text);
}

/* -- who asks ---------------------------------------------------------------------------------------- */

static enum flow_status who_sms(struct flow *flow)
{
	struct send_state *state = flow_state(flow);

	state->channel = "sms";
	return await_api_key(flow, &state->key);
}

static enum flow_status who_chat(struct flow *flow)
{
	struct send_state *state = flow_state(flow);

	state->channel = "whatsapp";
	return await_api_key(flow, &state->key);
}

/* Our own processes: media-ws, for who talks with a voice agent. */
static enum flow_status who_internal(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);
	struct str secret = service_internal_secret(hooks->service);

	state->channel = "sms";
	state->internal = true;
	if (secret.size == 0 ||
		!str_equal_secret(http_request_header(flow, SERVICE_SECRET_HEADER), secret))
		error_set(&state->key.error, ERROR_AUTH, "%s: wrong or missing",
			SERVICE_SECRET_HEADER);
	return FLOW_NEXT;
}

/* -- what is asked for ------------------------------------------------------------------------------- */

static bool read_args(struct flow *flow, struct send_state *state, struct error *error)
{
	const struct http_request *request = http_request(flow);
	/* Whatever the type says: clients of the former systems sent JSON without one. */
	const struct args_source source = {
		.content_type = STR("application/json"), .body = request->body};
	struct str enterprise;

	if (request->body.size == 0)
		return error_set(error, ERROR_INPUT, "No data provided");
	if (!args_read(&state->args, &source, flow_arena(flow), error))
		return false;
	if (!state->internal)
		return true;
	enterprise = args_get(&state->args, "enterprise");
	if (enterprise.size == 0)
		return error_set(error, ERROR_INPUT, "enterprise: missing");
	state->key.enterprise = arena_strndup(flow_arena(flow), enterprise.data, enterprise.size);
	if (str_equal(args_get(&state->args, "channel"), STR("whatsapp")))
		state->channel = "whatsapp";
	return true;
}

static struct str body_of(const struct args *args)
{
	struct str text = args_get(args, "message");

	return text.size > 0 ? text : args_get(args, "text");
}

static size_t characters(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.size; i++)
		count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
	return count;
}

static bool has_template(const struct args *args)
{
	return args_get(args, "content_sid").size > 0;
}

static bool check_body(const struct send_state *state, struct error *error)
{
	bool bridge = strcmp(state->provider, "baileys") == 0;
	size_t most = bridge ? BRIDGE_MAX_CHARACTERS : TWILIO_MAX_CHARACTERS;
	struct str body = body_of(&state->args);

	if (characters(body) > most)
		return error_set(
			error, ERROR_INPUT, "message: longer than %zu characters (21617)", most);
	if (bridge && (has_template(&state->args) || args_has(&state->args, "media_url")))
		return error_set(error, ERROR_INPUT, "baileys sends plain texts only");
	return true;
}

static bool check_peer(const struct send_state *state, const struct account *account,
	char peer[TEXT_PEER_BYTES], struct error *error)
{
	struct str to = args_get(&state->args, "to");
	enum text_peer kind;

	if (to.size == 0 || (body_of(&state->args).size == 0 && !has_template(&state->args) &&
				    !args_has(&state->args, "media_url")))
		return error_set(error, ERROR_INPUT, "to and message are required");
	kind = text_peer_read(to, account->country, peer);
	if (kind != TEXT_PEER_PERSON &&
		!(kind == TEXT_PEER_LID && strcmp(state->provider, "baileys") == 0))
		return error_set(error, ERROR_INPUT, "to: not a telephone number (21211)");
	return true;
}

/* -- what is stored ----------------------------------------------------------------------------------- */

static void put_template(struct json_writer *json, const struct args *args)
{
	struct str variables = args_get(args, "content_variables");

	json_put_name(json, "template");
	if (!has_template(args)) {
		json_put_null(json);
		return;
	}
	json_open_object(json);
	json_put_member_str(json, "content_sid", args_get(args, "content_sid"));
	if (str_starts(variables, STR("{")))
		json_put_member_raw(json, "variables", variables);
	json_close_object(json);
}

static void put_media(struct json_writer *json, const struct args *args)
{
	json_put_name(json, "media");
	json_open_array(json);
	if (args_has(args, "media_url")) {
		json_open_object(json);
		json_put_member_str(json, "url", args_get(args, "media_url"));
		json_close_object(json);
	}
	json_close_array(json);
}

/* The same key of two senders is two keys; a request without one is told apart by its own id. */
static const char *key_of(struct flow *flow, const char *uuid)
{
	const struct send_state *state = flow_state(flow);
	struct str key = http_request_header(flow, "Idempotency-Key");

	return arena_printf(flow_arena(flow), "%s:%.*s", state->internal ? "internal" : "api",
		STR_ARG(key.size > 0 ? key : str_from(uuid)));
}

static void put_event(struct flow *flow, struct json_writer *json, const char *peer,
	const char *uuid, struct str ours)
{
	const struct send_state *state = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct str body = body_of(&state->args);
	const struct world_event event = {.kind = WORLD_TEXT,
		.enterprise = state->key.enterprise,
		.call_sid = uuid,
		.peer = peer,
		.line = arena_strndup(arena, ours.data != NULL ? ours.data : "", ours.size),
		.trace = http_request(flow)->trace,
		.text = arena_strndup(arena, body.data != NULL ? body.data : "", body.size),
		.channel = state->channel,
		.outgoing = true};

	text_put_world(json, arena, &event);
}

static const char *document(struct flow *flow, const struct text_choice *choice, const char *peer)
{
	const struct send_state *state = flow_state(flow);
	const struct args *args = &state->args;
	bool bridge = strcmp(choice->provider, "baileys") == 0;
	struct str ours = bridge ? choice->bridge_number : args_get(args, "from");
	char uuid[CRYPTO_UUID_TEXT], from[TEXT_PEER_BYTES];
	struct json_writer json;
	struct buf buf;
	const char *text;

	crypto_uuid4(uuid);
	(void)text_peer_read(ours, "", from);
	buf_init(&buf, (size_t)256 << 10);
	json_begin(&json, &buf);
	json_open_object(&json);
	json_put_member_str(&json, "enterprise", str_from(state->key.enterprise));
	json_put_member_str(&json, "channel", str_from(state->channel));
	json_put_member_str(&json, "provider", str_from(choice->provider));
	put_text(&json, "other_provider", str_from(choice->other));
	json_put_member_str(&json, "other_number", choice->bridge_number);
	json_put_member_str(&json, "our_number", str_from(from));
	json_put_member_str(&json, "peer", str_from(peer));
	json_put_member_str(&json, "body", body_of(args));
	json_put_member_str(&json, "type",
		has_template(args)	      ? STR("template")
		: args_has(args, "media_url") ? STR("media")
					      : STR("text"));
	json_put_member_str(&json, "key", str_from(key_of(flow, uuid)));
	put_media(&json, args);
	put_template(&json, args);
	put_event(flow, &json, peer, uuid, str_from(from));
	json_close_object(&json);
	text = arena_strndup(flow_arena(flow), buf.data, buf.size);
	buf_free(&buf);
	return text;
}

static int64_t wait_ms(const struct args *args)
{
	int64_t seconds = 0;

	if (!args_int(args, "wait", &seconds) || seconds < 0)
		return WAIT_MS;
	return seconds * 1000 < WAIT_MAX_MS ? seconds * 1000 : WAIT_MAX_MS;
}

static const struct account *find_account(struct flow *flow, struct error *error)
{
	const struct hooks *hooks = flow_context(flow);
	const struct send_state *state = flow_state(flow);
	const char *why_not = accounts_why_not(hooks->accounts);
	const struct account *account;

	if (why_not == NULL)
		why_not = schema_why_not(hooks->schema);
	if (why_not != NULL) {
		error_set(error, ERROR_BUSY, "%s", why_not);
		return NULL;
	}
	account = accounts_find_any(hooks->accounts, str_from(state->key.enterprise));
	if (account == NULL || !account->active) {
		error_set(error, ERROR_MISSING, "enterprise: not known");
		return NULL;
	}
	return account;
}

static bool prepare(struct flow *flow, const char **json, struct error *error)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);
	const struct account *account;
	struct text_choice choice;
	char peer[TEXT_PEER_BYTES];

	state->provider = "";
	if (http_request_header(flow, "Idempotency-Key").size > KEY_MAX_BYTES)
		return error_set(
			error, ERROR_INPUT, "Idempotency-Key: longer than %d bytes", KEY_MAX_BYTES);
	if (!read_args(flow, state, error))
		return false;
	account = find_account(flow, error);
	if (account == NULL || !text_choose(hooks, account, state->channel,
				       args_get(&state->args, "provider"), &choice, error))
		return false;
	state->provider = choice.provider;
	state->key.enterprise = arena_strdup(flow_arena(flow), account->number);
	flow_set_enterprise(flow, account->number);
	if (!check_peer(state, account, peer, error) || !check_body(state, error))
		return false;
	*json = document(flow, &choice, peer);
	return true;
}

static enum flow_status send_put(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);
	struct pg_params params = {0};
	const char *json = NULL;
	struct error error;

	if (state->key.error.kind != ERROR_NONE)
		return flow_fail_error(flow, &state->key.error);
	if (!prepare(flow, &json, &error))
		return refuse_error(flow, &error);
	state->until_ms = loop_now_ms(flow_loop(flow)) + wait_ms(&state->args);
	pg_put_text(&params, json);
	return await_pg_query(flow, hooks->pg, &state->batch, sql_out, &params);
}

/* -- what came of it ---------------------------------------------------------------------------------- */

static enum flow_status not_stored(struct flow *flow, struct str refused)
{
	if (str_equal(refused, STR("opted out")))
		return refuse(flow, 409, "21610", "the recipient has written STOP");
	if (str_equal(refused, STR("window")))
		return refuse(flow, 409, "63016",
			"WhatsApp: more than 24 hours since the recipient wrote; a template "
			"(content_sid) is needed");
	if (str_equal(refused, STR("another")))
		return refuse(flow, 409, "", "Idempotency-Key: it stands for another text");
	return refuse(flow, 409, "21606", "from: no number of this enterprise that can send it");
}

static enum flow_status send_stored(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error)) {
		log_warn(flow_log(flow), "a text is not stored: %s", error.text);
		return refuse(flow, 503, "", "it cannot be stored now");
	}
	if (pg_text(state->batch, 0, 0, 2).size > 0)
		return not_stored(flow, pg_text(state->batch, 0, 0, 2));
	state->message = pg_int(state->batch, 0, 0, 0);
	state->thread = pg_int(state->batch, 0, 0, 1);
	state->stored = true;
	sender_watch(hooks->sender, state->message, &state->wait);
	state->watching = true;
	sender_wake(hooks->sender);
	world_wake(hooks);
	return FLOW_NEXT;
}

static enum flow_status send_look(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);
	struct pg_params params = {0};

	pg_put_int(&params, flow_arena(flow), state->message);
	return await_pg_query(flow, hooks->pg, &state->batch, sql_state, &params);
}

static struct said say(const struct pg_batch *batch)
{
	bool in_outbox = pg_bool(batch, 0, 0, 5);
	struct said said = {
		.http_status = 200,
		.success = true,
		.provider = pg_text(batch, 0, 0, 1),
		.provider_id = pg_text(batch, 0, 0, 2),
		.status = in_outbox ? STR("outbox") : pg_text(batch, 0, 0, 0),
		.code = pg_text(batch, 0, 0, 3),
		.error = pg_text(batch, 0, 0, 4),
	};

	if (str_equal(said.status, STR("failed")) || str_equal(said.status, STR("undelivered")) ||
		str_equal(said.status, STR("canceled"))) {
		said.http_status = 502;
		said.success = false;
		said.status = STR("error");
	}
	return said;
}

/* In the outbox, and that is as far as we know. */
static enum flow_status say_outbox(struct flow *flow)
{
	const struct send_state *state = flow_state(flow);
	const struct said said = {.http_status = 200,
		.success = true,
		.provider = str_from(state->provider),
		.status = STR("outbox")};

	return reply(flow, &said);
}

static enum flow_status send_answer(struct flow *flow)
{
	struct send_state *state = flow_state(flow);
	int64_t left_ms = state->until_ms - loop_now_ms(flow_loop(flow));
	struct said said;

	if (!pg_batch_ok(state->batch, NULL) || pg_rows(state->batch, 0) == 0)
		return say_outbox(flow);
	said = say(state->batch);
	if (!str_equal(said.status, STR("outbox")) || state->wait.over || left_ms <= 0)
		return reply(flow, &said);
	(void)flow_goto(flow, SEND_LOOK);
	return await_queue_for(flow, &state->wait.queue, left_ms < SLICE_MS ? left_ms : SLICE_MS);
}

static void send_over(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct send_state *state = flow_state(flow);

	if (state->watching)
		sender_unwatch(hooks->sender, state->message, &state->wait);
}

#define SEND_STEPS(first)                                                                          \
	{                                                                                          \
		[SEND_WHO] = {"who", first}, [SEND_PUT] = {"put", send_put},                       \
		[SEND_STORED] = {"stored", send_stored}, [SEND_LOOK] = {"look", send_look},        \
		[SEND_ANSWER] = {"answer", send_answer},                                           \
		{                                                                                  \
			NULL, NULL                                                                 \
		}                                                                                  \
	}
#define SEND_FLOW(title, table)                                                                    \
	{                                                                                          \
		.name = (title), .steps = (table), .finally = send_over,                           \
		.state_bytes = sizeof(struct send_state), .arena_max_bytes = TEXT_ARENA_BYTES,     \
		.deadline_ms = SEND_MS                                                             \
	}

static const struct flow_step sms_steps[] = SEND_STEPS(who_sms);
static const struct flow_step chat_steps[] = SEND_STEPS(who_chat);
static const struct flow_step internal_steps[] = SEND_STEPS(who_internal);

const struct flow_spec text_send_sms_flow = SEND_FLOW("send_sms", sms_steps);
const struct flow_spec text_send_chat_flow = SEND_FLOW("send_whatsapp", chat_steps);
const struct flow_spec text_send_internal_flow = SEND_FLOW("send_text", internal_steps);
