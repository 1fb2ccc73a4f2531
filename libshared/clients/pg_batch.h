/*
 * pg_batch: statements and what came of them, apart from any connection. Private to clients.
 */
#ifndef CALLWEAVE_PG_BATCH_H
#define CALLWEAVE_PG_BATCH_H

#include "pg.h"

#include <libpq-fe.h>

enum { PG_MAX_STATEMENTS = 64 };

struct pg_run { /* one statement of a batch */
	const char *sql;
	int param_count;
	const char **values;
	int *lengths, *formats;

	int rows, columns;
	int64_t affected;
	struct str *cells; /* rows * columns, data NULL for SQL NULL */
};

struct pg_flight;

struct pg_batch {
	struct flow_op op; /* its links are those of pg's queue of unsent batches */
	struct arena *arena;
	struct pg *pg;		  /* while it waits */
	struct pg_flight *flight; /* while it waits and was sent */
	int count;
	struct pg_run *runs[PG_MAX_STATEMENTS];

	bool done;
	bool in_doubt;
	char sqlstate[6];
	struct error error;
};

/* Forget the outcome of an earlier run. */
void pg_batch_reset(struct pg_batch *batch);

/* Copy a statement's result into the batch's arena. */
void pg_batch_keep(struct pg_batch *batch, int statement, const PGresult *result);

/* Remember the first failure; later ones follow from it. */
void pg_batch_fail(struct pg_batch *batch, const PGresult *result);

/* It is over: a failed batch has no rows, for they were rolled back. */
void pg_batch_finish(struct pg_batch *batch);

/* What a SQLSTATE means for the caller. */
enum error_kind pg_error_kind(const char *sqlstate);

#endif
