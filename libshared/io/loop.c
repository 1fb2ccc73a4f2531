/*
 * loop: libevent's base, and a list of tasks that run between its turns.
 *
 * The tasks are what makes "every wake goes through the loop" true: whoever is woken in the middle
 * of a callback runs only after that callback has returned.
 */
#include "loop.h"

#include "clock.h"
#include "loop_private.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

enum { WINDOW_US = 100000, CROWD = 4 };

struct loop_watch {
	struct event *event;
	struct loop *loop;
	loop_ready_fn *ready;
	void *owner;
	int fd;
	unsigned interest;
};

struct loop_timer {
	struct event *event;
	struct loop *loop;
	loop_fire_fn *fire;
	void *owner;
};

struct loop_signal {
	struct event *event;
	struct loop *loop;
	loop_fire_fn *fire;
	void *owner;
};

static void *need(void *pointer)
{
	if (pointer == NULL)
		abort();
	return pointer;
}

struct loop *loop_new(void)
{
	struct loop *loop = need(calloc(1, sizeof(*loop)));
	struct event_config *config = need(event_config_new());

	event_config_require_features(config, EV_FEATURE_O1);
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	loop->base = need(event_base_new_with_config(config));
	event_config_free(config);
	loop->last = &loop->first;
	loop->now_ms = clock_monotonic_ms();
	return loop;
}

/* Once a turn, by whoever runs first in it. */
static void note_time(struct loop *loop)
{
	if (!loop->now_is_old)
		return;
	loop->now_is_old = false;
	loop->now_ms = clock_monotonic_ms();
}

/* Only those that were linked when the pass began: a task that defers again waits for the next turn,
 * so that sockets get their turn too. */
static void run_tasks(struct loop *loop)
{
	if (loop->first == NULL)
		return;
	loop->batch = loop->first;
	loop->batch->link = &loop->batch;
	loop->first = NULL;
	loop->last = &loop->first;
	while (loop->batch != NULL) {
		struct loop_task *task = loop->batch;

		loop_undefer(loop, task);
		task->run(task->owner);
	}
}

/* -- gathering ---------------------------------------------------------------------------------------- */

void loop_gather(struct loop *loop, int64_t gather_us)
{
	loop->gather_us = gather_us;
	loop->crowded = false;
}

static void judge_crowd(struct loop *loop)
{
	int64_t window_us = loop->turn_us - loop->window_us;

	if (window_us < WINDOW_US)
		return;
	loop->crowded = (int64_t)loop->ready_count * loop->gather_us >= CROWD * window_us;
	loop->ready_count = 0;
	loop->window_us = loop->turn_us;
}

/* Most of what a small message costs beside its own system calls is paid for once a turn: going to sleep,
 * waking up, the kernel's and our own code that is no longer in the caches. */
static void gather(struct loop *loop)
{
	int64_t until_us = loop->turn_us + loop->gather_us;
	struct timespec until = {
		.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};

	if (loop->crowded && loop->first == NULL)
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	loop->turn_us = clock_monotonic_us();
	judge_crowd(loop);
}

/* -- turns -------------------------------------------------------------------------------------------- */

void loop_run(struct loop *loop)
{
	loop->stopped = false;
	loop->running = true;
	while (!loop->stopped) {
		int flags = EVLOOP_ONCE | (loop->first != NULL ? EVLOOP_NONBLOCK : 0);

		if (loop->gather_us > 0)
			gather(loop);
		loop->now_is_old = true;
		/* 1: nothing is watched and no task is left; nothing can ever happen again. */
		if (event_base_loop(loop->base, flags) == 1 && loop->first == NULL)
			break;
		note_time(loop);
		run_tasks(loop);
	}
	loop->running = false;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
	event_base_loopbreak(loop->base);
}

void loop_free(struct loop **loop)
{
	if (*loop == NULL)
		return;
	while ((*loop)->first != NULL)
		run_tasks(*loop); /* flows that ended are freed by their task */
	resolve_loop_free(*loop);
	tls_loop_free(*loop);
	loop_timer_free(&(*loop)->alarm_timer);
	free((*loop)->alarms);
	event_base_free((*loop)->base);
	free(*loop);
	*loop = NULL;
}

/* Between two runs there are no turns: what starts then starts from the true time. */
int64_t loop_now_ms(const struct loop *loop)
{
	return loop->running ? loop->now_ms : clock_monotonic_ms();
}

