/*
 * pacer: one timer for all streams. Four turns in 20 ms, a quarter of the streams in each: none waits
 * for its frame behind all the others, and a thousand streams cost two hundred wake-ups a second.
 */
#include "alloc.h"
#include "clock.h"
#include "media_ws.h"

#include <stdlib.h>

enum { SLOTS = 4, TURN_MS = BRIDGE_TICK_MS / SLOTS };

struct pacer {
	struct media_ws *media;
	struct loop_timer *timer;
	struct leg *slots[SLOTS];
	unsigned counts[SLOTS], count, turn;
	int64_t next_ms; /* when the next turn is due, monotonic: turns do not drift */
};

static void end_one(struct leg *leg)
{
	bridge_event(&leg->bridge, &(struct bridge_event){.kind = BRIDGE_ON_END});
}

/* Whatever is over goes here and nowhere else, when nobody is inside it. */
static void have_turn(struct pacer *pacer, unsigned slot, bool ends)
{
	struct leg *next;

	for (struct leg *leg = pacer->slots[slot]; leg != NULL; leg = next) {
		next = leg->next;
		if (ends)
			end_one(leg);
		bridge_tick(&leg->bridge);
		if (bridge_over(&leg->bridge) && leg->storing == NULL)
			leg_free(leg);
	}
}

static void on_turn(void *owner)
{
	struct pacer *pacer = owner;
	int64_t now = clock_monotonic_ms(), delay;

	have_turn(pacer, pacer->turn, pacer->media->end_ms != 0 && now >= pacer->media->end_ms);
	pacer->turn = (pacer->turn + 1) % SLOTS;
	if (pacer->count == 0)
		return;
	pacer->next_ms += TURN_MS;
	delay = pacer->next_ms - clock_monotonic_ms();
	if (delay < -BRIDGE_TICK_MS) { /* the machine was away: begin anew, do not run after it */
		pacer->next_ms = clock_monotonic_ms();
		delay = 0;
	}
	loop_timer_set(pacer->timer, delay > 0 ? delay : 0);
}

struct pacer *pacer_new(struct media_ws *media)
{
	struct pacer *pacer = alloc_zeroed(1, sizeof(*pacer));

	pacer->media = media;
	pacer->timer = loop_timer_new(media->loop, on_turn, pacer);
	return pacer;
}

void pacer_free(struct pacer **pacer)
{
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		while ((*pacer)->slots[slot] != NULL)
			leg_free((*pacer)->slots[slot]);
	}
	loop_timer_free(&(*pacer)->timer);
	free(*pacer);
	*pacer = NULL;
}

unsigned pacer_count(const struct pacer *pacer)
{
	return pacer->count;
}

/* Into the turn that has the fewest. */
void pacer_add(struct pacer *pacer, struct leg *leg)
{
	unsigned slot = 0;

	for (unsigned i = 1; i < SLOTS; i++)
		slot = pacer->counts[i] < pacer->counts[slot] ? i : slot;
	leg->slot = slot;
	leg->next = pacer->slots[slot];
	leg->link = &pacer->slots[slot];
	if (leg->next != NULL)
		leg->next->link = &leg->next;
	pacer->slots[slot] = leg;
	pacer->counts[slot]++;
	if (pacer->count++ > 0)
		return;
	pacer->next_ms = clock_monotonic_ms() + TURN_MS;
	loop_timer_set(pacer->timer, TURN_MS);
}

void pacer_remove(struct pacer *pacer, struct leg *leg)
{
	*leg->link = leg->next;
	if (leg->next != NULL)
		leg->next->link = leg->link;
	pacer->counts[leg->slot]--;
	pacer->count--;
}
