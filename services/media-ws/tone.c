/*
 * tone: a self-test that is heard: 440 Hz in real time, at a quarter of full scale, through queue and
 * pacing like an engine's words.
 */
#include "alloc.h"
#include "bridge.h"
#include "error.h"
#include "mulaw.h"

#include <math.h>
#include <stdlib.h>

enum { TONE_HZ = 440, LEVEL = 8000, PERIOD = MULAW_HZ / 40 }; /* 11 waves are 200 samples */

struct engine {
	struct bridge *bridge;
	int64_t begun_ms, said_ms;
	uint8_t wave[2 * PERIOD];
};

static struct engine *tone_open(struct bridge *bridge, const struct engine_setup *setup,
	const struct engine_call *call, struct error *error)
{
	struct engine *tone = alloc_zeroed(1, sizeof(*tone));

	tone->bridge = bridge;
	tone->begun_ms = bridge_now_ms(bridge);
	for (unsigned i = 0; i < 2 * PERIOD; i++) {
		double at = 2 * M_PI * TONE_HZ * i / MULAW_HZ;

		tone->wave[i] = mulaw_encode((int16_t)(LEVEL * sin(at)));
	}
	return tone;
}

static void tone_hear(struct engine *tone, const uint8_t *mulaw, size_t bytes, int64_t at_ms)
{
}

/* Always a little ahead of the clock, never behind it. */
static void tone_tick(struct engine *tone)
{
	int64_t until_ms = bridge_now_ms(tone->bridge) - tone->begun_ms + 2 * BRIDGE_AHEAD_MS;

	while (tone->said_ms < until_ms) {
		size_t from = (size_t)(tone->said_ms * MULAW_HZ / 1000) % PERIOD;

		if (!bridge_say(tone->bridge, tone->wave + from, MULAW_FRAME_BYTES))
			return;
		tone->said_ms += MULAW_FRAME_MS;
	}
}

static void tone_played(struct engine *tone, unsigned utterance, bool whole, int64_t played_ms)
{
}

static void tone_close(struct engine *tone)
{
	free(tone);
}

const struct engine_driver tone_engine = {
	.name = "tone",
	.open = tone_open,
	.hear = tone_hear,
	.played = tone_played,
	.close = tone_close,
	.tick = tone_tick,
	.flags = ENGINE_RAW | ENGINE_SILENT,
};
