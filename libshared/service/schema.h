/*
 * schema: is the database as new as this program needs it? A service asks before it works, so that
 * it never writes into tables that it does not know.
 *
 * Looks once a second until the answer is yes, and again on each new connection.
 */
#ifndef CALLWEAVE_SCHEMA_H
#define CALLWEAVE_SCHEMA_H

#include "pg.h"

struct schema;

/* `pg` must live longer. */
struct schema *schema_new(struct loop *loop, struct pg *pg, const struct log_context *log);
void schema_free(struct schema **schema);

/* NULL when it is current; else the words for /readyz: "schema is 0, needs 1: run
 * scripts/migrate", or why PostgreSQL cannot be asked. */
const char *schema_why_not(const struct schema *schema);

/* Wait until it is current, at most `timeout_ms`: then look at schema_why_not(). */
enum flow_status await_schema(struct flow *flow, struct schema *schema, int64_t timeout_ms);

#endif
