/*
 * The loop: turns, tasks, watches, signals; alarms in any order against a model.
 */
#include "loop.h"

#include "clock.h"
#include "loop_private.h"
#include "loop_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* -- tasks ------------------------------------------------------------------------------------------ */

struct scene {
	struct loop *loop;
	char story[64];
	struct loop_task tasks[4];
	int64_t turn_ms;
};

static void tell(struct scene *scene, const char *word)
{
	strncat(scene->story, word, sizeof(scene->story) - strlen(scene->story) - 1);
}

static void say_a(void *owner)
{
	struct scene *scene = owner;

	tell(scene, "a");
	loop_defer(scene->loop, &scene->tasks[2]);   /* the next turn's */
	loop_undefer(scene->loop, &scene->tasks[3]); /* this turn's: it never runs */
	scene->turn_ms = loop_now_ms(scene->loop);
}

static void say_b(void *owner)
{
	struct scene *scene = owner;

	tell(scene, "b");
	while (clock_monotonic_ms() <= scene->turn_ms)
		continue;
	assert_int_equal(loop_now_ms(scene->loop), scene->turn_ms); /* one turn, one time */
}

static void say_c(void *owner)
{
	struct scene *scene = owner;

	tell(scene, "c");
	assert_true(loop_now_ms(scene->loop) > scene->turn_ms);
}

static void say_d(void *owner)
{
	tell(owner, "d");
}

static void test_tasks_run_in_order_each_in_its_turn(void **state)
{
	static loop_fire_fn *const runs[] = {say_a, say_b, say_c, say_d};
	struct scene scene = {.loop = loop_new()};

	for (int i = 0; i < 4; i++)
		scene.tasks[i] = (struct loop_task){.run = runs[i], .owner = &scene};
	loop_defer(scene.loop, &scene.tasks[0]);
	loop_defer(scene.loop, &scene.tasks[0]); /* no effect */
	loop_defer(scene.loop, &scene.tasks[1]);
	loop_defer(scene.loop, &scene.tasks[3]);
	loop_run(scene.loop); /* ends by itself: nothing is left that could happen */
	assert_string_equal(scene.story, "abc");
	loop_free(&scene.loop);
}

static void test_time_outside_of_turns_is_true(void **state)
{
	struct loop *loop = loop_new();
	int64_t before_ms = clock_monotonic_ms();

	loop_run(loop);
	while (clock_monotonic_ms() < before_ms + 3)
		continue;
	assert_true(loop_now_ms(loop) >= before_ms + 3);
	loop_free(&loop);
}

/* -- descriptors ------------------------------------------------------------------------------------ */

struct ends {
	struct loop *loop;
	struct loop_watch *watch;
	unsigned seen;
	unsigned calls;
};

static void on_ready(void *owner, int fd, unsigned ready)
{
	struct ends *ends = owner;

	ends->seen |= ready;
	ends->calls++;
	loop_stop(ends->loop);
}

static void test_a_watch_tells_what_was_asked(void **state)
{
	struct ends ends = {.loop = loop_new()};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ends.watch = loop_watch_new(ends.loop, pair[0], on_ready, &ends);
	loop_watch_set(ends.watch, LOOP_WRITE);
	loop_test_run(ends.loop);
	assert_int_equal(ends.seen, LOOP_WRITE);
	ends.seen = 0;
	loop_watch_set(ends.watch, LOOP_READ);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_test_run(ends.loop);
	assert_int_equal(ends.seen, LOOP_READ);
	ends.seen = 0;
	loop_watch_set(ends.watch, LOOP_READ | LOOP_WRITE);
	loop_test_run(ends.loop);
	assert_int_equal(ends.seen, LOOP_READ | LOOP_WRITE);
	loop_watch_set(ends.watch, 0);
	ends.calls = 0;
	loop_test_run_for(ends.loop, 5);
	assert_int_equal(ends.calls, 0);
	loop_watch_free(&ends.watch);
	close(pair[0]);
	close(pair[1]);
	loop_free(&ends.loop);
}

static void free_watch(void *owner, int fd, unsigned ready)
{
	struct ends *ends = owner;

	ends->calls++;
	loop_watch_free(&ends->watch);
	loop_stop(ends->loop);
}

static void test_a_watch_may_be_freed_where_it_fires(void **state)
{
	struct ends ends = {.loop = loop_new()};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	ends.watch = loop_watch_new(ends.loop, pair[0], free_watch, &ends);
	loop_watch_set(ends.watch, LOOP_READ | LOOP_WRITE);
	loop_test_run(ends.loop);
	loop_test_run_for(ends.loop, 5);
	assert_int_equal(ends.calls, 1);
	close(pair[0]);
	close(pair[1]);
	loop_free(&ends.loop);
}

static void on_signal(void *owner)
{
	loop_stop(owner);
}

static void test_a_signal_comes_inside_the_loop(void **state)
{
	struct loop *loop = loop_new();
	struct loop_signal *watched = loop_signal_new(loop, SIGUSR2, on_signal, loop);

	assert_int_equal(raise(SIGUSR2), 0);
	loop_test_run(loop);
	loop_signal_free(&watched);
	loop_free(&loop);
}

