/*
 * The flow kernel's traps: what goes wrong when a flow ends in the middle of something.
 */
#include "flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

struct world {
	struct loop *loop;
	struct flow_queue queue;
	struct flow *parent;
	char story[256];
	char trace[32];
};

static void tell(struct flow *flow, const char *word)
{
	struct world *world = flow_context(flow);
	size_t used = strlen(world->story);

	snprintf(world->story + used, sizeof(world->story) - used, "%s ", word);
}

static void tell_end(struct flow *flow)
{
	const struct error *error = flow_error(flow);

	tell(flow, flow_log(flow)->flow);
	tell(flow, error != NULL ? error->text : "well");
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->loop = loop_new();
	flow_queue_init(&world->queue);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	flow_cancel_all(world->loop);
	loop_free(&world->loop);
	free(world);
	return 0;
}

static enum flow_status wait_in_queue(struct flow *flow)
{
	struct world *world = flow_context(flow);

	return await_queue(flow, &world->queue);
}

static enum flow_status end_well(struct flow *flow)
{
	return FLOW_END;
}

static enum flow_status never(struct flow *flow)
{
	fail_msg("a step ran that never should");
	return FLOW_END;
}

static const struct flow_step stuck_steps[] = {
	{"wait", wait_in_queue}, {"never", never}, {NULL, NULL}};
static const struct flow_spec stuck = {
	.name = "stuck", .steps = stuck_steps, .finally = tell_end, .state_bytes = 8};

/* -- a child whose `finally` cancels its parent ------------------------------------------------------- */

static void cancel_parent(struct flow *flow)
{
	struct world *world = flow_context(flow);

	tell_end(flow);
	flow_cancel(world->parent);
}

static const struct flow_step ending_steps[] = {{"end", end_well}, {NULL, NULL}};
static const struct flow_spec ending = {
	.name = "child", .steps = ending_steps, .finally = cancel_parent};

static enum flow_status spawn_ending(struct flow *flow)
{
	struct world *world = flow_context(flow);

	world->parent = flow;
	flow_spawn(flow, &stuck);
	flow_spawn(flow, &ending);
	return await_children(flow);
}

static void test_a_finally_cancels_the_parent(void **state)
{
	static const struct flow_step steps[] = {
		{"spawn", spawn_ending}, {"never", never}, {NULL, NULL}};
	static const struct flow_spec spec = {
		.name = "parent", .steps = steps, .finally = tell_end};
	struct world *world = *state;

	flow_start(world->loop, &spec, world, NULL);
	loop_run(world->loop);
	assert_string_equal(world->story, "child well stuck cancelled parent cancelled ");
}

/* -- children of a flow that is over ------------------------------------------------------------------ */

static enum flow_status cancel_and_spawn(struct flow *flow)
{
	char *child_state;

	flow_cancel(flow);
	child_state = flow_state(flow_spawn(flow, &stuck));
	memset(child_state, 1, 8); /* still solid ground */
	return await_children(flow);
}

static void test_a_child_of_a_flow_that_is_over_ends_at_once(void **state)
{
	static const struct flow_step steps[] = {
		{"cancel", cancel_and_spawn}, {"never", never}, {NULL, NULL}};
	static const struct flow_spec spec = {
		.name = "parent", .steps = steps, .finally = tell_end};
	struct world *world = *state;

	flow_start(world->loop, &spec, world, NULL);
	loop_run(world->loop);
	assert_string_equal(world->story, "parent cancelled stuck cancelled ");
}

/* Every wait, begun by a flow that has cancelled itself. */
static enum flow_status cancel_and_wait(struct flow *flow)
{
	struct world *world = flow_context(flow);
	unsigned *kind = flow_state(flow);

	flow_cancel(flow);
	switch (*kind) {
	case 0:
		return await_sleep(flow, 1);
	case 1:
		return await_turn(flow);
	case 2:
		return await_queue(flow, &world->queue);
	case 3:
		return await_queue_for(flow, &world->queue, 1);
	case 4:
		return flow_goto(flow, 1);
	default:
		return flow_fail(flow, ERROR_INPUT, "too late");
	}
}

