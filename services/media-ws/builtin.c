/*
 * builtin: a walk through a dialogue. What the caller presses or says leads to the next state; what it
 * says is put together on the way there, up to the next question or the end.
 */
#include "builtin.h"

#include "alloc.h"
#include "json_put.h"

#include <stdlib.h>

enum {
	DIALOGUE_ARENA_BYTES = 4 << 20,
	WALK_ARENA_BYTES = 256 * 1024,
	REPLY_BYTES = 8000, /* of call_turns */
	TOOL_ANSWER_BYTES = 64 * 1024,
};

static struct dialogue_state *state_of(const struct engine *engine)
{
	return &engine->dialogue->states[engine->state];
}

void builtin_fail(struct engine *engine, const char *words)
{
	if (engine->over)
		return;
	engine->over = true;
	bridge_failed(engine->bridge, "%s", words);
}

void builtin_turn_begin(struct engine *engine, int64_t ended_ms)
{
	engine->ended_ms = ended_ms;
	engine->filler_said = false;
	engine->asked_turn = (struct engine_turn){
		.heard_ms = -1,
		.recognise_ms = -1,
		.think_ms = -1,
		.speak_ms = -1,
		.total_ms = -1,
		.played_ms = -1,
	};
}

void builtin_interrupt(struct engine *engine)
{
	if (!bridge_speaking(engine->bridge))
		return;
	engine->turn.played_ms = bridge_hush(engine->bridge);
	engine->turn.interrupted = true;
	bridge_turn(engine->bridge, &engine->turn);
}

/* -- tools ------------------------------------------------------------------------------------------ */

static void tool_done(struct engine *engine, const char *id, bool well, struct str answer)
{
	if (!well)
		log_warn(bridge_log(engine->bridge), "%s: %.*s", id, STR_ARG(answer));
}

/* A text to the caller, or a note to the enterprise. The dialogue does not wait for it. */
static void run_tool(struct engine *engine, const struct dialogue_state *state)
{
	const char *tool = state->what == DIALOGUE_TEXT ? "text" : "message";
	struct json_writer writer;
	struct buf text, arguments;

	buf_init(&text, 4 * DIALOGUE_MAX_TEXT);
	dialogue_fill(&text, state->text.in[engine->language], str_from(engine->name),
		str_from(engine->number), false);
	buf_init(&arguments, 8 * DIALOGUE_MAX_TEXT);
	json_begin(&writer, &arguments);
	json_open_object(&writer);
	json_put_member_str(&writer, "text", buf_str(&text));
	json_close_object(&writer);
	bridge_tool(engine->bridge, tool, tool, buf_str(&arguments), tool_done);
	buf_free(&arguments);
	buf_free(&text);
}

/* -- walking ---------------------------------------------------------------------------------------- */

struct walk {
	struct arena *arena;
	struct builtin_script script;
};

static void walk_add(struct engine *engine, struct walk *walk, struct str text)
{
	struct buf spoken;

	if (text.size == 0 || walk->script.count == BUILTIN_MAX_TEXTS)
		return;
	buf_init(&spoken, 4 * DIALOGUE_MAX_TEXT);
	dialogue_fill(&spoken, text, str_from(engine->name), str_from(engine->number), true);
	walk->script.texts[walk->script.count++] =
		str_of(arena_strndup(walk->arena, spoken.data, spoken.size), spoken.size);
	if (engine->reply_text.size > 0)
		(void)buf_add_char(&engine->reply_text, ' ');
	(void)buf_add(&engine->reply_text, buf_str(&spoken));
	buf_free(&spoken);
}

static struct engine_outcome outcome_of(const struct dialogue_state *state)
{
	static const enum engine_end ends[] = {
		[DIALOGUE_TRANSFER] = ENGINE_TRANSFER,
		[DIALOGUE_MESSAGE] = ENGINE_MESSAGE,
		[DIALOGUE_MENU] = ENGINE_MENU,
		[DIALOGUE_GOODBYE] = ENGINE_HANGUP,
	};

	return (struct engine_outcome){
		.end = ends[state->what], .to = state->to, .reason = str_from(state->name)};
}

static void walk_on(struct engine *engine, struct walk *walk)
{
	for (unsigned i = 0; i <= DIALOGUE_MAX_CHAIN; i++) {
		const struct dialogue_state *state = state_of(engine);
		struct str known = state->say_known.in[engine->language];
		walk_add(engine, walk,
			engine->name[0] != '\0' && known.size > 0
				? known
				: state->say.in[engine->language]);
		if (state->what == DIALOGUE_TEXT || state->what == DIALOGUE_NOTE)
			run_tool(engine, state);
		if (dialogue_is_end(state)) {
			walk->script.ends = true;
			walk->script.outcome = outcome_of(state);
		}
		if (dialogue_is_end(state) || dialogue_asks(state))
			return;
		engine->state = state->next;
	}
}

