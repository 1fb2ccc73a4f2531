/*
 * click_words: what came of a click, in words for the person who clicked.
 */
#ifndef PBX_API_CLICK_WORDS_H
#define PBX_API_CLICK_WORDS_H

#include "ami.h"

/* In Russian or English by `locale` ("ru", else English). In the arena. */
const char *click_words(
	enum ami_result result, const char *locale, struct str extension, struct arena *arena);
const char *click_words_not_set_up(const char *locale);

#endif
