/*
 * pg: batches of several flows, pipelined over one connection.
 *
 * A batch waits in `queue` only while the socket is full; once it was handed to libpq it is a
 * flight. Answers come in the order of the flights. A flight outlives its batch when the flow is
 * cancelled, so that the answers that follow are still told apart.
 */
#include "alloc.h"
#include "pg_batch.h"
#include "pg_connect.h"
#include "pg_statement.h"

#include <stdlib.h>

enum { DEFAULT_MAX_BATCHES = 1024, DEFAULT_STATEMENT_TIMEOUT_MS = 10000 };
enum { TICK_MS = 1000, SILENCE_MARGIN_MS = 5000 };

struct pg_flight {
	struct pg_batch *batch; /* NULL: its flow let go of it */
	int count;		/* statements */
	int at;			/* the one whose answer is due; `count`: the Sync's */
	uint64_t prepares;	/* bit i: statement i is preceded by a Prepare */
	bool preparing;		/* the answer that is due is the Prepare's */
	bool left;		/* all of it is in the kernel's hands: the server may commit it */
	bool refused;		/* the server answered a statement with an error: rolled back */
};

struct pg {
	struct loop *loop;
	struct pg_connect *connect;
	struct pg_statements *statements;
	struct loop_timer *tick;
	int64_t statement_timeout_ms;
	struct flow_queue waiters; /* for the connection */

	struct flow_op *queue, **queue_last;
	unsigned queued, max_batches;
	struct pg_flight *flights; /* a ring of max_batches */
	unsigned first_flight, flying;
	int64_t first_since_ms;
	struct pg_flight *leaving; /* the last one, while a part of it is still in libpq */
	bool null_before;
};

static struct pg_flight *flight_at(const struct pg *pg, unsigned index)
{
	return &pg->flights[(pg->first_flight + index) % pg->max_batches];
}

/* -- how a batch ends ------------------------------------------------------------------------ */

static void end_batch(struct pg_batch *batch)
{
	batch->flight = NULL;
	pg_batch_finish(batch);
	flow_wake(&batch->op);
}

static struct pg_batch *queue_take(struct pg *pg)
{
	struct pg_batch *batch = (struct pg_batch *)pg->queue;

	if (batch == NULL)
		return NULL;
	pg->queue = batch->op.next;
	if (pg->queue != NULL)
		pg->queue->link = &pg->queue;
	else
		pg->queue_last = &pg->queue;
	pg->queued--;
	return batch;
}

static void queue_put(struct pg *pg, struct pg_batch *batch)
{
	batch->op.next = NULL;
	batch->op.link = pg->queue_last;
	*pg->queue_last = &batch->op;
	pg->queue_last = &batch->op.next;
	pg->queued++;
}

static void cancel_batch(struct flow_op *op)
{
	struct pg_batch *batch = (struct pg_batch *)op;
	struct pg *pg = batch->pg;

	if (batch->flight != NULL) {
		batch->flight->batch = NULL;
		return;
	}
	*op->link = op->next;
	if (op->next != NULL)
		op->next->link = op->link;
	else
		pg->queue_last = op->link;
	pg->queued--;
}

static void pop_flight(struct pg *pg)
{
	if (pg->leaving == flight_at(pg, 0))
		pg->leaving = NULL;
	pg->first_flight = (pg->first_flight + 1) % pg->max_batches;
	pg->flying--;
	pg->first_since_ms = loop_now_ms(pg->loop);
}

/* Every batch ends when the connection does. */
static void fail_all(struct pg *pg, const char *why)
{
	struct pg_batch *batch;
	struct pg_flight *flight;

	while (pg->flying > 0) {
		flight = flight_at(pg, 0);
		batch = flight->batch;
		if (batch != NULL && batch->error.kind == ERROR_NONE)
			error_set(&batch->error, ERROR_BUSY, "PostgreSQL: %s", why);
		if (batch != NULL) {
			batch->in_doubt = flight->left && !flight->refused;
			end_batch(batch);
		}
		pop_flight(pg);
	}
	while ((batch = queue_take(pg)) != NULL) {
		error_set(&batch->error, ERROR_BUSY, "PostgreSQL: %s", why);
		end_batch(batch);
	}
}

/* -- sending --------------------------------------------------------------------------------- */

static bool send_text(PGconn *handle, const struct pg_run *run)
{
	return PQsendQueryParams(handle, run->sql, run->param_count, NULL, run->values,
		run->lengths, run->formats, 0);
}

static bool send_run(struct pg *pg, struct pg_flight *flight, int index)
{
	PGconn *handle = pg_connect_handle(pg->connect);
	const struct pg_run *run = flight->batch->runs[index];
	struct pg_statement *statement = pg_statement_get(pg->statements, run->sql);

	if (statement == NULL || statement->state == STATEMENT_ASKED)
		return send_text(handle, run);
	if (statement->state == STATEMENT_UNKNOWN) {
		pg_statement_ask(pg->statements, statement);
		flight->prepares |= UINT64_C(1) << index;
		if (!PQsendPrepare(handle, statement->name, run->sql, 0, NULL))
			return false;
	}
	return PQsendQueryPrepared(handle, statement->name, run->param_count, run->values,
		run->lengths, run->formats, 0);
}

