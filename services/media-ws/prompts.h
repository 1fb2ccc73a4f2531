/*
 * prompts: what was spoken before, as mu-law: the sentences of dialogues are the same in every call.
 *
 * Bounded in bytes; what was not said for longest goes first.
 */
#ifndef MEDIA_WS_PROMPTS_H
#define MEDIA_WS_PROMPTS_H

#include "str.h"

struct prompts;

struct prompts *prompts_new(size_t max_bytes);
void prompts_free(struct prompts **prompts);

/* The audio of a text in a language; empty when it is not there. Until the next put. `prompts` may be
 * NULL. */
struct str prompts_get(struct prompts *prompts, const char *language, struct str text);
/* Copied; what is there already stays. */
void prompts_put(struct prompts *prompts, const char *language, struct str text, struct str audio);

#endif
