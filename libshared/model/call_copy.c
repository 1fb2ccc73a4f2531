/*
 * call_copy: a call that outlives its fold's memory of it.
 */
#include "call.h"

static void *copied(struct arena *arena, const void *items, unsigned count, size_t size_bytes)
{
	void *copy = arena_array(arena, (size_t)count + 1, size_bytes);

	if (count > 0)
		memcpy(copy, items, count * size_bytes);
	return copy;
}

static void copy_numbers(struct call_numbers *numbers, struct arena *arena)
{
	numbers->items = copied(arena, numbers->items, numbers->count, sizeof(*numbers->items));
}

struct call *call_copy(const struct call *call, struct arena *arena)
{
	struct call *copy = copied(arena, call, 1, sizeof(*call));

	copy_numbers(&copy->rang, arena);
	copy_numbers(&copy->talkers, arena);
	copy_numbers(&copy->lines, arena);
	copy->transfers =
		copied(arena, call->transfers, call->transfer_count, sizeof(*call->transfers));
	copy->legs = copied(arena, call->legs, call->leg_count, sizeof(*call->legs));
	copy->unique_ids =
		copied(arena, call->unique_ids, call->unique_id_count, sizeof(*call->unique_ids));
	return copy;
}
