/*
 * builtin_say: texts in a row become one utterance of ours: from memory, or spoken by `speech`, one
 * after the other while the first is played already.
 */
#include "builtin.h"

#include "json_put.h"

enum {
	NEXT,
	TAKE,
	AGAIN,
	SPEAK_MS = 3000,
	SPEAK_TRIES = 3, /* `speech` may be starting anew */
	SPEAK_AGAIN_MS = 400,
	AUDIO_BYTES = 960 * 1024, /* two minutes: a text is shorter */
	ARENA_BYTES = 4 << 20,
};

struct saying {
	struct builtin_script script;
	unsigned at, tries;
	struct http_call call;
	struct http_answer answer;
	int64_t asked_ms;
};

static const char *language_of(const struct engine *engine)
{
	return dialogue_language_code(engine->language);
}

/* The first sound of an answer: what the caller waited for. */
static void note_first_sound(struct engine *engine, const struct saying *saying)
{
	int64_t now_ms = bridge_now_ms(engine->bridge);

	if (engine->ended_ms == 0 || saying->script.filler)
		return;
	engine->turn.speak_ms = saying->asked_ms > 0 ? now_ms - saying->asked_ms : 0;
	engine->turn.total_ms = now_ms - engine->ended_ms;
	engine->ended_ms = 0;
	bridge_turn(engine->bridge, &engine->turn);
}

static bool say_audio(struct flow *flow, struct str audio)
{
	struct saying *saying = flow_state(flow);
	struct engine *engine = flow_context(flow);

	if (!bridge_say(engine->bridge, (const uint8_t *)audio.data, audio.size)) {
		builtin_fail(engine, "more is said than a caller can hear");
		return false;
	}
	note_first_sound(engine, saying);
	saying->at++;
	saying->tries = 0;
	return true;
}

static enum flow_status say_over(struct flow *flow)
{
	const struct saying *saying = flow_state(flow);
	struct engine *engine = flow_context(flow);

	engine->utterance = bridge_say_end(engine->bridge);
	engine->saying = NULL; /* this flow ends here, and nobody cancels it any more */
	if (saying->script.ends) {
		engine->over = true;
		bridge_finish(engine->bridge, &saying->script.outcome);
	}
	return FLOW_END;
}

static struct str write_order(const struct engine *engine, struct str text, struct arena *arena)
{
	struct json_writer writer;
	struct buf body;

	buf_init(&body, 8 * DIALOGUE_MAX_TEXT + 1024);
	json_begin(&writer, &body);
	json_open_object(&writer);
	json_put_member_str(&writer, "text", text);
	json_put_member_str(&writer, "language", str_from(language_of(engine)));
	json_close_object(&writer);
	struct str order = str_of(arena_strndup(arena, body.data, body.size), body.size);
	buf_free(&body);
	return order;
}

static enum flow_status say_next(struct flow *flow)
{
	struct saying *saying = flow_state(flow);
	struct engine *engine = flow_context(flow);

	while (saying->at < saying->script.count) {
		struct str text = saying->script.texts[saying->at];
		struct str audio = prompts_get(engine->setup->prompts, language_of(engine), text);
		if (audio.size == 0)
			break;
		if (!say_audio(flow, audio))
			return FLOW_END;
	}
	if (saying->at == saying->script.count)
		return say_over(flow);
	saying->asked_ms = bridge_now_ms(engine->bridge);
	saying->call = (struct http_call){
		.method = "POST",
		.url = arena_printf(flow_arena(flow), "%s/speak", engine->setup->speech_url),
		.content_type = "application/json",
		.headers = {{"Accept", "audio/basic"}},
		.body = write_order(engine, saying->script.texts[saying->at], flow_arena(flow)),
		.timeout_ms = SPEAK_MS,
		.max_answer_bytes = AUDIO_BYTES,
	};
	return await_http(flow, engine->setup->http, &saying->call, &saying->answer);
}

static enum flow_status say_take(struct flow *flow)
{
	struct saying *saying = flow_state(flow);
	struct engine *engine = flow_context(flow);
	const struct http_answer *answer = &saying->answer;
	struct str text = saying->script.texts[saying->at];

	if (answer->reach == HTTP_ANSWERED && answer->status == 200 && answer->body.size > 0) {
		prompts_put(engine->setup->prompts, language_of(engine), text, answer->body);
		return say_audio(flow, answer->body) ? flow_goto(flow, NEXT) : FLOW_END;
	}
	log_warn(flow_log(flow), "speech: %d %s", answer->status,
		answer->reach == HTTP_ANSWERED ? "is no audio" : answer->error.text);
	if (++saying->tries == SPEAK_TRIES) {
		builtin_fail(engine, "speech does not speak");
		return FLOW_END;
	}
	return await_sleep(flow, SPEAK_AGAIN_MS);
}

static enum flow_status say_again(struct flow *flow)
{
	return flow_goto(flow, NEXT);
}

/* Also when its deadline has passed: then nobody else would notice. */
static void say_finally(struct flow *flow)
{
	struct engine *engine = flow_context(flow);

	if (engine->saying != flow)
		return;
	engine->saying = NULL;
	builtin_fail(engine, flow_error(flow) != NULL ? flow_error(flow)->text : "nothing is said");
}

static const struct flow_step say_steps[] = {
	[NEXT] = {"next", say_next},
	[TAKE] = {"take", say_take},
	[AGAIN] = {"again", say_again},
	{NULL, NULL},
};
static const struct flow_spec say_flow = {
	.name = "builtin-say",
	.steps = say_steps,
	.finally = say_finally,
	.state_bytes = sizeof(struct saying),
	.arena_max_bytes = ARENA_BYTES,
	.deadline_ms = 30000,
};

void builtin_hush(struct engine *engine)
{
	struct flow *flow = engine->saying;

	engine->saying = NULL; /* first: say_finally() asks */
	if (flow != NULL)
		flow_cancel(flow);
}

static struct str copy(struct flow *flow, struct str text)
{
	return str_of(
		arena_strndup(flow_arena(flow), text.data != NULL ? text.data : "", text.size),
		text.size);
}

void builtin_say(struct engine *engine, const struct builtin_script *script)
{
	builtin_hush(engine);
	engine->saying = flow_start(
		bridge_loop(engine->bridge), &say_flow, engine, bridge_log(engine->bridge));
	struct saying *saying = flow_state(engine->saying);
	saying->script = *script;
	for (unsigned i = 0; i < script->count; i++)
		saying->script.texts[i] = copy(engine->saying, script->texts[i]);
	saying->script.outcome.to = copy(engine->saying, script->outcome.to);
	saying->script.outcome.reason = copy(engine->saying, script->outcome.reason);
	engine->utterance = 0;
}
