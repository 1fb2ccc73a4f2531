/*
 * pg_batch: building a batch and reading its results.
 *
 * Results are copied out of libpq at once: an arena has no destructor, so a PGresult that hung on
 * a flow would leak when the flow is cancelled.
 */
#include "pg_batch.h"

#include <stdio.h>
#include <stdlib.h>

struct pg_batch *pg_batch_new(struct arena *arena)
{
	struct pg_batch *batch = arena_alloc(arena, sizeof(*batch));

	batch->arena = arena;
	return batch;
}

static void copy_params(struct arena *arena, struct pg_run *run, const struct pg_params *params)
{
	size_t count = (size_t)params->count;

	run->param_count = params->count;
	run->values = arena_array(arena, count, sizeof(run->values[0]));
	run->lengths = arena_array(arena, count, sizeof(run->lengths[0]));
	run->formats = arena_array(arena, count, sizeof(run->formats[0]));
	memcpy(run->values, params->values, count * sizeof(run->values[0]));
	memcpy(run->lengths, params->lengths, count * sizeof(run->lengths[0]));
	memcpy(run->formats, params->formats, count * sizeof(run->formats[0]));
}

void pg_batch_add(struct pg_batch *batch, const char *sql, const struct pg_params *params)
{
	struct pg_run *run;

	if (batch->count >= PG_MAX_STATEMENTS)
		abort(); /* the number of statements is the program's own */
	run = arena_alloc(batch->arena, sizeof(*run));
	run->sql = sql;
	if (params != NULL && params->count > 0)
		copy_params(batch->arena, run, params);
	batch->runs[batch->count++] = run;
}

static void drop_rows(struct pg_batch *batch)
{
	for (int i = 0; i < batch->count; i++) {
		batch->runs[i]->rows = batch->runs[i]->columns = 0;
		batch->runs[i]->affected = 0;
	}
}

void pg_batch_reset(struct pg_batch *batch)
{
	batch->done = false;
	batch->in_doubt = false;
	batch->sqlstate[0] = '\0';
	batch->error = (struct error){.kind = ERROR_NONE};
	drop_rows(batch);
}

void pg_batch_finish(struct pg_batch *batch)
{
	batch->done = true;
	if (batch->error.kind != ERROR_NONE)
		drop_rows(batch);
}

static size_t cell_bytes(const PGresult *result, int rows, int columns)
{
	size_t total = 0;

	for (int row = 0; row < rows; row++)
		for (int column = 0; column < columns; column++)
			total += (size_t)PQgetlength(result, row, column) + 1;
	return total;
}

/* One block for all cells' text: an allocation each would be most of the work for a large result. */
static void copy_cells(struct pg_batch *batch, struct pg_run *run, const PGresult *result)
{
	char *to = arena_alloc(batch->arena, cell_bytes(result, run->rows, run->columns));

	for (int i = 0; i < run->rows * run->columns; i++) {
		int row = i / run->columns, column = i % run->columns;
		size_t size = (size_t)PQgetlength(result, row, column);

		if (PQgetisnull(result, row, column))
			continue;
		memcpy(to, PQgetvalue(result, row, column), size);
		to[size] = '\0';
		run->cells[i] = str_of(to, size);
		to += size + 1;
	}
}

void pg_batch_keep(struct pg_batch *batch, int statement, const PGresult *result)
{
	struct pg_run *run = batch->runs[statement];
	int64_t affected;

	/* PQcmdTuples() takes a PGresult that is not const, though it only reads. */
	if (str_to_int64(str_from(PQcmdTuples((PGresult *)(uintptr_t)result)), &affected))
		run->affected = affected;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return;
	run->rows = PQntuples(result);
	run->columns = PQnfields(result);
	if (run->rows == 0 || run->columns == 0)
		return;
	run->cells = arena_array(
		batch->arena, (size_t)run->rows * (size_t)run->columns, sizeof(struct str));
	copy_cells(batch, run, result);
}

/* -- failures -------------------------------------------------------------------------------- */

/* Longer beginnings first. Class 53 is "no memory, no disk, too many connections"; 25006 is a
 * server that has become a read-only standby: both pass. */
static const struct {
	const char *prefix;
	enum error_kind kind;
} kinds[] = {
	{"23505", ERROR_CONFLICT}, /* unique_violation */
	{"23P01", ERROR_CONFLICT}, /* exclusion_violation */
	{"40", ERROR_CONFLICT},	   /* serialization_failure, deadlock_detected */
	{"22", ERROR_INPUT},	   /* data exception */
	{"23", ERROR_INPUT},	   /* integrity constraint */
	{"57P", ERROR_BUSY},	   /* shutdown, starting up */
	{"08", ERROR_BUSY},	   /* connection exception */
	{"53", ERROR_BUSY},
	{"25006", ERROR_BUSY},
};

enum error_kind pg_error_kind(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_starts(str_from(sqlstate), str_from(kinds[i].prefix)))
			return kinds[i].kind;
	return ERROR_UPSTREAM;
}

void pg_batch_fail(struct pg_batch *batch, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (batch->error.kind != ERROR_NONE)
		return;
	(void)str_copy(batch->sqlstate, sizeof(batch->sqlstate), str_from(sqlstate));
	error_set(&batch->error, pg_error_kind(batch->sqlstate), "PostgreSQL: %s (SQLSTATE %s)",
		words != NULL ? words : "no answer", batch->sqlstate);
}

bool pg_batch_ok(const struct pg_batch *batch, struct error *error)
{
	if (batch->error.kind != ERROR_NONE) {
		if (error != NULL)
			*error = batch->error;
		return false;
	}
	if (!batch->done)
		return error_set(error, ERROR_INTERNAL, "PostgreSQL: the batch was not run");
	return true;
}

const char *pg_batch_sqlstate(const struct pg_batch *batch)
{
	return batch->sqlstate;
}

bool pg_batch_in_doubt(const struct pg_batch *batch)
{
	return batch->in_doubt;
}

/* -- results --------------------------------------------------------------------------------- */

static const struct pg_run *run_at(const struct pg_batch *batch, int statement)
{
	return statement >= 0 && statement < batch->count ? batch->runs[statement] : NULL;
}

int pg_rows(const struct pg_batch *batch, int statement)
{
	const struct pg_run *run = run_at(batch, statement);

	return run != NULL ? run->rows : 0;
}

int64_t pg_affected(const struct pg_batch *batch, int statement)
{
	const struct pg_run *run = run_at(batch, statement);

	return run != NULL ? run->affected : 0;
}

struct str pg_text(const struct pg_batch *batch, int statement, int row, int column)
{
	const struct pg_run *run = run_at(batch, statement);

	if (run == NULL || row < 0 || row >= run->rows || column < 0 || column >= run->columns)
		return str_of(NULL, 0);
	return run->cells[row * run->columns + column];
}

int64_t pg_int(const struct pg_batch *batch, int statement, int row, int column)
{
	int64_t value;

	return str_to_int64(pg_text(batch, statement, row, column), &value) ? value : 0;
}

bool pg_bool(const struct pg_batch *batch, int statement, int row, int column)
{
	return str_equal(pg_text(batch, statement, row, column), STR("t"));
}

bool pg_is_null(const struct pg_batch *batch, int statement, int row, int column)
{
	return pg_text(batch, statement, row, column).data == NULL;
}
