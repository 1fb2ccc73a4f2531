/*
 * recognise_flow: POST /recognise: which of the things that may be said was said.
 *
 * Noise, silence and other words are no failure: "" with confidence 0. An energy gate goes first, for
 * a recogniser always finds something (P29). One utterance at a time; the others wait in a line.
 */
#include "speech.h"

#include "clock.h"
#include "crypto.h"
#include "grammar.h"
#include "json_put.h"
#include "mulaw.h"
#include "vad.h"

enum {
	HEAR_READ,
	HEAR_TURN,
	HEAR_ANSWER,
	HEAR_ANYTHING,
	HEAR_TELL,
	MAX_SAMPLES = SPEECH_MAX_AUDIO_MS * MULAW_HZ / 1000,
	MARGIN_MS = 300, /* of what surrounds the voice is kept */
	GATE_MS = 120,	 /* less voice than this is none */
	ARENA_BYTES = 2 << 20,
	HEAR_DEADLINE_MS = 20000,
};

struct hear {
	bool counted, holds_ear;
	struct grammar grammar;
	int16_t *samples; /* 8 kHz, then EAR_HZ */
	size_t count;
	struct ear_heard answer;
	double confidence;
	int64_t voice_ms; /* from its begin to its end, pauses included */
	int64_t began_us;
};

struct hear_order {
	struct str audio;
	struct grammar_order grammar;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct hear_order, audio, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD_AS(struct hear_order, grammar.phrases, "phrases", JSON_STRINGS, 0),
	JSON_FIELD_AS(struct hear_order, grammar.yes_no, "yes_no", JSON_BOOL, 0),
	JSON_FIELD_AS(struct hear_order, grammar.digits, "digits", JSON_INT64, 0),
	{0},
};

/* The part with somebody's voice in it, a little more at both ends; nothing when there is none. */
static void gate(struct hear *hear)
{
	const struct vad_options options = {.silence_ms = SPEECH_MAX_AUDIO_MS,
		.sharp_ms = SPEECH_MAX_AUDIO_MS,
		.most_ms = 2 * SPEECH_MAX_AUDIO_MS};
	const size_t a_ms = MULAW_HZ / 1000;
	struct vad vad;

	vad_init(&vad, &options);
	for (size_t at = 0; at + MULAW_FRAME_BYTES <= hear->count; at += MULAW_FRAME_BYTES)
		(void)vad_hear(&vad, hear->samples + at, MULAW_FRAME_BYTES);
	if (!vad_speaking(&vad) || vad.voice_ms < GATE_MS) {
		hear->count = 0;
		return;
	}
	int64_t from_ms = vad.begun_ms > MARGIN_MS ? vad.begun_ms - MARGIN_MS : 0;
	hear->voice_ms = vad.at_ms - vad.silent_ms - vad.begun_ms;
	int64_t to_ms = vad.at_ms - vad.silent_ms + MARGIN_MS;
	size_t from = (size_t)from_ms * a_ms, to = (size_t)to_ms * a_ms;
	hear->count = (to < hear->count ? to : hear->count) - from;
	hear->samples += from;
}

static bool read_audio(
	struct hear *hear, struct str base64, struct arena *arena, struct error *error)
{
	unsigned char *codes = arena_alloc(arena, MAX_SAMPLES);

	if (!crypto_base64_read(base64, codes, MAX_SAMPLES, &hear->count))
		return error_set(error, ERROR_INPUT, "audio: base64 of mu-law, at most %d s of it",
			SPEECH_MAX_AUDIO_MS / 1000);
	hear->samples = arena_array(arena, MAX_SAMPLES, sizeof(int16_t));
	mulaw_decode_all(codes, hear->count, hear->samples);
	gate(hear);
	return true;
}

/* Twice as many samples, by straight lines. A clean resampler leaves nothing above 4 kHz, where the model
 * of 16 kHz listens, too; the mirror images that lines leave there stand in for what a telephone cut
 * away, and answers are told from noise far better with them (docs/adr/0024). */
static void to_ear_rate(struct hear *hear, struct arena *arena)
{
	int16_t *samples = arena_array(arena, 2 * hear->count, sizeof(int16_t));
	int before = hear->samples[0];

	for (size_t i = 0; i < hear->count; i++) {
		int now = hear->samples[i];
		samples[2 * i] = (int16_t)((before + now) / 2);
		samples[2 * i + 1] = (int16_t)now;
		before = now;
	}
	hear->samples = samples;
	hear->count *= 2;
}

static bool read_order(struct flow *flow, struct hear *hear, struct error *error)
{
	const struct json_limits limits = {SPEECH_MAX_BODY_BYTES, 4};
	struct hear_order order = {0};
	struct json *json = json_parse(http_request(flow)->body, limits, error);
	bool ok = json != NULL && json_read(json, fields, &order, flow_arena(flow), error) &&
		  grammar_read(&order.grammar, flow_arena(flow), &hear->grammar, error) &&
		  read_audio(hear, order.audio, flow_arena(flow), error);

	json_free(&json);
	return ok;
}

