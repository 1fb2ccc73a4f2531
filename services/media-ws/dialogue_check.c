/*
 * dialogue_check: does a dialogue lead anywhere, and does everybody get there? And the small questions
 * that are asked of a state while somebody talks.
 */
#include "dialogue_private.h"

bool dialogue_is_end(const struct dialogue_state *state)
{
	return state->what >= DIALOGUE_TRANSFER;
}

bool dialogue_asks(const struct dialogue_state *state)
{
	return state->choice_count > 0 || state->digits > 0;
}

bool dialogue_listens(const struct dialogue_state *state, enum dialogue_language language)
{
	if (language != DIALOGUE_EN)
		return false;
	for (unsigned i = 0; i < state->choice_count; i++)
		if (state->choices[i].phrases.count > 0)
			return true;
	return state->digits > 0;
}

int dialogue_by_digit(const struct dialogue_state *state, char digit)
{
	for (unsigned i = 0; i < state->choice_count; i++)
		if (state->choices[i].digit == digit)
			return state->choices[i].next;
	return DIALOGUE_NONE;
}

int dialogue_by_phrase(const struct dialogue_state *state, unsigned phrase)
{
	for (unsigned i = 0; i < state->choice_count; i++) {
		if (phrase < state->choices[i].phrases.count)
			return state->choices[i].next;
		phrase -= (unsigned)state->choices[i].phrases.count;
	}
	return DIALOGUE_NONE;
}

static void fill_number(struct buf *to, struct str number, bool spoken)
{
	for (size_t i = 0; i < number.size; i++) {
		if (spoken && i > 0)
			(void)buf_add_char(to, ' ');
		(void)buf_add_char(to, number.data[i]);
	}
}

void dialogue_fill(struct buf *to, struct str text, struct str name, struct str number, bool spoken)
{
	while (text.size > 0) {
		size_t size = 1;
		if (str_starts(text, STR("{name}"))) {
			(void)buf_add(to, name);
			size = sizeof("{name}") - 1;
		} else if (str_starts(text, STR("{number}"))) {
			fill_number(to, number, spoken);
			size = sizeof("{number}") - 1;
		} else {
			(void)buf_add_char(to, text.data[0]);
		}
		text = str_of(text.data + size, text.size - size);
	}
}

/* -- one state -------------------------------------------------------------------------------------- */

static bool has_text(const struct dialogue_text *text)
{
	for (unsigned i = 0; i < DIALOGUE_LANGUAGES; i++)
		if (text->in[i].size > 0)
			return true;
	return false;
}

static bool check_shape(const struct dialogue_state *state, struct error *error)
{
	bool tells = state->what == DIALOGUE_TEXT || state->what == DIALOGUE_NOTE;
	bool next = state->next != DIALOGUE_NONE && state->digits == 0;
	unsigned ways = (state->choice_count > 0) + (state->digits > 0) + next;

	if (dialogue_is_end(state) && ways > 0)
		return error_set(error, ERROR_INPUT, "do: this ends it, so nothing can follow");
	if (tells && !next)
		return error_set(error, ERROR_INPUT, "next: missing");
	if (!dialogue_is_end(state) && ways != 1)
		return error_set(error, ERROR_INPUT,
			"exactly one of expect, number and next is needed, or an end in do");
	if (tells != has_text(&state->text))
		return error_set(error, ERROR_INPUT, "text: goes with do text and do note");
	if (state->to.size > 0 && state->what != DIALOGUE_TRANSFER)
		return error_set(error, ERROR_INPUT, "to: goes with do transfer");
	return true;
}

static bool phrase_repeated(const struct dialogue_state *state, unsigned choice, size_t phrase)
{
	struct str said = state->choices[choice].phrases.items[phrase];

	for (unsigned i = 0; i <= choice; i++) {
		const struct json_strings *phrases = &state->choices[i].phrases;
		for (size_t j = 0; j < phrases->count && !(i == choice && j == phrase); j++)
			if (str_equal(phrases->items[j], said))
				return true;
	}
	return false;
}

