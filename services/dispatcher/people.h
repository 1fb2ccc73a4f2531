/*
 * people: who is at the other side of the calls that are remembered: names and history.
 *
 * A call's customer is read in the round in which the call gets its number, all new calls in one
 * query, and stays as it was then: the history is the one before this call counts. A name that
 * changes (NOTIFY callweave_customers) is read again, and the calls that are open are told anew.
 */
#ifndef DISPATCHER_PEOPLE_H
#define DISPATCHER_PEOPLE_H

#include "folding.h"
#include "message.h"

struct dispatcher;
struct person;
struct pg_batch;

struct people {
	struct table *by_call;	/* call id -> person */
	struct table *by_phone; /* "0367 +375290000001" -> the newest person with that number */
	struct person *renamed; /* whose calls are still to be told anew */
	bool anybody;		/* may have been renamed: announcements were missed */
	bool full;		/* is said once, until there is room again */
	int lookup;		/* place of our statement in the round's batch; -1: none */
};

void people_init(struct people *people);
void people_free(struct people *people);

/* As read BEFORE the current call counts. NULL: not known yet, hidden, or an internal call. Valid
 * until the round's next step. */
const struct message_customer *people_find(const struct dispatcher *d, int64_t call_id);

/* -- what a round does, in this order -------------------------------------------------------------- */

/* Open calls of people who were renamed become changes of this round; at most some hundreds. */
void people_renew(struct dispatcher *d, struct changes *changes);
/* Ask for everybody whom these changes need and who is not known yet, in one statement. `*batch` is
 * made when it is NULL. */
void people_add_lookup(struct dispatcher *d, const struct changes *changes, struct arena *arena,
	struct pg_batch **batch);
void people_take_lookup(struct dispatcher *d, const struct pg_batch *batch);
/* Count the calls that are over, in the round's own transaction; each counts once. */
void people_add_count(const struct changes *changes, struct arena *arena, struct pg_batch *batch);

/* -- from elsewhere -------------------------------------------------------------------------------- */

/* A notice of callweave_customers: "0367 +375290000001"; "": anybody. */
void people_notice(struct dispatcher *d, const char *payload);

/* A call that was read back from the database: its customer is read when there is need. */
void people_expect(struct dispatcher *d, struct str enterprise, int64_t call_id);

/* Forget those whose calls are forgotten. */
void people_sweep(struct dispatcher *d);

#endif
