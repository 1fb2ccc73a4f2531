/*
 * openai_realtime: the engine that is one model behind one WebSocket, which hears and speaks itself.
 *
 * Mu-law goes through untouched both ways. Where the caller speaks is the server's to find out; when he
 * does so while we speak, what is not played is dropped here and the server is told how much was heard.
 */
#include "openai_realtime.h"

#include "alloc.h"
#include "uri.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	CONNECT_MS = 4000,
	SESSION_MS = 3000,	     /* of an open socket, until the session is as we want it */
	EARLY_BYTES = 3000 * 8,	     /* heard before the session was there: 3 s */
	MAX_MESSAGE_BYTES = 1 << 20, /* half a minute of sound at once */
	MAX_OUT_BYTES = 64 * 1024,
	WORDS_BYTES = 2048,
};

void realtime_fail(struct engine *engine, const char *what, const char *words)
{
	if (engine->state == OVER)
		return;
	engine->state = OVER;
	bridge_failed(engine->bridge, "openai-realtime: %s%s%s", what, words[0] != '\0' ? ": " : "",
		words);
}

/* What was put into engine->out. */
void realtime_send(struct engine *engine)
{
	if (engine->state == OVER)
		return;
	/* Refused because it is closing: `closed` says why, soon. */
	if (!websocket_send(engine->socket, false, buf_str(&engine->out)) &&
		websocket_unsent_bytes(engine->socket) + engine->out.size > MAX_OUT_BYTES)
		realtime_fail(engine, "it does not take what we send", "");
	buf_clear(&engine->out);
}

struct engine_turn realtime_turn(const struct engine *engine)
{
	return (struct engine_turn){
		.turn = engine->turn,
		.heard_ms = -1,
		.recognise_ms = -1,
		.think_ms = -1,
		.speak_ms = -1,
		.total_ms = -1,
		.played_ms = -1,
	};
}

/* -- the session ----------------------------------------------------------------------------------- */

static void on_session_created(struct engine *engine, const struct realtime_message *message)
{
	if (engine->state != OPENED)
		return;
	engine->beta = message->beta;
	realtime_put_session(&engine->out, engine->beta, &engine->options, engine->call);
	realtime_send(engine);
}

/* The greeting in our words, not in the model's. */
static void greet(struct engine *engine)
{
	struct buf words;

	if (engine->options.greeting.size == 0)
		return;
	engine->turn++;
	buf_init(&words, WORDS_BYTES);
	(void)buf_printf(&words, "Greet the caller with exactly these words: %.*s",
		STR_ARG(engine->options.greeting));
	realtime_put_response(&engine->out, buf_str(&words));
	buf_free(&words);
	realtime_send(engine);
}

static void on_session_updated(struct engine *engine)
{
	if (engine->state != OPENED)
		return;
	engine->state = SESSION;
	greet(engine);
	if (engine->early.size > 0 && engine->state == SESSION) {
		realtime_put_audio(
			&engine->out, (const uint8_t *)engine->early.data, engine->early.size);
		realtime_send(engine);
	}
	buf_free(&engine->early);
}

/* -- the socket ------------------------------------------------------------------------------------ */

static void take(struct engine *engine, const struct realtime_message *message)
{
	if (message->event == REALTIME_SESSION_CREATED)
		on_session_created(engine, message);
	else if (message->event == REALTIME_SESSION_UPDATED)
		on_session_updated(engine);
	else
		realtime_talk(engine, message);
}

static void on_message(void *context, bool binary, struct str payload)
{
	struct engine *engine = context;
	struct realtime_message message;
	struct error error;

	if (engine->state == OVER)
		return;
	if (binary) {
		realtime_fail(engine, "it sends binary messages", "");
	} else if (!realtime_read(payload, &message, &error)) {
		realtime_fail(engine, "what it sends cannot be read", error.text);
	} else {
		take(engine, &message);
		realtime_message_free(&message);
	}
}

static void on_open(void *context)
{
	struct engine *engine = context;

	if (engine->state != CONNECTING)
		return;
	engine->state = OPENED;
	engine->since_ms = bridge_now_ms(engine->bridge);
}

static void on_closed(void *context, int code, const char *words)
{
	char what[48];

	(void)snprintf(what, sizeof(what), "the connection ended (%d)", code);
	realtime_fail(context, what, words != NULL ? words : "");
}

