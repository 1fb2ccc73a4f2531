/*
 * dialogue: read by tables of fields; names of states become their places. Members that nobody knows
 * are errors: a misspelt one would change what callers hear without a word.
 */
#include "dialogue_private.h"

enum {
	MIN_WAIT_MS = 2000,
	MAX_WAIT_MS = 30000,
	MAX_TRIES = 5,
	MAX_PHRASE = 80,
	ARENA_BYTES = 4 << 20
};

static const char *const codes[DIALOGUE_LANGUAGES] = {"en", "fr", "he", "ru"};

#define IN(language) in[DIALOGUE_##language]
static const struct json_field text_fields[] = {
	JSON_FIELD_AS(struct dialogue_text, IN(EN), "en", JSON_STRING, 0),
	JSON_FIELD_AS(struct dialogue_text, IN(FR), "fr", JSON_STRING, 0),
	JSON_FIELD_AS(struct dialogue_text, IN(HE), "he", JSON_STRING, 0),
	JSON_FIELD_AS(struct dialogue_text, IN(RU), "ru", JSON_STRING, 0),
	{0},
};

struct raw_phrases {
	struct json_strings en;
};
static const struct json_field phrases_fields[] = {
	JSON_FIELD(struct raw_phrases, en, JSON_STRINGS, 0),
	{0},
};

struct raw_choice {
	struct str digit, next;
	const struct json *phrases;
};
static const struct json_field choice_fields[] = {
	JSON_FIELD(struct raw_choice, digit, JSON_STRING, 0),
	JSON_FIELD(struct raw_choice, phrases, JSON_RAW, 0),
	JSON_FIELD(struct raw_choice, next, JSON_STRING, JSON_REQUIRED),
	{0},
};

struct raw_number {
	int64_t digits;
	struct str next;
};
static const struct json_field number_fields[] = {
	JSON_FIELD(struct raw_number, digits, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct raw_number, next, JSON_STRING, JSON_REQUIRED),
	{0},
};

struct raw_state {
	const struct json *say, *say_known, *text, *expect, *number;
	struct str what, to, next;
};
static const struct json_field state_fields[] = {
	JSON_FIELD(struct raw_state, say, JSON_RAW, JSON_REQUIRED),
	JSON_FIELD(struct raw_state, say_known, JSON_RAW, 0),
	JSON_FIELD(struct raw_state, text, JSON_RAW, 0),
	JSON_FIELD(struct raw_state, expect, JSON_RAW, 0),
	JSON_FIELD(struct raw_state, number, JSON_RAW, 0),
	JSON_FIELD_AS(struct raw_state, what, "do", JSON_STRING, 0),
	JSON_FIELD(struct raw_state, to, JSON_STRING, 0),
	JSON_FIELD(struct raw_state, next, JSON_STRING, 0),
	{0},
};

struct raw_dialogue {
	struct json_strings languages;
	struct str start, give_up;
	int64_t tries, wait_ms;
	const struct json *filler, *sorry, *silent, *states;
};
static const struct json_field dialogue_fields[] = {
	JSON_FIELD(struct raw_dialogue, languages, JSON_STRINGS, JSON_REQUIRED),
	JSON_FIELD(struct raw_dialogue, start, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct raw_dialogue, give_up, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct raw_dialogue, tries, JSON_INT64, 0),
	JSON_FIELD(struct raw_dialogue, wait_ms, JSON_INT64, 0),
	JSON_FIELD(struct raw_dialogue, filler, JSON_RAW, JSON_REQUIRED),
	JSON_FIELD(struct raw_dialogue, sorry, JSON_RAW, JSON_REQUIRED),
	JSON_FIELD(struct raw_dialogue, silent, JSON_RAW, JSON_REQUIRED),
	JSON_FIELD(struct raw_dialogue, states, JSON_RAW, JSON_REQUIRED),
	{0},
};

struct reader {
	struct dialogue *dialogue;
	const struct json *states;
	struct arena *arena;
	struct error *error;
};