/* -- alarms ----------------------------------------------------------------------------------------- */

enum { ALARMS = 300, MOVES = 900, LONGEST_MS = 40 };

struct bell {
	struct loop_alarm alarm;
	struct tower *tower;
	int64_t wanted_ms; /* when it may ring at the earliest; 0: it may not */
};

struct tower {
	struct loop *loop;
	struct bell bells[ALARMS];
	int64_t last_at_ms;
	unsigned rung, expected;
};

static void ring(void *owner)
{
	struct bell *bell = owner;

	assert_int_not_equal(bell->wanted_ms, 0);
	assert_true(clock_monotonic_ms() >= bell->wanted_ms);
	assert_true(bell->alarm.at_ms >= bell->tower->last_at_ms);
	bell->tower->last_at_ms = bell->alarm.at_ms;
	bell->wanted_ms = 0;
	bell->tower->rung++;
}

static void move_one(struct tower *tower, uint32_t *seed)
{
	struct bell *bell = &tower->bells[(*seed >> 8) % ALARMS];
	unsigned delay_ms = (*seed >> 16) % LONGEST_MS;

	*seed = *seed * 1664525u + 1013904223u;
	tower->expected -= bell->wanted_ms != 0;
	bell->wanted_ms = 0;
	if ((*seed >> 10) % 4 == 0) {
		loop_alarm_stop(tower->loop, &bell->alarm);
		return;
	}
	bell->wanted_ms = clock_monotonic_ms() + delay_ms;
	tower->expected++;
	loop_alarm_set(tower->loop, &bell->alarm, delay_ms);
}

static void test_alarms_ring_in_order(void **state)
{
	for (uint32_t seed = 1; seed <= 20; seed++) {
		static struct tower tower;
		uint32_t next = seed;

		tower = (struct tower){.loop = loop_new()};
		for (int i = 0; i < ALARMS; i++) {
			tower.bells[i].tower = &tower;
			tower.bells[i].alarm =
				(struct loop_alarm){.fire = ring, .owner = &tower.bells[i]};
		}
		for (int i = 0; i < MOVES; i++)
			move_one(&tower, &next);
		loop_run(tower.loop);
		assert_int_equal(tower.rung, tower.expected);
		assert_true(tower.rung > ALARMS / 3);
		loop_free(&tower.loop);
	}
}

/* -- gathering -------------------------------------------------------------------------------------- */

enum { TALKERS = 10, GATHER_MS = 5, MEASURED_MS = 200 };

struct crowd {
	struct loop *loop;
	int ends[TALKERS][2];
	struct loop_watch *watches[TALKERS];
	unsigned heard, turns;
	struct loop_task turn;
};

static void count_turn(void *owner)
{
	((struct crowd *)owner)->turns++;
}

/* There is always more to read. */
static void hear(void *owner, int fd, unsigned ready)
{
	struct crowd *crowd = owner;

	crowd->heard++;
	loop_defer(crowd->loop, &crowd->turn);
}

/* How often `talkers` of them are heard, and in how many turns, once the loop has had time to judge. */
static struct crowd listen_to(int talkers, int64_t gather_us)
{
	struct crowd crowd = {.loop = loop_new()};

	crowd.turn = (struct loop_task){.run = count_turn, .owner = &crowd};
	loop_gather(crowd.loop, gather_us);
	for (int i = 0; i < talkers; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, crowd.ends[i]), 0);
		assert_int_equal(write(crowd.ends[i][1], "x", 1), 1);
		crowd.watches[i] = loop_watch_new(crowd.loop, crowd.ends[i][0], hear, &crowd);
		loop_watch_set(crowd.watches[i], LOOP_READ);
	}
	loop_test_run_for(crowd.loop, MEASURED_MS); /* longer than it takes to judge */
	crowd.heard = crowd.turns = 0;
	loop_test_run_for(crowd.loop, MEASURED_MS);
	for (int i = 0; i < talkers; i++) {
		loop_watch_free(&crowd.watches[i]);
		close(crowd.ends[i][0]);
		close(crowd.ends[i][1]);
	}
	loop_free(&crowd.loop);
	return crowd;
}

static void test_a_crowd_is_served_together(void **state)
{
	struct crowd crowd = listen_to(TALKERS, GATHER_MS * 1000);

	assert_in_range(crowd.turns, 2, MEASURED_MS / GATHER_MS + 2);
	assert_in_range(crowd.heard, crowd.turns * (TALKERS - 1), crowd.turns * TALKERS);
	assert_true(listen_to(TALKERS, 0).turns > 10 * MEASURED_MS / GATHER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tasks_run_in_order_each_in_its_turn),
		cmocka_unit_test(test_time_outside_of_turns_is_true),
		cmocka_unit_test(test_a_watch_tells_what_was_asked),
		cmocka_unit_test(test_a_watch_may_be_freed_where_it_fires),
		cmocka_unit_test(test_a_signal_comes_inside_the_loop),
		cmocka_unit_test(test_alarms_ring_in_order),
		cmocka_unit_test(test_a_crowd_is_served_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
