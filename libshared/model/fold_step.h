/*
 * fold_step: one event on its way through the fold, and a search for the call that it belongs to.
 * Private to model.
 */
#ifndef CALLWEAVE_FOLD_STEP_H
#define CALLWEAVE_FOLD_STEP_H

#include "fold_graph.h"

/* "1757840723.6", or "pbx2-1757840723.6" where a PBX has a name: when the channel was made, and how
 * many it had made before. second 0: it is none of these. */
struct fold_uid {
	struct str host;
	int64_t second, place;
};

/* Was a Local channel seen that leads from the one to the other, and is this its other half? */
enum fold_wire { WIRE_NONE, WIRE_OF_ANOTHER, WIRE_FITS };

/* Which of the calls under a number? 0: it does not fit; more: better. */
struct fold_search;
typedef int fold_ranker(const struct fold_search *search, const struct fold_call *call);
struct fold_search {
	const char *number;
	const char *with; /* another number that has to do with it; "" */
	const char *line; /* that the event says; "" */
	struct fold_uid uid;
	fold_ranker *rank;
	int64_t after_ms; /* calls that ended no longer ago count, too */
	bool clicked;	  /* a program may have begun it */
	bool dialled;	  /* the channel has itself dialled somebody outside */
	bool ours;	  /* the number is one of us there, not the other side */
};

/* One event on its way, with its numbers in the form for comparing. */
struct fold_step {
	struct call_fold *fold;
	const struct call_event *event;
	char phone[CALL_NUMBER_BYTES];
	char number[CALL_NUMBER_BYTES]; /* CallerIDNum */
	char peer[CALL_NUMBER_BYTES];	/* ConnectedLineNum, else what Exten says */
	char exten[CALL_NUMBER_BYTES];
	char extensions[CALL_EVENT_MAX_EXTENSIONS][CALL_NUMBER_BYTES]; /* without the trunk's id */
	unsigned extension_count;
};

#endif
