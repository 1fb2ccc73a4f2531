/*
 * sink: a self-test that only receives: is anything lost on the way in?
 */
#include "alloc.h"
#include "bridge.h"
#include "error.h"

#include <inttypes.h>
#include <stdlib.h>

struct engine {
	struct bridge *bridge;
	int64_t frames, bytes;
};

static struct engine *sink_open(struct bridge *bridge, const struct engine_setup *setup,
	const struct engine_call *call, struct error *error)
{
	struct engine *sink = alloc_zeroed(1, sizeof(*sink));

	sink->bridge = bridge;
	return sink;
}

static void sink_hear(struct engine *sink, const uint8_t *mulaw, size_t bytes, int64_t at_ms)
{
	sink->frames++;
	sink->bytes += (int64_t)bytes;
}

static void sink_played(struct engine *sink, unsigned utterance, bool whole, int64_t played_ms)
{
}

static void sink_close(struct engine *sink)
{
	log_info(bridge_log(sink->bridge), "sink: %" PRId64 " frames, %" PRId64 " bytes",
		sink->frames, sink->bytes);
	free(sink);
}

const struct engine_driver sink_engine = {
	.name = "sink",
	.open = sink_open,
	.hear = sink_hear,
	.played = sink_played,
	.close = sink_close,
	.flags = ENGINE_RAW | ENGINE_SILENT,
};
