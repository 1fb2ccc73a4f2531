/*
 * pipeline: the engine that asks three servers in turn (OpenAI-compatible: transcription, chat,
 * speech). This file listens: where an utterance begins and ends, interruptions, silence, keys.
 */
#include "pipeline.h"

#include "alloc.h"
#include "mulaw.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* -- life ------------------------------------------------------------------------------------------ */

static void engine_close(struct engine *engine)
{
	engine->over = true;
	if (engine->answering != NULL)
		flow_cancel(engine->answering);
	if (engine->preparing != NULL)
		flow_cancel(engine->preparing);
	history_free(&engine->history);
	said_free(&engine->said);
	buf_free(&engine->heard);
	buf_free(&engine->unanswered);
	buf_free(&engine->filler);
	buf_free(&engine->tool_answer);
	arena_free(&engine->arena);
	free(engine);
}

static void set_up(struct engine *engine)
{
	vad_init(&engine->vad, NULL);
	flow_queue_init(&engine->more);
	flow_queue_init(&engine->tool_done);
	buf_init(&engine->heard, (size_t)LISTEN_MS * MULAW_BYTES_MS);
	buf_init(&engine->unanswered, (size_t)LISTEN_MS * MULAW_BYTES_MS);
	buf_init(&engine->filler, (size_t)FILLER_MS * MULAW_BYTES_MS);
	buf_init(&engine->tool_answer, HISTORY_TEXT_BYTES);
	said_begin(&engine->said);
	if (engine->call->key[0] != '\0')
		engine->authorization = arena_printf(engine->arena, "Bearer %s", engine->call->key);
	engine->quiet_ms = bridge_now_ms(engine->bridge);
}

static struct engine *engine_open(struct bridge *bridge, const struct engine_setup *setup,
	const struct engine_call *call, struct error *error)
{
	struct engine *engine = alloc_zeroed(1, sizeof(*engine));

	engine->bridge = bridge;
	engine->setup = setup;
	engine->call = call;
	engine->arena = arena_new(256 * 1024);
	set_up(engine);
	if (!engine_options_read(call, engine->arena, &engine->options, error)) {
		engine_close(engine);
		return NULL;
	}
	if (engine->options.greeting.size > 0)
		pipeline_answer(engine, &(struct answer_wish){.phrase = engine->options.greeting});
	if (engine->options.filler.size > 0)
		engine->preparing = flow_start(
			bridge_loop(bridge), &pipeline_filler_flow, engine, bridge_log(bridge));
	return engine;
}

void pipeline_failed(struct engine *engine, const char *what, const struct error *error)
{
	if (engine->over)
		return;
	engine->over = true;
	bridge_failed(
		engine->bridge, "pipeline: %s: %s", what, error != NULL ? error->text : "it ended");
}

/* -- interruptions --------------------------------------------------------------------------------- */

/* What he did not hear was not said, as far as the model is told. */
static void remember_heard(struct engine *engine, int64_t played_ms)
{
	struct str heard;

	if (engine->filler_utterance != 0) /* that is what played */
		played_ms = 0;
	heard = said_heard(&engine->said, played_ms);
	if (engine->said.remembered)
		history_cut_last(&engine->history, heard);
	else
		history_add_assistant(&engine->history, heard);
	engine->said.remembered = true;
	if (!engine->audible)
		return;
	bridge_turn(engine->bridge, &(struct engine_turn){
					    .turn = engine->turn,
					    .reply_text = heard,
					    .heard_ms = -1,
					    .recognise_ms = -1,
					    .think_ms = -1,
					    .speak_ms = -1,
					    .total_ms = -1,
					    .played_ms = played_ms,
					    .interrupted = true,
				    });
}

/* The caller speaks while we speak or think: transfers end, sound is dropped. */
static void interrupt(struct engine *engine)
{
	if (engine->answering != NULL)
		flow_cancel(engine->answering);
	if (bridge_speaking(engine->bridge))
		remember_heard(engine, bridge_hush(engine->bridge));
	engine->filler_utterance = 0;
	engine->asked_ms = 0;
}

/* -- listening ------------------------------------------------------------------------------------- */

/* Of a pause only what may belong to the next utterance. */
static void forget_pause(struct engine *engine)
{
	const size_t keep = (size_t)PREROLL_MS * MULAW_BYTES_MS;

	if (engine->heard.size > keep)
		buf_consume(&engine->heard, engine->heard.size - keep);
}

static void append_bounded(struct buf *to, struct str bytes)
{
	if (to->size + bytes.size > to->max_bytes)
		buf_consume(to, to->size + bytes.size - to->max_bytes);
	(void)buf_add(to, bytes);
}

/* He may have gone on speaking before the first part was recognised: both are one utterance. */
static void utterance_over(struct engine *engine)
{
	struct answer_wish wish = {
		.sound = {.voice_ms = vad_utterance_ms(&engine->vad),
			.loudest = engine->vad.loudest},
	};

	if (!text_sound_is_speech(&wish.sound) || bridge_speaking(engine->bridge) ||
		engine->answering != NULL) { /* too soft, or too short to interrupt anybody */
		buf_clear(&engine->heard);
		return;
	}
	append_bounded(&engine->unanswered, buf_str(&engine->heard));
	buf_clear(&engine->heard);
	engine->reprompts = 0;
	bridge_heard(engine->bridge);
	wish.mulaw = buf_str(&engine->unanswered);
	pipeline_answer(engine, &wish);
}

