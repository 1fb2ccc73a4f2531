/*
 * engine_http: transcriptions, chat and speech: noted, met by a fault or not, checked, answered; what
 * streams goes out in awkward pieces, and may stall or break off in the middle.
 */
#include "engine.h"

#include "clock.h"
#include "json_put.h"
#include "wav.h"

#include <inttypes.h>
#include <stdio.h>

enum { RECEIVE, DELAY, ANSWER, PIECE, PACE };
enum { STALL_MS = 3600000, DELTA_BYTES = 7 /* of a text in one event */ };

struct engine_call {
	int64_t note_id, resets;
	struct fault fault;
	bool has_fault;
	struct buf out;	  /* what is streamed, or the whole answer */
	struct buf shown; /* for the notes */
	size_t at, piece;
	bool streams;
	const char *content_type;
	int64_t think_ms;
	int status;
};

/* -- received -------------------------------------------------------------------------------------- */

static void note(struct flow *flow, struct str path, struct str shown)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_call *call = flow_state(flow);
	struct fault_subject subject = {
		.service = STR("engine"), .path = path, .method = http_request(flow)->method};

	call->resets = sandbox->resets;
	call->note_id = requests_add(
		sandbox->requests, &(struct requests_note){.service = engine_service.name,
					   .method = http_request(flow)->method,
					   .path = path,
					   .request = shown.size > 0 ? shown : STR("null"),
					   .at_ms = clock_wall_ms()});
	call->has_fault = faults_meet(sandbox->faults, &subject, flow_arena(flow), &call->fault);
	if (call->has_fault)
		requests_set_fault(sandbox->requests, call->note_id, call->fault.id);
	flow_queue_wake_all(&sandbox->changed);
}

static void refuse(struct engine_call *call, int status, const char *code, struct str words)
{
	call->status = status;
	engine_put_error(&call->out, status, code, words);
}

static void begin(struct flow *flow)
{
	struct engine_call *call = flow_state(flow);

	buf_init(&call->out, ENGINE_MAX_REPLY);
	buf_init(&call->shown, ENGINE_MAX_REPLY);
	call->status = 200;
	call->content_type = "application/json";
}

/* Who is it? Asked before anything else, as the real one does. */
static bool let_in(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_world *world = engine_world(sandbox);

	if (engine_knows(world, http_request_header(flow, "Authorization")))
		return true;
	world->refused++;
	refuse(flow_state(flow), 401, "invalid_api_key",
		STR("Incorrect API key provided: sk-a***. You can find your API key elsewhere."));
	return false;
}

/* -- what was said? -------------------------------------------------------------------------------- */

static void transcribe(struct flow *flow, const struct engine_form *form)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_world *world = engine_world(sandbox);
	struct engine_call *call = flow_state(flow);
	const char *scripted = engine_next_transcript(world);
	struct json_writer writer;
	char words[48];

	world->transcriptions++;
	(void)snprintf(words, sizeof(words), "%" PRId64 " milliseconds of speech", form->ms);
	json_begin(&writer, &call->out);
	json_open_object(&writer);
	json_put_member_str(&writer, "text", str_from(scripted != NULL ? scripted : words));
	json_close_object(&writer);
}

static enum flow_status receive_form(struct flow *flow)
{
	struct engine_call *call = flow_state(flow);
	const struct http_request *request = http_request(flow);
	struct engine_form form;
	struct error error;
	struct buf shown;
	bool good = engine_read_form(
		http_request_header(flow, "Content-Type"), request->body, &form, &error);

	begin(flow);
	buf_init(&shown, 1024);
	if (good)
		(void)buf_printf(&shown,
			"{\"model\":\"%.*s\",\"language\":\"%.*s\",\"ms\":%" PRId64
			",\"rms\":%" PRId64 "}",
			STR_ARG(form.model), STR_ARG(form.language), form.ms, form.rms);
	note(flow, request->path, buf_str(&shown));
	buf_free(&shown);
	if (!let_in(flow))
		return FLOW_NEXT;
	if (good)
		transcribe(flow, &form);
	else
		refuse(call, 400, "", str_from(error.text));
	return FLOW_NEXT;
}

