/*
 * repeats: what a call was answered with, for a minute: Twilio asks again when it did not hear the answer
 * (its fallback URL may be the same one), and must get the very same (P23).
 */
#ifndef HOOKS_REPEATS_H
#define HOOKS_REPEATS_H

#include "str.h"

struct repeats;

struct repeats *repeats_new(void);
void repeats_free(struct repeats **repeats);

/* Empty: not answered within the last minute. Valid until the next call of either. */
struct str repeats_find(const struct repeats *repeats, struct str sid, int64_t now_ms);
void repeats_keep(struct repeats *repeats, struct str sid, struct str answer, int64_t now_ms);

#endif