static void hear_frame(struct engine *engine)
{
	int16_t samples[sizeof(engine->frame)];

	mulaw_decode_all(engine->frame, engine->frame_fill, samples);
	append_bounded(&engine->heard, str_of((const char *)engine->frame, engine->frame_fill));
	switch (vad_hear(&engine->vad, samples, engine->frame_fill)) {
	case VAD_BARGED:
		interrupt(engine);
		break;
	case VAD_ENDED:
	case VAD_CUT:
		utterance_over(engine);
		break;
	case VAD_STARTED:
	case VAD_DROPPED:
	case VAD_NONE:
		break;
	}
	if (!vad_speaking(&engine->vad))
		forget_pause(engine);
	engine->frame_fill = 0;
}

/* Frames may be of any size; the VAD wants 20 ms. */
static void engine_hear(struct engine *engine, const uint8_t *mulaw, size_t bytes, int64_t at_ms)
{
	while (bytes > 0 && !engine->over) {
		size_t room = sizeof(engine->frame) - engine->frame_fill;
		size_t size = bytes < room ? bytes : room;

		memcpy(engine->frame + engine->frame_fill, mulaw, size);
		engine->frame_fill += size;
		mulaw += size;
		bytes -= size;
		if (engine->frame_fill == sizeof(engine->frame))
			hear_frame(engine);
	}
}

/* 0 is a person, as in menus; other keys are told to the model. */
static void engine_digit(struct engine *engine, char digit)
{
	char words[48];

	if (engine->over)
		return;
	interrupt(engine);
	if (digit == '0') {
		engine->over = true;
		bridge_finish(engine->bridge, &(struct engine_outcome){.end = ENGINE_TRANSFER,
						      .reason = STR("the caller pressed 0")});
		return;
	}
	(void)snprintf(words, sizeof(words), "(I pressed the key %c.)", digit);
	engine->reprompts = 0;
	pipeline_answer(engine, &(struct answer_wish){.text = str_from(words)});
}

static void engine_played(struct engine *engine, unsigned utterance, bool whole, int64_t played_ms)
{
	if (utterance == engine->filler_utterance)
		engine->filler_utterance = 0;
	if (utterance != engine->said.utterance || !whole || engine->over)
		return;
	bridge_turn(engine->bridge, &(struct engine_turn){
					    .turn = engine->turn,
					    .heard_ms = -1,
					    .recognise_ms = -1,
					    .think_ms = -1,
					    .speak_ms = -1,
					    .total_ms = -1,
					    .played_ms = played_ms,
				    });
}

/* -- time ------------------------------------------------------------------------------------------ */

/* Words that say that somebody is there, while the answer takes long. */
static void say_filler(struct engine *engine)
{
	engine->filler_said = true;
	if (engine->preparing != NULL || engine->filler.size == 0)
		return;
	if (bridge_say(engine->bridge, (const uint8_t *)engine->filler.data, engine->filler.size))
		engine->filler_utterance = bridge_say_end(engine->bridge);
}

static void watch_answer(struct engine *engine, int64_t now)
{
	int64_t waited = now - engine->asked_ms;
	struct error error;

	if (engine->asked_ms == 0 || engine->audible)
		return;
	if (waited >= engine->options.filler_ms && !engine->filler_said)
		say_filler(engine);
	if (waited < ANSWER_MS)
		return;
	(void)error_set(&error, ERROR_UPSTREAM, "no answer within %d ms", ANSWER_MS);
	pipeline_failed(engine, "the answer", &error);
}

/* A caller who says nothing is asked twice, then we take our leave. */
static void watch_silence(struct engine *engine, int64_t now)
{
	if (engine->answering != NULL || vad_speaking(&engine->vad) ||
		bridge_speaking(engine->bridge)) {
		engine->quiet_ms = now;
		return;
	}
	if (now - engine->quiet_ms < engine->options.silence_ms)
		return;
	engine->quiet_ms = now;
	if (engine->reprompts++ < REPROMPTS && engine->options.reprompt.size > 0)
		pipeline_answer(engine, &(struct answer_wish){.phrase = engine->options.reprompt});
	else
		pipeline_answer(engine,
			&(struct answer_wish){.phrase = engine->options.goodbye, .hang_up = true});
}

static void engine_tick(struct engine *engine)
{
	int64_t now = bridge_now_ms(engine->bridge);

	if (engine->over)
		return;
	watch_answer(engine, now);
	watch_silence(engine, now);
}

const struct engine_driver pipeline_engine = {
	.name = "pipeline",
	.open = engine_open,
	.hear = engine_hear,
	.digit = engine_digit,
	.played = engine_played,
	.close = engine_close,
	.tick = engine_tick,
};
