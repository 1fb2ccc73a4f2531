/*
 * builtin: the engine that needs nobody outside: it walks through a dialogue (dialogue.h), speaks and
 * hears through the process `speech`.
 *
 * builtin.c is the driver and walks, builtin_say.c speaks, builtin_hear.c listens. Private to these.
 */
#ifndef MEDIA_WS_BUILTIN_H
#define MEDIA_WS_BUILTIN_H

#include "bridge.h"
#include "dialogue.h"
#include "prompts.h"
#include "vad.h"

enum {
	BUILTIN_PREROLL_MS = 300,  /* kept of what was before speech was noticed (P9) */
	BUILTIN_LONGEST_MS = 8000, /* of an utterance: `speech` takes ten seconds */
	BUILTIN_FILLER_MS = 2500,  /* of thinking, then the filler is said */
	BUILTIN_LOOKUP_MS = 250,   /* that the greeting waits for the caller's name */
	BUILTIN_MAX_TEXTS = 2 * DIALOGUE_MAX_CHAIN,
	BUILTIN_NAME_BYTES = 100,
	BUILTIN_HEARD_BYTES = 256, /* of what was recognised */
};

struct engine { /* builtin's */
	struct bridge *bridge;
	const struct engine_setup *setup;
	const struct engine_call *call;
	struct arena *arena; /* of the dialogue */
	const struct dialogue *dialogue;
	enum dialogue_language language;

	/* where we are */
	int state;
	unsigned tries;
	char number[DIALOGUE_MAX_DIGITS + 1], collected[DIALOGUE_MAX_DIGITS + 1];
	char name[BUILTIN_NAME_BYTES]; /* the caller's; "" not known */
	bool over;		       /* finished or failed: nothing more is done */
	int64_t greet_ms; /* the greeting waits for the name until then; 0: it was said */
	int64_t quiet_ms; /* since then nobody says anything */

	/* listening */
	struct vad vad;
	uint8_t frame[160];
	size_t frame_fill;
	struct buf heard;	  /* mu-law of the utterance; before it, the pre-roll */
	struct buf asked;	  /* the utterance that is being recognised */
	bool void_utterance;	  /* a key was pressed in it: its sound is no speech */
	struct flow *recognising; /* NULL: nothing is */
	bool early;		  /* it is recognised although it may go on */
	bool early_known;	  /* and this is what was heard: */
	char early_text[BUILTIN_HEARD_BYTES];
	int early_phrase;
	int64_t ended_ms; /* when the caller had said his last sound; 0: nobody asked */
	bool filler_said;

	/* speaking */
	struct flow *saying;
	unsigned utterance;	       /* of the bridge; 0: not whole yet */
	struct engine_turn turn;       /* whose reply is being said, or was said last */
	struct engine_turn asked_turn; /* the next one, as far as it is known */
	char user_text[BUILTIN_HEARD_BYTES];
	struct buf reply_text;
};

/* -- builtin.c */

/* A new answer is asked for; `ended_ms`: when the caller had finished, 0: he said nothing. */
void builtin_turn_begin(struct engine *engine, int64_t ended_ms);
/* What was heard (`phrase` >= 0), the digits of a number, or nothing ("" and -1). */
void builtin_answer(struct engine *engine, struct str text, int phrase);
void builtin_fail(struct engine *engine, const char *words);
/* What we are saying is cut short. */
void builtin_interrupt(struct engine *engine);

/* -- builtin_say.c: texts in a row as one utterance */

struct builtin_script {
	struct str texts[BUILTIN_MAX_TEXTS]; /* as they are spoken */
	unsigned count;
	bool filler; /* not the answer that the caller waits for */
	bool ends;   /* `outcome` is where the call then goes */
	struct engine_outcome outcome;
};
/* Copied. What was still to be said is not. */
void builtin_say(struct engine *engine, const struct builtin_script *script);
void builtin_hush(struct engine *engine); /* what was not given to the bridge yet never is */

/* -- builtin_hear.c */

void builtin_hear_init(struct engine *engine);
void builtin_hear(struct engine *engine, const uint8_t *mulaw, size_t bytes);
void builtin_hear_digit(struct engine *engine); /* the sound of a key */
void builtin_forget(struct engine *engine);	/* what is being recognised */

#endif
