/*
 * pg_statement: which statements the connection's server has prepared. Private to clients.
 *
 * Keyed by the address of the SQL constant. Whether a Prepare took effect is known only when its
 * answer comes; until then other batches send the text themselves, so that no batch depends on
 * another's success.
 */
#ifndef CALLWEAVE_PG_STATEMENT_H
#define CALLWEAVE_PG_STATEMENT_H

#include <stdbool.h>

struct pg_statements;

struct pg_statement {
	enum { STATEMENT_UNKNOWN, STATEMENT_ASKED, STATEMENT_READY } state;
	unsigned version; /* of the name: each Prepare takes a new one */
	char name[32];
	struct pg_statement *next_asked;
};

struct pg_statements *pg_statements_new(void);
void pg_statements_free(struct pg_statements **statements);

/* NULL when there are too many: then the text is sent each time. */
struct pg_statement *pg_statement_get(struct pg_statements *statements, const char *sql);

/* A Prepare is on its way, under the name that the statement now has. */
void pg_statement_ask(struct pg_statements *statements, struct pg_statement *statement);

/* The oldest Prepare was answered. */
void pg_statements_answered(struct pg_statements *statements, bool ok);

/* A new connection: nothing is prepared, no answer is due. */
void pg_statements_forget(struct pg_statements *statements);

/* The server no longer knows them, or the tables changed: prepare anew, under other names. */
void pg_statements_distrust(struct pg_statements *statements);

#endif
