/*
 * dialogue_private: dialogue.c reads, dialogue_check.c says whether it leads anywhere.
 */
#ifndef MEDIA_WS_DIALOGUE_PRIVATE_H
#define MEDIA_WS_DIALOGUE_PRIVATE_H

#include "dialogue.h"

/* All that concerns more than one state: ways, loops, what each language needs. */
bool dialogue_check_ways(const struct dialogue *dialogue, struct error *error);

#endif
