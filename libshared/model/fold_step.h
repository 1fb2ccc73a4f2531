/*
 * fold_step: one event on its way through the fold, and the search for the call that it belongs to.
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

/* fold_index.c */
extern const char fold_none[]; /* the number that is none: "" */
struct str fold_number_key(const void *number);
void fold_set(struct call_fold *fold, const char **slot, const char *number);
void fold_index(struct call_fold *fold, struct fold_call *call, const char *number, bool ours);
void fold_unindex(struct call_fold *fold, struct fold_call *call, bool ours_only);
struct fold_call *fold_search(const struct call_fold *fold, const struct fold_search *search);
bool fold_knows(const struct call_fold *fold, const char *number);

/* fold_uid.c */
struct fold_uid fold_uid_of(struct str text);
bool fold_are_neighbours(struct fold_uid one, struct fold_uid other);
int64_t fold_nearest(const struct fold_call *call, struct fold_uid uid);
void fold_uid_learn(struct call_fold *fold, const char *one, const char *other);
bool fold_uid_trusted(const struct call_fold *fold);
bool fold_same_run(const struct fold_call *call, struct fold_uid uid);

/* fold_resolve.c: which open call an event of an unknown UniqueId belongs to; NULL */
struct fold_call *fold_owner_of_channel(const struct fold_step *step);
struct fold_call *fold_owner_of_leg(const struct fold_step *step);
struct fold_call *fold_owner_of_hangup(const struct fold_step *step);
struct fold_call *fold_owner_of_click(const struct fold_step *step);
struct fold_call *fold_owner_of_wire(const struct fold_step *step, const struct fold_call *call);
struct fold_call *fold_leg_astray(const struct fold_step *step, const struct fold_call *call);
struct fold_call *fold_blind_elsewhere(const struct fold_call *call, const char *to);
struct fold_call *fold_just_missed(const struct fold_call *call, const char *from, const char *to);
struct fold_call *fold_call_beside(const struct fold_call *call, const char *extension);

#endif
