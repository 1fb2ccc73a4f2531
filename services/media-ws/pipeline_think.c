/*
 * pipeline_think: the middle of an answer: what the model says is handed over sentence by sentence
 * while it comes; the tools it asks for are used, and it is asked again with what came of them.
 */
#include "pipeline_answer.h"

#include "engine_tools.h"
#include "pipeline_requests.h"

#include <stdio.h>

enum {
	THINK_HEAD_MS = 8000,
	THINK_MS = 30000,
	END_MS = 300, /* between finish_reason and the end */
	TOOL_MS = 6000,
	MAX_CHAT_BYTES = 1 << 20,
	MAX_EVENT_BYTES = 256 * 1024,
	MAX_ROUNDS = 3,	    /* of thinking again after tools */
	ENOUGH_BYTES = 700, /* of an answer: the sentence that passes it is the last */
};

void pipeline_think_init(struct answering *answering)
{
	sse_init(&answering->sse, MAX_EVENT_BYTES);
	chat_answer_init(&answering->chat);
}

void pipeline_think_free(struct answering *answering)
{
	http_feed_free(&answering->feed);
	sse_free(&answering->sse);
	chat_answer_free(&answering->chat);
}

/* -- what to answer? ------------------------------------------------------------------------------- */

enum flow_status pipeline_think(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);

	pipeline_think_free(answering);
	pipeline_think_init(answering);
	answering->said = 0;
	answering->tool = 0;
	buf_clear(&answering->body);
	pipeline_put_chat(&answering->body, &engine->options, engine->call, &engine->history);
	answer_call(flow, "/chat/completions", THINK_MS);
	answering->call.head_timeout_ms = THINK_HEAD_MS;
	answering->call.max_answer_bytes = MAX_CHAT_BYTES;
	return await_http_begin(
		flow, answer_client(flow), &answering->call, &answering->answer, &answering->feed);
}

/* Events, or one document from a server that cannot stream; anything else is no chat. */
static bool read_kind(struct answering *answering, struct error *error)
{
	struct str kind = STR("text/event-stream");

	for (unsigned i = 0; i < answering->answer.header_count; i++) {
		if (str_equal_nocase(answering->answer.headers[i].name, STR("Content-Type")))
			kind = answering->answer.headers[i].value;
	}
	answering->whole = str_starts(kind, STR("application/json"));
	buf_clear(&answering->body); /* sent; the document grows in it */
	return answering->whole || str_starts(kind, STR("text/event-stream")) ||
	       error_set(error, ERROR_UPSTREAM, "it answers with %.*s", STR_ARG(kind));
}

enum flow_status pipeline_think_head(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);
	struct error error;

	if (pipeline_status(&answering->answer, (struct str){0}, &error) &&
		read_kind(answering, &error)) {
		answering->tries = 0;
		return await_http_piece(flow, answering->feed, engine->options.patience_ms);
	}
	log_warn(bridge_log(engine->bridge), "chat: %s", error.text);
	if (pipeline_retry(&answering->answer, &answering->tries))
		return flow_goto(flow, ANSWER_THINK);
	return answer_fail(flow, "chat", &error);
}

/* Whole sentences go to the speaking flow; at the end all that is left. */
static void hand_over(struct engine *engine, struct answering *answering, bool whole)
{
	struct str text = buf_str(&answering->chat.text);
	size_t size;

	while (answering->said < text.size && answering->said < ENOUGH_BYTES) {
		struct str rest = str_of(text.data + answering->said, text.size - answering->said);

		if (answering->words_ms == 0)
			answering->words_ms = bridge_now_ms(engine->bridge);
		size = text_speakable(rest, engine->said.count == 0, whole);
		if (size == 0)
			return;
		said_add(engine, str_of(rest.data, size));
		answering->said += size;
	}
}

static bool take_piece(struct answering *answering, struct str piece, struct error *error)
{
	if (answering->whole)
		return buf_add(&answering->body, piece) ||
		       error_set(error, ERROR_UPSTREAM, "the answer is too long");
	while (sse_next(&answering->sse, &piece)) {
		if (!chat_answer_take(&answering->chat, sse_data(&answering->sse), error))
			return false;
	}
	return !answering->sse.failed ||
	       error_set(
		       error, ERROR_UPSTREAM, "an event is longer than %d bytes", MAX_EVENT_BYTES);
}

