/*
 * The line of rows to be stored: requests share a batch, a request is never torn apart, and there is
 * an end to what may wait.
 */
#include "dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct delivery *row(unsigned number)
{
	char key[32];
	struct delivery from = {
		.enterprise = STR("0367"),
		.crm = STR("retailcrm"),
		.kind = STR("hangup"),
		.payload = STR("{}"),
	};

	snprintf(key, sizeof(key), "call.%u", number);
	from.call_key = str_from(key);
	return delivery_new(&from);
}

static struct dispatch_batch *request(struct dispatch_line *line, unsigned rows)
{
	struct dispatch_batch *batch = dispatch_line_open(line, rows);

	for (unsigned i = 0; batch != NULL && i < rows; i++)
		dispatch_line_add(line, batch, row(i));
	return batch;
}

static void a_row_has_copies_of_all_its_texts(void **state)
{
	struct delivery *one = row(7);

	(void)state;
	assert_string_equal(one->enterprise.data, "0367");
	assert_string_equal(one->call_key.data, "call.7");
	assert_string_equal(one->payload.data, "{}");
	assert_string_equal(one->trace.data, "");
	delivery_free(&one);
	assert_null(one);
}

static void requests_share_a_batch_until_it_is_taken(void **state)
{
	struct dispatch_line line;
	struct dispatch_batch *first, *second, *third;

	(void)state;
	dispatch_line_init(&line);
	assert_null(dispatch_line_take(&line));
	first = request(&line, 2);
	second = request(&line, 3);
	assert_ptr_equal(first, second);
	assert_int_equal(first->count, 5);
	assert_ptr_equal(dispatch_line_take(&line), first);
	third = request(&line, 1);
	assert_ptr_not_equal(third, first);
	assert_int_equal(line.rows, 6);
	dispatch_line_settle(&line, first, DISPATCH_STORED);
	assert_int_equal(line.rows, 1);
	assert_int_equal(first->state, DISPATCH_STORED); /* its requests still look at it */
	dispatch_batch_release(first);
	dispatch_batch_release(second);
	assert_ptr_equal(dispatch_line_take(&line), third);
	dispatch_line_settle(&line, third, DISPATCH_FAILED);
	dispatch_batch_release(third);
	dispatch_line_free(&line);
}

static void a_request_is_not_torn_apart(void **state)
{
	struct dispatch_line line;
	struct dispatch_batch *first, *second;

	(void)state;
	dispatch_line_init(&line);
	first = request(&line, DISPATCH_BATCH_ROWS - 1);
	second = request(&line, 2);
	assert_ptr_not_equal(first, second);
	assert_int_equal(second->count, 2);
	assert_ptr_equal(dispatch_line_take(&line), first);
	assert_ptr_equal(dispatch_line_take(&line), second);
	for (int i = 0; i < 2; i++) {
		struct dispatch_batch *batch = i == 0 ? first : second;

		dispatch_line_settle(&line, batch, DISPATCH_STORED);
		dispatch_batch_release(batch);
	}
}

static void there_is_an_end_to_what_waits(void **state)
{
	struct dispatch_line line;
	struct dispatch_batch *batches[DISPATCH_LINE_ROWS / DISPATCH_BATCH_ROWS];
	unsigned count = sizeof(batches) / sizeof(batches[0]);

	(void)state;
	dispatch_line_init(&line);
	for (unsigned i = 0; i < count; i++) {
		batches[i] = request(&line, DISPATCH_BATCH_ROWS);
		assert_non_null(batches[i]);
	}
	assert_null(request(&line, 1));
	dispatch_batch_release(batches[0]);
	assert_ptr_equal(dispatch_line_take(&line), batches[0]);
	dispatch_line_settle(&line, batches[0], DISPATCH_FAILED);
	batches[0] = request(&line, 1);
	assert_non_null(batches[0]);
	for (unsigned i = 0; i < count; i++)
		dispatch_batch_release(batches[i]);
	dispatch_line_free(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_has_copies_of_all_its_texts),
		cmocka_unit_test(requests_share_a_batch_until_it_is_taken),
		cmocka_unit_test(a_request_is_not_torn_apart),
		cmocka_unit_test(there_is_an_end_to_what_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
