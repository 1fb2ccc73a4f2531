/*
 * call_row: a call as rows of the tables calls, call_legs and call_transfers, in JSON, and back.
 *
 * The dispatcher's rounds and the refold store the same calls in the same tables: what is in a
 * column is decided here once. A number or time that is not known is left out.
 */
#ifndef CALLWEAVE_CALL_ROW_H
#define CALLWEAVE_CALL_ROW_H

#include "arena.h"
#include "call.h"

/* What the row says beside the call itself. */
struct call_row_about {
	int64_t shard;
	struct str enterprise;
	struct str data_source; /* "live", "recovery" */
	struct str trace_id;
	struct str trace;	       /* JSON: why the call is as it is; see call_row_reason() */
	struct str fallback_extension; /* settings: of calls whose own extension nobody knows */
};

/* Append one object. Texts are views of `call`: nothing of it is kept. */
void call_row_write(struct buf *to, const struct call *call, const struct call_row_about *about,
	struct arena *arena);

/* Append the rows of the other two tables to a list, as call_row_next() does. */
void call_row_add_legs(struct buf *rows, const struct call *call);
void call_row_add_transfers(struct buf *rows, const struct call *call);

/* Append a reason to a list of them. */
void call_row_add_reason(struct buf *reasons, int64_t at_ms, int64_t event_id, const char *words);

/* The place of the next item of a list: begins it with `open`, else with a comma. The list is
 * closed by who sends it. */
struct buf *call_row_next(struct buf *rows, char open);

/* Columns of `calls` that the events decide, for who compares rows: ended by NULL. */
extern const char *const call_row_columns[];

/* A wall time for a table of fields: empty (NULL) when unknown. */
struct str call_row_time(int64_t wall_ms, char to[CLOCK_TEXT_BYTES]);

/* Build a call from its row with members "legs" and "transfers" (lists of their rows), as
 * PostgreSQL's to_jsonb() gives them. All memory is the arena's. */
bool call_row_read(struct str row, struct arena *arena, struct call *call, struct error *error);

#endif
