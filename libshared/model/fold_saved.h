/*
 * fold_saved: a call's state as it is stored. Private to model.
 *
 * The graph is saved as lists that point into each other by place: from 1, 0 is none.
 */
#ifndef CALLWEAVE_FOLD_SAVED_H
#define CALLWEAVE_FOLD_SAVED_H

#include "fold_private.h"

enum { SAVED_MAX_BYTES = 1 << 20, SAVED_DEPTH = 6, SAVED_ARENA_BYTES = 4 << 20 };
enum {
	FLAG_HUNG_UP = 1,
	FLAG_LINKED = 2,
	FLAG_CONSULT = 4,
	FLAG_NAMED = 8,
	FLAG_WEAK = 16,
	FLAG_MET = 32
};
enum { FLAG_MOBILE = 1, FLAG_FOLLOW_ME = 2, FLAG_PICKED_UP = 4 };
enum {
	FLAG_ANSWERED = 1,
	FLAG_CLICK = 2,
	FLAG_ANCHORED = 4,
	FLAG_CONVERSATION = 8,
	FLAG_OWN_HANGUP = 16,
	FLAG_LEG_ENDED = 32,
	FLAG_LINE_SAID = 64,
};

struct saved_channel {
	struct str uid, local, number, peer;
	int64_t kind, flags, bridge, twin; /* places from 1; 0: none */
};

struct saved_bridge {
	struct str id;
	bool old;
};

struct saved_leg {
	struct str number;
	int64_t ringing, answered, ended, rang, talked, flags;
};

struct saved_transfer {
	struct str from, to, taker;
	int64_t kind, result, at_ms, flags, by;
};

struct saved_ref {
	struct str number;
	bool ours;
};

struct saved {
	int64_t id, version, direction, state, status, flags, overflow, primary;
	int64_t started, ended, last, closed, talked, idle, left, host_start, host_end;
	struct str external, caller, callee, talking, line, ours;
	bool e164;
	struct json_strings lines;
	struct json_list legs, channels, bridges, transfers, refs;
	/* Of states that an older release saved; read, not written. */
	int64_t answered, picked_up;
	struct str shown;
	struct json_strings rang, talkers, mobiles;
};

extern const struct json_field fold_saved_fields[];

#endif
