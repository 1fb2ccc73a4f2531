/*
 * commands: tells PBXs what a button asks for: rows of pbx_commands, one flow a row. The wire is in
 * docs/protocol/pbx-control.md.
 *
 * At most once: a row is `sending` before anything leaves, and a request that may have arrived is never
 * repeated; its outcome is unknown then, and the person is told so.
 */
#include "bots.h"
#include "crypto.h"
#include "json_put.h"

#include <stdio.h>

#define RECORD_DEADLINE_MS 60000
#define CONNECT_AGAIN_MS   300
#define RECORD_AGAIN_MS	   500
#define LEAST_MS	   50 /* below it nothing is begun */
#define REASON_MAX	   150
#define ANSWER_MAX_BYTES   ((size_t)16 << 10)

static const char sql_claim[] =
	"SELECT id, url, secret, enterprise, call_id, action, phone, target,"
	" external, left_ms FROM pbx_commands_claim($1::integer)";
static const char sql_end[] = "SELECT pbx_command_end($1::uuid, $2, $3::integer, $4)";

enum {
	COLUMN_ID,
	COLUMN_URL,
	COLUMN_SECRET,
	COLUMN_ENTERPRISE,
	COLUMN_CALL,
	COLUMN_ACTION,
	COLUMN_PHONE,
	COLUMN_TARGET,
	COLUMN_EXTERNAL,
	COLUMN_LEFT,
	COLUMNS
};

struct command {
	struct str texts[COLUMNS];
	int64_t until_ms; /* monotonic; counted from the claim: nobody rings late after a suspension */
	struct http_call call;
	struct http_answer answer;
	const char *state; /* of pbx_commands */
	char words[REASON_MAX + 1];
	struct pg_batch *batch;
};

enum { COMMAND_SEND, COMMAND_READ, COMMAND_RECORD, COMMAND_RECORDED, COMMAND_RECORD_AGAIN };

static void commands_fill(struct flow *flow, const struct pg_batch *batch, int row)
{
	const struct bots *b = flow_context(flow);
	struct command *command = flow_state(flow);
	for (int i = 0; i < COLUMNS; i++) {
		struct str text = pg_text(batch, 0, row, i);
		const char *copy = arena_strndup(flow_arena(flow), text.data, text.size);
		command->texts[i] = str_of(copy, text.size);
	}
	command->until_ms = b->commands.asked_ms + pg_int(batch, 0, row, COLUMN_LEFT);
	flow_set_enterprise(flow, command->texts[COLUMN_ENTERPRISE].data);
	flow_set_call(flow, command->texts[COLUMN_CALL].data);
}

/* -- the request ---------------------------------------------------------------------------------- */

static struct str write_body(struct flow *flow)
{
	static const struct {
		const char *name;
		int column;
	} members[] = {{"id", COLUMN_ID}, {"action", COLUMN_ACTION},
		{"enterprise", COLUMN_ENTERPRISE}, {"call", COLUMN_CALL}, {"phone", COLUMN_PHONE},
		{"target", COLUMN_TARGET}, {"external", COLUMN_EXTERNAL}};
	const struct command *command = flow_state(flow);
	struct json_writer writer;
	struct buf body;
	buf_init(&body, 8192);
	json_begin(&writer, &body);
	json_open_object(&writer);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_put_member_str(&writer, members[i].name, command->texts[members[i].column]);
	json_close_object(&writer);
	struct str text = str_of(arena_strndup(flow_arena(flow), body.data, body.size), body.size);
	buf_free(&body);
	return text;
}

/* HMAC-SHA256 over "<timestamp>.<body>" under the enterprise's secret. */
static void sign(struct flow *flow, struct http_call *call)
{
	const struct command *command = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char *hex = arena_alloc(arena, 2 * sizeof(digest) + 1);
	const char *timestamp = arena_printf(arena, "%lld", (long long)(clock_wall_ms() / 1000));
	const char *text = arena_printf(arena, "%s.%.*s", timestamp, STR_ARG(call->body));
	crypto_hmac_sha256(command->texts[COLUMN_SECRET], str_from(text), digest);
	crypto_hex(digest, sizeof(digest), hex);
	call->headers[0][0] = "X-Callweave-Timestamp";
	call->headers[0][1] = timestamp;
	call->headers[1][0] = "X-Callweave-Signature";
	call->headers[1][1] = hex;
	call->headers[2][0] = "Idempotency-Key";
	call->headers[2][1] = command->texts[COLUMN_ID].data;
}

static enum flow_status command_send(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct command *command = flow_state(flow);
	int64_t left = command->until_ms - clock_monotonic_ms();
	if (left < LEAST_MS) {
		command->state = "failed";
		str_copy(command->words, sizeof(command->words), STR("the PBX cannot be reached"));
		return flow_goto(flow, COMMAND_RECORD);
	}
	command->call = (struct http_call){
		.method = "POST",
		.url = command->texts[COLUMN_URL].data,
		.content_type = "application/json",
		.body = write_body(flow),
		.timeout_ms = left,
		.max_answer_bytes = ANSWER_MAX_BYTES,
	};
	sign(flow, &command->call);
	return await_http(flow, b->http, &command->call, &command->answer);
}

