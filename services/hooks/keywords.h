/*
 * keywords: texts that are one word for a machine: STOP, START, and those of an enterprise's menu.
 *
 * The whole body must be the word, in any case, with or without accents
 * (twilio.com/docs/messaging/tutorials/advanced-opt-out, "default keywords").
 */
#ifndef HOOKS_KEYWORDS_H
#define HOOKS_KEYWORDS_H

#include "str.h"

#define KEYWORD_BYTES 64 /* what is longer is no keyword */

/* " Désabonner! " is "DESABONNER": upper case, no accents, no blanks and punctuation around it. False:
 * it is too long to be one, or nothing is left. */
bool keyword_fold(struct str body, char to[KEYWORD_BYTES]);

enum keyword {
	KEYWORD_NONE, /* of the menu, perhaps */
	KEYWORD_STOP,
	KEYWORD_START,
	KEYWORD_HELP,
};

struct keyword_found {
	enum keyword keyword;
	bool of_twilio; /* one that Twilio answers by itself, on numbers that carry SMS */
};
/* Of a folded text. */
struct keyword_found keyword_find(struct str folded);
/* Of Twilio's OptOutType, which knows better: STOP, START, HELP; any other is none. */
enum keyword keyword_of_type(struct str opt_out_type);

/* What is said to who wrote STOP or START: by the number's language. */
struct str keyword_confirmation(enum keyword keyword, struct str language);

#endif