static bool send_all(struct pg *pg, struct pg_flight *flight)
{
	for (int i = 0; i < flight->count; i++)
		if (!send_run(pg, flight, i))
			return false;
	flight->preparing = flight->prepares & 1;
	return PQpipelineSync(pg_connect_handle(pg->connect)) != 0;
}

/* False: the connection is lost. */
static bool flush(struct pg *pg)
{
	int rest = PQflush(pg_connect_handle(pg->connect));

	if (rest < 0) {
		pg_connect_lost(pg->connect, NULL);
		return false;
	}
	if (rest == 0 && pg->leaving != NULL) {
		pg->leaving->left = true;
		pg->leaving = NULL;
	}
	pg_connect_watch(pg->connect, rest > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	return true;
}

static void launch(struct pg *pg, struct pg_batch *batch)
{
	struct pg_flight *flight = flight_at(pg, pg->flying);

	*flight = (struct pg_flight){.batch = batch, .count = batch->count};
	batch->flight = flight;
	if (pg->flying++ == 0)
		pg->first_since_ms = loop_now_ms(pg->loop);
	pg->leaving = flight;
	if (send_all(pg, flight))
		(void)flush(pg);
	else
		pg_connect_lost(pg->connect, NULL);
}

/* Libpq's buffer has no bound of its own, so nothing more goes in until it is empty. */
static void pump(struct pg *pg)
{
	while (pg->queue != NULL && pg->leaving == NULL)
		launch(pg, queue_take(pg));
}

/* -- receiving ------------------------------------------------------------------------------- */

static void after_refusal(struct pg *pg, const char *sqlstate)
{
	/* A statement that is gone, or whose table changed its columns. */
	if (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "0A000") == 0)
		pg_statements_distrust(pg->statements);
	/* The server has become a standby: look for the new primary. */
	if (strcmp(sqlstate, "25006") == 0)
		pg_connect_lost(pg->connect, "the server is read-only");
}

static void finish_flight(struct pg *pg)
{
	struct pg_batch *batch = flight_at(pg, 0)->batch;

	pop_flight(pg);
	pg_connect_proved(pg->connect);
	if (batch == NULL)
		return;
	end_batch(batch);
	after_refusal(pg, batch->sqlstate);
}

/* An error without a SQLSTATE is libpq's own, made when the connection broke: it says nothing about
 * what the server did. */
static void refuse(struct pg *pg, const PGresult *result)
{
	struct pg_flight *flight = flight_at(pg, 0);

	if (PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL) {
		pg_connect_lost(pg->connect, NULL);
		return;
	}
	if (flight->at < flight->count)
		flight->refused = true;
	if (flight->batch != NULL)
		pg_batch_fail(flight->batch, result);
}

static void take_result(struct pg *pg, const PGresult *result)
{
	struct pg_flight *flight = flight_at(pg, 0);
	ExecStatusType status = PQresultStatus(result);
	bool is_good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
		       status == PGRES_EMPTY_QUERY;

	if (status == PGRES_PIPELINE_SYNC) {
		finish_flight(pg);
		return;
	}
	if (flight->preparing)
		pg_statements_answered(pg->statements, is_good);
	else if (is_good && flight->batch != NULL && flight->at < flight->count)
		pg_batch_keep(flight->batch, flight->at, result);
	if (!is_good && status != PGRES_PIPELINE_ABORTED)
		refuse(pg, result);
}

/* A NULL ends the answer of a Prepare or of a statement. */
static void next_answer(struct pg_flight *flight)
{
	if (flight->preparing) {
		flight->preparing = false;
	} else if (flight->at < flight->count) {
		flight->at++;
		flight->preparing = flight->prepares >> flight->at & 1;
	}
}

static void take_results(struct pg *pg)
{
	PGconn *handle = pg_connect_handle(pg->connect);
	PGresult *result;

	while (pg->flying > 0 && pg_connect_handle(pg->connect) != NULL && !PQisBusy(handle)) {
		result = PQgetResult(handle);
		if (result != NULL)
			take_result(pg, result);
		else if (!pg->null_before)
			next_answer(flight_at(pg, 0));
		else /* libpq expects nothing more, but we do */
			pg_connect_lost(pg->connect, NULL);
		pg->null_before = result == NULL;
		PQclear(result);
	}
}

/* -- the connection's hooks ------------------------------------------------------------------ */

