/*
 * demo: a tiny service for the tests of the skeleton. The test's own program is the service, too,
 * when DEMO_SERVICE is set: demo_start() runs it in a child of its own.
 */
#ifndef CALLWEAVE_TESTS_DEMO_H
#define CALLWEAVE_TESTS_DEMO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/types.h>

/* The service's main(). /hello answers with CALLWEAVE_DEMO_WORDS, /slow after a second. */
int demo_main(int argc, char **argv);

struct demo_process {
	pid_t pid;
	int output; /* its stdout and stderr */
	int port;
	char said[64 * 1024]; /* what it wrote so far */
	size_t said_bytes;
};

/* Run it with arguments and settings ("NAME=value"), both ended by NULL; either may be NULL. */
void demo_spawn(
	struct demo_process *demo, const char *const *arguments, const char *const *environment);

/* Read until it said `words`; false when it ended before. */
bool demo_says(struct demo_process *demo, const char *words);

/* Its end: the exit code. What it wrote last is in `said`. */
int demo_exit_code(struct demo_process *demo);

/* Run it and wait until it listens. */
void demo_start(struct demo_process *demo, const char *const *environment);

/* A connection on which `path` was asked for; -1: refused. */
int demo_ask(const struct demo_process *demo, const char *path);

/* Read the answer to its end and close. */
void demo_read(int fd, char *answer, size_t capacity);

/* The status, 0 when refused; the whole answer in `answer`. */
int demo_get(const struct demo_process *demo, const char *path, char *answer, size_t capacity);

/* cmocka's check that `text` has `words` in it. */
void demo_must_say(const char *text, const char *words);

#endif
