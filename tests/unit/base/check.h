/*
 * check: what the tests of the base layer share: cmocka with its needs, and "this aborts".
 */
#ifndef CALLWEAVE_TESTS_CHECK_H
#define CALLWEAVE_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* True when `what` ends its process by abort(). Runs it in a child. */
static inline bool check_aborts(void (*what)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#define assert_str(actual, expected)                                                               \
	do {                                                                                       \
		struct str assert_str_actual = (actual);                                           \
		struct str assert_str_expected = str_from(expected);                               \
		assert_int_equal(assert_str_actual.size, assert_str_expected.size);                \
		if (assert_str_expected.size > 0)                                                  \
			assert_memory_equal(assert_str_actual.data, assert_str_expected.data,      \
				assert_str_expected.size);                                         \
	} while (0)

#endif
