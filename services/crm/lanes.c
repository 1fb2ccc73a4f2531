/*
 * lanes: see lanes.h.
 */
#include "lanes.h"

#include "alloc.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

struct lane {
	char *key; /* owned */
	struct flow_queue waiting;
	bool busy;
	unsigned members; /* deliveries that came and have not gone */
};

/* A delivery that was told. */
struct told_before {
	char *key, *memory; /* owned */
};

struct lanes {
	struct table *lines; /* "0367 1763740800.1" -> lane */
	struct table *told;  /* id -> told_before */
	struct told_before ring[LANES_REMEMBERED];
	unsigned next;
};

struct lanes *lanes_new(void)
{
	struct lanes *lanes = alloc_zeroed(1, sizeof(*lanes));

	lanes->lines = table_new();
	lanes->told = table_new();
	return lanes;
}

/* All flows have ended: nobody stands in a lane. */
void lanes_free(struct lanes **lanes)
{
	if (*lanes == NULL)
		return;
	for (unsigned i = 0; i < LANES_REMEMBERED; i++) {
		free((*lanes)->ring[i].key);
		free((*lanes)->ring[i].memory);
	}
	table_free(&(*lanes)->lines);
	table_free(&(*lanes)->told);
	free(*lanes);
	*lanes = NULL;
}

/* -- the lane of a call --------------------------------------------------------------------------- */

#define KEY_BYTES 256

static struct str key_of(char to[KEY_BYTES], struct str enterprise, struct str call)
{
	int size = snprintf(to, KEY_BYTES, "%.*s %.*s", STR_ARG(enterprise), STR_ARG(call));

	return str_of(to, size < KEY_BYTES ? (size_t)size : KEY_BYTES - 1);
}

static struct lane *lane_of(struct lanes *lanes, struct str enterprise, struct str call)
{
	char text[KEY_BYTES];
	struct str key = key_of(text, enterprise, call);
	struct lane *lane = table_get(lanes->lines, key);

	if (lane == NULL) {
		lane = alloc_zeroed(1, sizeof(*lane));
		lane->key = alloc_text(key);
		flow_queue_init(&lane->waiting);
		table_put(lanes->lines, key, lane);
	}
	return lane;
}

bool lane_take(
	struct lanes *lanes, struct lane_place *place, struct str enterprise, struct str call)
{
	if (place->lane == NULL) {
		place->lanes = lanes;
		place->lane = lane_of(lanes, enterprise, call);
		place->lane->members++;
	}
	if (place->lane->busy)
		return false;
	place->lane->busy = place->taken = true;
	return true;
}

enum flow_status lane_wait(struct flow *flow, struct lane_place *place)
{
	return await_queue(flow, &place->lane->waiting);
}

void lane_leave(struct lane_place *place)
{
	struct lane *lane = place->lane;

	if (lane == NULL)
		return;
	lane->members--;
	if (place->taken)
		lane->busy = false;
	if (!lane->busy)
		flow_queue_wake(&lane->waiting, 1);
	if (lane->members == 0) {
		table_remove(place->lanes->lines, str_from(lane->key));
		free(lane->key);
		free(lane);
	}
	*place = (struct lane_place){0};
}

/* -- what was told -------------------------------------------------------------------------------- */

void lanes_told(struct lanes *lanes, struct str id, struct str memory)
{
	struct told_before *told = &lanes->ring[lanes->next];

	if (id.size == 0 || table_get(lanes->told, id) != NULL)
		return;
	lanes->next = (lanes->next + 1) % LANES_REMEMBERED;
	if (told->key != NULL)
		table_remove(lanes->told, str_from(told->key));
	free(told->key);
	free(told->memory);
	told->key = alloc_text(id);
	told->memory = alloc_text(memory);
	table_put(lanes->told, id, told);
}

bool lanes_was_told(
	const struct lanes *lanes, struct str id, struct arena *arena, struct str *memory)
{
	const struct told_before *told = table_get(lanes->told, id);

	if (told == NULL)
		return false;
	*memory = str_from(arena_strndup(arena, told->memory, strlen(told->memory)));
	return true;
}
