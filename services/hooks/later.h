/*
 * later: what has to be stored before it is answered, also while PostgreSQL is away.
 *
 * A thing is JSON for one SQL statement, which must bear to see it twice (a commit in doubt, a webhook
 * that came again). What cannot be stored now goes to a journal on disk and is replayed in order; what
 * comes meanwhile goes behind it, so that nothing overtakes.
 */
#ifndef HOOKS_LATER_H
#define HOOKS_LATER_H

#include "flow.h"
#include "pg.h"

struct hooks;
struct later;

struct later_kind {
	const char *name; /* of its records in the journal: never changed, no spaces */
	const char *sql;  /* $1: the JSON; $2::boolean: it comes out of the journal */
};

/* What the rooms store: a line each in later.c. */
extern const struct later_kind text_in_kind, text_status_kind;
extern const struct later_kind voice_start_kind, voice_move_kind, voice_talk_kind,
	voice_recording_kind, voice_status_kind;

/* The journal is opened: NULL with words when it cannot be. Replays in the background. */
struct later *later_new(struct hooks *hooks, struct error *error);
void later_free(struct later **later);

/* In a flow's state. `json` must live until the flow goes on. */
struct later_store {
	const struct later_kind *kind;
	struct str json;
	/* then: */
	bool stored; /* it is durable */
	struct pg_batch
		*batch; /* rows of the statement, in the flow's arena; NULL: it is in the journal */
	struct error error; /* why it is not stored: 503, or 500 */
};

/* `return await_later(flow, &state->store);`: at most three seconds, then the journal has it. */
enum flow_status await_later(struct flow *flow, struct later_store *store);

size_t later_records(const struct later *later);      /* that wait for PostgreSQL */
const char *later_why_not(const struct later *later); /* NULL, or why it takes nothing more */

#endif