static bool check_phrases_once(
	const struct dialogue_state *state, unsigned choice, struct error *error)
{
	for (size_t i = 0; i < state->choices[choice].phrases.count; i++)
		if (phrase_repeated(state, choice, i))
			return error_set(error, ERROR_INPUT,
				"expect[%u].phrases.en[%zu]: it is there already", choice, i);
	return true;
}

/* Who speaks a language that is not heard has the digits alone. */
static bool check_choices(
	const struct dialogue *dialogue, const struct dialogue_state *state, struct error *error)
{
	bool deaf = dialogue->speaks[DIALOGUE_FR] || dialogue->speaks[DIALOGUE_HE] ||
		    dialogue->speaks[DIALOGUE_RU];
	size_t phrases = 0;

	for (unsigned i = 0; i < state->choice_count; i++) {
		char digit = state->choices[i].digit;
		if (digit == '\0' && deaf)
			return error_set(error, ERROR_INPUT,
				"expect[%u].digit: missing: only English is heard", i);
		for (unsigned j = 0; j < i && digit != '\0'; j++)
			if (state->choices[j].digit == digit)
				return error_set(error, ERROR_INPUT,
					"expect[%u].digit: it is there already", i);
		if (!check_phrases_once(state, i, error))
			return false;
		phrases += state->choices[i].phrases.count;
	}
	return phrases <= DIALOGUE_MAX_PHRASES ||
	       error_set(error, ERROR_INPUT, "expect: more than %d phrases", DIALOGUE_MAX_PHRASES);
}

/* -- all of them ------------------------------------------------------------------------------------ */

/* States that only say something, one behind the other, come to an end. */
static bool check_chain(const struct dialogue *dialogue, int from, struct error *error)
{
	int at = from;

	for (unsigned i = 0; i < DIALOGUE_MAX_CHAIN; i++) {
		const struct dialogue_state *state = &dialogue->states[at];
		if (dialogue_asks(state) || dialogue_is_end(state))
			return true;
		at = state->next;
	}
	return error_set(error, ERROR_INPUT,
		"next: more than %d states behind it without a question: a circle?",
		DIALOGUE_MAX_CHAIN);
}

static void mark(const struct dialogue *dialogue, int from, bool *seen)
{
	int todo[DIALOGUE_MAX_STATES];
	unsigned count = 0;

	if (!seen[from])
		todo[count++] = from;
	seen[from] = true;
	while (count > 0) {
		const struct dialogue_state *state = &dialogue->states[todo[--count]];
		/* Its choices, and then its `next`. */
		for (unsigned i = 0; i <= state->choice_count; i++) {
			int next = i < state->choice_count ? state->choices[i].next : state->next;
			if (next == DIALOGUE_NONE || seen[next])
				continue;
			seen[next] = true;
			todo[count++] = next;
		}
	}
}

static bool check_reach(const struct dialogue *dialogue, struct error *error)
{
	bool seen[DIALOGUE_MAX_STATES] = {0};

	mark(dialogue, dialogue->start, seen);
	mark(dialogue, dialogue->give_up, seen);
	for (unsigned i = 0; i < dialogue->state_count; i++)
		if (!seen[i])
			return error_set(error, ERROR_INPUT, "states.%s: nothing leads there",
				dialogue->states[i].name);
	return true;
}

bool dialogue_check_ways(const struct dialogue *dialogue, struct error *error)
{
	for (unsigned i = 0; i < dialogue->state_count; i++) {
		const struct dialogue_state *state = &dialogue->states[i];
		if (!check_shape(state, error) || !check_choices(dialogue, state, error) ||
			!check_chain(dialogue, (int)i, error))
			return error_prefix(error, "states.%s.", state->name);
	}
	if (!dialogue_is_end(&dialogue->states[dialogue->give_up]))
		return error_set(error, ERROR_INPUT,
			"give_up: a state that ends the call (transfer, message, menu, goodbye)");
	return check_reach(dialogue, error);
}
