/*
 * grammar: what may be said in answer to one question, as a JSGF text for pocketsphinx, and what the
 * words that it heard mean. Pure.
 *
 * Narrow on purpose: one of some phrases, yes or no, or so many digits. English only, for that is the
 * one model that Debian has.
 */
#ifndef SPEECH_GRAMMAR_H
#define SPEECH_GRAMMAR_H

#include "arena.h"
#include "buf.h"
#include "error.h"
#include "json.h"

enum {
	GRAMMAR_MAX_PHRASES = 64,
	GRAMMAR_MAX_PHRASE = 160, /* bytes */
	GRAMMAR_MAX_DIGITS = 12,
	GRAMMAR_MAX_BYTES = 8 * 1024,
};

struct grammar_phrase {
	struct str said; /* lower-case words with one space between them */
	struct str text; /* what is answered when it was said */
	unsigned phrase; /* its number */
};

struct grammar {
	struct grammar_phrase phrases[GRAMMAR_MAX_PHRASES];
	unsigned count;
	unsigned digits; /* > 0: so many digits, and no phrases */
};

/* Exactly one of: phrases, yes_no, digits. Slices of the arena. */
struct grammar_order {
	struct json_strings phrases;
	bool yes_no;
	int64_t digits;
};
bool grammar_read(const struct grammar_order *order, struct arena *arena, struct grammar *grammar,
	struct error *error);

void grammar_write(const struct grammar *grammar, struct buf *to);
/* A loop over all sounds, `phones` as the dictionary calls them: what anything at all would score. */
void grammar_write_loop(const char *const *words, size_t count, struct buf *to);

/* What was heard, as pocketsphinx tells it. `phrase`: -1 for digits. False: it means nothing. */
bool grammar_meaning(
	const struct grammar *grammar, struct str heard, struct buf *text, int *phrase);

#endif
