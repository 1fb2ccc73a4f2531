/* lanes: deliveries of one call go one after another; what was told is remembered, up to a bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lanes.h"
#include "loop_test.h"

#include <stdio.h>
#include <string.h>

enum { SETTLE_MS = 20 };

struct world {
	struct loop *loop;
	struct lanes *lanes;
	struct arena *arena;
	char order[64]; /* "a": it has its turn, "A": it has left */
};

/* A delivery that stays in its lane until its gate is opened. */
struct delivery {
	struct world *world;
	struct lane_place place;
	struct flow_queue gate;
	const char *enterprise, *call;
	struct flow *flow; /* NULL: it has ended */
	char name;
};

static void put_order(struct world *world, char what)
{
	size_t used = strlen(world->order);

	assert_true(used + 1 < sizeof(world->order));
	world->order[used] = what;
}

static enum flow_status take(struct flow *flow)
{
	struct delivery *delivery = flow_context(flow);

	if (lane_take(delivery->world->lanes, &delivery->place, str_from(delivery->enterprise),
		    str_from(delivery->call)))
		return FLOW_NEXT;
	(void)flow_goto(flow, 0);
	return lane_wait(flow, &delivery->place);
}

static enum flow_status stay(struct flow *flow)
{
	struct delivery *delivery = flow_context(flow);

	put_order(delivery->world, delivery->name);
	return await_queue(flow, &delivery->gate);
}

static void leave(struct flow *flow)
{
	struct delivery *delivery = flow_context(flow);

	put_order(delivery->world, (char)(delivery->name - 'a' + 'A'));
	lane_leave(&delivery->place);
	delivery->flow = NULL;
}

static const struct flow_step steps[] = {{"take", take}, {"stay", stay}, {NULL, NULL}};
static const struct flow_spec spec = {
	.name = "delivery", .steps = steps, .finally = leave, .deadline_ms = FLOW_FOREVER};

static void begin_of(const char *enterprise, struct world *world, struct delivery *delivery,
	char name, const char *call)
{
	*delivery = (struct delivery){
		.world = world, .enterprise = enterprise, .call = call, .name = name};
	flow_queue_init(&delivery->gate);
	delivery->flow = flow_start(world->loop, &spec, delivery, NULL);
}

static void begin(struct world *world, struct delivery *delivery, char name, const char *call)
{
	begin_of("0367", world, delivery, name, call);
}

static void settle(struct world *world)
{
	loop_test_run_for(world->loop, SETTLE_MS);
}

static void end(struct delivery *delivery)
{
	assert_int_equal(flow_queue_wake(&delivery->gate, 1), 1); /* it had its turn */
	settle(delivery->world);
	assert_null(delivery->flow);
}

static void assert_order(struct world *world, const char *expected)
{
	settle(world);
	assert_string_equal(world->order, expected);
}

/* -- the lane of a call --------------------------------------------------------------------------- */

static void test_one_at_a_time_in_the_order_of_arrival(void **state)
{
	struct world *world = *state;
	struct delivery a, b, c;

	begin(world, &a, 'a', "1.1");
	begin(world, &b, 'b', "1.1");
	begin(world, &c, 'c', "1.1");
	assert_order(world, "a");
	end(&a);
	assert_order(world, "aAb");
	end(&b);
	assert_order(world, "aAbBc");
	end(&c);
}

static void test_other_calls_and_other_enterprises_do_not_wait(void **state)
{
	struct world *world = *state;
	struct delivery a, b, c;

	begin(world, &a, 'a', "1.1");
	begin(world, &b, 'b', "1.2");
	begin(world, &c, 'c', "1.1");
	assert_order(world, "ab");
	end(&b);
	assert_order(world, "abB"); /* the other call's end is no turn of c's */
	end(&a);
	assert_order(world, "abBAc");
	begin_of("0368", world, &a, 'a', "1.1");
	assert_order(world, "abBAca");
	end(&a);
	end(&c);
}

static void test_a_cancelled_waiter_is_passed_over(void **state)
{
	struct world *world = *state;
	struct delivery a, b, c;

	begin(world, &a, 'a', "1.1");
	begin(world, &b, 'b', "1.1");
	begin(world, &c, 'c', "1.1");
	assert_order(world, "a");
	flow_cancel(b.flow);
	assert_order(world, "aB"); /* it went, and gave nobody a turn: a is still there */
	end(&a);
	assert_order(world, "aBAc");
	end(&c);
}

