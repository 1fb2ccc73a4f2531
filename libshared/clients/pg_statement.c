/*
 * pg_statement: see pg_statement.h.
 */
#include "pg_statement.h"

#include "alloc.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_STATEMENTS = 1000 };

struct pg_statements {
	struct table *by_address;
	unsigned versions;
	struct pg_statement *asked, **asked_last; /* in the order of their answers */
};

struct pg_statements *pg_statements_new(void)
{
	struct pg_statements *statements = alloc_zeroed(1, sizeof(*statements));

	statements->by_address = table_new();
	statements->asked_last = &statements->asked;
	return statements;
}

void pg_statements_free(struct pg_statements **statements)
{
	void *statement;
	size_t at = 0;

	if (*statements == NULL)
		return;
	while (table_next((*statements)->by_address, &at, NULL, &statement))
		free(statement);
	table_free(&(*statements)->by_address);
	free(*statements);
	*statements = NULL;
}

struct pg_statement *pg_statement_get(struct pg_statements *statements, const char *sql)
{
	struct str key = str_of((const char *)&sql, sizeof(sql));
	struct pg_statement *statement = table_get(statements->by_address, key);

	if (statement != NULL || table_count(statements->by_address) >= MAX_STATEMENTS)
		return statement;
	statement = alloc_zeroed(1, sizeof(*statement));
	(void)table_put(statements->by_address, key, statement);
	return statement;
}

void pg_statement_ask(struct pg_statements *statements, struct pg_statement *statement)
{
	statement->state = STATEMENT_ASKED;
	statement->version = ++statements->versions;
	(void)snprintf(statement->name, sizeof(statement->name), "s%u", statement->version);
	statement->next_asked = NULL;
	*statements->asked_last = statement;
	statements->asked_last = &statement->next_asked;
}

void pg_statements_answered(struct pg_statements *statements, bool ok)
{
	struct pg_statement *statement = statements->asked;

	if (statement == NULL)
		return;
	statements->asked = statement->next_asked;
	if (statements->asked == NULL)
		statements->asked_last = &statements->asked;
	statement->state = ok ? STATEMENT_READY : STATEMENT_UNKNOWN;
}

void pg_statements_distrust(struct pg_statements *statements)
{
	struct pg_statement *statement;
	void *value;
	size_t at = 0;

	while (table_next(statements->by_address, &at, NULL, &value)) {
		statement = value;
		if (statement->state == STATEMENT_READY)
			statement->state = STATEMENT_UNKNOWN;
	}
}

void pg_statements_forget(struct pg_statements *statements)
{
	while (statements->asked != NULL)
		pg_statements_answered(statements, false);
	pg_statements_distrust(statements);
}