static enum flow_status hear_read(struct flow *flow)
{
	struct hear *hear = flow_state(flow);
	struct speech *speech = flow_context(flow);
	struct error error;

	if (speech->listeners >= SPEECH_MAX_REQUESTS) {
		metric_add(speech->refused, 1);
		return flow_fail(
			flow, ERROR_BUSY, "%d utterances are waiting", SPEECH_MAX_REQUESTS);
	}
	hear->counted = true;
	speech->listeners++;
	hear->began_us = clock_monotonic_us();
	if (!read_order(flow, hear, &error))
		return flow_fail_error(flow, &error);
	if (hear->count > 0)
		to_ear_rate(hear, flow_arena(flow));
	return FLOW_NEXT;
}

static enum flow_status hear_turn(struct flow *flow)
{
	struct hear *hear = flow_state(flow);
	struct speech *speech = flow_context(flow);

	if (speech->listening) {
		(void)flow_goto(flow, HEAR_TURN);
		return await_queue(flow, &speech->waiting);
	}
	speech->listening = hear->holds_ear = true;
	return FLOW_NEXT;
}

/* The grammar is checked for silence, too: a wrong word is to be told at the first try. */
static enum flow_status hear_answer(struct flow *flow)
{
	struct hear *hear = flow_state(flow);
	struct speech *speech = flow_context(flow);
	struct error error;

	if (!ear_ask(speech->ear, &hear->grammar, &error))
		return flow_fail_error(flow, &error);
	if (hear->count == 0)
		return flow_goto(flow, HEAR_TELL);
	hear->answer = ear_hear(speech->ear, hear->samples, hear->count, false);
	if (!ear_plausible(&hear->answer, hear->voice_ms))
		return flow_goto(flow, HEAR_TELL);
	return await_turn(flow);
}

static enum flow_status hear_anything(struct flow *flow)
{
	struct hear *hear = flow_state(flow);
	struct speech *speech = flow_context(flow);

	struct ear_heard anything = ear_hear(speech->ear, hear->samples, hear->count, true);
	hear->confidence = ear_confidence(&hear->answer, &anything, hear->count);
	return FLOW_NEXT;
}

static enum flow_status reply(
	struct flow *flow, struct str text, int phrase, double confidence, int64_t took_ms)
{
	struct json_writer writer;
	struct buf answer;

	buf_init(&answer, 1024);
	json_begin(&writer, &answer);
	json_open_object(&writer);
	json_put_member_str(&writer, "text", text);
	json_put_name(&writer, "confidence");
	json_put_double(&writer, confidence);
	if (phrase >= 0)
		json_put_member_int(&writer, "phrase", phrase);
	json_put_member_int(&writer, "took_ms", took_ms);
	json_close_object(&writer);
	enum flow_status status = http_reply_json(flow, 200, &answer);
	buf_free(&answer);
	return status;
}

static enum flow_status hear_tell(struct flow *flow)
{
	struct hear *hear = flow_state(flow);
	struct speech *speech = flow_context(flow);
	double confidence = hear->confidence;
	double took = (double)(clock_monotonic_us() - hear->began_us) / 1e6;
	struct buf text;
	int phrase = -1;

	buf_init(&text, EAR_TEXT_BYTES);
	if (confidence * 100 < (double)speech->config->confidence ||
		!grammar_meaning(&hear->grammar, str_from(hear->answer.text), &text, &phrase)) {
		metric_add(speech->nothing, 1);
		buf_clear(&text);
		confidence = 0;
		phrase = -1;
	}
	metric_observe(speech->recognise_seconds, took);
	enum flow_status status =
		reply(flow, buf_str(&text), phrase, confidence, (int64_t)(took * 1000));
	buf_free(&text);
	return status;
}

static void hear_finally(struct flow *flow)
{
	const struct hear *hear = flow_state(flow);
	struct speech *speech = flow_context(flow);

	if (hear->counted)
		speech->listeners--;
	if (!hear->holds_ear)
		return;
	speech->listening = false;
	(void)flow_queue_wake(&speech->waiting, 1);
}

static const struct flow_step recognise_steps[] = {
	[HEAR_READ] = {"read", hear_read},
	[HEAR_TURN] = {"turn", hear_turn},
	[HEAR_ANSWER] = {"answer", hear_answer},
	[HEAR_ANYTHING] = {"anything", hear_anything},
	[HEAR_TELL] = {"tell", hear_tell},
	{NULL, NULL},
};

const struct flow_spec recognise_flow = {
	.name = "recognise",
	.steps = recognise_steps,
	.finally = hear_finally,
	.state_bytes = sizeof(struct hear),
	.arena_max_bytes = ARENA_BYTES,
	.deadline_ms = HEAR_DEADLINE_MS,
};
