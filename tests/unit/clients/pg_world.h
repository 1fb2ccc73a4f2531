/*
 * pg_world: what the tests of pg share: a loop, a connection to a private server, and batches run
 * to their end by one call.
 */
#ifndef CALLWEAVE_TESTS_PG_WORLD_H
#define CALLWEAVE_TESTS_PG_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop_test.h"
#include "pg.h"
#include "temp_server.h"

struct pg_world {
	struct temp_server *server;
	struct loop *loop;
	struct arena *arena;
	struct pg *pg;
	unsigned running; /* flows of run() and start() */
};

/* -- one batch as one flow ------------------------------------------------------------------- */

struct pg_world_state {
	struct pg_batch *batch;
};

static inline enum flow_status pg_world_send(struct flow *flow)
{
	struct pg_world *world = flow_context(flow);
	struct pg_world_state *state = flow_state(flow);

	return await_pg(flow, world->pg, state->batch);
}

static inline enum flow_status pg_world_await_ready(struct flow *flow)
{
	struct pg_world *world = flow_context(flow);

	return await_pg_ready(flow, world->pg, 30000);
}

static inline void pg_world_done(struct flow *flow)
{
	struct pg_world *world = flow_context(flow);

	if (--world->running == 0)
		loop_stop(world->loop);
}

static const struct flow_step pg_world_batch_steps[] = {{"send", pg_world_send}, {NULL, NULL}};
static const struct flow_spec pg_world_batch = {
	.name = "batch",
	.steps = pg_world_batch_steps,
	.finally = pg_world_done,
	.state_bytes = sizeof(struct pg_world_state),
};

static const struct flow_step pg_world_ready_steps[] = {
	{"ready", pg_world_await_ready}, {NULL, NULL}};
static const struct flow_spec pg_world_ready = {
	.name = "ready", .steps = pg_world_ready_steps, .finally = pg_world_done};

static inline struct flow *start(struct pg_world *world, struct pg_batch *batch)
{
	struct flow *flow = flow_start(world->loop, &pg_world_batch, world, NULL);
	struct pg_world_state *state = flow_state(flow);

	state->batch = batch;
	world->running++;
	return flow;
}

static inline void run(struct pg_world *world, struct pg_batch *batch)
{
	(void)start(world, batch);
	loop_test_run(world->loop);
}

/* One statement without parameters; its batch. */
static inline struct pg_batch *run_sql(struct pg_world *world, const char *sql)
{
	struct pg_batch *batch = pg_batch_new(world->arena);

	pg_batch_add(batch, sql, NULL);
	run(world, batch);
	return batch;
}

/* As run_sql(), and it must succeed. */
static inline struct pg_batch *must(struct pg_world *world, const char *sql)
{
	struct pg_batch *batch = run_sql(world, sql);
	struct error error = {0};

	if (!pg_batch_ok(batch, &error))
		fail_msg("%s: %s", sql, error.text);
	return batch;
}

static inline int64_t must_int(struct pg_world *world, const char *sql)
{
	return pg_int(must(world, sql), 0, 0, 0);
}

static inline void until_ready(struct pg_world *world)
{
	(void)flow_start(world->loop, &pg_world_ready, world, NULL);
	world->running++;
	loop_test_run(world->loop);
	assert_true(pg_ready(world->pg));
}

/* -- set-up ---------------------------------------------------------------------------------- */

static inline void pg_world_open(struct pg_world *world, const struct pg_options *options)
{
	world->loop = loop_new();
	world->arena = arena_new(64 << 20);
	world->pg = pg_new(world->loop, options);
}

static inline void pg_world_close(struct pg_world *world)
{
	pg_free(&world->pg);
	loop_free(&world->loop);
	arena_free(&world->arena);
}

static inline void must_fail(
	const struct pg_batch *batch, enum error_kind kind, const char *sqlstate)
{
	struct error error = {0};

	assert_false(pg_batch_ok(batch, &error));
	assert_string_equal(pg_batch_sqlstate(batch), sqlstate);
	assert_int_equal(error.kind, kind);
	assert_true(error.text[0] != '\0');
}

#endif