/* Its turn was called and it is cancelled before it could take it: the next one must not sleep on. */
static void test_a_waiter_cancelled_on_its_turn_hands_it_on(void **state)
{
	struct world *world = *state;
	struct delivery a, b, c;

	begin(world, &a, 'a', "1.1");
	begin(world, &b, 'b', "1.1");
	begin(world, &c, 'c', "1.1");
	assert_order(world, "a");
	flow_cancel(a.flow); /* calls b */
	flow_cancel(b.flow);
	assert_order(world, "aABc");
	end(&c);
}

static void test_whoever_holds_a_lane_and_is_cancelled_leaves_it(void **state)
{
	struct world *world = *state;
	struct delivery a, b;

	begin(world, &a, 'a', "1.1");
	begin(world, &b, 'b', "1.1");
	assert_order(world, "a");
	flow_cancel(a.flow);
	assert_order(world, "aAb");
	end(&b);
	begin(world, &a, 'a', "1.1"); /* the lane was taken down, and is made anew */
	assert_order(world, "aAbBa");
	end(&a);
}

/* -- what was told -------------------------------------------------------------------------------- */

static struct str id_of(struct world *world, const char *enterprise, int64_t delivery)
{
	if (delivery <= 0)
		return STR("");
	return str_from(arena_printf(world->arena, "%s %d", enterprise, (int)delivery));
}

static void tell(struct world *world, const char *enterprise, int64_t delivery, const char *memory)
{
	lanes_told(world->lanes, id_of(world, enterprise, delivery), str_from(memory));
}

/* What is remembered of it; "never" when nothing. */
static const char *told(struct world *world, const char *enterprise, int64_t delivery)
{
	struct str memory = STR("never");

	(void)lanes_was_told(
		world->lanes, id_of(world, enterprise, delivery), world->arena, &memory);
	return arena_strndup(world->arena, memory.data, memory.size);
}

static void test_what_was_told_is_remembered(void **state)
{
	struct world *world = *state;

	assert_string_equal(told(world, "0367", 17), "never");
	tell(world, "0367", 17, "{\"id\":5}");
	assert_string_equal(told(world, "0367", 17), "{\"id\":5}");
	assert_string_equal(told(world, "0367", 18), "never");
	assert_string_equal(told(world, "0368", 17), "never");
	tell(world, "0367", 17, "{\"id\":6}");
	assert_string_equal(told(world, "0367", 17), "{\"id\":5}"); /* the first one holds */
	tell(world, "0367", 18, "");
	assert_string_equal(told(world, "0367", 18), "");
}

/* A delivery without a number cannot come again. */
static void test_without_a_number_nothing_is_remembered(void **state)
{
	struct world *world = *state;

	tell(world, "0367", 0, "{}");
	assert_string_equal(told(world, "0367", 0), "never");
	tell(world, "0367", -1, "{}");
	assert_string_equal(told(world, "0367", -1), "never");
}

static void test_the_oldest_is_forgotten(void **state)
{
	struct world *world = *state;
	char memory[32];

	for (int64_t delivery = 1; delivery <= LANES_REMEMBERED; delivery++) {
		(void)snprintf(memory, sizeof(memory), "{\"id\":%d}", (int)delivery);
		tell(world, "0367", delivery, memory);
	}
	assert_string_equal(told(world, "0367", 1), "{\"id\":1}");
	tell(world, "0367", LANES_REMEMBERED, "{}"); /* known: it takes nobody's place */
	assert_string_equal(told(world, "0367", 1), "{\"id\":1}");
	tell(world, "0367", LANES_REMEMBERED + 1, "{\"id\":0}");
	assert_string_equal(told(world, "0367", 1), "never");
	assert_string_equal(told(world, "0367", 2), "{\"id\":2}");
	assert_string_equal(told(world, "0367", LANES_REMEMBERED + 1), "{\"id\":0}");
	tell(world, "0367", 1, "{\"id\":9}"); /* and may be told anew */
	assert_string_equal(told(world, "0367", 1), "{\"id\":9}");
	assert_string_equal(told(world, "0367", 2), "never");
}

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){
		.loop = loop_new(), .lanes = lanes_new(), .arena = arena_new(1 << 20)};
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	lanes_free(&world->lanes);
	arena_free(&world->arena);
	loop_free(&world->loop);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_one_at_a_time_in_the_order_of_arrival, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_other_calls_and_other_enterprises_do_not_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_cancelled_waiter_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_waiter_cancelled_on_its_turn_hands_it_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_whoever_holds_a_lane_and_is_cancelled_leaves_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_was_told_is_remembered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_without_a_number_nothing_is_remembered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_oldest_is_forgotten, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