static void on_up(void *owner)
{
	struct pg *pg = owner;
	PGconn *handle = pg_connect_handle(pg->connect);

	pg_statements_forget(pg->statements);
	pg->null_before = false;
	if (PQsetnonblocking(handle, 1) != 0 || !PQenterPipelineMode(handle)) {
		pg_connect_lost(pg->connect, NULL);
		return;
	}
	loop_timer_set(pg->tick, TICK_MS);
	flow_queue_wake_all(&pg->waiters);
}

static void on_ready(void *owner, unsigned ready)
{
	struct pg *pg = owner;
	bool alive = PQconsumeInput(pg_connect_handle(pg->connect)) != 0;

	/* What came before the end of the connection still counts. */
	take_results(pg);
	if (pg_connect_handle(pg->connect) == NULL)
		return;
	if (!alive)
		pg_connect_lost(pg->connect, NULL);
	else if (pg->leaving == NULL || flush(pg))
		pump(pg);
}

static void on_down(void *owner)
{
	struct pg *pg = owner;

	loop_timer_stop(pg->tick);
	fail_all(pg, pg_connect_error(pg->connect));
}

static const struct pg_connect_hooks hooks = {on_up, on_ready, on_down};

/* The server cancels a slow statement itself; when even that does not come, it hangs or the way to
 * it is cut. */
static void on_tick(void *owner)
{
	struct pg *pg = owner;
	int64_t limit_ms = SILENCE_MARGIN_MS;

	loop_timer_set(pg->tick, TICK_MS);
	if (pg->flying == 0)
		return;
	limit_ms += pg->statement_timeout_ms * (flight_at(pg, 0)->count + 1);
	if (loop_now_ms(pg->loop) - pg->first_since_ms > limit_ms)
		pg_connect_lost(pg->connect, "no answer to a statement");
}

/* -- the interface --------------------------------------------------------------------------- */

struct pg *pg_new(struct loop *loop, const struct pg_options *options)
{
	struct pg *pg = alloc_zeroed(1, sizeof(*pg));

	pg->loop = loop;
	pg->statement_timeout_ms = options->statement_timeout_ms != 0
					   ? options->statement_timeout_ms
					   : DEFAULT_STATEMENT_TIMEOUT_MS;
	pg->max_batches = options->max_queued_batches != 0 ? options->max_queued_batches
							   : DEFAULT_MAX_BATCHES;
	pg->flights = alloc_zeroed(pg->max_batches, sizeof(pg->flights[0]));
	pg->queue_last = &pg->queue;
	flow_queue_init(&pg->waiters);
	pg->statements = pg_statements_new();
	pg->tick = loop_timer_new(loop, on_tick, pg);
	pg->connect = pg_connect_new(loop, options, &hooks, pg);
	return pg;
}

void pg_free(struct pg **pg)
{
	if (*pg == NULL)
		return;
	fail_all(*pg, "closed");
	flow_queue_wake_all(&(*pg)->waiters);
	pg_connect_free(&(*pg)->connect);
	loop_timer_free(&(*pg)->tick);
	pg_statements_free(&(*pg)->statements);
	free((*pg)->flights);
	free(*pg);
	*pg = NULL;
}

bool pg_ready(const struct pg *pg)
{
	return pg_connect_handle(pg->connect) != NULL;
}

const char *pg_last_error(const struct pg *pg)
{
	return pg_connect_error(pg->connect);
}

unsigned pg_generation(const struct pg *pg)
{
	return pg_connect_generation(pg->connect);
}

enum flow_status await_pg_ready(struct flow *flow, struct pg *pg, int64_t timeout_ms)
{
	if (pg_ready(pg))
		return FLOW_NEXT;
	return await_queue_for(flow, &pg->waiters, timeout_ms);
}

enum flow_status await_pg_again(struct flow *flow, struct pg *pg, int64_t delay_ms)
{
	return pg_ready(pg) ? await_sleep(flow, delay_ms) : await_pg_ready(flow, pg, delay_ms);
}

enum flow_status await_pg(struct flow *flow, struct pg *pg, struct pg_batch *batch)
{
	enum flow_status status;

	pg_batch_reset(batch);
	if (!pg_ready(pg)) {
		error_set(&batch->error, ERROR_BUSY, "PostgreSQL: %s", pg_last_error(pg));
		return await_turn(flow);
	}
	if (pg->queued + pg->flying >= pg->max_batches) {
		error_set(&batch->error, ERROR_BUSY, "PostgreSQL: %u batches are waiting already",
			pg->max_batches);
		return await_turn(flow);
	}
	batch->op.cancel = cancel_batch;
	batch->pg = pg;
	queue_put(pg, batch);
	status = flow_wait(flow, &batch->op);
	pump(pg);
	return status;
}

enum flow_status await_pg_query(struct flow *flow, struct pg *pg, struct pg_batch **batch,
	const char *sql, const struct pg_params *params)
{
	*batch = pg_batch_new(flow_arena(flow));
	pg_batch_add(*batch, sql, params);
	return await_pg(flow, pg, *batch);
}