/* An object with these members and no others. */
static bool read_object(const struct reader *reader, const struct json *json,
	const struct json_field *fields, void *to)
{
	if (json_kind(json) != JSON_OBJECT)
		return error_set(reader->error, ERROR_INPUT, "not an object");
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		const struct json_field *field = fields;
		while (field->name != NULL && strcmp(field->name, json_name(at)) != 0)
			field++;
		if (field->name == NULL)
			return error_set(reader->error, ERROR_INPUT, "%s: there is no such member",
				json_name(at));
	}
	return json_read(json, fields, to, reader->arena, reader->error);
}

/* {name} and {number} are all that is put in. */
static bool is_fillable(struct str text)
{
	while (text.size > 0) {
		if (text.data[0] == '}')
			return false;
		size_t size = 1;
		if (text.data[0] == '{') {
			size = str_starts(text, STR("{name}"))	   ? 6
			       : str_starts(text, STR("{number}")) ? 8
								   : 0;
			if (size == 0)
				return false;
		}
		text = str_of(text.data + size, text.size - size);
	}
	return true;
}

static bool read_text(const struct reader *reader, const struct json *json, const char *name,
	struct dialogue_text *to)
{
	if (json == NULL)
		return true;
	if (!read_object(reader, json, text_fields, to))
		return error_prefix(reader->error, "%s: ", name);
	for (unsigned i = 0; i < DIALOGUE_LANGUAGES; i++) {
		to->in[i] = str_trim(to->in[i]);
		if (reader->dialogue->speaks[i] && to->in[i].size == 0)
			return error_set(reader->error, ERROR_INPUT,
				"%s.%s: missing, but it is one of the languages", name, codes[i]);
		if (to->in[i].size > 2 * DIALOGUE_MAX_TEXT)
			return error_set(reader->error, ERROR_INPUT, "%s.%s: longer than %d bytes",
				name, codes[i], 2 * DIALOGUE_MAX_TEXT);
		if (!is_fillable(to->in[i]))
			return error_set(reader->error, ERROR_INPUT,
				"%s.%s: only {name} and {number} may stand in braces", name,
				codes[i]);
	}
	return true;
}

static bool find_state(const struct reader *reader, struct str name, const char *where, int *to)
{
	*to = 0;
	for (const struct json *at = json_first(reader->states); at != NULL; at = json_next(at)) {
		if (str_equal(str_from(json_name(at)), name))
			return true;
		(*to)++;
	}
	return error_set(
		reader->error, ERROR_INPUT, "%s: there is no state \"%.*s\"", where, STR_ARG(name));
}

static bool check_phrases(const struct reader *reader, const struct json_strings *phrases)
{
	for (size_t i = 0; i < phrases->count; i++) {
		struct str phrase = phrases->items[i];
		bool good = phrase.size > 0 && phrase.size <= MAX_PHRASE;
		for (size_t j = 0; good && j < phrase.size; j++)
			good = strchr("abcdefghijklmnopqrstuvwxyz '", phrase.data[j]) != NULL &&
			       phrase.data[j] != '\0';
		if (!good)
			return error_set(reader->error, ERROR_INPUT,
				"phrases.en[%zu]: words of a to z, at most %d characters", i,
				MAX_PHRASE);
	}
	return true;
}

static bool is_key(char c)
{
	return (c >= '0' && c <= '9') || c == '*' || c == '#';
}

static bool read_choice(
	const struct reader *reader, const struct json *json, struct dialogue_choice *choice)
{
	struct raw_choice raw = {0};
	struct raw_phrases phrases = {0};

	if (!read_object(reader, json, choice_fields, &raw))
		return false;
	if (raw.phrases != NULL && !read_object(reader, raw.phrases, phrases_fields, &phrases))
		return error_prefix(reader->error, "phrases: only en is heard: ");
	choice->phrases = phrases.en;
	if (raw.digit.size > 1 || (raw.digit.size == 1 && !is_key(raw.digit.data[0])))
		return error_set(reader->error, ERROR_INPUT, "digit: one of 0 to 9, * and #");
	choice->digit = raw.digit.size > 0 ? raw.digit.data[0] : '\0';
	if (choice->digit == '\0' && phrases.en.count == 0)
		return error_set(reader->error, ERROR_INPUT, "neither a digit nor phrases");
	return check_phrases(reader, &phrases.en) &&
	       find_state(reader, raw.next, "next", &choice->next);
}

