/*
 * plan: what a round's changes have to tell, to whom, decided before the commit.
 *
 * The rows go into the round's transaction; memory follows when that is committed.
 */
#ifndef DISPATCHER_PLAN_H
#define DISPATCHER_PLAN_H

#include "call.h"
#include "folding.h"
#include "outbox.h"

/* A call to be told, as it is now. */
struct plan_wish {
	int64_t call_id;
	unsigned shard;
	const char *enterprise;
	const struct call *call; /* NULL: it was merged into another */
	const char *trace;
	int64_t since_ms; /* wall: arrival of what led to it */
	bool recovered;	  /* told afterwards: the header says so */
};

struct plan_target {
	struct chat *chat;
	const char *markup; /* this reader's own buttons; NULL: those of the call */
	const char *state;  /* of the row */
	bool claimed;	    /* goes out as soon as it is committed */
	bool kept;	    /* in memory; else the row waits in the database */
};

struct plan {
	int64_t call_id;
	unsigned shard;
	const char *enterprise;
	struct live_state state;
	const char *recording; /* from now on known; NULL: as before */
	struct plan_target *targets;
	unsigned target_count;
	struct plan *next;
};

/* NULL: nobody has to be told. What a chat shows already is not told again, whatever the version. */
struct plan *plan_wished(struct dispatcher *d, const struct plan_wish *wish, struct arena *arena);

/* One message that never changes, to all who hear of everything: `wish` has no call, its id is that of the
 * event. */
struct plan *plan_announcement(
	struct dispatcher *d, const struct plan_wish *wish, struct str html, struct arena *arena);

/* The same for a change of the fold. */
struct plan *plan_make(struct dispatcher *d, const struct change *change, const struct call *call,
	struct arena *arena);

/* The call's recording is at `url`: its final message, where it stands, shows it. */
struct plan *plan_recording(
	struct dispatcher *d, const struct live_call *live, const char *url, struct arena *arena);

/* After the commit. */
void plan_apply(struct dispatcher *d, const struct plan *plan);

/* plan_text.c: the text of a state; false when it is not shown. */
bool plan_text(struct dispatcher *d, const struct plan_wish *wish, const struct live_call *live,
	struct arena *arena, struct live_state *state);
/* Put a link into the place for it. False: the text has none. */
bool plan_put_recording(struct live_state *state, const char *url, struct arena *arena);
/* The buttons of a call for one who reads it; NULL: those of a reader without phones. */
struct directory_recipient;
const char *plan_markup(struct dispatcher *d, const struct plan_wish *wish,
	const struct directory_recipient *reader, struct arena *arena);

/* outbox_rows.c: does planning need what the database knows of the call's messages? */
bool plan_needs_lookup(const struct dispatcher *d, const struct change *change);
void plan_add_lookup(struct pg_batch *batch, struct arena *arena, struct str call_ids);
void plan_take_lookup(struct dispatcher *d, const struct pg_batch *batch);

#endif
