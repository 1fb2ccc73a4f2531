/*
 * lanes: deliveries of one call go one after another, and one whose answer was lost is not told again.
 *
 * 8020 keeps that order itself, but when it dies in the middle the delivery goes on here (deliver.c),
 * and the next 8020 sends it once more: not every CRM knows a call by an id of ours.
 */
#ifndef CRM_LANES_H
#define CRM_LANES_H

#include "arena.h"
#include "flow.h"

struct lanes;

#define LANES_REMEMBERED 4096 /* deliveries that were told; some hundred bytes each */

struct lanes *lanes_new(void);
void lanes_free(struct lanes **lanes);

/* A delivery's place in the lane of its call. Zeroed at first, in the flow's state. */
struct lane_place {
	struct lanes *lanes;
	struct lane *lane; /* NULL: it has not come yet */
	bool taken;
};

/* True: it is this one's turn, until lane_leave(). False: `return lane_wait(flow, place)` in a step that
 * asks again. */
bool lane_take(
	struct lanes *lanes, struct lane_place *place, struct str enterprise, struct str call);
enum flow_status lane_wait(struct flow *flow, struct lane_place *place);
/* In `finally`, whether it was taken or not. */
void lane_leave(struct lane_place *place);

/* It was told, and the driver wants this remembered. `id`: what no other delivery has; "" is not kept. */
void lanes_told(struct lanes *lanes, struct str id, struct str memory);
/* Was it told before? Then `memory` lives in the arena. */
bool lanes_was_told(
	const struct lanes *lanes, struct str id, struct arena *arena, struct str *memory);

#endif
