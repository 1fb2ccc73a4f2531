/*
 * openai_realtime_talk: what the server tells of the dialogue: the caller speaks, an answer comes, a
 * tool is to be used.
 */
#include "openai_realtime.h"

#include "alloc.h"
#include "crypto.h"
#include "engine_tools.h"
#include "mulaw.h"

#include <stdlib.h>

enum { MAX_DELTA_BYTES = 256 * 1024 /* mu-law in one message */ };

/* -- the caller ------------------------------------------------------------------------------------ */

/* What he did not hear the model must not believe to have said. */
static void interrupt(struct engine *engine)
{
	int64_t item_ms = engine->item_bytes / (MULAW_HZ / 1000);
	int64_t played_ms = bridge_hush(engine->bridge);
	struct engine_turn turn = realtime_turn(engine);

	if (played_ms > item_ms)
		played_ms = item_ms;
	engine->saying = false;
	engine->dropped = engine->responding;
	if (engine->item_id[0] != '\0') {
		realtime_put_truncate(&engine->out, str_from(engine->item_id), played_ms);
		realtime_send(engine);
	}
	turn.played_ms = played_ms;
	turn.interrupted = true;
	bridge_turn(engine->bridge, &turn);
}

static void on_speech_started(struct engine *engine, const struct realtime_message *message)
{
	engine->heard_from_ms = message->at_ms;
	if (bridge_speaking(engine->bridge) && !engine->finishes)
		interrupt(engine);
}

static void on_speech_stopped(struct engine *engine, const struct realtime_message *message)
{
	struct heard_item *item = &engine->items[engine->item_at++ % REALTIME_ITEMS];
	struct engine_turn turn;

	engine->turn++;
	item->turn = engine->turn;
	(void)str_copy(item->id, sizeof(item->id), message->item_id);
	engine->stopped_ms = bridge_now_ms(engine->bridge);
	turn = realtime_turn(engine);
	if (message->at_ms > engine->heard_from_ms)
		turn.heard_ms = message->at_ms - engine->heard_from_ms;
	bridge_turn(engine->bridge, &turn);
	bridge_heard(engine->bridge);
}

static void on_user_text(struct engine *engine, const struct realtime_message *message)
{
	struct engine_turn turn = realtime_turn(engine);

	for (unsigned i = 0; i < REALTIME_ITEMS; i++) {
		if (engine->items[i].id[0] != '\0' &&
			str_equal(str_from(engine->items[i].id), message->item_id))
			turn.turn = engine->items[i].turn;
	}
	turn.user_text = str_trim(message->text);
	bridge_turn(engine->bridge, &turn);
	if (engine->stopped_ms == 0) /* late: the answer was given already */
		bridge_heard_nothing(engine->bridge);
}

/* -- the answer ------------------------------------------------------------------------------------ */

static void on_response_created(struct engine *engine, const struct realtime_message *message)
{
	engine->responding = true;
	engine->audible = engine->dropped = false;
	engine->since_ms = bridge_now_ms(engine->bridge);
	engine->results = 0;
	engine->item_id[0] = '\0';
	engine->item_bytes = 0;
	(void)str_copy(engine->response_id, sizeof(engine->response_id), message->response_id);
}

static void note_audible(struct engine *engine)
{
	struct engine_turn turn = realtime_turn(engine);

	engine->audible = true;
	if (engine->stopped_ms == 0)
		return;
	turn.total_ms = bridge_now_ms(engine->bridge) - engine->stopped_ms;
	engine->stopped_ms = 0;
	bridge_turn(engine->bridge, &turn);
}

static void on_audio(struct engine *engine, const struct realtime_message *message)
{
	size_t room = message->audio.size / 4 * 3 + 3, size = 0;
	uint8_t *mulaw;

	engine->since_ms = bridge_now_ms(engine->bridge);
	if (engine->dropped || room > MAX_DELTA_BYTES)
		return;
	mulaw = alloc_zeroed(1, room);
	if (!crypto_base64_read(message->audio, mulaw, room, &size)) {
		realtime_fail(engine, "it sends sound that is no base64", "");
	} else if (size > 0) {
		if (!str_equal(message->item_id, str_from(engine->item_id)))
			engine->item_bytes = 0;
		(void)str_copy(engine->item_id, sizeof(engine->item_id), message->item_id);
		engine->item_bytes += (int64_t)size;
		if (!engine->audible)
			note_audible(engine);
		engine->saying |= bridge_say(engine->bridge, mulaw, size);
	}
	free(mulaw);
}

static void end_utterance(struct engine *engine)
{
	if (engine->saying)
		engine->utterance = bridge_say_end(engine->bridge);
	engine->saying = false;
}

