/*
 * The flow kernel: random walks of flows that start, wait, wake and cancel each other, with a model
 * beside them that knows who is whose child and who has ended.
 */
#include "flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

enum { SEEDS = 30, STEPS = 4000, NODES = 4096, CHILDREN_MAX = 3, ROOTS = 20, ROOT = -1 };

/* What the model knows of a flow; it outlives the flow. */
struct node {
	struct flow *flow; /* NULL once it has ended */
	int parent;
	unsigned children;
};

struct walk {
	struct loop *loop;
	struct flow_queue queue;
	uint32_t seed;
	unsigned steps;
	int count;
	unsigned ended;
	struct node nodes[NODES];
};

static unsigned pick(struct walk *walk, unsigned among)
{
	walk->seed = walk->seed * 1664525u + 1013904223u;
	return (walk->seed >> 8) % among;
}

static struct node *node_of(struct flow *flow)
{
	struct walk *walk = flow_context(flow);
	int *number = flow_state(flow);

	return &walk->nodes[*number];
}

/* Once for each, after all of its children, and never for one whose parent has ended before. */
static void walker_gone(struct flow *flow)
{
	struct walk *walk = flow_context(flow);
	struct node *node = node_of(flow);

	assert_ptr_equal(node->flow, flow);
	assert_int_equal(node->children, 0);
	assert_int_equal(flow_children(flow), 0);
	node->flow = NULL;
	walk->ended++;
	if (node->parent == ROOT)
		return;
	assert_non_null(walk->nodes[node->parent].flow);
	walk->nodes[node->parent].children--;
}

static enum flow_status walk_on(struct flow *flow);
static const struct flow_step walk_steps[] = {{"walk", walk_on}, {NULL, NULL}};
static const struct flow_spec walker = {.name = "walker",
	.steps = walk_steps,
	.finally = walker_gone,
	.state_bytes = sizeof(int),
	.deadline_ms = 4};

static void note(struct walk *walk, struct flow *flow, int parent)
{
	int *number = flow_state(flow);

	*number = walk->count++;
	walk->nodes[*number] = (struct node){.flow = flow, .parent = parent};
	if (parent != ROOT)
		walk->nodes[parent].children++;
}

static void cancel_any(struct walk *walk)
{
	struct flow *flow = walk->nodes[pick(walk, (unsigned)walk->count)].flow;

	if (flow != NULL)
		flow_cancel(flow);
}

static void start_another(struct walk *walk, struct flow *flow)
{
	if (walk->count == NODES)
		return;
	if (pick(walk, 2) == 0)
		note(walk, flow_start(walk->loop, &walker, walk, NULL), ROOT);
	else if (flow_children(flow) < CHILDREN_MAX)
		note(walk, flow_spawn(flow, &walker), (int)(node_of(flow) - walk->nodes));
}

static enum flow_status wait_somehow(struct walk *walk, struct flow *flow)
{
	switch (pick(walk, 6)) {
	case 0:
		return await_children(flow);
	case 1:
		return await_queue(flow, &walk->queue);
	case 2:
		return await_queue_for(flow, &walk->queue, pick(walk, 3));
	case 3:
		return await_sleep(flow, pick(walk, 3));
	default:
		return await_turn(flow);
	}
}

static enum flow_status walk_on(struct flow *flow)
{
	struct walk *walk = flow_context(flow);
	struct node *node = node_of(flow);

	assert_ptr_equal(node->flow, flow); /* no step runs behind the end */
	assert_true(node->parent == ROOT || walk->nodes[node->parent].flow != NULL);
	assert_int_equal(flow_children(flow), node->children);
	if (walk->steps++ > STEPS)
		return FLOW_END;
	flow_goto(flow, 0);
	switch (pick(walk, 8)) {
	case 0:
		cancel_any(walk); /* itself, its parent, its child, or a stranger */
		break;
	case 1:
	case 2:
		start_another(walk, flow);
		break;
	case 3:
		flow_queue_wake(&walk->queue, pick(walk, 4));
		break;
	case 4:
		return pick(walk, 3) == 0 ? FLOW_END : FLOW_NEXT;
	default:
		break;
	}
	return node->flow == NULL && pick(walk, 2) == 0 ? FLOW_END : wait_somehow(walk, flow);
}

static void walk_once(struct walk *walk, uint32_t seed)
{
	*walk = (struct walk){.loop = loop_new(), .seed = seed};
	flow_queue_init(&walk->queue);
	while (walk->steps <= STEPS && walk->count < NODES - ROOTS) {
		for (int i = 0; i < ROOTS; i++)
			note(walk, flow_start(walk->loop, &walker, walk, NULL), ROOT);
		loop_run(walk->loop); /* until nothing is left that could happen */
	}
	assert_int_equal(walk->ended, walk->count);
	assert_true(flow_queue_empty(&walk->queue));
	loop_free(&walk->loop);
}

static void test_random_walks(void **state)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	for (uint32_t seed = 1; seed <= SEEDS; seed++)
		walk_once(walk, seed);
	free(walk);
}

/* The same, ended from outside in the middle. */
static void stop_walk(void *owner)
{
	struct walk *walk = owner;

	flow_cancel_all(walk->loop);
	assert_int_equal(walk->ended, walk->count);
	assert_true(flow_queue_empty(&walk->queue));
	walk->steps = STEPS + 1;
}

static void test_cancel_all_in_the_middle(void **state)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		struct loop_timer *timer;

		*walk = (struct walk){.loop = loop_new(), .seed = seed};
		flow_queue_init(&walk->queue);
		timer = loop_timer_new(walk->loop, stop_walk, walk);
		loop_timer_set(timer, seed % 5);
		for (int i = 0; i < ROOTS; i++)
			note(walk, flow_start(walk->loop, &walker, walk, NULL), ROOT);
		loop_run(walk->loop);
		loop_timer_free(&timer);
		loop_free(&walk->loop);
	}
	free(walk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_walks),
		cmocka_unit_test(test_cancel_all_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
