/*
 * ami: one Originate as a flow of its own; see ami.h.
 *
 * A PBX is not trusted: it may be silent, endless, or somebody else. Whatever is not an answer to
 * our own ActionID is passed over, at most MAX_BLOCKS of it.
 */
#include "ami.h"

#include "ami_message.h"
#include "crypto.h"
#include "stream.h"

#include <stdio.h>

enum { STEP_MS = 3000, REQUEST_MAX_BYTES = 8192, MAX_BLOCKS = 20000 };
enum { REASON_HANGUP = 1, REASON_RINGING = 3, REASON_ANSWER = 4, REASON_BUSY = 5 };

static const char *const result_names[AMI_RESULTS] = {
	[AMI_ANSWERED] = "answered",
	[AMI_RINGING] = "ringing",
	[AMI_NO_ANSWER] = "no_answer",
	[AMI_BUSY] = "busy",
	[AMI_UNAVAILABLE] = "unavailable",
	[AMI_REFUSED] = "refused",
	[AMI_DENIED] = "denied",
	[AMI_UNREACHABLE] = "unreachable",
	[AMI_UNKNOWN] = "unknown",
};

const char *ami_result_name(enum ami_result result)
{
	return result_names[result];
}

struct originate {
	const struct ami_call *call;
	struct ami_outcome *outcome;
	struct stream *stream;
	size_t scanned; /* of the input, for the end of a block */
	size_t block;	/* bytes of the block that `message` lies in: consumed with the next */
	unsigned blocks;
	struct ami_message message;
	char action[CRYPTO_UUID_TEXT]; /* the ActionID of all that we ask */
	bool asked;		       /* the Originate has left */
	bool taken;		       /* and the PBX said that it has it */
	bool over;		       /* outcome is filled */
};

enum { AMI_OPEN, AMI_BANNER, AMI_CHALLENGE, AMI_LOGIN, AMI_ORIGINATE, AMI_OUTCOME };

/* -- ends ----------------------------------------------------------------------------------------- */

static enum flow_status end(struct flow *flow, enum ami_result result, struct str words)
{
	struct originate *state = flow_state(flow);

	state->over = true;
	state->outcome->result = result;
	str_copy(state->outcome->words, sizeof(state->outcome->words), words);
	return FLOW_END;
}

/* What it means when nothing more is heard, by how far it came. */
static enum ami_result silence_means(const struct originate *state)
{
	if (!state->asked)
		return AMI_UNREACHABLE;
	return state->taken && state->call->wait_ms < state->call->ring_ms ? AMI_RINGING
									   : AMI_UNKNOWN;
}

static const char *silence_words(const struct originate *state)
{
	if (state->stream == NULL || !stream_connected(state->stream))
		return "does not answer";
	if (state->taken)
		return "has not said what became of the call";
	return state->asked ? "has not said whether it takes the call"
			    : "does not answer as a manager interface does";
}

static enum flow_status end_lost(struct flow *flow, const char *words)
{
	const struct originate *state = flow_state(flow);

	return end(flow, state->asked ? AMI_UNKNOWN : AMI_UNREACHABLE, str_from(words));
}

static void originate_over(struct flow *flow)
{
	struct originate *state = flow_state(flow);

	if (!state->over)
		(void)end(flow, silence_means(state), str_from(silence_words(state)));
	stream_close(&state->stream);
}

/* -- bytes in and out ------------------------------------------------------------------------------ */

static enum flow_status wait_more(struct flow *flow, unsigned step)
{
	struct originate *state = flow_state(flow);
	struct error error;

	if (stream_lost(state->stream, &error))
		return end_lost(flow, error.text);
	if (stream_input(state->stream).size >= AMI_MAX_BLOCK_BYTES)
		return end_lost(flow, "sends without end");
	(void)flow_goto(flow, step);
	return await_stream(flow, state->stream);
}

/* The next answer to us, in state->message. Null: `*status` says how the step ends. */
static const struct ami_message *next_answer(
	struct flow *flow, unsigned step, enum flow_status *status)
{
	struct originate *state = flow_state(flow);

	for (;;) {
		stream_consume(state->stream, state->block);
		struct str input = stream_input(state->stream);
		state->block = ami_block_size(input, &state->scanned);
		if (state->block == 0)
			break;
		if (++state->blocks > MAX_BLOCKS) {
			*status = end_lost(flow, "sends events without end");
			return NULL;
		}
		ami_message_read(str_of(input.data, state->block), &state->message);
		if (str_equal(
			    ami_message_get(&state->message, "ActionID"), str_from(state->action)))
			return &state->message;
	}
	*status = wait_more(flow, step);
	return NULL;
}

