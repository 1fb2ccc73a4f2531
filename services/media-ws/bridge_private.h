/*
 * bridge_private: what the files of the bridge share: its memory, and who does what.
 */
#ifndef MEDIA_WS_BRIDGE_PRIVATE_H
#define MEDIA_WS_BRIDGE_PRIVATE_H

#include "bridge_world.h"

enum {
	BRIDGE_TICK_MS = 20,
	BRIDGE_MAX_QUEUE_BYTES = BRIDGE_MAX_QUEUE_MS * 8,
	BRIDGE_UTTERANCES = 64,	     /* said and not played yet: more is refused */
	BRIDGE_EARLY_BYTES = 8000,   /* of media while the call is looked up: one second */
	BRIDGE_UNSENT_BYTES = 16384, /* Twilio takes nothing: no more is sent until it does */
	BRIDGE_STORE_MS = 1000,	     /* PostgreSQL has so long to take the outcome */
	BRIDGE_CLOSE_MS = 6000,	     /* longer than the socket itself waits for a close */
	BRIDGE_OPENING_MS = 4000,
	BRIDGE_TOOLS = 8,   /* under way at once */
	BRIDGE_TURNS = 500, /* stored of one call */
	BRIDGE_MARK_BYTES = 32,
};

/* Something that we say, from its first byte to the echo of its mark. Offsets count all bytes said in
 * this call. */
struct utterance {
	unsigned number;
	int64_t begin, end; /* end: -1 while the engine goes on */
	bool marked;
	int64_t deadline_ms; /* of the mark's echo */
};

struct bridge_cut { /* that its engine has to be told */
	unsigned number;
	int64_t played_ms;
};

struct bridge {
	const struct bridge_world *world;
	void *context; /* of the process: struct media_ws */
	void *leg;
	struct loop *loop;
	struct log_context log;
	const struct engine_setup *setup;
	struct bridge_scratch *scratch;
	struct meters *meters;

	enum bridge_state state;
	int64_t state_ms; /* since when */
	char stream_sid[MEDIA_SID_BYTES];
	char call_sid[MEDIA_SID_BYTES];
	int64_t sequence; /* of the last message */

	const struct engine_driver *driver;
	struct engine *engine;
	const struct engine_call *call;
	bool recorded; /* there is a row of voice_calls */
	unsigned turns;

	/* heard */
	int64_t came_ms;  /* when the last frame came, monotonic */
	int64_t heard_ms; /* media time up to which it was heard; -1: nothing yet */
	int64_t owed_ms;  /* since when an answer is owed; 0: none is */
	struct buf early;

	/* said */
	struct buf queue; /* not sent yet, from queue_at on */
	size_t queue_at;
	int64_t said, sent;  /* bytes of this call; dropped ones count as sent */
	int64_t play_end_us; /* monotonic: when all that was sent will have been played */
	unsigned generation, utterance;
	struct utterance utterances[BRIDGE_UTTERANCES]; /* the oldest first */
	unsigned utterance_count;
	struct bridge_cut cuts[BRIDGE_UTTERANCES];
	unsigned cut_count;

	/* the end */
	bool ending, hurry; /* an outcome is known; do not wait until all is played */
	enum engine_end end;
	char end_to[64], end_reason[160];
	bool gone;	/* the socket is closed already */
	int close_code; /* ours, after the outcome is stored */

	struct bridge_tool *tools;
	unsigned tool_count;
};

void bridge_init(struct bridge *bridge);
void bridge_done(struct bridge *bridge); /* the mirror: all that it still holds */
void bridge_event(struct bridge *bridge, const struct bridge_event *event);
void bridge_tick(struct bridge *bridge);
bool bridge_over(const struct bridge *bridge); /* may be freed */
const char *bridge_state_name(enum bridge_state state);

/* bridge_end.c: the one place that changes a state, and the ways to the end */
enum {
	CLOSE_NORMAL = 1000,
	CLOSE_AWAY = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_BINARY = 1003,
	CLOSE_DATA = 1007,
	CLOSE_POLICY = 1008,
	CLOSE_BROKEN = 1011
};
void bridge_enter(struct bridge *bridge, enum bridge_state state);
void bridge_close_engine(struct bridge *bridge);
void bridge_close_leg(struct bridge *bridge, int code, const char *words);
/* Before anybody had the call: nothing to store. */
void bridge_refuse(struct bridge *bridge, const struct bridge_event *event);
/* What was decided is stored, then the socket goes. */
void bridge_store_end(struct bridge *bridge);
/* Something outside the engine decides. */
void bridge_end_call(struct bridge *bridge, enum engine_end end, const char *reason);
void bridge_on_stored(struct bridge *bridge, const struct bridge_event *event);

/* bridge_say.c: queue, pacing, marks */
void bridge_pump(struct bridge *bridge);
void bridge_on_mark(struct bridge *bridge, struct str name);
void bridge_check_marks(struct bridge *bridge, int64_t now);
void bridge_tell_cuts(struct bridge *bridge);
void bridge_drop_queue(struct bridge *bridge);

/* bridge_hear.c: frames, gaps */
void bridge_hear_message(struct bridge *bridge, const struct media_message *message);
void bridge_hear_early(struct bridge *bridge, const struct media_message *message);
void bridge_hear_kept(struct bridge *bridge);

void bridge_tool_over(struct bridge_tool *tool, bool well, struct str answer);
void bridge_tool_forget(struct bridge_tool *tool); /* it will not be over: nobody is told */
void bridge_forget_tools(struct bridge *bridge);

#endif