/* -- the answer ----------------------------------------------------------------------------------- */

struct reply {
	struct str result, reason;
};

static const struct json_field reply_fields[] = {
	JSON_FIELD(struct reply, result, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct reply, reason, JSON_STRING, 0),
	{0},
};

static void command_say(struct command *command, const char *state, struct str words)
{
	command->state = state;
	str_copy(command->words, sizeof(command->words), words);
}

/* What the PBX says of itself; of another shape only the status counts. */
static void read_answer(struct flow *flow)
{
	struct command *command = flow_state(flow);
	struct reply reply = {0};
	int status = command->answer.status;
	struct json *json =
		json_parse(command->answer.body, (struct json_limits){ANSWER_MAX_BYTES, 4}, NULL);
	bool read = json != NULL && json_read(json, reply_fields, &reply, flow_arena(flow), NULL);
	json_free(&json);
	struct str words = reply.reason.size > 0
				   ? reply.reason
				   : str_from(arena_printf(flow_arena(flow), "HTTP %d", status));
	bool good = status >= 200 && status < 300;
	if (status >= 500)
		command_say(command, "failed", words);
	else if (!good || (read && str_equal(reply.result, STR("refused"))))
		command_say(command, "refused", words);
	else if (read && str_equal(reply.result, STR("done")))
		command_say(command, "done", (struct str){0});
	else
		command_say(command, "unknown", STR("an answer that is not of the protocol"));
}

static enum flow_status command_read(struct flow *flow)
{
	struct command *command = flow_state(flow);
	flow_set_deadline(flow, RECORD_DEADLINE_MS);
	switch (command->answer.reach) {
	case HTTP_NOT_SENT: /* it has not seen anything, so it may be sent again */
		(void)flow_goto(flow, COMMAND_SEND);
		return await_sleep(flow, CONNECT_AGAIN_MS);
	case HTTP_UNKNOWN:
		command_say(command, "unknown", str_from(command->answer.error.text));
		return FLOW_NEXT;
	case HTTP_ANSWERED:
		break;
	}
	read_answer(flow);
	return FLOW_NEXT;
}

/* -- what is kept of it ---------------------------------------------------------------------------- */

static enum flow_status command_record(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct command *command = flow_state(flow);
	struct pg_params params = {0};
	pg_put_text(&params, command->texts[COLUMN_ID].data);
	pg_put_text(&params, command->state);
	if (command->answer.reach == HTTP_ANSWERED)
		pg_put_int(&params, flow_arena(flow), command->answer.status);
	else
		pg_put_null(&params);
	pg_put_text(&params, command->words);
	return await_pg_query(flow, b->pg, &command->batch, sql_end, &params);
}

static void count_command(struct bots *b, const char *state)
{
	enum meter_command result = PBX_UNKNOWN;
	if (strcmp(state, "done") == 0)
		result = PBX_DONE;
	else if (strcmp(state, "refused") == 0)
		result = PBX_REFUSED;
	else if (strcmp(state, "failed") == 0)
		result = PBX_FAILED;
	metric_add(b->meters.commands[result], 1);
}

static enum flow_status command_recorded(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	const struct command *command = flow_state(flow);
	struct error error;
	if (!pg_batch_ok(command->batch, &error)) {
		log_warn(flow_log(flow), "command: not recorded yet: %s", error.text);
		return await_pg_again(flow, b->pg, RECORD_AGAIN_MS);
	}
	count_command(b, command->state);
	log_info(flow_log(flow), "PBX command %s: %s %s", command->texts[COLUMN_ACTION].data,
		command->state, command->words);
	worker_wake(&b->answers);
	return FLOW_END;
}

static enum flow_status command_record_again(struct flow *flow)
{
	return flow_goto(flow, COMMAND_RECORD);
}

static void command_finally(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	worker_child_ended(&b->commands);
}

static const struct flow_step command_steps[] = {
	[COMMAND_SEND] = {"send", command_send},
	[COMMAND_READ] = {"read", command_read},
	[COMMAND_RECORD] = {"record", command_record},
	[COMMAND_RECORDED] = {"recorded", command_recorded},
	[COMMAND_RECORD_AGAIN] = {"record-again", command_record_again},
	{NULL, NULL},
};

static const struct flow_spec command_flow = {
	.name = "command",
	.steps = command_steps,
	.finally = command_finally,
	.state_bytes = sizeof(struct command),
	.arena_max_bytes = (size_t)4 << 20,
	.deadline_ms = RECORD_DEADLINE_MS,
};

const struct worker_kind commands_kind = {
	.name = "commands", .claim = sql_claim, .child = &command_flow, .fill = commands_fill};
