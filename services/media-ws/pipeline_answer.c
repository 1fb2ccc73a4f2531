/*
 * pipeline_answer: from an utterance to the end of its answer: recognise, think, use tools, say.
 *
 * One flow at a time. Who interrupts cancels it: its transfers end with it, and what the bridge has
 * not played is dropped by the driver.
 */
#include "pipeline_answer.h"

#include "crypto.h"
#include "pipeline_requests.h"

enum {
	RECOGNISE_MS = 6000,
	DEADLINE_MS = 180000, /* of all of it, with what is said */
	MAX_BODY_BYTES = 512 * 1024,
};

static void set_texts(struct answering *answering, const struct answer_wish *wish)
{
	struct str text = wish->phrase.size > 0 ? wish->phrase : wish->text;

	buf_init(&answering->mulaw, (size_t)LISTEN_MS * MULAW_BYTES_MS);
	buf_init(&answering->text, HISTORY_TEXT_BYTES);
	buf_init(&answering->body, MAX_BODY_BYTES);
	(void)buf_add(&answering->mulaw, wish->mulaw);
	(void)buf_add(&answering->text, text);
}

void pipeline_answer(struct engine *engine, const struct answer_wish *wish)
{
	struct answering *answering;

	engine->answering = flow_start(bridge_loop(engine->bridge), &pipeline_answer_flow, engine,
		bridge_log(engine->bridge));
	answering = flow_state(engine->answering);
	set_texts(answering, wish);
	answering->sound = wish->sound;
	answering->phrase = wish->phrase.size > 0;
	answering->hang_up = wish->hang_up;
	answering->turn = ++engine->turn;
	answering->begun_ms = bridge_now_ms(engine->bridge);
	pipeline_think_init(answering);
	said_begin(&engine->said);
	engine->audible = engine->filler_said = false;
	engine->asked_ms = answering->phrase ? 0 : answering->begun_ms;
}

static struct engine_turn turn_of(const struct answering *answering)
{
	return (struct engine_turn){
		.turn = answering->turn,
		.heard_ms = -1,
		.recognise_ms = -1,
		.think_ms = -1,
		.speak_ms = -1,
		.total_ms = -1,
		.played_ms = -1,
	};
}

enum flow_status answer_fail(struct flow *flow, const char *what, const struct error *error)
{
	pipeline_failed(flow_context(flow), what, error);
	return flow_fail_error(flow, error);
}

void answer_call(struct flow *flow, const char *path, int64_t timeout_ms)
{
	struct answering *answering = flow_state(flow);

	pipeline_call(flow_context(flow), flow_arena(flow), path, &answering->call);
	answering->call.body = buf_str(&answering->body);
	answering->call.timeout_ms = timeout_ms;
}

struct http_client *answer_client(struct flow *flow)
{
	const struct engine *engine = flow_context(flow);

	return engine->setup->outside;
}

/* -- what was said? -------------------------------------------------------------------------------- */

static enum flow_status start(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);
	struct engine_turn turn = turn_of(answering);

	answering->speaking = flow_spawn(flow, &pipeline_speak_flow);
	if (answering->phrase) {
		said_add(engine, buf_str(&answering->text));
		return flow_goto(flow, ANSWER_SAY);
	}
	if (answering->text.size == 0)
		return FLOW_NEXT;
	history_add_user(&engine->history, buf_str(&answering->text));
	turn.user_text = buf_str(&answering->text);
	bridge_turn(engine->bridge, &turn);
	return flow_goto(flow, ANSWER_THINK);
}

static enum flow_status recognise(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);
	char boundary[CRYPTO_UUID_TEXT];

	crypto_uuid4(boundary);
	buf_clear(&answering->body);
	pipeline_put_transcription(&answering->body, boundary, &engine->options,
		engine->call->language, buf_str(&answering->mulaw));
	answer_call(flow, "/audio/transcriptions", RECOGNISE_MS);
	answering->call.content_type =
		arena_printf(flow_arena(flow), "multipart/form-data; boundary=%s", boundary);
	return await_http(flow, answer_client(flow), &answering->call, &answering->answer);
}

/* The caller's words out of {"text": ...}; empty when there were none. */
static bool read_words(struct answering *answering, struct error *error)
{
	struct json *json;
	bool good;

	if (!pipeline_status(&answering->answer, answering->answer.body, error))
		return false;
	json = json_parse(answering->answer.body, (struct json_limits){64 * 1024, 16}, error);
	if (json == NULL)
		return error_prefix(error, "it does not answer with JSON: ");
	good = json_kind(json_member(json, "text")) == JSON_TEXT ||
	       error_set(error, ERROR_UPSTREAM, "it answers without a text");
	(void)buf_add(&answering->text, str_trim(json_text(json_member(json, "text"))));
	json_free(&json);
	return good;
}