/* -- what to answer? ------------------------------------------------------------------------------- */

static void put_event(struct buf *to, struct str delta, const char *finish)
{
	struct json_writer writer;

	(void)buf_add(to, STR("data: "));
	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_str(&writer, "object", STR("chat.completion.chunk"));
	json_put_name(&writer, "choices");
	json_open_array(&writer);
	json_open_object(&writer);
	json_put_member_int(&writer, "index", 0);
	json_put_member_raw(&writer, "delta", delta);
	json_put_name(&writer, "finish_reason");
	if (finish != NULL)
		json_put_str(&writer, str_from(finish));
	else
		json_put_null(&writer);
	json_close_object(&writer);
	json_close_array(&writer);
	json_close_object(&writer);
	(void)buf_add(to, STR("\n\n"));
}

/* The first bytes of a text, whole characters. */
static struct str cut_front(struct str *text, size_t bytes)
{
	struct str front;
	size_t size = bytes < text->size ? bytes : text->size;

	while (size < text->size && ((unsigned char)text->data[size] & 0xc0) == 0x80)
		size++;
	front = str_of(text->data, size);
	*text = str_of(text->data + size, text->size - size);
	return front;
}

static void put_text_events(struct buf *to, struct str text)
{
	struct buf delta;

	buf_init(&delta, 4096);
	put_event(to, STR("{\"role\":\"assistant\",\"content\":\"\"}"), NULL);
	while (text.size > 0) {
		buf_clear(&delta);
		(void)buf_add(&delta, STR("{\"content\":"));
		json_add_string(&delta, cut_front(&text, DELTA_BYTES));
		(void)buf_add_char(&delta, '}');
		put_event(to, buf_str(&delta), NULL);
	}
	buf_free(&delta);
}

/* Name first, then the arguments in fragments, as the real one does. */
static void put_tool_events(struct buf *to, const struct engine_line *line)
{
	struct str arguments = str_from(line->arguments);
	struct buf delta;

	buf_init(&delta, 4096);
	(void)buf_printf(&delta,
		"{\"tool_calls\":[{\"index\":0,\"id\":\"call_sandbox\",\"type\":\"function\","
		"\"function\":{\"name\":\"%s\",\"arguments\":\"\"}}]}",
		line->tool);
	put_event(to, buf_str(&delta), NULL);
	while (arguments.size > 0) {
		buf_clear(&delta);
		(void)buf_add(
			&delta, STR("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"));
		json_add_string(&delta, cut_front(&arguments, DELTA_BYTES));
		(void)buf_add(&delta, STR("}}]}"));
		put_event(to, buf_str(&delta), NULL);
	}
	buf_free(&delta);
}

static void put_whole(struct buf *to, const struct engine_line *line)
{
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_name(&writer, "choices");
	json_open_array(&writer);
	json_open_object(&writer);
	json_put_name(&writer, "message");
	json_open_object(&writer);
	json_put_member_str(&writer, "role", STR("assistant"));
	json_put_member_str(&writer, "content", str_from(line->text));
	json_close_object(&writer);
	json_put_member_str(&writer, "finish_reason", STR("stop"));
	json_close_object(&writer);
	json_close_array(&writer);
	json_close_object(&writer);
}

static void answer_chat(struct flow *flow, struct str last)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_world *world = engine_world(sandbox);
	struct engine_call *call = flow_state(flow);
	const struct engine_line *scripted = engine_next_line(world);
	struct engine_line line = {
		.text = arena_printf(flow_arena(flow), "You said: %.*s", STR_ARG(last))};

	world->chats++;
	if (scripted != NULL)
		line = *scripted;
	call->think_ms = line.think_ms;
	json_add_string(&call->shown, str_from(line.text));
	if (world->whole) {
		put_whole(&call->out, &line);
		return;
	}
	call->streams = true;
	call->content_type = "text/event-stream";
	(void)buf_add(&call->out, STR(": the sandbox thinks\n\n"));
	put_text_events(&call->out, str_from(line.text));
	if (line.tool != NULL)
		put_tool_events(&call->out, &line);
	put_event(&call->out, STR("{}"), line.tool != NULL ? "tool_calls" : "stop");
	(void)buf_add(&call->out, STR("data: [DONE]\n\n"));
}

