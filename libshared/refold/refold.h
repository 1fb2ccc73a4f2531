/*
 * refold: the event log folded again, compared with `calls`.
 *
 * A run reads the events of an enterprise (or of all) in the order of their own time, folds them in a
 * fresh call_fold, and leaves the finished calls and what is different in `calls` in temporary
 * tables of its connection (migrations/0005_refold.sql): refold_calls and refold_changes. Nothing is changed
 * until the caller applies a piece of refold_changes by refold_add_apply(). Memory is bounded by the open
 * calls, the disk of the server by the events. ADR 0012.
 */
#ifndef CALLWEAVE_REFOLD_H
#define CALLWEAVE_REFOLD_H

#include "clock.h"
#include "number_rules.h"
#include "pg.h"
#include "table.h"

/* What the fold has to know of an enterprise. Borrowed. */
struct refold_tenant {
	const char *country;
	const struct clock_zone *zone;
	const struct number_rules *numbers; /* NULL: none */
	const char *fallback_extension; /* settings: of calls whose own extension nobody knows */
};

/* Milliseconds of wall time; REFOLD_NO_TIME: without that end. */
#define REFOLD_NO_TIME PG_NO_TIME

struct refold_options {
	struct pg *pg; /* the run's own while it lasts; long statements must be allowed */
	const struct table
		*tenants; /* number -> struct refold_tenant; events of others are passed over */
	const char *enterprise; /* NULL: all */
	int64_t from_ms, to_ms; /* only calls that something happened to in this stretch */
	int64_t linger_ms;	/* as the live fold's */
	unsigned chunk_events;	/* read and folded at once, between which others have their turn */
};

struct refold_counts {
	int64_t total, events; /* in the log, folded so far */
	int64_t unreadable;
	int64_t calls; /* in the stretch; of them: */
	int64_t fresh, changed, gone;
	int64_t busy;	 /* left alone, for the live fold still works on them */
	int64_t waiting; /* of these, those that events came for afterwards: worth another try */
	int64_t cut;	 /* left alone, for the log has not all of them */
};

struct refold;

struct refold *refold_new(const struct refold_options *options);
void refold_free(struct refold **refold); /* not while its flow runs */

/* Run it as a child: `refold_spawn(flow, refold); return await_children(flow);`, then ask refold_ok(). */
void refold_spawn(struct flow *parent, struct refold *refold);
bool refold_ok(const struct refold *refold, struct error *error);
const struct refold_counts *refold_counts(const struct refold *refold);
int64_t refold_changes_count(const struct refold *refold);

/* Rows of refold_changes with n from `first` to `last` (from 1), for who shows or tells them. */
enum {
	REFOLD_KIND, /* "new", "changed", "gone" */
	REFOLD_CALL,
	REFOLD_ENTERPRISE,
	REFOLD_VERSION, /* of the call afterwards */
	REFOLD_SOURCE,	/* calls.data_source afterwards */
	REFOLD_FIELDS,	/* changed: {"state": ["lost", "ended"]} */
	REFOLD_ROW,	/* the call as it will be, for call_row_read(); gone: as it was */
	REFOLD_INTO,	/* gone: the call that took it in; 0 */
	REFOLD_N,
};
void refold_add_changes(struct pg_batch *batch, struct arena *arena, int64_t first, int64_t last);

/* Apply these; the statement gives how many. `why` goes into the calls' traces. Calls that the live fold has
 * taken up since they were compared are left out; with `whole` the statement fails then. */
struct refold_piece {
	int64_t first, last;
	const char *why;
	bool whole;
};
void refold_add_apply(
	struct pg_batch *batch, struct arena *arena, const struct refold_piece *piece);

#endif
