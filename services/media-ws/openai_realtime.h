/*
 * openai_realtime: the state of a dialogue with a Realtime server, shared by the engine's two files:
 * openai_realtime.c has the connection and the session, openai_realtime_talk.c what is said over it.
 */
#ifndef MEDIA_WS_OPENAI_REALTIME_H
#define MEDIA_WS_OPENAI_REALTIME_H

#include "bridge.h"
#include "engine_options.h"
#include "realtime_message.h"
#include "websocket.h"

enum {
	REALTIME_ID_BYTES = 80,
	REALTIME_ITEMS = 8, /* of the caller, whose words may come late */
	REALTIME_TOOLS = 8,
};

enum realtime_state { CONNECTING, OPENED, SESSION, OVER };

struct heard_item {
	char id[REALTIME_ID_BYTES];
	unsigned turn;
};

struct engine { /* openai-realtime's */
	struct bridge *bridge;
	const struct engine_call *call;
	struct arena *arena;
	struct engine_options options;
	struct websocket *socket;
	struct buf out, early;
	enum realtime_state state;
	bool beta;
	int64_t since_ms; /* of the state; later: when the answer last went on */

	struct heard_item items[REALTIME_ITEMS];
	unsigned turn, item_at;
	int64_t heard_from_ms, stopped_ms; /* media time; bridge_now_ms(), 0: nothing is owed */

	/* the answer that is under way, or was last */
	bool responding, audible,
		dropped; /* dropped: it was interrupted, its rest is passed over */
	bool saying;	 /* an utterance of the bridge is open */
	char response_id[REALTIME_ID_BYTES], item_id[REALTIME_ID_BYTES];
	int64_t item_bytes; /* of its sound */
	unsigned utterance;

	char tools[REALTIME_TOOLS][REALTIME_ID_BYTES]; /* call_id of those under way; "": free */
	unsigned results;			       /* that the model has not answered to yet */
	bool finishes;
	struct engine_outcome outcome;
};

/* -- openai_realtime.c */

/* The caller is asked to leave a message; no effect when it is over already. */
void realtime_fail(struct engine *engine, const char *what, const char *words);
/* What was put into engine->out. */
void realtime_send(struct engine *engine);
struct engine_turn realtime_turn(const struct engine *engine); /* nothing known yet */

/* -- openai_realtime_talk.c */

void realtime_talk(struct engine *engine, const struct realtime_message *message);
/* The model goes on when it has all results, and is not speaking any more. */
void realtime_answer_results(struct engine *engine);

#endif