/* Go to that state and say what there is to say, `lead` (may be NULL) before it. A turn of its own. */
static void enter(struct engine *engine, int state, const struct dialogue_text *lead)
{
	struct walk walk = {.arena = arena_new(WALK_ARENA_BYTES)};

	engine->state = state;
	engine->collected[0] = '\0';
	engine->quiet_ms = bridge_now_ms(engine->bridge);
	buf_clear(&engine->reply_text);
	if (lead != NULL)
		walk_add(engine, &walk, lead->in[engine->language]);
	walk_on(engine, &walk);
	engine->asked_turn.turn = engine->turn.turn + 1;
	engine->turn = engine->asked_turn;
	engine->turn.think_ms = 0; /* rules */
	engine->turn.user_text = str_from(engine->user_text);
	engine->turn.reply_text = buf_str(&engine->reply_text);
	bridge_turn(engine->bridge, &engine->turn);
	/* Told once: what comes later of this turn is numbers. */
	engine->turn.user_text = engine->turn.reply_text = engine->turn.error = STR("");
	builtin_say(engine, &walk.script);
	arena_free(&walk.arena);
}

static void go_on(struct engine *engine, int state)
{
	engine->tries = 0;
	builtin_interrupt(engine);
	enter(engine, state, NULL);
}

/* Nothing that leads on: again, and after some tries the way out. */
static void miss(struct engine *engine, const struct dialogue_text *lead)
{
	if (++engine->tries >= engine->dialogue->tries) {
		enter(engine, engine->dialogue->give_up, NULL);
		return;
	}
	enter(engine, engine->state, lead);
}

static void greet(struct engine *engine)
{
	engine->greet_ms = 0;
	enter(engine, engine->dialogue->start, NULL);
}

static bool is_number(const struct engine *engine, struct str text)
{
	return state_of(engine)->digits > 0 && text.size == state_of(engine)->digits &&
	       str_is_digits(text);
}

void builtin_answer(struct engine *engine, struct str text, int phrase)
{
	int next = phrase >= 0 ? dialogue_by_phrase(state_of(engine), (unsigned)phrase)
			       : DIALOGUE_NONE;

	if (engine->over || !dialogue_asks(state_of(engine)))
		return;
	(void)str_copy(engine->user_text, sizeof(engine->user_text), text);
	if (is_number(engine, text)) {
		(void)str_copy(engine->number, sizeof(engine->number), text);
		next = state_of(engine)->next;
	}
	if (next != DIALOGUE_NONE) {
		go_on(engine, next);
		return;
	}
	/* A noise while we speak is no reason to stop; a filler only waits for this. */
	if (!engine->filler_said && (bridge_speaking(engine->bridge) || engine->saying != NULL))
		bridge_heard_nothing(engine->bridge);
	else
		miss(engine, &engine->dialogue->sorry);
}

/* -- the driver ------------------------------------------------------------------------------------- */

static void hear(struct engine *engine, const uint8_t *mulaw, size_t bytes, int64_t at_ms)
{
	(void)at_ms; /* the samples themselves are the clock */
	if (!engine->over)
		builtin_hear(engine, mulaw, bytes);
}

static void press_number(struct engine *engine, char digit)
{
	size_t size = strlen(engine->collected);

	if (digit == '*') {
		engine->collected[0] = '\0';
		return;
	}
	if (digit == '#') {
		miss(engine, &engine->dialogue->sorry);
		return;
	}
	engine->collected[size] = digit;
	engine->collected[++size] = '\0';
	if (size < state_of(engine)->digits)
		return;
	(void)str_copy(engine->number, sizeof(engine->number), str_from(engine->collected));
	(void)str_copy(engine->user_text, sizeof(engine->user_text), str_from(engine->collected));
	go_on(engine, state_of(engine)->next);
}

/* A key interrupts whatever is said, and what was said before it by voice no longer counts. */
static void digit(struct engine *engine, char digit)
{
	if (engine->greet_ms > 0)
		greet(engine);
	builtin_hear_digit(engine);
	if (engine->over || !dialogue_asks(state_of(engine)))
		return;
	builtin_forget(engine);
	builtin_hush(engine);
	builtin_interrupt(engine);
	builtin_turn_begin(engine, bridge_now_ms(engine->bridge));
	if (state_of(engine)->digits > 0) {
		press_number(engine, digit);
		return;
	}
	(void)str_copy(engine->user_text, sizeof(engine->user_text), str_of(&digit, 1));
	int next = dialogue_by_digit(state_of(engine), digit);
	if (next != DIALOGUE_NONE)
		go_on(engine, next);
	else
		miss(engine, &engine->dialogue->sorry);
}

