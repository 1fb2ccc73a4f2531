/*
 * builtin_hear: utterances out of frames, and what `speech` makes of them.
 *
 * It never goes deaf: the caller is heard while we speak and while we think. What he says while an
 * earlier utterance is being recognised takes its place. In the silence that may be the end of an
 * utterance it is recognised already, so that its answer is there when the silence was long enough.
 */
#include "builtin.h"

#include "crypto.h"
#include "json_put.h"
#include "mulaw.h"

enum {
	ASK,
	TAKE,
	BYTES_A_MS = 8,
	PREROLL_BYTES = (BUILTIN_PREROLL_MS + 80) * BYTES_A_MS, /* 80: until it was noticed */
	HEARD_BYTES = PREROLL_BYTES + (BUILTIN_LONGEST_MS + 200) * BYTES_A_MS,
	EARLY_MS = 120,	     /* of silence: less than ends an utterance */
	RECOGNISE_MS = 6000, /* less than BRIDGE_THINK_MS: a "sorry" still comes in time */
	ANSWER_BYTES = 4096,
};

struct recognising {
	struct http_call call;
	struct http_answer answer;
};

struct recognised {
	struct str text;
	int64_t phrase, took_ms;
};
static const struct json_field fields[] = {
	JSON_FIELD(struct recognised, text, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct recognised, phrase, JSON_INT64, 0),
	JSON_FIELD(struct recognised, took_ms, JSON_INT64, 0),
	{0},
};

static void write_grammar(const struct dialogue_state *state, struct json_writer *writer)
{
	if (state->digits > 0) {
		json_put_member_int(writer, "digits", state->digits);
		return;
	}
	json_put_name(writer, "phrases");
	json_open_array(writer);
	for (unsigned i = 0; i < state->choice_count; i++)
		for (size_t j = 0; j < state->choices[i].phrases.count; j++)
			json_put_str(writer, state->choices[i].phrases.items[j]);
	json_close_array(writer);
}

static struct str write_question(struct engine *engine, struct arena *arena)
{
	size_t size = CRYPTO_BASE64_TEXT(engine->asked.size);
	char *audio = arena_alloc(arena, size);
	struct json_writer writer;
	struct buf body;

	crypto_base64(engine->asked.data, engine->asked.size, audio);
	buf_init(&body, size + 8192);
	json_begin(&writer, &body);
	json_open_object(&writer);
	json_put_member_str(&writer, "audio", str_of(audio, size - 1));
	write_grammar(&engine->dialogue->states[engine->state], &writer);
	json_close_object(&writer);
	struct str text = str_of(arena_strndup(arena, body.data, body.size), body.size);
	buf_free(&body);
	return text;
}

static enum flow_status recognise_ask(struct flow *flow)
{
	struct recognising *recognising = flow_state(flow);
	struct engine *engine = flow_context(flow);

	recognising->call = (struct http_call){
		.method = "POST",
		.url = arena_printf(flow_arena(flow), "%s/recognise", engine->setup->speech_url),
		.content_type = "application/json",
		.body = write_question(engine, flow_arena(flow)),
		.timeout_ms = RECOGNISE_MS,
		.max_answer_bytes = ANSWER_BYTES,
	};
	return await_http(flow, engine->setup->http, &recognising->call, &recognising->answer);
}

static bool read_answer(struct flow *flow, struct recognised *recognised, struct error *error)
{
	const struct recognising *recognising = flow_state(flow);
	const struct http_answer *answer = &recognising->answer;
	const struct json_limits limits = {ANSWER_BYTES, 4};

	if (answer->reach != HTTP_ANSWERED)
		return error_set(error, ERROR_UPSTREAM, "speech: %s", answer->error.text);
	if (answer->status != 200)
		return error_set(error, ERROR_UPSTREAM, "speech: %d %.*s", answer->status,
			STR_ARG(answer->body));
	struct json *json = json_parse(answer->body, limits, error);
	bool ok = json != NULL && json_read(json, fields, recognised, flow_arena(flow), error);
	json_free(&json);
	return ok;
}

/* What was recognised counts: the utterance is over. */
static void answer(struct engine *engine)
{
	engine->early = engine->early_known = false;
	engine->asked_turn.recognise_ms = bridge_now_ms(engine->bridge) - engine->ended_ms;
	builtin_answer(engine, str_from(engine->early_text), engine->early_phrase);
}

static enum flow_status recognise_take(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct recognised recognised = {.phrase = -1};
	struct error error;

	if (!read_answer(flow, &recognised, &error)) {
		log_warn(flow_log(flow), "nothing is recognised: %s", error.text);
		engine->asked_turn.error = STR("not recognised: speech failed");
	}
	engine->recognising = NULL; /* this flow ends here, and nobody cancels it any more */
	engine->early_known = true;
	engine->early_phrase = (int)recognised.phrase;
	(void)str_copy(engine->early_text, sizeof(engine->early_text), recognised.text);
	if (!engine->early)
		answer(engine);
	return FLOW_END;
}

