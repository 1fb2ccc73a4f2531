/*
 * pg: one PostgreSQL connection in pipeline mode, for flows. The only user of libpq's queries.
 *
 * A batch is one or more statements that run as ONE transaction (libpq's implicit transaction
 * between two Syncs): all or nothing, one round trip, one commit. Batches of several flows queue up
 * and are pipelined. Statements are prepared once a connection, by their text's address
 * (so: string constants only).
 *
 * The connection is made in the background and made again with backoff (0.1 s to 5 s) when lost.
 * A host name in the URL is resolved by blocking, at each try: give an address, a Unix socket, or a
 * name that a local resolver knows at once. A server that is read-only (a standby) is not taken.
 */
#ifndef CALLWEAVE_PG_H
#define CALLWEAVE_PG_H

#include "flow.h"
#include "metrics.h"

struct pg;

struct pg_options {
	const char *url; /* postgresql://... ; its password never reaches a log */
	const char *application_name;
	int64_t statement_timeout_ms; /* 0: 10 s; set on the session */
	int64_t connect_timeout_ms;   /* 0: 5 s */
	unsigned max_queued_batches;  /* 0: 1024; beyond: ERROR_BUSY at once */
	struct log_context log;
};

struct pg *pg_new(struct loop *loop, const struct pg_options *options);
void pg_free(struct pg **pg); /* pending batches fail with ERROR_BUSY */
bool pg_ready(const struct pg *pg);
const char *pg_last_error(const struct pg *pg); /* why it is not ready; "" when it is */
unsigned pg_generation(const struct pg *pg);	/* grows with each new connection */

/* Wait until the connection is ready, at most `timeout_ms`: then look at pg_ready(). */
enum flow_status await_pg_ready(struct flow *flow, struct pg *pg, int64_t timeout_ms);
/* After a failure: wait for the connection, or when it stands (it was something else) for a while. */
enum flow_status await_pg_again(struct flow *flow, struct pg *pg, int64_t delay_ms);

/* -- parameters ----------------------------------------------------------------------------------- */

#define PG_MAX_PARAMS 24

/* Values are borrowed until the batch is over: keep them in the flow's arena. */
struct pg_params {
	int count;
	const char *values[PG_MAX_PARAMS];
	int lengths[PG_MAX_PARAMS];
	int formats[PG_MAX_PARAMS]; /* 0 text, 1 binary */
};
void pg_put_null(struct pg_params *params);
void pg_put_text(
	struct pg_params *params, const char *text); /* NULL: SQL NULL; must end with NUL */
void pg_put_str(struct pg_params *params, struct arena *arena, struct str text); /* copied */
void pg_put_int(struct pg_params *params, struct arena *arena, int64_t value);	 /* as text */
void pg_put_bool(struct pg_params *params, bool value);
/* Milliseconds since 1970 as a timestamptz text; PG_NO_TIME gives NULL. */
#define PG_NO_TIME INT64_MIN
void pg_put_time(struct pg_params *params, struct arena *arena, int64_t wall_ms);

/* A one-dimensional array, sent in binary: for INSERT ... SELECT FROM unnest($1::text[], ...).
 * Cast in SQL: jsonb, uuid and timestamptz go as text[] and are cast element by element. */
struct pg_array {
	struct buf bytes; /* bytes.failed: it passed max_bytes and must not be sent, only cleared */
	int count;
	uint32_t element_oid;
};
void pg_array_text_init(struct pg_array *array, size_t max_bytes);
void pg_array_int8_init(struct pg_array *array, size_t max_bytes);
void pg_array_add_str(struct pg_array *array, struct str text);
void pg_array_add_int8(struct pg_array *array, int64_t value);
void pg_array_add_null(struct pg_array *array);
void pg_array_clear(struct pg_array *array); /* for reuse */
void pg_array_free(struct pg_array *array);
void pg_put_array(struct pg_params *params, struct pg_array *array);

/* -- batches -------------------------------------------------------------------------------------- */

struct pg_batch;

struct pg_batch *pg_batch_new(struct arena *arena);
/* At most 64 statements a batch. `sql` is a string constant. */
void pg_batch_add(struct pg_batch *batch, const char *sql, const struct pg_params *params);

/* Run it: `return await_pg(flow, pg, batch);`, then ask pg_batch_ok(). A cancelled flow lets go of
 * its batch; the statements may still run. */
enum flow_status await_pg(struct flow *flow, struct pg *pg, struct pg_batch *batch);

/* One statement as a batch of its own. */
enum flow_status await_pg_query(struct flow *flow, struct pg *pg, struct pg_batch **batch,
	const char *sql, const struct pg_params *params);

/* False: nothing of it was committed, unless pg_batch_in_doubt(). The kind is ERROR_BUSY when the
 * connection was or went away, ERROR_CONFLICT for unique and serialisation failures, ERROR_INPUT
 * for data that the server refuses (SQLSTATE class 22, 23), else ERROR_UPSTREAM. */
bool pg_batch_ok(const struct pg_batch *batch, struct error *error);
const char *pg_batch_sqlstate(const struct pg_batch *batch); /* "" when none */
/* The connection broke after the batch was sent: it may or may not be committed. */
bool pg_batch_in_doubt(const struct pg_batch *batch);

/* Rows of the statement with that index, copied into the batch's arena and valid until that goes: so
 * bound them (LIMIT), and let a daemon's flow run its batches in child flows. None when the batch
 * failed. Text ended by NUL, or empty. */
int pg_rows(const struct pg_batch *batch, int statement);
struct str pg_text(const struct pg_batch *batch, int statement, int row, int column);
int64_t pg_int(
	const struct pg_batch *batch, int statement, int row, int column); /* 0 when not one */
bool pg_bool(const struct pg_batch *batch, int statement, int row, int column);
bool pg_is_null(const struct pg_batch *batch, int statement, int row, int column);
int64_t pg_affected(const struct pg_batch *batch, int statement);

#endif
