/*
 * refold_calls: events of the log in, rows of finished calls out. Pure; private to refold.
 *
 * One enterprise after another, its events in the order of their own time. A call is finished when
 * the fold has forgotten it: until then late events still change it. So no more is kept than the
 * calls that are open or linger.
 */
#ifndef CALLWEAVE_REFOLD_CALLS_H
#define CALLWEAVE_REFOLD_CALLS_H

#include "call_fold.h"
#include "refold.h"

struct refold_event {
	int64_t id, shard;
	int64_t at_ms; /* its own time, in the order of which it is folded */
	struct str enterprise, type, data_source, trace_id, body;
};

/* A stretch of time; CALL_NO_TIME: without that end. */
struct refold_window {
	int64_t from_ms, to_ms;
};

struct refold_calls;

struct refold_calls *refold_calls_new(int64_t linger_ms, struct refold_window scope);
void refold_calls_free(struct refold_calls **calls);

/* The next enterprise; the one before has to be ended. `tenant` must live until the end. */
void refold_calls_begin(
	struct refold_calls *calls, struct str enterprise, const struct refold_tenant *tenant);

/* Rows of what has finished are appended to `rows`, as call_row_next() does. False: the event cannot
 * be read (error has words) and was passed over, as the live fold does. */
bool refold_calls_event(struct refold_calls *calls, const struct refold_event *event,
	struct buf *rows, struct error *error);

/* Let time pass until `now_ms`, and append all: also what is still open, but that is not in scope. */
void refold_calls_end(struct refold_calls *calls, int64_t now_ms, struct buf *rows);

#endif
