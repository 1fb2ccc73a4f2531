/*
 * voice_menu: a key was pressed, or none in time. All that matters is in the URL that we gave, so the same
 * webhook again gives the same answer.
 */
#include "voice.h"

struct voice_menu {
	struct voice voice;
	struct str path;
	int64_t try;
	char digit; /* 0: none in time */
};

static const struct menu_key *key_of(const struct voice_menu *state)
{
	const struct menu_node *node =
		state->voice.menu != NULL ? menu_at(state->voice.menu, state->path) : NULL;

	return node != NULL && state->digit != '\0' ? menu_key(node, state->digit) : NULL;
}

static void read_asked(struct flow *flow, struct voice_menu *state)
{
	struct str digits = voice_field(&state->voice, "Digits");

	state->path = voice_query(flow, "path");
	if (state->path.size >= MENU_PATH_BYTES)
		state->path = STR("");
	if (!str_to_int64(voice_query(flow, "try"), &state->try) || state->try < 1)
		state->try = 1;
	state->digit = digits.size > 0 ? digits.data[0] : '\0';
}

static const char *operator_of(struct flow *flow, const struct voice_menu *state)
{
	return voice_operator(flow, &state->voice, str_from(key_of(state)->to));
}

static enum flow_status move(struct flow *flow, struct voice_menu *state)
{
	struct voice *voice = &state->voice;
	const struct menu_key *key = key_of(state);
	const char *operator;

	switch (key != NULL ? key->does : MENU_INFO) {
	case MENU_VOICEMAIL:
		return await_voice_move(flow, voice, VOICE_VOICEMAIL, "");
	case MENU_OPERATOR:
		operator= operator_of(flow, state);
		return await_voice_move(flow, voice,
			operator!= NULL ? VOICE_OPERATOR : VOICE_VOICEMAIL,
			operator!= NULL ? operator: "");
	case MENU_AGENT:
		voice->engine = arena_strdup(flow_arena(flow),
			key->engine[0] != '\0' ? key->engine : voice->number->engine);
		voice->dialogue = arena_strdup(flow_arena(flow),
			key->dialogue[0] != '\0' ? key->dialogue : voice->number->dialogue);
		return await_voice_move(flow, voice, VOICE_STREAM, "agent");
	case MENU_LANGUAGE:
		voice->language = key->language;
		return await_voice_move(flow, voice, VOICE_MENU, "");
	default:
		return await_voice_move(flow, voice, VOICE_MENU, "");
	}
}

static enum flow_status menu_store(struct flow *flow)
{
	struct voice_menu *state = flow_state(flow);
	enum flow_status status;

	if (!voice_begin(flow, &state->voice, &status))
		return status;
	read_asked(flow, state);
	return move(flow, state);
}

/* -- the answer ------------------------------------------------------------------------------------------- */

static void put_operator(struct flow *flow, struct voice_menu *state)
{
	const char *operator= operator_of(flow, state);

	if (operator!= NULL) {
		voice_put_dial(flow, &state->voice, operator);
		return;
	}
	voice_phrase(flow, &state->voice, MENU_PHRASE_BUSY);
	voice_put_record(flow, &state->voice, MENU_PHRASE_VOICEMAIL);
}

static void put_submenu(struct flow *flow, struct voice_menu *state)
{
	const char *path =
		arena_printf(flow_arena(flow), "%.*s%c", STR_ARG(state->path), state->digit);

	voice_put_menu(flow, &state->voice, str_from(path), 1);
}

/* media-ws reads the call in PostgreSQL: while that is away an agent could not come. */
static void put_agent(struct flow *flow, struct voice_menu *state)
{
	if (state->voice.store.batch != NULL)
		voice_put_stream(flow, &state->voice, true);
	else
		voice_put_record(flow, &state->voice, MENU_PHRASE_FAILED);
}

static void put_key(struct flow *flow, struct voice_menu *state, const struct menu_key *key)
{
	struct voice *voice = &state->voice;

	voice_say(flow, voice, &key->text);
	switch (key->does) {
	case MENU_VOICEMAIL:
		voice_put_record(flow, voice, MENU_PHRASE_VOICEMAIL);
		break;
	case MENU_OPERATOR:
		put_operator(flow, state);
		break;
	case MENU_AGENT:
		put_agent(flow, state);
		break;
	case MENU_SUBMENU:
		put_submenu(flow, state);
		break;
	case MENU_LANGUAGE:
		voice_put_menu(flow, voice, STR(""), 1);
		break;
	default:
		voice_put_menu(flow, voice, state->path, state->try);
		break;
	}
}

static enum flow_status menu_answer(struct flow *flow)
{
	struct voice_menu *state = flow_state(flow);
	struct voice *voice = &state->voice;
	const struct menu_key *key;

	voice_answer(flow, voice);
	key = key_of(state);
	if (voice->menu == NULL) {
		voice_put_goodbye(flow, voice);
	} else if (key != NULL) {
		put_key(flow, state, key);
	} else if (state->digit != '\0') {
		voice_phrase(flow, voice, MENU_PHRASE_INVALID);
		voice_put_menu(flow, voice, state->path, state->try + 1);
	} else {
		voice_put_menu(flow, voice, state->path, state->try);
	}
	return voice_send(flow, voice);
}

static const struct flow_step menu_steps[] = {
	{"store", menu_store},
	{"answer", menu_answer},
	{NULL, NULL},
};

const struct flow_spec voice_menu_flow = {
	.name = "voice-menu",
	.steps = menu_steps,
	.finally = voice_finally,
	.state_bytes = sizeof(struct voice_menu),
	.arena_max_bytes = VOICE_ARENA_BYTES,
	.deadline_ms = VOICE_DEADLINE_MS,
};
