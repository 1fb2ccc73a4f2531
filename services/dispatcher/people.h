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
struct pg_batch;

struct people {
	struct table *by_call;	/* call id -> struct person */
	struct table *by_phone; /* "0367 +375290000001" -> the newest person with that number */
	bool changed;		/* somebody's name is to be read again */
	bool full;		/* said once, until there is room again */
};

void people_init(struct people *people);
void people_free(struct people *people);

/* As read BEFORE the current call counts. NULL: not known yet, hidden, or an internal call. Valid
 * until the round's next step. */
const struct message_customer *people_find(const struct dispatcher *d, int64_t call_id);

#endif
