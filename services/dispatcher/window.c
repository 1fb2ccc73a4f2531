/*
 * window: see window.h.
 */
#include "window.h"

#include "alloc.h"

#include <stdlib.h>

/* Departures are counted, Telegram counts arrivals: two requests may come closer together than they
 * left. The window is this much wider than the rule. */
#define WINDOW_MARGIN_PERCENT 4

void window_init(struct window *window, unsigned limit, int64_t width_ms)
{
	*window = (struct window){
		.limit = limit > 0 ? limit : 1,
		.width_ms = width_ms + width_ms * WINDOW_MARGIN_PERCENT / 100,
	};
}

void window_free(struct window *window)
{
	free(window->times);
	window->times = NULL;
	window->head = window->used = 0;
}

/* The departure `back` slots before the newest (0: the newest). */
static int64_t window_at(const struct window *window, unsigned back)
{
	unsigned place = window->head + window->used - 1 - back;
	return window->times[place < window->limit ? place : place - window->limit];
}

/* Promised slots count like used ones: asking and taking agree. */
int64_t window_when(const struct window *window, unsigned slots, int64_t now_ms)
{
	if (slots > window->limit)
		slots = window->limit;
	/* `slots` are free once the departure that is `limit - slots` behind the newest is old. */
	unsigned back = window->limit - slots;
	if (window->used <= back)
		return now_ms;
	int64_t when = window_at(window, back) + window->width_ms;
	return when > now_ms ? when : now_ms;
}

int64_t window_take(struct window *window, int64_t now_ms)
{
	int64_t when = window_when(window, 1, now_ms);
	if (window->times == NULL)
		window->times = alloc_zeroed(window->limit, sizeof(*window->times));
	if (window->used == window->limit) {
		window->head = (window->head + 1) % window->limit;
		window->used--;
	}
	window->times[(window->head + window->used) % window->limit] = when;
	window->used++;
	return when;
}

/* Nothing in it can hold a request back any more. */
bool window_idle(const struct window *window, int64_t now_ms)
{
	return window->used == 0 || window_at(window, 0) + window->width_ms <= now_ms;
}