static const struct flow_step recognise_steps[] = {
	[ASK] = {"ask", recognise_ask},
	[TAKE] = {"take", recognise_take},
	{NULL, NULL},
};
static const struct flow_spec recognise_flow = {
	.name = "builtin-recognise",
	.steps = recognise_steps,
	.state_bytes = sizeof(struct recognising),
	.deadline_ms = 2 * RECOGNISE_MS,
};

void builtin_forget(struct engine *engine)
{
	struct flow *flow = engine->recognising;

	engine->recognising = NULL;
	engine->early = engine->early_known = false;
	if (flow != NULL)
		flow_cancel(flow);
}

static void recognise(struct engine *engine)
{
	builtin_forget(engine);
	buf_clear(&engine->asked);
	(void)buf_add(&engine->asked, buf_str(&engine->heard));
	engine->recognising = flow_start(
		bridge_loop(engine->bridge), &recognise_flow, engine, bridge_log(engine->bridge));
}

void builtin_hear_init(struct engine *engine)
{
	const struct vad_options options = {.most_ms = BUILTIN_LONGEST_MS};

	vad_init(&engine->vad, &options);
	buf_init(&engine->heard, HEARD_BYTES);
	buf_init(&engine->asked, HEARD_BYTES);
}

static bool listens(const struct engine *engine)
{
	return !engine->over && engine->greet_ms == 0 &&
	       dialogue_listens(&engine->dialogue->states[engine->state], engine->language);
}

/* The moment that counts is the last sound, not that at which the silence was long enough. */
static void utterance_over(struct engine *engine)
{
	int64_t ended_ms = bridge_now_ms(engine->bridge) - engine->vad.silent_ms;
	bool ours = engine->void_utterance;

	engine->void_utterance = false;
	engine->quiet_ms = bridge_now_ms(engine->bridge);
	if (ours || engine->over)
		return;
	/* What nobody can understand interrupts nobody; but who is asked and answers in words gets to
	 * know that only keys count. */
	if (!listens(engine)) {
		if (bridge_speaking(engine->bridge) || engine->saying != NULL)
			return;
		builtin_turn_begin(engine, ended_ms);
		builtin_answer(engine, STR(""), DIALOGUE_NONE);
		return;
	}
	bridge_heard(engine->bridge);
	builtin_turn_begin(engine, ended_ms);
	engine->asked_turn.heard_ms = vad_utterance_ms(&engine->vad);
	if (!engine->early)
		recognise(engine);
	engine->early = false;
	if (engine->early_known)
		answer(engine);
}

/* Is this the end? If so, the answer is under way; if not, it is asked again at the next silence. */
static void listen_ahead(struct engine *engine)
{
	const struct vad *vad = &engine->vad;

	if (!vad_speaking(vad) || engine->void_utterance || !listens(engine))
		return;
	if (engine->early && vad->silent_ms == 0)
		builtin_forget(engine);
	if (engine->early || engine->recognising != NULL || vad->silent_ms < EARLY_MS ||
		vad->voice_ms < vad->options.least_ms)
		return;
	recognise(engine);
	engine->early = true;
}

static void take_frame(struct engine *engine)
{
	int16_t samples[sizeof(engine->frame)];

	mulaw_decode_all(engine->frame, sizeof(engine->frame), samples);
	enum vad_event event = vad_hear(&engine->vad, samples, sizeof(engine->frame));
	(void)buf_append(&engine->heard, engine->frame, sizeof(engine->frame));
	if (event == VAD_BARGED && listens(engine) && !engine->void_utterance)
		builtin_interrupt(engine);
	if (event == VAD_ENDED || event == VAD_CUT)
		utterance_over(engine);
	if (event == VAD_DROPPED)
		engine->void_utterance = false;
	listen_ahead(engine);
	if (!vad_speaking(&engine->vad) && engine->heard.size > PREROLL_BYTES)
		buf_consume(&engine->heard, engine->heard.size - PREROLL_BYTES);
}

void builtin_hear(struct engine *engine, const uint8_t *mulaw, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		engine->frame[engine->frame_fill++] = mulaw[i];
		if (engine->frame_fill < sizeof(engine->frame))
			continue;
		engine->frame_fill = 0;
		take_frame(engine);
	}
}

void builtin_hear_digit(struct engine *engine)
{
	engine->void_utterance = vad_speaking(&engine->vad);
	engine->quiet_ms = bridge_now_ms(engine->bridge);
}
