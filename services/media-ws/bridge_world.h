/*
 * bridge_world: what drives a bridge and what it stands on: events, and the functions by which it acts.
 *
 * A bridge knows no socket and no database: tests give it a leg and a clock of their own.
 */
#ifndef MEDIA_WS_BRIDGE_WORLD_H
#define MEDIA_WS_BRIDGE_WORLD_H

#include "bridge.h"
#include "media_message.h"
#include "meters.h"

enum bridge_state {
	BRIDGE_WAITING,	  /* for start */
	BRIDGE_OPENING,	  /* whose call is it, and may it? */
	BRIDGE_OPEN,	  /* the engine has it */
	BRIDGE_FINISHING, /* what is said is played, then the outcome counts */
	BRIDGE_STORING,	  /* the outcome is on its way to voice_calls */
	BRIDGE_CLOSING,	  /* we closed; the peer has not yet */
	BRIDGE_CLOSED,	  /* only to be freed */
	BRIDGE_STATES
};

enum bridge_event_kind {
	BRIDGE_ON_START,
	BRIDGE_ON_MEDIA,
	BRIDGE_ON_MARK,
	BRIDGE_ON_DIGIT,
	BRIDGE_ON_STOP,
	BRIDGE_ON_OTHER,    /* connected, and kinds that are new */
	BRIDGE_ON_WRONG,    /* what cannot be meant: close with `code` */
	BRIDGE_ON_GONE,	    /* the socket is closed */
	BRIDGE_ON_ADMITTED, /* `call`, `driver` */
	BRIDGE_ON_REFUSED,  /* `code`, `words` */
	BRIDGE_ON_STORED,   /* the outcome is there, or never will be */
	BRIDGE_ON_END,	    /* the process ends */
	BRIDGE_EVENTS
};

struct bridge_event {
	enum bridge_event_kind kind;
	const struct media_message *message; /* of Twilio's kinds; valid inside */
	int code;			     /* WRONG, REFUSED: of the close frame */
	enum refusal refusal;		     /* the same, for the counters */
	const char *words;
	const struct engine_call *call; /* ADMITTED; lives as long as the bridge */
	const struct engine_driver *driver;
};

/* A tool that is under way: part of what carries it out, and of its bridge's list. */
struct bridge_tool {
	struct bridge *bridge; /* NULL: its call is over, nobody waits for the answer */
	struct bridge_tool *next, **link;
	const char *id;
	bridge_tool_done_fn *done;
};
struct bridge_scratch { /* one for all bridges: they never work at the same time */
	struct buf out;
	struct arena *arena;
	uint8_t audio[(size_t)48 << 10];
};

struct bridge_world {
	int64_t (*now_ms)(void *context);
	bool (*send)(void *leg, struct str text); /* to Twilio */
	size_t (*unsent_bytes)(void *leg);
	void (*close)(void *leg, int code, const char *words);
	/* Begin to find out whose call this start is: ADMITTED or REFUSED follows, not at once. */
	void (*admit)(struct bridge *bridge, const struct media_message *start);
	void (*unadmit)(struct bridge *bridge); /* it does not matter any more */
	void (*opened)(struct bridge *bridge);
	void (*store)(struct bridge *bridge); /* the outcome: STORED follows, not at once */
	void (*turn)(struct bridge *bridge, const struct engine_turn *turn);
	/* Begin a tool: bridge_tool_over() follows, not at once. */
	struct bridge_tool *(*tool)(
		struct bridge *bridge, const char *name, const char *id, struct str arguments);
};

#endif