/* A cough, a slammed door: the caller is listened to again. */
static enum flow_status nothing_said(struct flow *flow)
{
	struct engine *engine = flow_context(flow);

	engine->asked_ms = 0;
	bridge_heard_nothing(engine->bridge);
	return FLOW_END;
}

static enum flow_status recognised(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);
	struct engine_turn turn = turn_of(answering);
	struct error error;

	if (!read_words(answering, &error)) {
		log_warn(bridge_log(engine->bridge), "transcription: %s", error.text);
		if (pipeline_retry(&answering->answer, &answering->tries))
			return flow_goto(flow, ANSWER_RECOGNISE);
		return answer_fail(flow, "transcription", &error);
	}
	answering->tries = 0;
	buf_clear(&engine->unanswered);
	if (text_is_imagined(buf_str(&answering->text), &answering->sound))
		return nothing_said(flow);
	answering->recognised_ms = bridge_now_ms(engine->bridge);
	history_add_user(&engine->history, buf_str(&answering->text));
	turn.user_text = buf_str(&answering->text);
	turn.heard_ms = (int64_t)answering->mulaw.size / MULAW_BYTES_MS;
	turn.recognise_ms = answering->recognised_ms - answering->begun_ms;
	bridge_turn(engine->bridge, &turn);
	return FLOW_NEXT;
}

/* -- said ------------------------------------------------------------------------------------------ */

static enum flow_status say(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);
	struct error error;

	if (engine->said.count == 0 && !answering->finishes) {
		(void)error_set(&error, ERROR_UPSTREAM, "the answer says nothing");
		return answer_fail(flow, "chat", &error);
	}
	if (engine->said.count == 0 && answering->outcome.end == ENGINE_TRANSFER)
		said_add(engine, engine->options.handing_over);
	said_close(engine);
	return await_children(flow);
}

static enum flow_status said(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);
	struct engine_turn turn = turn_of(answering);

	if (engine->over) /* the speaking failed */
		return FLOW_END;
	if (engine->audible)
		engine->said.utterance = bridge_say_end(engine->bridge);
	else
		bridge_heard_nothing(engine->bridge);
	history_add_assistant(&engine->history, buf_str(&engine->said.text));
	engine->said.remembered = true;
	engine->asked_ms = 0;
	turn.reply_text = buf_str(&engine->said.text);
	bridge_turn(engine->bridge, &turn);
	if (answering->hang_up) {
		answering->finishes = true;
		answering->outcome = (struct engine_outcome){
			.end = ENGINE_HANGUP, .reason = STR("the caller said nothing")};
	}
	if (answering->finishes) {
		engine->over = true;
		bridge_finish(engine->bridge, &answering->outcome);
	}
	return FLOW_END;
}

void pipeline_audible(struct engine *engine)
{
	const struct answering *answering;
	int64_t now = bridge_now_ms(engine->bridge);
	struct engine_turn turn;

	if (engine->audible || engine->answering == NULL)
		return;
	engine->audible = true;
	answering = flow_state(engine->answering);
	turn = turn_of(answering);
	if (answering->words_ms > 0) {
		turn.think_ms = answering->words_ms - (answering->recognised_ms > 0
								      ? answering->recognised_ms
								      : answering->begun_ms);
		turn.speak_ms = now - answering->words_ms;
		turn.total_ms = now - answering->begun_ms;
	} else {
		turn.speak_ms = now - answering->begun_ms;
	}
	bridge_turn(engine->bridge, &turn);
}

static void answer_done(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);
	const struct error *error = flow_error(flow);

	engine->answering = NULL;
	engine->tool_id[0] = '\0';
	if (error != NULL && error->kind == ERROR_BUSY) /* the deadline */
		pipeline_failed(engine, "the answer", error);
	pipeline_think_free(answering);
	buf_free(&answering->mulaw);
	buf_free(&answering->text);
	buf_free(&answering->body);
}

static const struct flow_step answer_steps[] = {
	[ANSWER_START] = {"start", start},
	[ANSWER_RECOGNISE] = {"recognise", recognise},
	[ANSWER_RECOGNISED] = {"recognised", recognised},
	[ANSWER_THINK] = {"think", pipeline_think},
	[ANSWER_HEAD] = {"head", pipeline_think_head},
	[ANSWER_DELTA] = {"delta", pipeline_think_delta},
	[ANSWER_TOOL] = {"tool", pipeline_think_tool},
	[ANSWER_TOLD] = {"told", pipeline_think_told},
	[ANSWER_SAY] = {"say", say},
	[ANSWER_SAID] = {"said", said},
	{NULL, NULL},
};

const struct flow_spec pipeline_answer_flow = {
	.name = "answer",
	.steps = answer_steps,
	.finally = answer_done,
	.state_bytes = sizeof(struct answering),
	.arena_max_bytes = 4u << 20,
	.deadline_ms = DEADLINE_MS,
};
