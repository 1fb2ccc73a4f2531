/*
 * echo: a self-test that gives back each frame byte for byte, at once, and a mark f<N> behind every
 * fiftieth: a second of audio.
 */
#include "alloc.h"
#include "bridge.h"
#include "error.h"

#include <stdio.h>
#include <stdlib.h>

enum { MARK_FRAMES = 50 };

struct engine {
	struct bridge *bridge;
	unsigned frames;
};

static struct engine *echo_open(struct bridge *bridge, const struct engine_setup *setup,
	const struct engine_call *call, struct error *error)
{
	struct engine *echo = alloc_zeroed(1, sizeof(*echo));

	echo->bridge = bridge;
	return echo;
}

static void echo_hear(struct engine *echo, const uint8_t *mulaw, size_t bytes, int64_t at_ms)
{
	char name[16];

	(void)bridge_pass(echo->bridge, mulaw, bytes);
	if (++echo->frames % MARK_FRAMES != 0)
		return;
	(void)snprintf(name, sizeof(name), "f%u", echo->frames);
	(void)bridge_mark(echo->bridge, str_from(name));
}

static void echo_played(struct engine *echo, unsigned utterance, bool whole, int64_t played_ms)
{
}

static void echo_close(struct engine *echo)
{
	free(echo);
}

const struct engine_driver echo_engine = {
	.name = "echo",
	.open = echo_open,
	.hear = echo_hear,
	.played = echo_played,
	.close = echo_close,
	.flags = ENGINE_RAW | ENGINE_SILENT,
};
