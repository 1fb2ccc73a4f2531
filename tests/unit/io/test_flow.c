/*
 * The flow kernel: order of steps, and every way to end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow.h"

/* One test's world: what the steps write down. */
struct world {
	struct loop *loop;
	char story[256];
	unsigned finals;
	enum error_kind last_kind;
	char last_text[256];
	struct flow_queue queue;
	struct flow *victim;
	unsigned cancel_at;
};

static void tell(struct flow *flow, const char *word)
{
	struct world *world = flow_context(flow);
	size_t used = strlen(world->story);

	snprintf(world->story + used, sizeof(world->story) - used, "%s ", word);
}

static void count_final(struct flow *flow)
{
	struct world *world = flow_context(flow);
	const struct error *error = flow_error(flow);

	world->finals++;
	world->last_kind = error != NULL ? error->kind : ERROR_NONE;
	snprintf(
		world->last_text, sizeof(world->last_text), "%s", error != NULL ? error->text : "");
	tell(flow, "final");
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

/* -- a plain story ---------------------------------------------------------------------------------- */

static enum flow_status step_one(struct flow *flow)
{
	tell(flow, "one");
	assert_string_equal(flow_step_name(flow), "one");
	return await_turn(flow);
}

static enum flow_status step_two(struct flow *flow)
{
	tell(flow, "two");
	return await_sleep(flow, 1);
}

static enum flow_status step_three(struct flow *flow)
{
	tell(flow, "three");
	return FLOW_NEXT;
}

static const struct flow_step plain_steps[] = {
	{"one", step_one}, {"two", step_two}, {"three", step_three}, {NULL, NULL}};
static const struct flow_spec plain = {
	.name = "plain", .steps = plain_steps, .finally = count_final, .deadline_ms = 5000};

static void test_steps_in_order(void **state)
{
	struct world *world = *state;

	flow_start(world->loop, &plain, world, NULL);
	assert_string_equal(world->story, ""); /* never inside the caller's stack */
	loop_run(world->loop);
	assert_string_equal(world->story, "one two three final ");
	assert_int_equal(world->last_kind, ERROR_NONE);
}

/* -- goto, failure, deadline ------------------------------------------------------------------------ */

static enum flow_status count_up(struct flow *flow)
{
	unsigned *rounds = flow_state(flow);

	return ++*rounds < 3 ? flow_goto(flow, 0) : FLOW_NEXT;
}

static enum flow_status fail_now(struct flow *flow)
{
	unsigned *rounds = flow_state(flow);

	return flow_fail(flow, ERROR_INPUT, "after %u rounds", *rounds);
}

static void test_goto_and_fail(void **state)
{
	static const struct flow_step steps[] = {
		{"count", count_up}, {"fail", fail_now}, {NULL, NULL}};
	static const struct flow_spec spec = {.name = "rounds",
		.steps = steps,
		.finally = count_final,
		.state_bytes = sizeof(unsigned),
		.deadline_ms = 5000};
	struct world *world = *state;

	flow_start(world->loop, &spec, world, NULL);
	loop_run(world->loop);
	assert_int_equal(world->finals, 1);
	assert_int_equal(world->last_kind, ERROR_INPUT);
	assert_string_equal(world->last_text, "after 3 rounds");
}

static enum flow_status wait_for_ever(struct flow *flow)
{
	struct world *world = flow_context(flow);

	return await_queue(flow, &world->queue);
}

static enum flow_status never(struct flow *flow)
{
	fail_msg("a step ran behind a wait that never ended");
	return FLOW_END;
}

static const struct flow_step stuck_steps[] = {
	{"wait", wait_for_ever}, {"never", never}, {NULL, NULL}};

static void test_deadline_ends_a_wait(void **state)
{
	static const struct flow_spec spec = {
		.name = "stuck", .steps = stuck_steps, .finally = count_final, .deadline_ms = 5};
	struct world *world = *state;

	flow_start(world->loop, &spec, world, NULL);
	loop_run(world->loop);
	assert_int_equal(world->finals, 1);
	assert_int_equal(world->last_kind, ERROR_BUSY);
	assert_string_equal(world->last_text, "deadline");
	assert_true(flow_queue_empty(&world->queue)); /* the wait was let go of */
}

/* -- queues ----------------------------------------------------------------------------------------- */

static enum flow_status wait_briefly(struct flow *flow)
{
	struct world *world = flow_context(flow);

	return await_queue_for(flow, &world->queue, 2);
}

static enum flow_status say_how(struct flow *flow)
{
	tell(flow, flow_timed_out(flow) ? "timeout" : "woken");
	return FLOW_END;
}

static const struct flow_step brief_steps[] = {
	{"wait", wait_briefly}, {"say", say_how}, {NULL, NULL}};
static const struct flow_spec brief = {
	.name = "brief", .steps = brief_steps, .finally = count_final, .deadline_ms = 5000};

static enum flow_status wake_one(struct flow *flow)
{
	struct world *world = flow_context(flow);

	assert_int_equal(flow_queue_wake(&world->queue, 1), 1);
	assert_string_equal(world->story, ""); /* the woken one runs later, not now */
	return FLOW_END;
}

static void test_queue_wakes_in_order_and_times_out(void **state)
{
	static const struct flow_step steps[] = {
		{"turn", await_turn}, {"wake", wake_one}, {NULL, NULL}};
	static const struct flow_spec waker = {
		.name = "waker", .steps = steps, .deadline_ms = 5000};
	struct world *world = *state;

	flow_start(world->loop, &brief, world, NULL);
	flow_start(world->loop, &brief, world, NULL);
	flow_start(world->loop, &waker, world, NULL);
	loop_run(world->loop);
	assert_string_equal(world->story, "woken final timeout final ");
	assert_true(flow_queue_empty(&world->queue));
}

/* -- children --------------------------------------------------------------------------------------- */

static enum flow_status end_at_once(struct flow *flow)
{
	tell(flow, "child");
	return flow_fail(flow, ERROR_UPSTREAM, "child failed");
}

static const struct flow_step quick_steps[] = {{"end", end_at_once}, {NULL, NULL}};
static const struct flow_spec quick_child = {
	.name = "quick", .steps = quick_steps, .deadline_ms = 5000};
static const struct flow_spec stuck_child = {
	.name = "stuck", .steps = stuck_steps, .finally = count_final, .deadline_ms = 5000};

static enum flow_status spawn_quick(struct flow *flow)
{
	flow_spawn(flow, &quick_child);
	flow_spawn(flow, &quick_child);
	return FLOW_NEXT;
}

static enum flow_status after_children(struct flow *flow)
{
	tell(flow, "parent");
	assert_int_equal(flow_children(flow), 0);
	assert_int_equal(flow_failed_children(flow), 2);
	return FLOW_END;
}

static void test_parent_waits_for_children(void **state)
{
	static const struct flow_step steps[] = {{"spawn", spawn_quick}, {"wait", await_children},
		{"again", await_children}, {"after", after_children}, {NULL, NULL}};
	static const struct flow_spec spec = {
		.name = "parent", .steps = steps, .finally = count_final, .deadline_ms = 5000};
	struct world *world = *state;

	flow_start(world->loop, &spec, world, NULL);
	loop_run(world->loop);
	assert_string_equal(world->story, "child child parent final ");
	assert_int_equal(
		world->last_kind, ERROR_NONE); /* a failed child does not fail its parent */
}

static void test_child_ends_while_parent_waits_for_something_else(void **state)
{
	static const struct flow_step steps[] = {{"spawn", spawn_quick}, {"two", step_two},
		{"wait", await_children}, {"after", after_children}, {NULL, NULL}};
	static const struct flow_spec spec = {
		.name = "parent", .steps = steps, .finally = count_final, .deadline_ms = 5000};
	struct world *world = *state;

	flow_start(world->loop, &spec, world, NULL);
	loop_run(world->loop);
	assert_string_equal(world->story, "two child child parent final ");
}

static enum flow_status spawn_stuck(struct flow *flow)
{
	flow_spawn(flow, &stuck_child);
	return await_turn(flow);
}

static enum flow_status cancel_self(struct flow *flow)
{
	flow_cancel(flow);
	tell(flow, "still-here"); /* the ground is solid until the step returns */
	return FLOW_NEXT;
}

static void test_cancel_self_takes_children_first(void **state)
{
	static const struct flow_step steps[] = {
		{"spawn", spawn_stuck}, {"cancel", cancel_self}, {"never", never}, {NULL, NULL}};
	static const struct flow_spec spec = {
		.name = "parent", .steps = steps, .finally = count_final, .deadline_ms = 5000};
	struct world *world = *state;

	flow_start(world->loop, &spec, world, NULL);
	loop_run(world->loop);
	assert_string_equal(world->story, "final final still-here ");
	assert_int_equal(world->finals, 2);
	assert_string_equal(world->last_text, "cancelled");
}

static enum flow_status cancel_parent(struct flow *flow)
{
	struct world *world = flow_context(flow);

	flow_cancel(world->victim);
	return await_turn(flow); /* waiting in a flow that is over must be harmless */
}

static enum flow_status spawn_parricide(struct flow *flow)
{
	static const struct flow_step steps[] = {
		{"cancel", cancel_parent}, {"never", never}, {NULL, NULL}};
	static const struct flow_spec spec = {
		.name = "child", .steps = steps, .finally = count_final, .deadline_ms = 5000};
	struct world *world = flow_context(flow);

	world->victim = flow;
	flow_spawn(flow, &spec);
	return await_children(flow);
}

static void test_child_cancels_its_parent(void **state)
{
	static const struct flow_step steps[] = {
		{"spawn", spawn_parricide}, {"never", never}, {NULL, NULL}};
	static const struct flow_spec spec = {
		.name = "parent", .steps = steps, .finally = count_final, .deadline_ms = 5000};
	struct world *world = *state;

	flow_start(world->loop, &spec, world, NULL);
	loop_run(world->loop);
	assert_int_equal(world->finals, 2);
}

/* -- cancel at every step --------------------------------------------------------------------------- */

static enum flow_status every_kind_of_wait(struct flow *flow)
{
	unsigned *round = flow_state(flow);

	flow_goto(flow, 0);
	switch ((*round)++) {
	case 0:
		return FLOW_NEXT;
	case 1:
		return await_turn(flow);
	case 2:
		return await_sleep(flow, 1);
	case 3:
		return await_queue_for(flow, &((struct world *)flow_context(flow))->queue, 1);
	case 4:
		flow_spawn(flow, &quick_child);
		flow_spawn(flow, &brief);
		return await_children(flow);
	default:
		return FLOW_END;
	}
}

static enum flow_status cancel_after_turns(struct flow *flow)
{
	struct world *world = flow_context(flow);
	unsigned *turns = flow_state(flow);

	if ((*turns)++ < world->cancel_at) {
		flow_goto(flow, 0);
		return *turns % 3 == 0 ? await_sleep(flow, 1) : await_turn(flow);
	}
	if (world->finals == 0)
		flow_cancel(world->victim);
	return FLOW_END;
}

static void test_cancel_at_every_moment(void **state)
{
	static const struct flow_step waits[] = {{"waits", every_kind_of_wait}, {NULL, NULL}};
	static const struct flow_spec spec = {.name = "waits",
		.steps = waits,
		.finally = count_final,
		.state_bytes = sizeof(unsigned),
		.deadline_ms = 5000};
	static const struct flow_step killer_steps[] = {
		{"count", cancel_after_turns}, {NULL, NULL}};
	static const struct flow_spec killer = {.name = "killer",
		.steps = killer_steps,
		.state_bytes = sizeof(unsigned),
		.deadline_ms = 5000};
	struct world *world = *state;

	for (world->cancel_at = 0; world->cancel_at < 40; world->cancel_at++) {
		unsigned brief_finals;

		world->finals = 0;
		world->story[0] = '\0';
		flow_start(world->loop, &killer, world, NULL);
		world->victim = flow_start(world->loop, &spec, world, NULL);
		loop_run(world->loop);
		/* The grandchildren of kind `brief` count theirs too. */
		brief_finals = strstr(world->story, "child") != NULL ? 1 : 0;
		assert_in_range(world->finals, 1, 2 + brief_finals);
		assert_true(flow_queue_empty(&world->queue));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_steps_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_goto_and_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_deadline_ends_a_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_queue_wakes_in_order_and_times_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_parent_waits_for_children, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_child_ends_while_parent_waits_for_something_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_cancel_self_takes_children_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_child_cancels_its_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cancel_at_every_moment, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
