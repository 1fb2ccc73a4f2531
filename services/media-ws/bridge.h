/*
 * bridge: one call's audio, between Twilio's leg and an engine's.
 *
 * A state machine (state x event table in bridge.c): WAITING for start, OPEN (listening, thinking or
 * speaking), FINISHING (what is said is played, then the call goes where its outcome says), CLOSED.
 * Queues are bounded in milliseconds. It paces by the monotonic clock with a send-ahead window, knows
 * what was played by Twilio's marks alone, and ends in a recording when an engine fails, never in
 * silence: the outcome lies in voice_calls before the stream is closed, and hooks answers
 * <Connect action> by it.
 */
#ifndef MEDIA_WS_BRIDGE_H
#define MEDIA_WS_BRIDGE_H

#include "engine.h"
#include "error.h"
#include "json.h"
#include "log.h"

struct bridge;

enum {
	BRIDGE_AHEAD_MS = 400,	      /* sent before it is due */
	BRIDGE_MAX_QUEUE_MS = 120000, /* said and not sent yet: more is refused */
	BRIDGE_START_MS = 4000,	      /* connected, but no start */
	BRIDGE_SILENT_MS = 6000,      /* no media from Twilio at all */
	BRIDGE_THINK_MS = 7000,	      /* an engine that says nothing after an utterance */
	BRIDGE_MARK_MARGIN_MS = 2000, /* later than the audio that was queued: a mark is lost */
	BRIDGE_LONGEST_MS = 60 * 60 * 1000,
};

/* -- what an engine asks of it (all return at once; after bridge_finish/failed they do nothing) ----- */

/* More of what is being said; the first piece begins an utterance of ours. False: the queue is full. */
bool bridge_say(struct bridge *bridge, const uint8_t *mulaw, size_t bytes);
/* The utterance is whole. Its number: `played` will name it. */
unsigned bridge_say_end(struct bridge *bridge);
/* The caller interrupts: what is not played yet is dropped here and at Twilio (clear), at once. The
 * generation grows: marks of older ones are no longer believed. Returns how many ms of the current
 * utterance were played. */
int64_t bridge_hush(struct bridge *bridge);
bool bridge_speaking(const struct bridge *bridge); /* something is queued or not played yet */

/* An utterance of the caller is over and wants an answer: who says nothing within BRIDGE_THINK_MS from
 * here on (bridge_say) has failed. bridge_turn() with a user_text does the same. Nothing to answer
 * after all (a cough): bridge_heard_nothing(). */
void bridge_heard(struct bridge *bridge);
void bridge_heard_nothing(struct bridge *bridge);

/* For self-tests, past queue and pacing: one message as it is, at once. */
bool bridge_pass(struct bridge *bridge, const uint8_t *mulaw, size_t bytes);
bool bridge_mark(struct bridge *bridge, struct str name);

/* Row of call_turns; texts are stored with it. Several calls for one turn fill in what is known. */
void bridge_turn(struct bridge *bridge, const struct engine_turn *turn);

/* Say what is queued to its end (goodbye included), then go there. */
void bridge_finish(struct bridge *bridge, const struct engine_outcome *outcome);
/* The engine cannot go on. Twilio's caller is asked to leave a message. */
void bridge_failed(struct bridge *bridge, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A tool that takes time: `done` is called from the loop, once, unless the call ends before. */
typedef void bridge_tool_done_fn(
	struct engine *engine, const char *id, bool well, struct str answer);
/* lookup: the caller at 8020; message: a note for the enterprise; text: an SMS by hooks' API. `arguments` is JSON. */
void bridge_tool(struct bridge *bridge, const char *tool, const char *id, struct str arguments,
	bridge_tool_done_fn *done);

struct loop *bridge_loop(const struct bridge *bridge);
const struct log_context *bridge_log(const struct bridge *bridge);
int64_t bridge_now_ms(const struct bridge *bridge); /* monotonic */

#endif