static void on_reply_text(struct engine *engine, const struct realtime_message *message)
{
	struct engine_turn turn = realtime_turn(engine);

	if (engine->dropped)
		return;
	turn.reply_text = str_trim(message->text);
	bridge_turn(engine->bridge, &turn);
}

/* -- tools ----------------------------------------------------------------------------------------- */

static char *tool_place(struct engine *engine, struct str call_id)
{
	for (unsigned i = 0; i < REALTIME_TOOLS; i++) {
		if (str_equal(str_from(engine->tools[i]), call_id))
			return engine->tools[i];
	}
	return NULL;
}

/* The model goes on when it has all results, and is not speaking any more. */
void realtime_answer_results(struct engine *engine)
{
	for (unsigned i = 0; i < REALTIME_TOOLS; i++) {
		if (engine->tools[i][0] != '\0')
			return;
	}
	if (engine->results == 0 || engine->responding || engine->finishes)
		return;
	engine->results = 0;
	realtime_put_response(&engine->out, (struct str){0});
	realtime_send(engine);
}

static void tell_result(struct engine *engine, struct str call_id, struct str result)
{
	realtime_put_tool_result(&engine->out, call_id, result);
	realtime_send(engine);
	engine->results++;
	realtime_answer_results(engine);
}

static void on_tool_done(struct engine *engine, const char *id, bool well, struct str answer)
{
	char *place = tool_place(engine, str_from(id));
	struct str words = well ? STR("{\"done\":true}") : STR("{\"error\":\"it did not work\"}");

	if (engine->state != SESSION || place == NULL)
		return;
	place[0] = '\0';
	tell_result(engine, str_from(id), answer.size > 0 ? answer : words);
}

static void on_tool(struct engine *engine, const struct realtime_message *message)
{
	enum engine_tool tool = engine_tool_find(message->name);
	char *place;

	if (engine->dropped || engine->finishes)
		return;
	if (engine_tool_outcome(tool, message->arguments, engine->arena, &engine->outcome)) {
		engine->finishes = true; /* when this answer is over */
		return;
	}
	place = tool_place(engine, (struct str){0});
	if (place != NULL && message->call_id.size > 0 &&
		message->call_id.size < REALTIME_ID_BYTES) {
		(void)str_copy(place, REALTIME_ID_BYTES, message->call_id);
		if (tool != TOOL_UNKNOWN && engine_tool_run(engine->bridge, tool, place,
						    message->arguments, on_tool_done))
			return;
		place[0] = '\0';
	}
	tell_result(engine, message->call_id,
		STR("{\"error\":\"no such tool, or its arguments are no JSON object\"}"));
}

static void on_response_done(struct engine *engine, const struct realtime_message *message)
{
	char words[160];

	engine->responding = false;
	end_utterance(engine);
	if (engine->finishes) {
		engine->state = OVER;
		bridge_finish(engine->bridge, &engine->outcome);
	} else if (str_equal(message->status, STR("failed"))) {
		(void)str_copy(words, sizeof(words),
			message->words.size > 0 ? message->words : message->code);
		realtime_fail(engine, "the answer failed", words);
	} else {
		realtime_answer_results(engine);
	}
}

static void on_error(struct engine *engine, const struct realtime_message *message)
{
	char words[160];
	bool secret =
		str_equal(message->code, STR("invalid_api_key")); /* they repeat a part of it */

	(void)str_copy(words, sizeof(words), secret ? STR("invalid_api_key") : message->words);
	if (engine->state == SESSION && realtime_error_is_harmless(message->code))
		log_info(bridge_log(engine->bridge), "openai-realtime: %s", words);
	else
		realtime_fail(engine, "it reports an error", words);
}

void realtime_talk(struct engine *engine, const struct realtime_message *message)
{
	switch (message->event) {
	case REALTIME_SPEECH_STARTED:
		on_speech_started(engine, message);
		break;
	case REALTIME_SPEECH_STOPPED:
		on_speech_stopped(engine, message);
		break;
	case REALTIME_USER_TEXT:
		on_user_text(engine, message);
		break;
	case REALTIME_RESPONSE_CREATED:
		on_response_created(engine, message);
		break;
	case REALTIME_AUDIO:
		on_audio(engine, message);
		break;
	case REALTIME_AUDIO_DONE:
		end_utterance(engine);
		break;
	case REALTIME_REPLY_TEXT:
		on_reply_text(engine, message);
		break;
	case REALTIME_TOOL:
		on_tool(engine, message);
		break;
	case REALTIME_RESPONSE_DONE:
		on_response_done(engine, message);
		break;
	case REALTIME_ERROR:
		on_error(engine, message);
		break;
	case REALTIME_SESSION_CREATED:
	case REALTIME_SESSION_UPDATED:
	case REALTIME_OTHER:
		break;
	}
}