static bool is_success(const struct ami_message *answer)
{
	return str_equal_nocase(ami_message_get(answer, "Response"), STR("Success"));
}

struct field {
	const char *name;
	struct str value;
};

/* An action with these fields, and the ActionID; those without a value are left out. */
static bool ask(struct originate *state, const struct field *fields, struct error *error)
{
	struct buf text;
	bool good = true;

	buf_init(&text, REQUEST_MAX_BYTES);
	for (const struct field *field = fields; good && field->name != NULL; field++)
		good = field->value.size == 0 || ami_put(&text, field->name, field->value, error);
	good = good && ami_put(&text, "ActionID", str_from(state->action), error) &&
	       buf_add(&text, STR("\r\n")) && stream_send(state->stream, buf_str(&text), error);
	buf_free(&text);
	return good;
}

/* The same, for a step: whatever is wrong with it ends the flow. */
static enum flow_status ask_next(struct flow *flow, const struct field *fields)
{
	struct originate *state = flow_state(flow);
	struct error error = {.kind = ERROR_NONE};

	flow_set_deadline(flow, state->call->step_ms > 0 ? state->call->step_ms : STEP_MS);
	if (ask(state, fields, &error))
		return FLOW_NEXT;
	if (error.kind == ERROR_INPUT)
		return end(flow, AMI_REFUSED, str_from(error.text));
	return end_lost(flow, error.text);
}

/* -- the story ------------------------------------------------------------------------------------- */

static enum flow_status open_stream(struct flow *flow)
{
	struct originate *state = flow_state(flow);
	const struct stream_options options = {
		.address = state->call->address,
		.port = state->call->port,
		.max_input_bytes = AMI_MAX_BLOCK_BYTES,
	};
	struct error error;

	flow_set_deadline(flow, state->call->step_ms > 0 ? state->call->step_ms : STEP_MS);
	crypto_uuid4(state->action);
	state->stream = stream_open(flow_loop(flow), &options, &error);
	if (state->stream == NULL)
		return end_lost(flow, error.text);
	return await_stream(flow, state->stream);
}

static enum flow_status ask_login(struct flow *flow, struct str proof)
{
	const struct originate *state = flow_state(flow);
	const struct ami_call *call = state->call;
	const struct field fields[] = {
		{"Action", STR("Login")},
		{"AuthType", call->plain ? (struct str){0} : STR("MD5")},
		{"Username", call->user},
		{call->plain ? "Secret" : "Key", proof},
		{"Events", STR("call")}, /* OriginateResponse is one of these */
		{NULL, {0}},
	};

	return ask_next(flow, fields);
}

static enum flow_status read_banner(struct flow *flow)
{
	static const struct field challenge[] = {
		{"Action", {"Challenge", 9}}, {"AuthType", {"MD5", 3}}, {NULL, {0}}};
	struct originate *state = flow_state(flow);
	struct str input = stream_input(state->stream);
	size_t size = ami_line_size(input);

	if (size == 0)
		return wait_more(flow, AMI_BANNER);
	if (!str_starts(input, STR("Asterisk Call Manager/")))
		return end_lost(flow, "is not Asterisk's manager interface");
	stream_consume(state->stream, size);
	if (!state->call->plain)
		return ask_next(flow, challenge);
	(void)flow_goto(flow, AMI_LOGIN);
	return ask_login(flow, state->call->secret);
}

static enum flow_status read_challenge(struct flow *flow)
{
	const struct originate *state = flow_state(flow);
	unsigned char digest[CRYPTO_MD5_BYTES];
	char key[2 * CRYPTO_MD5_BYTES + 1];
	enum flow_status status;
	const struct ami_message *answer = next_answer(flow, AMI_CHALLENGE, &status);
	struct str challenge;
	struct buf text;

	if (answer == NULL)
		return status;
	challenge = ami_message_get(answer, "Challenge");
	if (!is_success(answer) || challenge.size == 0)
		return end(flow, AMI_DENIED, ami_message_get(answer, "Message"));
	buf_init(&text, REQUEST_MAX_BYTES);
	(void)buf_add(&text, challenge);
	if (!buf_add(&text, state->call->secret)) { /* half of it must not be proof of anything */
		buf_free(&text);
		return end(flow, AMI_DENIED, STR("the challenge is too long"));
	}
	crypto_md5(buf_str(&text), digest);
	buf_free(&text);
	crypto_hex(digest, sizeof(digest), key);
	return ask_login(flow, str_from(key));
}

