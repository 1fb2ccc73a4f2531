/*
 * lease: which bots are this instance's. Two that ask for the updates of one bot would throw each other
 * out (409), so the bots are shared out in PostgreSQL, by a lease that an instance keeps renewing.
 */
#ifndef BOT_LEASE_H
#define BOT_LEASE_H

#include "flow.h"

struct bots;
struct pg_batch;

struct lease {
	struct arena *arena; /* of one round */
	struct pg_batch *batch;
	int64_t asked_ms; /* monotonic, when the renewal under way was sent */
	int64_t until_ms; /* monotonic; 0: none */
	bool wanted;	  /* enterprises have changed, or a bot has changed hands */
	bool released;
	struct flow_queue wake;
};

void lease_init(struct lease *lease);
void lease_free(struct lease *lease);

/* False: others may have taken our bots, and nothing is begun. */
bool lease_holds(const struct bots *b);
/* Look again soon. */
void lease_want(struct bots *b);

extern const struct flow_spec lease_flow;
extern const struct flow_spec lease_listen_flow; /* wants it when the database says so */

#endif