static const struct websocket_handler socket_handler = {
	.open = on_open,
	.message = on_message,
	.closed = on_closed,
};

static bool dial(struct engine *engine, const struct engine_setup *setup, struct error *error)
{
	struct websocket_target target = {
		.timeout_ms = CONNECT_MS, .deny_private = true, .allowed = setup->allowed};
	const struct websocket_options options = {
		.handler = &socket_handler,
		.context = engine,
		.max_message_bytes = MAX_MESSAGE_BYTES,
		.max_output_bytes = MAX_OUT_BYTES,
		.log = *bridge_log(engine->bridge),
	};
	struct buf url;

	buf_init(&url, 4096);
	engine_url(&url, engine->options.url, "/realtime?model=", true);
	uri_encode(&url, engine->options.realtime_model);
	target.url = url.data;
	if (engine->call->key[0] != '\0') {
		target.headers[0][0] = "Authorization";
		target.headers[0][1] = arena_printf(engine->arena, "Bearer %s", engine->call->key);
	}
	engine->socket = websocket_connect(setup->loop, &target, &options, error);
	buf_free(&url);
	return engine->socket != NULL;
}

/* -- life ------------------------------------------------------------------------------------------ */

static void engine_close(struct engine *engine)
{
	engine->state = OVER;
	websocket_free(&engine->socket);
	buf_free(&engine->out);
	buf_free(&engine->early);
	arena_free(&engine->arena);
	free(engine);
}

static struct engine *engine_open(struct bridge *bridge, const struct engine_setup *setup,
	const struct engine_call *call, struct error *error)
{
	struct engine *engine = alloc_zeroed(1, sizeof(*engine));

	engine->bridge = bridge;
	engine->call = call;
	engine->arena = arena_new(256 * 1024);
	engine->since_ms = bridge_now_ms(bridge);
	buf_init(&engine->out, MAX_OUT_BYTES);
	buf_init(&engine->early, EARLY_BYTES);
	if (!engine_options_read(call, engine->arena, &engine->options, error) ||
		!dial(engine, setup, error)) {
		engine_close(engine);
		return NULL;
	}
	return engine;
}

static void engine_hear(struct engine *engine, const uint8_t *mulaw, size_t bytes, int64_t at_ms)
{
	if (engine->state == SESSION) {
		realtime_put_audio(&engine->out, mulaw, bytes);
		realtime_send(engine);
	} else if (engine->state != OVER && bytes <= EARLY_BYTES) {
		if (engine->early.size + bytes > EARLY_BYTES)
			buf_consume(&engine->early, bytes);
		(void)buf_append(&engine->early, mulaw, bytes);
	}
}

static void engine_digit(struct engine *engine, char digit)
{
	char words[48];

	if (engine->state != SESSION || engine->finishes)
		return;
	if (digit == '0') {
		(void)bridge_hush(engine->bridge);
		engine->state = OVER;
		bridge_finish(engine->bridge, &(struct engine_outcome){.end = ENGINE_TRANSFER,
						      .reason = STR("the caller pressed 0")});
		return;
	}
	(void)snprintf(words, sizeof(words), "(I pressed the key %c.)", digit);
	realtime_put_user_text(&engine->out, str_from(words));
	realtime_send(engine);
	engine->results++; /* to be answered, as a tool's result is */
	realtime_answer_results(engine);
}

static void engine_played(struct engine *engine, unsigned utterance, bool whole, int64_t played_ms)
{
	struct engine_turn turn = realtime_turn(engine);

	if (engine->state == OVER || !whole || utterance != engine->utterance)
		return;
	turn.played_ms = played_ms;
	bridge_turn(engine->bridge, &turn);
}

static void engine_tick(struct engine *engine)
{
	int64_t waited = bridge_now_ms(engine->bridge) - engine->since_ms;

	if (engine->state == OPENED && waited > SESSION_MS)
		realtime_fail(engine, "no session", "");
	else if (engine->state == SESSION && engine->responding &&
		 waited > engine->options.patience_ms)
		realtime_fail(engine, "the answer stalls", "");
}

const struct engine_driver openai_realtime_engine = {
	.name = "openai-realtime",
	.open = engine_open,
	.hear = engine_hear,
	.digit = engine_digit,
	.played = engine_played,
	.close = engine_close,
	.tick = engine_tick,
};