/* The document of the request's body; NULL: it is refused. */
static struct json *receive_json(struct flow *flow)
{
	struct engine_call *call = flow_state(flow);
	const struct http_request *request = http_request(flow);
	struct error error;
	struct json *json = json_parse(request->body, (struct json_limits){1 << 20, 32}, &error);

	begin(flow);
	note(flow, request->path, json != NULL ? request->body : (struct str){0});
	if (!let_in(flow)) {
		json_free(&json);
		return NULL;
	}
	if (json == NULL)
		refuse(call, 400, "", STR("We could not parse the JSON body of your request."));
	return json;
}

static enum flow_status receive_chat(struct flow *flow)
{
	struct json *json = receive_json(flow);
	struct error error;
	struct str last;

	if (json == NULL)
		return FLOW_NEXT;
	if (engine_check_chat(json, flow_arena(flow), &last, &error))
		answer_chat(flow, last);
	else
		refuse(flow_state(flow), 400, "", str_from(error.text));
	json_free(&json);
	return FLOW_NEXT;
}

/* -- how it sounds --------------------------------------------------------------------------------- */

static void put_sound(struct flow *flow, struct str text)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_world *world = engine_world(sandbox);
	struct engine_call *call = flow_state(flow);

	world->speeches++;
	call->streams = true;
	call->content_type = world->whole ? "audio/wav" : "audio/pcm";
	if (world->whole) {
		static const int16_t nothing[1];

		/* The head of a file whose length nobody knew; "data" says nothing, too. */
		wav_put_pcm(&call->out, nothing, 0, ENGINE_SPEECH_HZ);
		memset(call->out.data + 4, 0xff, 4);
		memset(call->out.data + call->out.size - 4, 0xff, 4);
	}
	engine_put_tone(&call->out, text, ENGINE_SPEECH_HZ);
	(void)buf_printf(&call->shown, "{\"hz\":%" PRId64 ",\"ms\":%" PRId64 "}",
		engine_tone_hz(text), engine_tone_ms(text));
}

static enum flow_status receive_speech(struct flow *flow)
{
	struct json *json = receive_json(flow);
	struct error error;

	if (json == NULL)
		return FLOW_NEXT;
	if (engine_check_speech(json, &error))
		put_sound(flow, json_text(json_member(json, "input")));
	else
		refuse(flow_state(flow), 400, "", str_from(error.text));
	json_free(&json);
	return FLOW_NEXT;
}

/* -- the answer ------------------------------------------------------------------------------------ */

static enum flow_status delay(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_call *call = flow_state(flow);
	int64_t wait_ms = call->think_ms + (call->has_fault ? call->fault.delay_ms : 0);

	return wait_ms > 0 ? await_queue_for(flow, &sandbox->delayed, wait_ms) : FLOW_NEXT;
}

static void finish_note(struct flow *flow, int status, struct str shown)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_call *call = flow_state(flow);

	requests_finish(sandbox->requests, call->note_id, status, shown);
	call->note_id = 0;
	flow_queue_wake_all(&sandbox->changed);
}

/* A fault's status, with its own body or the usual words. HTML is told as such. */
static enum flow_status answer_fault(struct flow *flow)
{
	struct engine_call *call = flow_state(flow);
	const struct fault *fault = &call->fault;
	char seconds[24];