static void test_waits_of_a_flow_that_is_over_let_go(void **state)
{
	static const struct flow_step steps[] = {
		{"cancel", cancel_and_wait}, {"never", never}, {NULL, NULL}};
	static const struct flow_spec spec = {.name = "self",
		.steps = steps,
		.finally = tell_end,
		.state_bytes = sizeof(unsigned)};
	struct world *world = *state;

	for (unsigned kind = 0; kind < 6; kind++) {
		unsigned *wanted = flow_state(flow_start(world->loop, &spec, world, NULL));

		*wanted = kind;
		world->story[0] = '\0';
		loop_run(world->loop);
		assert_string_equal(world->story, "self cancelled ");
		assert_true(flow_queue_empty(&world->queue));
	}
}

/* -- steps that say the wrong thing ------------------------------------------------------------------- */

static enum flow_status forget_return(struct flow *flow)
{
	struct world *world = flow_context(flow);

	await_queue(flow, &world->queue);
	return FLOW_NEXT;
}

static enum flow_status wait_for_nothing(struct flow *flow)
{
	return FLOW_WAIT;
}

static void test_a_step_must_return_its_await(void **state)
{
	static const struct flow_step forgets[] = {
		{"forget", forget_return}, {"never", never}, {NULL, NULL}};
	static const struct flow_step nothing[] = {
		{"nothing", wait_for_nothing}, {"never", never}, {NULL, NULL}};
	static const struct flow_spec first = {
		.name = "first", .steps = forgets, .finally = tell_end};
	static const struct flow_spec second = {
		.name = "second", .steps = nothing, .finally = tell_end};
	struct world *world = *state;

	flow_start(world->loop, &first, world, NULL);
	flow_start(world->loop, &second, world, NULL);
	loop_run(world->loop);
	assert_string_equal(world->story, "first step forget: its await was not returned "
					  "second step nothing: its await was not returned ");
	assert_true(flow_queue_empty(&world->queue));
}

/* -- what a flow takes along -------------------------------------------------------------------------- */

static enum flow_status say_trace(struct flow *flow)
{
	struct world *world = flow_context(flow);

	snprintf(world->trace, sizeof(world->trace), "%s", flow_log(flow)->trace);
	return FLOW_END;
}

/* Its arena is gone by the time the heir speaks. */
static enum flow_status give_trace(struct flow *flow)
{
	static const struct flow_step steps[] = {
		{"turn", await_turn}, {"turn", await_turn}, {"say", say_trace}, {NULL, NULL}};
	static const struct flow_spec heir = {.name = "heir", .steps = steps};

	flow_set_trace(flow, "0af7651916cd43dd");
	flow_start(flow_loop(flow), &heir, flow_context(flow), flow_log(flow));
	return FLOW_END;
}

static void test_a_trace_is_handed_on(void **state)
{
	static const struct flow_step steps[] = {{"give", give_trace}, {NULL, NULL}};
	static const struct flow_spec spec = {.name = "giver", .steps = steps};
	struct world *world = *state;

	flow_start(world->loop, &spec, world, NULL);
	loop_run(world->loop);
	assert_string_equal(world->trace, "0af7651916cd43dd");
}

/* -- ending all --------------------------------------------------------------------------------------- */

static void cancel_everything(struct flow *flow)
{
	struct world *world = flow_context(flow);

	tell_end(flow);
	flow_cancel_all(world->loop);
}

static void test_a_finally_cancels_all(void **state)
{
	static const struct flow_spec last = {
		.name = "last", .steps = ending_steps, .finally = cancel_everything};
	struct world *world = *state;

	flow_start(world->loop, &stuck, world, NULL);
	flow_start(world->loop, &last, world, NULL);
	loop_run(world->loop);
	assert_string_equal(world->story, "last well stuck cancelled ");
}

#define TRAP(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRAP(test_a_finally_cancels_the_parent),
		TRAP(test_a_child_of_a_flow_that_is_over_ends_at_once),
		TRAP(test_waits_of_a_flow_that_is_over_let_go),
		TRAP(test_a_step_must_return_its_await),
		TRAP(test_a_trace_is_handed_on),
		TRAP(test_a_finally_cancels_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
