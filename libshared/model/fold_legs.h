/*
 * fold_legs: those of us who have a part in a call. Private to model.
 */
#ifndef CALLWEAVE_FOLD_LEGS_H
#define CALLWEAVE_FOLD_LEGS_H

#include "fold_graph.h"

struct fold_leg *fold_leg_find(const struct fold_call *call, const char *number);
struct fold_leg *fold_leg_add(struct fold_call *call, const char *number);
void fold_leg_set_ringing(const struct fold_call *call, struct fold_leg *leg);
void fold_leg_rings(struct fold_call *call, const char *number);
void fold_leg_is_mobile(struct fold_call *call, const char *number);
bool fold_leg_talks(struct fold_call *call, const char *number);
void fold_leg_answers(const struct fold_call *call, const char *number);
void fold_leg_moved(struct fold_call *from, const struct fold_channel *channel);
void fold_leg_drop_idle(struct fold_call *call, const char *number);
void fold_leg_ends(const struct fold_call *call, const char *number);
void fold_legs_fall_silent(const struct fold_call *call);
void fold_legs_move(struct fold_call *call, int64_t by_ms);
bool fold_talked(const struct fold_call *call, const char *number);
bool fold_rang(const struct fold_call *call, const char *number);
bool fold_has_mobile(const struct fold_call *call, const char *number);
const char *fold_last_talker(const struct fold_call *call);

#endif
