/*
 * fold_legs: those of us who have a part in a call, and when each rang, answered and left.
 */
#include "fold_private.h"

#include "alloc.h"

struct fold_leg *fold_leg_find(const struct fold_call *call, const char *number)
{
	for (unsigned i = 0; i < call->leg_count; i++) {
		if (strcmp(call->legs[i].number, number) == 0)
			return &call->legs[i];
	}
	return NULL;
}

/* NULL when there is no room: beyond the limit the rest is counted, not kept. */
struct fold_leg *fold_leg_add(struct fold_call *call, const char *number)
{
	struct fold_leg *leg = fold_leg_find(call, number);

	if (leg != NULL || number[0] == '\0')
		return leg;
	if (call->leg_count >= CALL_MAX_NUMBERS) {
		call->overflow++;
		str_copy(call->fold->warning, FOLD_REASON_BYTES, STR("a call has too many legs"));
		return NULL;
	}
	call->legs = alloc_resize(call->legs, (call->leg_count + 1u) * sizeof(*leg));
	leg = &call->legs[call->leg_count++];
	*leg = (struct fold_leg){.number = fold_none,
		.ringing = FOLD_NEVER,
		.answered = FOLD_NEVER,
		.ended = FOLD_NEVER};
	fold_set(call->fold, &leg->number, number);
	return leg;
}

static int32_t moment_of(const struct fold_call *call, int64_t at_ms)
{
	int64_t ms = at_ms - call->started_ms;

	return ms > INT32_MAX ? INT32_MAX : ms <= FOLD_NEVER ? FOLD_NEVER + 1 : (int32_t)ms;
}

static unsigned char next_place(const struct fold_call *call, bool of_talkers)
{
	unsigned char last = 0;

	for (unsigned i = 0; i < call->leg_count; i++) {
		unsigned char place = of_talkers ? call->legs[i].talked : call->legs[i].rang;

		if (place > last)
			last = place;
	}
	return (unsigned char)(last + 1);
}

/* Rung by the call itself; `rang` keeps the order. */
void fold_leg_rings(struct fold_call *call, const char *number)
{
	struct fold_leg *leg = fold_leg_add(call, number);

	if (leg == NULL || leg->rang != 0)
		return;
	leg->rang = next_place(call, false);
	leg->mobile = leg->mobile || fold_is_outside(call->fold, number);
	fold_leg_set_ringing(call, leg);
}

void fold_leg_set_ringing(const struct fold_call *call, struct fold_leg *leg)
{
	if (leg->ringing == FOLD_NEVER && leg->answered == FOLD_NEVER)
		leg->ringing = moment_of(call, call->fold->now_ms);
}

/* A phone of ours that is not internal. */
void fold_leg_is_mobile(struct fold_call *call, const char *number)
{
	struct fold_leg *leg = fold_leg_add(call, number);

	if (leg == NULL)
		return;
	leg->mobile = true;
	fold_leg_set_ringing(call, leg);
}

/* True when it had not talked before. */
bool fold_leg_talks(struct fold_call *call, const char *number)
{
	struct fold_leg *leg = fold_leg_add(call, number);

	if (leg == NULL || leg->talked != 0)
		return false;
	leg->talked = next_place(call, true);
	return true;
}

/* Its phone was taken off the hook. */
void fold_leg_answers(const struct fold_call *call, const char *number)
{
	struct fold_leg *leg = fold_leg_find(call, number);

	if (leg == NULL)
		return;
	leg->ended = FOLD_NEVER;
	if (leg->answered == FOLD_NEVER)
		leg->answered = moment_of(call, call->fold->now_ms);
}

/* It was in another call that somebody asked for it. */
void fold_leg_drop_idle(struct fold_call *call, const char *number)
{
	struct fold_leg *leg = fold_leg_find(call, number);

	if (leg == NULL || leg->rang != 0 || leg->talked != 0 || leg->mobile ||
		leg->answered != FOLD_NEVER)
		return;
	fold_set(call->fold, &leg->number, fold_none);
	call->leg_count--;
	memmove(leg, leg + 1, (size_t)(call->legs + call->leg_count - leg) * sizeof(*leg));
}

/* A mobile's channel is another call's: it was rung for that one. */
void fold_leg_moved(struct fold_call *from, const struct fold_channel *channel)
{
	struct fold_leg *leg = fold_leg_find(from, channel->number);

	if (leg == NULL || !leg->mobile || leg->rang != 0 || leg->talked != 0)
		return;
	leg->mobile = false;
	leg->answered = FOLD_NEVER;
	fold_leg_drop_idle(from, channel->number);
	fold_leg_is_mobile(channel->call, channel->number);
	fold_index(from->fold, channel->call, channel->number, true);
}

/* It left, or rings no more; it may come back. */
void fold_leg_ends(const struct fold_call *call, const char *number)
{
	struct fold_leg *leg = fold_leg_find(call, number);

	if (leg != NULL && leg->ended == FOLD_NEVER)
		leg->ended = moment_of(call, call->fold->now_ms);
}

/* Somebody answered: the other phones fall silent. */
void fold_legs_fall_silent(const struct fold_call *call)
{
	for (unsigned i = 0; i < call->leg_count; i++) {
		struct fold_leg *leg = &call->legs[i];

		if (leg->answered == FOLD_NEVER && leg->ringing != FOLD_NEVER)
			fold_leg_ends(call, leg->number);
	}
}

bool fold_talked(const struct fold_call *call, const char *number)
{
	const struct fold_leg *leg = fold_leg_find(call, number);

	return leg != NULL && leg->talked != 0;
}

bool fold_rang(const struct fold_call *call, const char *number)
{
	const struct fold_leg *leg = fold_leg_find(call, number);

	return leg != NULL && leg->rang != 0;
}

bool fold_has_mobile(const struct fold_call *call, const char *number)
{
	const struct fold_leg *leg = fold_leg_find(call, number);

	return leg != NULL && leg->mobile;
}

/* "" when nobody talked yet. */
const char *fold_last_talker(const struct fold_call *call)
{
	const struct fold_leg *last = NULL;

	for (unsigned i = 0; i < call->leg_count; i++) {
		if (call->legs[i].talked > (last != NULL ? last->talked : 0))
			last = &call->legs[i];
	}
	return last != NULL ? last->number : fold_none;
}

/* The call began earlier than was known: moments are counted from there. */
void fold_legs_move(struct fold_call *call, int64_t by_ms)
{
	for (unsigned i = 0; i < call->leg_count; i++) {
		int32_t *const moments[] = {
			&call->legs[i].ringing, &call->legs[i].answered, &call->legs[i].ended};

		for (unsigned j = 0; j < 3; j++) {
			if (*moments[j] != FOLD_NEVER)
				*moments[j] =
					moment_of(call, call->started_ms + *moments[j] + by_ms);
		}
	}
}
