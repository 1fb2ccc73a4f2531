/*
 * bridge_watch: what time does to a call. Each state has its patience, and none ends in silence.
 */
#include "bridge_private.h"

static void close_for(struct bridge *bridge, int code, enum refusal refusal, const char *words)
{
	bridge_event(bridge,
		&(struct bridge_event){
			.kind = BRIDGE_ON_WRONG, .code = code, .refusal = refusal, .words = words});
}

static void watch_waiting(struct bridge *bridge, int64_t for_ms)
{
	if (for_ms > BRIDGE_START_MS)
		close_for(bridge, CLOSE_POLICY, REFUSED_NO_START, "no start came");
}

static void watch_opening(struct bridge *bridge, int64_t for_ms)
{
	if (for_ms > BRIDGE_OPENING_MS)
		close_for(bridge, CLOSE_BROKEN, REFUSED_UPSTREAM,
			"the call could not be looked up in time");
}

static void watch_open(struct bridge *bridge, int64_t for_ms)
{
	int64_t now = bridge_now_ms(bridge);

	if (bridge->owed_ms != 0 && bridge_speaking(bridge))
		bridge->owed_ms = now;
	if (now - bridge->came_ms > BRIDGE_SILENT_MS)
		bridge_end_call(bridge, ENGINE_MESSAGE, "no audio came from Twilio");
	else if (bridge->owed_ms != 0 && now - bridge->owed_ms > BRIDGE_THINK_MS)
		bridge_end_call(bridge, ENGINE_MESSAGE, "the engine had nothing to say");
	else if (for_ms > BRIDGE_LONGEST_MS)
		bridge_end_call(bridge, ENGINE_HANGUP, "the longest that a call may take");
}

static void watch_finishing(struct bridge *bridge, int64_t for_ms)
{
	if (bridge->hurry || !bridge_speaking(bridge))
		bridge_store_end(bridge);
}

static void watch_storing(struct bridge *bridge, int64_t for_ms)
{
	if (for_ms > 2 * BRIDGE_STORE_MS)
		bridge_on_stored(bridge, NULL);
}

static void watch_closing(struct bridge *bridge, int64_t for_ms)
{
	if (for_ms > BRIDGE_CLOSE_MS)
		bridge_enter(bridge, BRIDGE_CLOSED);
}

void bridge_tick(struct bridge *bridge)
{
	static void (*const watches[BRIDGE_STATES])(struct bridge * bridge, int64_t for_ms) = {
		[BRIDGE_WAITING] = watch_waiting,
		[BRIDGE_OPENING] = watch_opening,
		[BRIDGE_OPEN] = watch_open,
		[BRIDGE_FINISHING] = watch_finishing,
		[BRIDGE_STORING] = watch_storing,
		[BRIDGE_CLOSING] = watch_closing,
	};
	int64_t now = bridge_now_ms(bridge);

	if (bridge->state == BRIDGE_OPEN && bridge->driver->tick != NULL)
		bridge->driver->tick(bridge->engine);
	bridge_pump(bridge);
	bridge_check_marks(bridge, now);
	bridge_tell_cuts(bridge);
	if (watches[bridge->state] != NULL)
		watches[bridge->state](bridge, now - bridge->state_ms);
}