static void played(struct engine *engine, unsigned utterance, bool whole, int64_t played_ms)
{
	engine->quiet_ms = bridge_now_ms(engine->bridge);
	if (!whole || engine->utterance != utterance)
		return; /* builtin_interrupt() knew it at once; and a filler is no reply */
	engine->turn.played_ms = played_ms;
	bridge_turn(engine->bridge, &engine->turn);
}

static void say_filler(struct engine *engine)
{
	struct builtin_script script = {.count = 1, .filler = true};

	engine->filler_said = true;
	script.texts[0] = engine->dialogue->filler.in[engine->language];
	builtin_say(engine, &script);
}

static bool is_idle(const struct engine *engine)
{
	return engine->saying == NULL && engine->recognising == NULL &&
	       !vad_speaking(&engine->vad) && !bridge_speaking(engine->bridge);
}

static void tick(struct engine *engine)
{
	int64_t now_ms = bridge_now_ms(engine->bridge);

	if (engine->over)
		return;
	if (engine->greet_ms > 0) {
		if (now_ms >= engine->greet_ms)
			greet(engine);
		return;
	}
	if (engine->recognising != NULL && !engine->early && !engine->filler_said &&
		now_ms - engine->ended_ms >= BUILTIN_FILLER_MS && !bridge_speaking(engine->bridge))
		say_filler(engine);
	if (!is_idle(engine) || now_ms - engine->quiet_ms < engine->dialogue->wait_ms)
		return;
	builtin_turn_begin(engine, 0);
	engine->user_text[0] = '\0';
	miss(engine, engine->collected[0] != '\0' ? &engine->dialogue->sorry
						  : &engine->dialogue->silent);
}

static void close_engine(struct engine *engine)
{
	builtin_hush(engine);
	builtin_forget(engine);
	buf_free(&engine->heard);
	buf_free(&engine->asked);
	buf_free(&engine->reply_text);
	arena_free(&engine->arena);
	free(engine);
}

/* -- opening ---------------------------------------------------------------------------------------- */

static void name_known(struct engine *engine, const char *id, bool well, struct str answer)
{
	const struct json_limits limits = {TOOL_ANSWER_BYTES, 8};
	struct json *json = well ? json_parse(answer, limits, NULL) : NULL;

	(void)id;
	(void)str_copy(
		engine->name, sizeof(engine->name), str_trim(json_text(json_member(json, "name"))));
	json_free(&json);
	if (engine->greet_ms > 0)
		greet(engine);
}

/* Only a greeting that has a name in it waits for it. */
static bool wants_name(const struct engine *engine)
{
	int at = engine->dialogue->start;

	for (unsigned i = 0; i < DIALOGUE_MAX_CHAIN && at != DIALOGUE_NONE; i++) {
		const struct dialogue_state *state = &engine->dialogue->states[at];
		if (state->say_known.in[engine->language].size > 0)
			return engine->call->peer[0] != '\0';
		at = dialogue_asks(state) ? DIALOGUE_NONE : state->next;
	}
	return false;
}

static void begin(struct engine *engine)
{
	builtin_hear_init(engine);
	builtin_turn_begin(engine, 0);
	if (!wants_name(engine)) {
		greet(engine);
		return;
	}
	engine->greet_ms = bridge_now_ms(engine->bridge) + BUILTIN_LOOKUP_MS;
	bridge_tool(engine->bridge, "lookup", "lookup", STR("{}"), name_known);
}

static struct engine *open_engine(struct bridge *bridge, const struct engine_setup *setup,
	const struct engine_call *call, struct error *error)
{
	struct arena *arena = arena_new(DIALOGUE_ARENA_BYTES);
	const struct dialogue *dialogue = NULL;

	if (call->dialogue != NULL)
		dialogue = dialogue_read(call->dialogue, arena, error);
	else
		(void)error_set(error, ERROR_MISSING, "there is no dialogue for this number");
	if (dialogue == NULL) {
		(void)error_prefix(error, "builtin: ");
		arena_free(&arena);
		return NULL;
	}
	struct engine *engine = alloc_zeroed(1, sizeof(*engine));
	engine->bridge = bridge;
	engine->setup = setup;
	engine->call = call;
	engine->arena = arena;
	engine->dialogue = dialogue;
	engine->language = dialogue_language(dialogue, str_from(call->language));
	buf_init(&engine->reply_text, REPLY_BYTES);
	begin(engine);
	return engine;
}

extern const struct engine_driver builtin_engine;
const struct engine_driver builtin_engine = {
	.name = "builtin",
	.open = open_engine,
	.hear = hear,
	.digit = digit,
	.played = played,
	.close = close_engine,
	.tick = tick,
};
