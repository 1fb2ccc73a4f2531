/*
 * customer: who is behind a number, from what is near: integration-cache and the database, asked at
 * the same time, each for its part and no longer than the setting allows.
 */
#ifndef PBX_API_CUSTOMER_H
#define PBX_API_CUSTOMER_H

#include "flow.h"
#include "str.h"

struct customer_ask {
	const char *enterprise, *phone; /* E.164 */
	struct str crm;			/* whose responsible person is wanted: a CRM's code; "" */
	bool history;			/* who talked to them first and last */
};

/* Texts live in the arena of the flow that waited; empty: not known. */
struct customer_facts {
	struct str name;
	struct str responsible; /* extension, of the primary CRM's responsible person */
	struct str manager;	/* the user of `crm` who is responsible */
	struct str first, last; /* extensions */
	bool complete;		/* both answered */
};

/* Runs as two children: the flow must have no others. Context: struct pbx_api. */
enum flow_status await_customer(
	struct flow *flow, const struct customer_ask *ask, struct customer_facts *facts);

#endif
