/*
 * loop: one event loop a process, over libevent.
 *
 * The callback forms below are for libshared only (io, clients, service): services write flows.
 * Everything runs on the loop's one thread.
 */
#ifndef CALLWEAVE_LOOP_H
#define CALLWEAVE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct loop *loop_new(void); /* aborts when the kernel gives no epoll */
void loop_free(struct loop **loop);

/* Run until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* For a process of many small messages: while at least four of them come within `gather_us`, turns begin
 * no more often than that, so that what comes meanwhile is served together. Each message then waits so
 * long at most, and costs about a third less (ADR 0022). 0, as it begins: never. */
void loop_gather(struct loop *loop, int64_t gather_us);

/* Monotonic time at the start of this turn: cheap, the same for all that runs in one turn. */
int64_t loop_now_ms(const struct loop *loop);

/* A file descriptor watched for reading and writing. The watch does not own the descriptor. */
enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
	LOOP_EDGE =
		4, /* interest: tell what is new, once; the owner reads all of it, or comes back by itself */
	LOOP_CLOSED =
		8, /* ready, with LOOP_EDGE: the peer sends no more; it is told together with data */
};
struct loop_watch;
typedef void loop_ready_fn(void *owner, int fd, unsigned ready);
struct loop_watch *loop_watch_new(struct loop *loop, int fd, loop_ready_fn *ready, void *owner);
void loop_watch_set(struct loop_watch *watch, unsigned interest); /* 0: none */
void loop_watch_free(struct loop_watch **watch);

/* A one-shot timer that can be set again and again. */
struct loop_timer;
typedef void loop_fire_fn(void *owner);
struct loop_timer *loop_timer_new(struct loop *loop, loop_fire_fn *fire, void *owner);
void loop_timer_set(struct loop_timer *timer, int64_t delay_ms); /* replaces an earlier setting */
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer **timer);

/* A signal, delivered inside the loop. */
struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *loop, int number, loop_fire_fn *fire, void *owner);
void loop_signal_free(struct loop_signal **signal);

/* Something to run at the end of this turn, before the loop sleeps (never from inside the caller's
 * stack). Embedded in its owner, linked at most once; zero it before the first use. */
struct loop_task {
	loop_fire_fn *run;
	void *owner;
	struct loop_task *next, **link; /* the loop's */
};
void loop_defer(struct loop *loop, struct loop_task *task); /* no effect when already linked */
void loop_undefer(struct loop *loop, struct loop_task *task);

#endif
