/*
 * bridge_hear: what the caller says, from Twilio's frames to the engine.
 *
 * The engine's clock is the audio: where the timestamps of two frames leave a hole it hears silence, so
 * that a pause is as long as it was. Frames that come while the call is looked up are kept, so that the
 * caller's first word is not lost (P9).
 */
#include "bridge_private.h"

#include "crypto.h"
#include "mulaw.h"

enum {
	BYTES_PER_MS = MULAW_HZ / 1000,
	GAP_MS = MULAW_FRAME_MS, /* less is jitter of the clock that made the timestamps */
};

struct kept { /* in front of each early frame */
	int64_t timestamp_ms;
	size_t bytes;
};

static void hear_silence(struct bridge *bridge, int64_t gap_ms)
{
	uint8_t silence[MULAW_FRAME_BYTES];

	memset(silence, MULAW_SILENCE, sizeof(silence));
	metric_add(bridge->meters->gap_seconds, (double)gap_ms / 1000);
	/* The engine may end the call at any frame. */
	while (gap_ms > 0 && bridge->state == BRIDGE_OPEN) {
		int64_t ms = gap_ms < MULAW_FRAME_MS ? gap_ms : MULAW_FRAME_MS;

		bridge->driver->hear(
			bridge->engine, silence, (size_t)(ms * BYTES_PER_MS), bridge->heard_ms);
		bridge->heard_ms += ms;
		gap_ms -= ms;
	}
}

/* A hole longer than the watchdog's patience is none that Twilio makes: only so much is filled. */
static void fill_gap(struct bridge *bridge, int64_t timestamp_ms)
{
	int64_t gap_ms = timestamp_ms - bridge->heard_ms;

	if (bridge->heard_ms < 0) {
		bridge->heard_ms = timestamp_ms;
		return;
	}
	if (gap_ms < GAP_MS)
		return;
	if (gap_ms > BRIDGE_SILENT_MS) {
		bridge->heard_ms = timestamp_ms - BRIDGE_SILENT_MS;
		gap_ms = BRIDGE_SILENT_MS;
	}
	hear_silence(bridge, gap_ms);
}

static void hear(struct bridge *bridge, const uint8_t *mulaw, size_t bytes, int64_t timestamp_ms)
{
	if ((bridge->driver->flags & ENGINE_RAW) != 0)
		bridge->heard_ms = timestamp_ms;
	else
		fill_gap(bridge, timestamp_ms);
	if (bridge->state != BRIDGE_OPEN)
		return;
	bridge->driver->hear(bridge->engine, mulaw, bytes, bridge->heard_ms);
	bridge->heard_ms += (int64_t)(bytes / BYTES_PER_MS);
}

/* The audio of a message into the scratch; false: none, or it was no base64 and the stream ends. */
static bool decode(struct bridge *bridge, const struct media_message *message, size_t *bytes)
{
	struct bridge_scratch *scratch = bridge->scratch;

	if (message->payload.size == 0)
		return false;
	if (message->timestamp_ms >= 0 &&
		crypto_base64_read(message->payload, scratch->audio, sizeof(scratch->audio), bytes))
		return true;
	bridge_event(bridge, &(struct bridge_event){.kind = BRIDGE_ON_WRONG,
				     .code = CLOSE_DATA,
				     .refusal = REFUSED_JSON,
				     .words = "a frame that is no audio"});
	return false;
}

void bridge_hear_message(struct bridge *bridge, const struct media_message *message)
{
	size_t bytes;

	bridge->came_ms = bridge_now_ms(bridge);
	metric_add(bridge->meters->frames_in, 1);
	if (decode(bridge, message, &bytes))
		hear(bridge, bridge->scratch->audio, bytes, message->timestamp_ms);
}

/* More than the buffer takes becomes a gap like any other. */
void bridge_hear_early(struct bridge *bridge, const struct media_message *message)
{
	struct kept head = {.timestamp_ms = message->timestamp_ms};

	metric_add(bridge->meters->frames_in, 1);
	if (!decode(bridge, message, &head.bytes) ||
		bridge->early.size + sizeof(head) + head.bytes > bridge->early.max_bytes)
		return;
	buf_append(&bridge->early, &head, sizeof(head));
	buf_append(&bridge->early, bridge->scratch->audio, head.bytes);
}

void bridge_hear_kept(struct bridge *bridge)
{
	const char *at = bridge->early.data;
	const char *end = at + bridge->early.size;
	struct kept head;

	while (at < end && bridge->state == BRIDGE_OPEN) {
		memcpy(&head, at, sizeof(head));
		at += sizeof(head);
		hear(bridge, (const uint8_t *)at, head.bytes, head.timestamp_ms);
		at += head.bytes;
	}
	buf_free(&bridge->early);
}