static enum flow_status ask_originate(struct flow *flow)
{
	struct originate *state = flow_state(flow);
	const struct ami_call *call = state->call;
	const char *ring = arena_printf(flow_arena(flow), "%lld", (long long)call->ring_ms);
	const char *shown = arena_printf(flow_arena(flow), "\"%.*s\" <%.*s>",
		STR_ARG(call->caller_name), STR_ARG(call->caller_number));
	const struct field fields[] = {
		{"Action", STR("Originate")},
		{"Channel", call->channel},
		{"Context", call->context},
		{"Exten", call->extension},
		{"Priority", STR("1")},
		{"CallerID", call->caller_number.size > 0 ? str_from(shown) : (struct str){0}},
		{"Timeout", str_from(ring)},
		{"Async", STR("true")},
		{NULL, {0}},
	};
	enum flow_status status = ask_next(flow, fields);

	state->asked = status == FLOW_NEXT;
	return status;
}

static enum flow_status read_login(struct flow *flow)
{
	enum flow_status status;
	const struct ami_message *answer = next_answer(flow, AMI_LOGIN, &status);

	if (answer == NULL)
		return status;
	if (!is_success(answer))
		return end(flow, AMI_DENIED, ami_message_get(answer, "Message"));
	return ask_originate(flow);
}

static enum flow_status read_outcome(struct flow *flow, const struct ami_message *answer)
{
	static const struct field logoff[] = {{"Action", {"Logoff", 6}}, {NULL, {0}}};
	struct originate *state = flow_state(flow);
	enum ami_result result = AMI_UNAVAILABLE;
	int64_t reason = -1;

	(void)str_to_int64(ami_message_get(answer, "Reason"), &reason);
	state->outcome->reason = reason >= 0 && reason < 1000 ? (int)reason : -1;
	str_copy(state->outcome->unique_id, sizeof(state->outcome->unique_id),
		ami_message_get(answer, "Uniqueid"));
	if (is_success(answer))
		result = AMI_ANSWERED;
	else if (reason == REASON_HANGUP || reason == REASON_RINGING)
		result = AMI_NO_ANSWER;
	else if (reason == REASON_BUSY)
		result = AMI_BUSY;
	(void)ask(state, logoff, NULL); /* a courtesy: it sees the end of the connection, too */
	return end(flow, result, STR(""));
}

static bool is_outcome(const struct ami_message *answer)
{
	return str_equal_nocase(ami_message_get(answer, "Event"), STR("OriginateResponse"));
}

/* The event may overtake the answer that announces it. */
static enum flow_status read_taken(struct flow *flow)
{
	struct originate *state = flow_state(flow);
	enum flow_status status;
	const struct ami_message *answer = next_answer(flow, AMI_ORIGINATE, &status);

	if (answer == NULL)
		return status;
	if (is_outcome(answer))
		return read_outcome(flow, answer);
	if (!is_success(answer))
		return end(flow, AMI_REFUSED, ami_message_get(answer, "Message"));
	state->taken = true;
	flow_set_deadline(flow, state->call->wait_ms > 0 ? state->call->wait_ms : 1);
	return FLOW_NEXT;
}

static enum flow_status read_end(struct flow *flow)
{
	enum flow_status status;
	const struct ami_message *answer = next_answer(flow, AMI_OUTCOME, &status);

	if (answer == NULL)
		return status;
	return is_outcome(answer) ? read_outcome(flow, answer) : flow_goto(flow, AMI_OUTCOME);
}

static const struct flow_step originate_steps[] = {
	[AMI_OPEN] = {"open", open_stream},
	[AMI_BANNER] = {"banner", read_banner},
	[AMI_CHALLENGE] = {"challenge", read_challenge},
	[AMI_LOGIN] = {"login", read_login},
	[AMI_ORIGINATE] = {"originate", read_taken},
	[AMI_OUTCOME] = {"outcome", read_end},
	{NULL, NULL},
};

static const struct flow_spec originate_flow = {
	.name = "ami",
	.steps = originate_steps,
	.finally = originate_over,
	.state_bytes = sizeof(struct originate),
	.deadline_ms = STEP_MS,
};

enum flow_status await_ami_originate(
	struct flow *flow, const struct ami_call *call, struct ami_outcome *outcome)
{
	struct originate *state;

	*outcome = (struct ami_outcome){.result = AMI_UNKNOWN, .reason = -1};
	state = flow_state(flow_spawn(flow, &originate_flow));
	state->call = call;
	state->outcome = outcome;
	return await_children(flow);
}