	buf_clear(&call->out);
	if (fault->body != NULL)
		(void)buf_add(&call->out, str_from(fault->body));
	else
		engine_put_error(&call->out, fault->status, "", str_from(fault->words));
	if (fault->retry_after_s > 0) {
		(void)snprintf(seconds, sizeof(seconds), "%" PRId64, fault->retry_after_s);
		http_reply_header(flow, "Retry-After", seconds);
	}
	finish_note(flow, fault->status, STR("\"a fault\""));
	return http_reply(flow, fault->status,
		fault->body != NULL && fault->body[0] == '<' ? "text/html" : "application/json",
		buf_str(&call->out));
}

static enum flow_status answer(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_call *call = flow_state(flow);
	const struct fault *fault = &call->fault;

	if (call->resets != sandbox->resets || sandbox->draining)
		return http_drop(flow);
	if (call->has_fault && fault->status != 0)
		return answer_fault(flow);
	if (call->has_fault &&
		(fault->drop == FAULT_DROP_BEFORE || fault->drop == FAULT_DROP_AFTER))
		return http_drop(flow);
	if (!call->streams || call->status != 200) {
		finish_note(flow, call->status, buf_str(&call->out));
		return http_reply(flow, call->status, call->content_type, buf_str(&call->out));
	}
	http_stream_begin(flow, call->content_type);
	return FLOW_NEXT;
}

/* Of 1 to 61 bytes for events, of odd thousands for sound. */
static size_t next_size(struct engine_call *call)
{
	size_t size =
		call->content_type[0] == 't' ? 1 + call->piece * 37 % 61 : 4799 + call->piece % 3;
	size_t left = call->out.size - call->at;

	call->piece++;
	return size < left ? size : left;
}

static enum flow_status piece(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_call *call = flow_state(flow);
	const struct fault *fault = &call->fault;
	size_t size = next_size(call);
	struct str bytes = str_of(call->out.data + call->at, size);

	if (call->at == call->out.size) {
		finish_note(flow, 200, buf_str(&call->shown));
		return FLOW_END;
	}
	if (call->has_fault && call->at + size > call->out.size / 2) {
		if (fault->drop == FAULT_DROP_MIDDLE)
			return flow_fail(flow, ERROR_INTERNAL, "broken off by a fault");
		if (fault->drop == FAULT_STALL)
			return await_queue_for(flow, &sandbox->delayed, STALL_MS);
	}
	call->at += size;
	return await_http_stream(flow, bytes);
}

/* Between two pieces; after a stall the sandbox was reset, or it ends. */
static enum flow_status pace(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_call *call = flow_state(flow);

	if (call->resets != sandbox->resets || sandbox->draining)
		return flow_fail(flow, ERROR_INTERNAL, "the sandbox was reset");
	(void)flow_goto(flow, PIECE);
	return engine_world(sandbox)->pace_ms > 0
		       ? await_sleep(flow, engine_world(sandbox)->pace_ms)
		       : await_turn(flow);
}

static void over(struct flow *flow)
{
	struct engine_call *call = flow_state(flow);

	if (call->note_id != 0) /* the client has gone: an interruption */
		finish_note(flow, 0, (struct str){0});
	buf_free(&call->out);
	buf_free(&call->shown);
}

#define ENGINE_FLOW(flow_name, receive)                                                            \
	{                                                                                          \
		.name = (flow_name),                                                               \
		.steps = (const struct flow_step[]){[RECEIVE] = {"receive", (receive)},            \
			[DELAY] = {"delay", delay},                                                \
			[ANSWER] = {"answer", answer},                                             \
			[PIECE] = {"piece", piece},                                                \
			[PACE] = {"pace", pace},                                                   \
			{NULL, NULL}},                                                             \
		.finally = over, .state_bytes = sizeof(struct engine_call),                        \
		.arena_max_bytes = 8u << 20, .deadline_ms = FLOW_FOREVER,                          \
	}

const struct flow_spec engine_transcribe_flow = ENGINE_FLOW("transcribe", receive_form);
const struct flow_spec engine_chat_flow = ENGINE_FLOW("chat", receive_chat);
const struct flow_spec engine_speech_flow = ENGINE_FLOW("speech", receive_speech);
