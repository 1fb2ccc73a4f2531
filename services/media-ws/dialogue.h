/*
 * dialogue: rules of a conversation as data (voice_dialogues.dialogue): states that say something, wait
 * for a digit, one of some phrases or a number, and lead to others. Pure.
 *
 * Reading is the check: what is wrong is told with its place ("states.menu.expect[1].next: there is no
 * state \"hourz\""), so a dialogue that was read can be spoken to its end. docs/protocol/dialogue.md.
 */
#ifndef MEDIA_WS_DIALOGUE_H
#define MEDIA_WS_DIALOGUE_H

#include "arena.h"
#include "buf.h"
#include "error.h"
#include "json.h"

enum {
	DIALOGUE_MAX_BYTES = 128 * 1024,
	DIALOGUE_MAX_STATES = 64,
	DIALOGUE_MAX_CHOICES = 12,
	DIALOGUE_MAX_PHRASES = 64, /* of a state: what `speech` takes */
	DIALOGUE_MAX_TEXT = 600,   /* characters: 40 s */
	DIALOGUE_MAX_CHAIN = 8,	   /* states in a row that only say something */
	DIALOGUE_MAX_DIGITS = 12,
	DIALOGUE_NONE = -1,
};

enum dialogue_language { DIALOGUE_EN, DIALOGUE_FR, DIALOGUE_HE, DIALOGUE_RU, DIALOGUE_LANGUAGES };

struct dialogue_text {
	struct str in[DIALOGUE_LANGUAGES];
};

struct dialogue_choice {
	char digit;		     /* '\0': none */
	struct json_strings phrases; /* English: the one language that is heard */
	int next;
};

enum dialogue_do {
	DIALOGUE_GO_ON,	   /* ask, or go to `next` */
	DIALOGUE_TEXT,	   /* send `text` to the caller, go to `next` */
	DIALOGUE_NOTE,	   /* leave `text` for the enterprise, go to `next` */
	DIALOGUE_TRANSFER, /* the rest ends it */
	DIALOGUE_MESSAGE,
	DIALOGUE_MENU,
	DIALOGUE_GOODBYE
};

struct dialogue_state {
	const char *name;
	struct dialogue_text say, say_known; /* say_known: when the caller's name is known */
	struct dialogue_text text;
	enum dialogue_do what;
	struct str to; /* TRANSFER: E.164, an extension, "" the operator of the number */
	struct dialogue_choice choices[DIALOGUE_MAX_CHOICES];
	unsigned choice_count;
	unsigned digits; /* > 0: so many are a number, then `next` */
	int next;
};

struct dialogue {
	bool speaks[DIALOGUE_LANGUAGES];
	enum dialogue_language
		first; /* of its list: for callers whose language it does not speak */
	unsigned tries;
	int64_t wait_ms; /* of silence, until the question is repeated */
	int start, give_up;
	struct dialogue_text filler, sorry, silent;
	struct dialogue_state *states;
	unsigned state_count;
};

/* NULL with words. All of it lives in the arena, and as long as `json`. */
struct dialogue *dialogue_read(const struct json *json, struct arena *arena, struct error *error);
/* The same from a text, for those who only want to know: media-ws --check-dialogue. */
bool dialogue_check(struct str text, struct error *error);

enum dialogue_language dialogue_language(const struct dialogue *dialogue, struct str code);
const char *dialogue_language_code(enum dialogue_language language);
bool dialogue_is_end(const struct dialogue_state *state);
bool dialogue_asks(const struct dialogue_state *state);
/* Does it expect words that are recognised in this language? */
bool dialogue_listens(const struct dialogue_state *state, enum dialogue_language language);

/* The state that a digit or a phrase leads to, DIALOGUE_NONE when none. Phrases are counted through all
 * choices, in their order. */
int dialogue_by_digit(const struct dialogue_state *state, char digit);
int dialogue_by_phrase(const struct dialogue_state *state, unsigned phrase);

/* The text with {name} and {number} put in. `spoken`: digits one by one. */
void dialogue_fill(
	struct buf *to, struct str text, struct str name, struct str number, bool spoken);

#endif
