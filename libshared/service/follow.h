/*
 * follow: keeps a copy of some tables as PostgreSQL has them, within a second of a change.
 *
 * Triggers notify on "callweave_config", with the table's name. What is read, and what becomes of it, is
 * the owner's flow; while it fails the owner's last good copy stays in use, and it is tried again. Should a
 * notice be lost, it is read anew once a minute all the same.
 */
#ifndef CALLWEAVE_FOLLOW_H
#define CALLWEAVE_FOLLOW_H

#include "pg_listen.h"
#include "schema.h"

struct follow;

struct follow_options {
	struct schema *schema;	   /* nothing is read before it is current; borrowed, as is all */
	struct pg_listen *listen;  /* of "callweave_config", and of nobody else */
	const char *const *tables; /* whose notices count, ended by NULL; NULL: all */
	const struct flow_spec *load; /* one reading; it fails by flow_fail() */
	void *context;		      /* flow_context() of it */
	struct log_context log;
};

/* Its flow runs until follow_stop(), or until all flows are cancelled. */
struct follow *follow_start(struct loop *loop, const struct follow_options *options);
void follow_stop(struct follow **follow); /* NULL inside is allowed */

#endif