/* -- watches ---------------------------------------------------------------------------------------- */

static void on_ready(evutil_socket_t fd, short what, void *owner)
{
	struct loop_watch *watch = owner;
	unsigned ready = ((what & EV_READ) != 0 ? LOOP_READ : 0u) |
			 ((what & EV_WRITE) != 0 ? LOOP_WRITE : 0u) |
			 ((what & EV_CLOSED) != 0 ? LOOP_READ | LOOP_CLOSED : 0u);

	note_time(watch->loop);
	watch->loop->ready_count++;
	watch->ready(watch->owner, fd, ready);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd, loop_ready_fn *ready, void *owner)
{
	struct loop_watch *watch = need(calloc(1, sizeof(*watch)));

	*watch = (struct loop_watch){.loop = loop, .ready = ready, .owner = owner, .fd = fd};
	watch->event = need(event_new(loop->base, fd, 0, on_ready, watch));
	return watch;
}

void loop_watch_set(struct loop_watch *watch, unsigned interest)
{
	short what = EV_PERSIST;

	if (interest == watch->interest)
		return;
	watch->interest = interest;
	event_del(watch->event);
	if (interest == 0)
		return;
	if ((interest & LOOP_READ) != 0)
		what |= EV_READ;
	if ((interest & LOOP_WRITE) != 0)
		what |= EV_WRITE;
	if ((interest & LOOP_EDGE) != 0)
		what |= EV_ET | EV_CLOSED;
	event_assign(watch->event, watch->loop->base, watch->fd, what, on_ready, watch);
	event_add(watch->event, NULL);
}

void loop_watch_free(struct loop_watch **watch)
{
	if (*watch == NULL)
		return;
	event_free((*watch)->event);
	free(*watch);
	*watch = NULL;
}

/* -- timers ----------------------------------------------------------------------------------------- */

static void on_time(evutil_socket_t fd, short what, void *owner)
{
	struct loop_timer *timer = owner;

	note_time(timer->loop);
	timer->fire(timer->owner);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fire_fn *fire, void *owner)
{
	struct loop_timer *timer = need(calloc(1, sizeof(*timer)));

	*timer = (struct loop_timer){.loop = loop, .fire = fire, .owner = owner};
	timer->event = need(event_new(loop->base, -1, 0, on_time, timer));
	return timer;
}

void loop_timer_set(struct loop_timer *timer, int64_t delay_ms)
{
	int64_t wait_ms = delay_ms > 0 ? delay_ms : 0;
	struct timeval after = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

	event_add(timer->event, &after);
}

void loop_timer_stop(struct loop_timer *timer)
{
	event_del(timer->event);
}

void loop_timer_free(struct loop_timer **timer)
{
	if (*timer == NULL)
		return;
	event_free((*timer)->event);
	free(*timer);
	*timer = NULL;
}

/* -- signals ---------------------------------------------------------------------------------------- */

static void on_signal(evutil_socket_t number, short what, void *owner)
{
	struct loop_signal *signal = owner;

	note_time(signal->loop);
	signal->fire(signal->owner);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number, loop_fire_fn *fire, void *owner)
{
	struct loop_signal *signal = need(calloc(1, sizeof(*signal)));

	*signal = (struct loop_signal){.loop = loop, .fire = fire, .owner = owner};
	signal->event = need(evsignal_new(loop->base, number, on_signal, signal));
	event_add(signal->event, NULL);
	return signal;
}

void loop_signal_free(struct loop_signal **signal)
{
	if (*signal == NULL)
		return;
	event_free((*signal)->event);
	free(*signal);
	*signal = NULL;
}

/* -- tasks ------------------------------------------------------------------------------------------ */

void loop_defer(struct loop *loop, struct loop_task *task)
{
	if (task->link != NULL)
		return;
	task->next = NULL;
	task->link = loop->last;
	*loop->last = task;
	loop->last = &task->next;
}

void loop_undefer(struct loop *loop, struct loop_task *task)
{
	if (task->link == NULL)
		return;
	*task->link = task->next;
	if (task->next != NULL)
		task->next->link = task->link;
	else if (loop->last == &task->next) /* else it was the last of the batch */
		loop->last = task->link;
	task->next = NULL;
	task->link = NULL;
}