static bool read_choices(
	const struct reader *reader, const struct json *json, struct dialogue_state *state)
{
	if (json == NULL)
		return true;
	if (json_kind(json) != JSON_ARRAY || json_count(json) == 0 ||
		json_count(json) > DIALOGUE_MAX_CHOICES)
		return error_set(reader->error, ERROR_INPUT, "expect: a list of 1 to %d",
			DIALOGUE_MAX_CHOICES);
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		if (!read_choice(reader, at, &state->choices[state->choice_count]))
			return error_prefix(reader->error, "expect[%u].", state->choice_count);
		state->choice_count++;
	}
	return true;
}

static bool read_number(
	const struct reader *reader, const struct json *json, struct dialogue_state *state)
{
	struct raw_number raw = {0};

	if (json == NULL)
		return true;
	if (!read_object(reader, json, number_fields, &raw))
		return error_prefix(reader->error, "number.");
	if (raw.digits < 1 || raw.digits > DIALOGUE_MAX_DIGITS)
		return error_set(
			reader->error, ERROR_INPUT, "number.digits: 1 to %d", DIALOGUE_MAX_DIGITS);
	state->digits = (unsigned)raw.digits;
	return find_state(reader, raw.next, "number.next", &state->next);
}

static bool read_what(const struct reader *reader, struct str what, enum dialogue_do *to)
{
	static const struct {
		const char *name;
		enum dialogue_do what;
	} rows[] = {{"", DIALOGUE_GO_ON}, {"text", DIALOGUE_TEXT}, {"note", DIALOGUE_NOTE},
		{"transfer", DIALOGUE_TRANSFER}, {"message", DIALOGUE_MESSAGE},
		{"menu", DIALOGUE_MENU}, {"goodbye", DIALOGUE_GOODBYE}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*to = rows[i].what;
		if (str_equal(what, str_from(rows[i].name)))
			return true;
	}
	return error_set(reader->error, ERROR_INPUT,
		"do: one of text, note, transfer, message, menu and goodbye");
}

static bool is_target(struct str to)
{
	if (to.size > 0 && to.data[0] == '+')
		to = str_of(to.data + 1, to.size - 1);
	else if (to.size == 0)
		return true;
	return str_is_digits(to) && to.size <= 15;
}

static bool read_state(
	const struct reader *reader, const struct json *json, struct dialogue_state *state)
{
	struct raw_state raw = {0};

	*state = (struct dialogue_state){.name = json_name(json), .next = DIALOGUE_NONE};
	if (!read_object(reader, json, state_fields, &raw) ||
		!read_text(reader, raw.say, "say", &state->say) ||
		!read_text(reader, raw.say_known, "say_known", &state->say_known) ||
		!read_text(reader, raw.text, "text", &state->text) ||
		!read_what(reader, raw.what, &state->what) ||
		!read_choices(reader, raw.expect, state))
		return false;
	state->to = raw.to;
	if (!is_target(raw.to))
		return error_set(reader->error, ERROR_INPUT,
			"to: a number in E.164, an extension, or nothing for the operator");
	if (raw.next.size > 0 && raw.number != NULL)
		return error_set(reader->error, ERROR_INPUT, "next: a number has one of its own");
	if (raw.next.size > 0 && !find_state(reader, raw.next, "next", &state->next))
		return false;
	return read_number(reader, raw.number, state);
}

