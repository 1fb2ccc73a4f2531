/*
 * call: names of a call's states, and the spans of time in it.
 */
#include "call.h"

const char *call_direction_name(enum call_direction direction)
{
	static const char *const names[] = {
		[CALL_UNKNOWN] = "unknown",
		[CALL_INCOMING] = "incoming",
		[CALL_OUTGOING] = "outgoing",
		[CALL_INTERNAL] = "internal",
	};

	return names[direction];
}

const char *call_state_name(enum call_state state)
{
	static const char *const names[] = {
		[CALL_GREETING] = "greeting",
		[CALL_RINGING] = "ringing",
		[CALL_TALKING] = "talking",
		[CALL_ENDED] = "ended",
		[CALL_LOST] = "lost",
	};

	return names[state];
}

const char *call_transfer_kind_name(enum call_transfer_kind kind)
{
	return kind == TRANSFER_ATTENDED ? "attended" : "blind";
}

const char *call_transfer_result_name(enum call_transfer_result result)
{
	static const char *const names[] = {
		[TRANSFER_PENDING] = "pending",
		[TRANSFER_ACCEPTED] = "accepted",
		[TRANSFER_REFUSED] = "refused",
		[TRANSFER_UNANSWERED] = "unanswered",
	};

	return names[result];
}

/* Rounded down, as people read clocks: 00:59.9 is still 00:59. */
static int64_t whole_seconds(int64_t from_ms, int64_t to_ms)
{
	if (from_ms == CALL_NO_TIME || to_ms == CALL_NO_TIME || to_ms < from_ms)
		return -1;
	return (to_ms - from_ms) / 1000;
}

int64_t call_ring_seconds(const struct call *call)
{
	return whole_seconds(call->started_ms, call->answered ? call->answered_ms : call->ended_ms);
}

int64_t call_talk_seconds(const struct call *call)
{
	if (!call->answered)
		return call->ended_ms == CALL_NO_TIME ? -1 : 0;
	return whole_seconds(call->answered_ms, call->ended_ms);
}
