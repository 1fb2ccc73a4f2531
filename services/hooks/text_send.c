/*
 * text_send: POST /api/sms/send, /api/whatsapp/send, /internal/text: into the outbox, and a moment later
 * what came of it.
 *
 * `success` is true when the provider has the text (result.status is its word) or the outbox has it
 * (result.status is "outbox"): it then goes out as soon as it can. Whoever needs the end of it asks
 * /api/.../messages.
 */
#include "json_put.h"
#include "text_ask.h"
#include "text_room.h"

enum {
	SEND_MS = 30000,
	WAIT_MS = 3000, /* how long an answer waits for the provider's */
	WAIT_MAX_MS = 10000,
	SLICE_MS = 500, /* another instance may send it */
};

static const char sql_out[] =
	"SELECT message, thread, coalesce(refused, '') FROM text_out($1::jsonb)";

static const char sql_state[] =
	"SELECT status, provider, coalesce(provider_id, ''), error_code, error,"
	" next_at IS NOT NULL, attempts FROM messages WHERE id = $1::bigint";

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
	const struct text_ask *state = flow_state(flow);
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
	const struct text_ask *state = flow_state(flow);
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
	struct text_ask *state = flow_state(flow);

	state->channel = "sms";
	return await_api_key(flow, &state->key);
}

static enum flow_status who_chat(struct flow *flow)
{
	struct text_ask *state = flow_state(flow);

	state->channel = "whatsapp";
	return await_api_key(flow, &state->key);
}

/* Our own processes: media-ws, for who talks with a voice agent. */
static enum flow_status who_internal(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct text_ask *state = flow_state(flow);
	struct str secret = service_internal_secret(hooks->service);

	state->channel = "sms";
	state->internal = true;
	if (secret.size == 0 ||
		!str_equal_secret(http_request_header(flow, SERVICE_SECRET_HEADER), secret))
		error_set(&state->key.error, ERROR_AUTH, "%s: wrong or missing",
			SERVICE_SECRET_HEADER);
	return FLOW_NEXT;
}

/* -- into the outbox -------------------------------------------------------------------------------- */

static int64_t wait_ms(const struct args *args)
{
	int64_t seconds = 0;

	if (!args_int(args, "wait", &seconds) || seconds < 0)
		return WAIT_MS;
	return seconds * 1000 < WAIT_MAX_MS ? seconds * 1000 : WAIT_MAX_MS;
}

static enum flow_status send_put(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct text_ask *state = flow_state(flow);
	struct pg_params params = {0};
	const char *json = NULL;
	struct error error;

	if (state->key.error.kind != ERROR_NONE)
		return flow_fail_error(flow, &state->key.error);
	if (!text_ask_read(flow, state, &json, &error))
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
	struct text_ask *state = flow_state(flow);
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
	struct text_ask *state = flow_state(flow);
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
	const struct text_ask *state = flow_state(flow);
	const struct said said = {.http_status = 200,
		.success = true,
		.provider = str_from(state->provider),
		.status = STR("outbox")};

	return reply(flow, &said);
}

static enum flow_status send_answer(struct flow *flow)
{
	struct text_ask *state = flow_state(flow);
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
	struct text_ask *state = flow_state(flow);

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
		.state_bytes = sizeof(struct text_ask), .arena_max_bytes = TEXT_ARENA_BYTES,       \
		.deadline_ms = SEND_MS                                                             \
	}

static const struct flow_step sms_steps[] = SEND_STEPS(who_sms);
static const struct flow_step chat_steps[] = SEND_STEPS(who_chat);
static const struct flow_step internal_steps[] = SEND_STEPS(who_internal);

const struct flow_spec text_send_sms_flow = SEND_FLOW("send_sms", sms_steps);
const struct flow_spec text_send_chat_flow = SEND_FLOW("send_whatsapp", chat_steps);
const struct flow_spec text_send_internal_flow = SEND_FLOW("send_text", internal_steps);
