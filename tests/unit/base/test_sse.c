/* sse: the same events come out whatever the pieces in which the bytes came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sse.h"

#include <stdio.h>
#include <stdlib.h>

/* All events as "name=data|", the bytes given in pieces of `step`. */
static void read_all(const char *text, size_t step, size_t most, char *out, size_t room)
{
	struct sse sse;
	size_t size = strlen(text), used = 0;

	sse_init(&sse, most);
	out[0] = '\0';
	for (size_t at = 0; at < size; at += step) {
		struct str bytes = str_of(text + at, size - at < step ? size - at : step);

		while (sse_next(&sse, &bytes))
			used += (size_t)snprintf(out + used, room - used, "%s=%.*s|", sse.event,
				STR_ARG(sse_data(&sse)));
		assert_int_equal(bytes.size, 0);
	}
	if (sse.failed)
		(void)snprintf(out + used, room - used, "failed");
	sse_free(&sse);
}

static void must_read(const char *text, const char *events)
{
	char out[512];

	for (size_t step = 1; step <= strlen(text); step++) {
		read_all(text, step, 64, out, sizeof(out));
		assert_string_equal(out, events);
	}
}

static void test_lines_of_an_event(void **state)
{
	must_read("data: {\"a\":1}\n\n", "={\"a\":1}|");
	must_read("data:a\ndata: b\ndata\n\n", "=a\nb\n|");
	must_read("event: delta\ndata:  two\n\n", "delta= two|");
	must_read("data: one\n\ndata: [DONE]\n\n", "=one|=[DONE]|");
}

static void test_any_end_of_line(void **state)
{
	must_read("data: a\r\n\r\ndata: b\r\n\r\n", "=a|=b|");
	must_read("data: a\r\rdata: b\r\r", "=a|=b|");
	must_read("data: a\r\n\ndata: b\n\r\n", "=a|=b|");
}

static void test_what_is_passed_over(void **state)
{
	must_read(": keep-alive\n\n\n\ndata: a\nid: 7\nretry: 10\nnew: x\n\n", "=a|");
	must_read(
		"event: ping\n\ndata: a\n\n", "=a|"); /* no data: no event, and its name is gone */
	must_read("data: never ended\n", "");
	must_read("", "");
}

static void test_too_long(void **state)
{
	char out[128];

	must_read("data: ok\n\ndata: 0123456789012345678901234567890123456789012345678901234567"
		  "890\n\ndata: x\n\n",
		"=ok|failed");
	/* Many short lines are one long event. */
	read_all("data: 0123456789\ndata: 0123456789\n\n", 7, 20, out, sizeof(out));
	assert_string_equal(out, "failed");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_an_event),
		cmocka_unit_test(test_any_end_of_line),
		cmocka_unit_test(test_what_is_passed_over),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