/* An answer that breaks off before it says that it is done has not been given. */
static bool check_end(struct answering *answering, struct error *error)
{
	if (answering->answer.reach != HTTP_ANSWERED && !answering->chat.done) {
		*error = answering->answer.error;
		return false;
	}
	if (answering->whole &&
		!chat_answer_take(&answering->chat, buf_str(&answering->body), error))
		return false;
	return answering->chat.done || error_set(error, ERROR_UPSTREAM, "the answer broke off");
}

enum flow_status pipeline_think_delta(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);
	struct error error;
	bool over = http_feed_over(answering->feed);

	if (!take_piece(answering, http_feed_piece(answering->feed), &error) ||
		(over && !check_end(answering, &error)))
		return answer_fail(flow, "chat", &error);
	hand_over(engine, answering, over || answering->chat.done);
	if (over || answering->said >= ENOUGH_BYTES) {
		http_feed_free(&answering->feed);
		return FLOW_NEXT;
	}
	(void)flow_goto(flow, ANSWER_DELTA);
	/* Read to its end, the connection can serve the next turn, too. */
	return await_http_piece(
		flow, answering->feed, answering->chat.done ? END_MS : engine->options.patience_ms);
}

/* -- tools ----------------------------------------------------------------------------------------- */

static void remember_tool(struct engine *engine, struct answering *answering, struct str result)
{
	struct chat_tool *tool = &answering->chat.tools[answering->tool];
	char id[16];

	(void)snprintf(id, sizeof(id), "call_%u", answering->tool);
	history_add_tool(&engine->history, tool->id.size > 0 ? buf_str(&tool->id) : str_from(id),
		buf_str(&tool->name), buf_str(&tool->arguments), result);
}

/* The next use of a tool; when all are done the model sees what came of them. */
enum flow_status pipeline_think_tool(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);
	struct chat_tool *tool = &answering->chat.tools[answering->tool];
	enum engine_tool kind;

	if (answering->tool == answering->chat.tool_count)
		return flow_goto(flow, answering->tool > 0 && ++answering->rounds <= MAX_ROUNDS
					       ? ANSWER_THINK
					       : ANSWER_SAY);
	kind = engine_tool_find(buf_str(&tool->name));
	if (engine_tool_outcome(
		    kind, buf_str(&tool->arguments), flow_arena(flow), &answering->outcome)) {
		answering->finishes = true;
		return flow_goto(flow, ANSWER_SAY);
	}
	(void)snprintf(engine->tool_id, sizeof(engine->tool_id), "%u.%u.%u", answering->turn,
		answering->rounds, answering->tool);
	buf_clear(&engine->tool_answer);
	if (kind != TOOL_UNKNOWN && engine_tool_run(engine->bridge, kind, engine->tool_id,
					    buf_str(&tool->arguments), pipeline_tool_done))
		return await_queue_for(flow, &engine->tool_done, TOOL_MS);
	engine->tool_id[0] = '\0';
	(void)buf_add(&engine->tool_answer,
		STR("{\"error\":\"no such tool, or its arguments are no JSON object\"}"));
	return FLOW_NEXT;
}

enum flow_status pipeline_think_told(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct answering *answering = flow_state(flow);

	if (engine->tool_id[0] != '\0') /* it did not answer in time; if it still does: too late */
		(void)buf_add(&engine->tool_answer, STR("{\"error\":\"not available now\"}"));
	engine->tool_id[0] = '\0';
	remember_tool(engine, answering, buf_str(&engine->tool_answer));
	answering->tool++;
	return flow_goto(flow, ANSWER_TOOL);
}

void pipeline_tool_done(struct engine *engine, const char *id, bool well, struct str answer)
{
	if (engine->tool_id[0] == '\0' || strcmp(engine->tool_id, id) != 0)
		return; /* of an answer that was interrupted */
	engine->tool_id[0] = '\0';
	if (answer.size > 0)
		(void)buf_add(&engine->tool_answer, answer);
	else
		(void)buf_add(&engine->tool_answer,
			well ? STR("{\"done\":true}") : STR("{\"error\":\"it did not work\"}"));
	(void)flow_queue_wake_all(&engine->tool_done);
}