static bool read_languages(const struct reader *reader, const struct json_strings *languages)
{
	for (size_t i = languages->count; i-- > 0;) {
		unsigned at = 0;
		while (at < DIALOGUE_LANGUAGES &&
			!str_equal(languages->items[i], str_from(codes[at])))
			at++;
		if (at == DIALOGUE_LANGUAGES)
			return error_set(reader->error, ERROR_INPUT,
				"languages[%zu]: one of en, fr, he and ru", i);
		reader->dialogue->speaks[at] = true;
		reader->dialogue->first = (enum dialogue_language)at;
	}
	return languages->count > 0 ||
	       error_set(reader->error, ERROR_INPUT, "languages: at least one");
}

static bool read_limits(const struct reader *reader, const struct raw_dialogue *raw)
{
	struct dialogue *dialogue = reader->dialogue;

	if (raw->tries < 1 || raw->tries > MAX_TRIES)
		return error_set(reader->error, ERROR_INPUT, "tries: 1 to %d", MAX_TRIES);
	if (raw->wait_ms < MIN_WAIT_MS || raw->wait_ms > MAX_WAIT_MS)
		return error_set(
			reader->error, ERROR_INPUT, "wait_ms: %d to %d", MIN_WAIT_MS, MAX_WAIT_MS);
	dialogue->tries = (unsigned)raw->tries;
	dialogue->wait_ms = raw->wait_ms;
	return true;
}

static bool read_states(const struct reader *reader)
{
	struct dialogue *dialogue = reader->dialogue;
	size_t count = json_count(reader->states);

	if (json_kind(reader->states) != JSON_OBJECT || count == 0 || count > DIALOGUE_MAX_STATES)
		return error_set(reader->error, ERROR_INPUT, "states: an object with 1 to %d",
			DIALOGUE_MAX_STATES);
	dialogue->states = arena_array(reader->arena, count, sizeof(*dialogue->states));
	for (const struct json *at = json_first(reader->states); at != NULL; at = json_next(at))
		if (!read_state(reader, at, &dialogue->states[dialogue->state_count++]))
			return error_prefix(reader->error, "states.%s.", json_name(at));
	return true;
}

struct dialogue *dialogue_read(const struct json *json, struct arena *arena, struct error *error)
{
	struct dialogue *dialogue = arena_alloc(arena, sizeof(*dialogue));
	struct raw_dialogue raw = {.tries = 3, .wait_ms = 6000};
	struct reader reader = {dialogue, NULL, arena, error};

	if (!read_object(&reader, json, dialogue_fields, &raw))
		return NULL;
	reader.states = raw.states;
	bool ok = read_languages(&reader, &raw.languages) && read_limits(&reader, &raw) &&
		  read_text(&reader, raw.filler, "filler", &dialogue->filler) &&
		  read_text(&reader, raw.sorry, "sorry", &dialogue->sorry) &&
		  read_text(&reader, raw.silent, "silent", &dialogue->silent) &&
		  read_states(&reader) &&
		  find_state(&reader, raw.start, "start", &dialogue->start) &&
		  find_state(&reader, raw.give_up, "give_up", &dialogue->give_up) &&
		  dialogue_check_ways(dialogue, error);
	return ok ? dialogue : NULL;
}

bool dialogue_check(struct str text, struct error *error)
{
	const struct json_limits limits = {DIALOGUE_MAX_BYTES, 8};
	struct json *json = json_parse(text, limits, error);
	struct arena *arena = arena_new(ARENA_BYTES);
	bool ok = json != NULL && dialogue_read(json, arena, error) != NULL;

	arena_free(&arena);
	json_free(&json);
	return ok;
}

const char *dialogue_language_code(enum dialogue_language language)
{
	return codes[language];
}

enum dialogue_language dialogue_language(const struct dialogue *dialogue, struct str code)
{
	for (unsigned i = 0; i < DIALOGUE_LANGUAGES; i++)
		if (dialogue->speaks[i] && str_equal(code, str_from(codes[i])))
			return (enum dialogue_language)i;
	return dialogue->first;
}
