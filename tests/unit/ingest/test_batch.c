/*
 * Batches: their record is read back as it was written and refused when it is cut; their parts are
 * all of them, once; the backlog has bounds and keeps the order.
 */
#include "backlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char writer[] = "6f1f7b0e-7c1d-4f7e-9a51-0d5f5a3c2b11";

static struct event_row numbered(int number, char text[32])
{
	snprintf(text, 32, "1757840723.%d", number);
	return (struct event_row){
		.at_ms = 1700000000000 + number,
		.shard = number % 64,
		.enterprise = STR("0367"),
		.unique_id = str_from(text),
		.type = STR("bridge_create"),
		.trace = STR("0af7651916cd43dd8448eb211c80319c"),
		.key = number % 5 == 0 ? str_from(text) : str_of(NULL, 0),
		.body = number % 7 == 0 ? str_of(NULL, 0) : STR("{\"a\": \"б\"}"),
	};
}

static struct batch *filled(int count)
{
	struct batch *batch = batch_new();
	char text[32];

	batch_open(batch, writer, 77);
	for (int i = 0; i < count; i++) {
		struct event_row row = numbered(i, text);

		assert_true(batch_fits(batch, &row));
		assert_int_equal(batch_add(batch, &row), i);
	}
	return batch;
}

static void assert_str(struct str found, struct str wanted)
{
	assert_true(str_equal(found, wanted));
}

static void assert_row(const struct batch *batch, int number)
{
	char text[32];
	struct event_row wanted = numbered(number, text);
	struct event_row found = batch_row(batch, (unsigned)number);

	assert_int_equal(found.at_ms, wanted.at_ms);
	assert_int_equal(found.shard, wanted.shard);
	assert_str(found.enterprise, wanted.enterprise);
	assert_str(found.unique_id, wanted.unique_id);
	assert_str(found.type, wanted.type);
	assert_str(found.trace, wanted.trace);
	assert_str(found.key, wanted.key);
	assert_str(found.body, wanted.body);
}

static void test_a_record_is_read_as_it_was_written(void **state)
{
	struct batch *batch = filled(100), *copy = batch_new();
	struct str record = batch_record(batch);
	struct error error;

	buf_add(&copy->bytes, record);
	assert_true(batch_from_record(copy, &error));
	assert_int_equal(copy->count, 100);
	assert_int_equal(copy->sequence, 77);
	assert_string_equal(copy->writer, writer);
	assert_true(copy->has_keys);
	for (int i = 0; i < 100; i++)
		assert_row(copy, i);
	batch_free(&copy);
	batch_free(&batch);
}

static void test_a_record_that_is_cut_is_refused_at_every_byte(void **state)
{
	struct batch *batch = filled(3), *copy = batch_new();
	struct str record = batch_record(batch);
	struct error error;

	for (size_t size = 0; size < record.size; size++) {
		buf_free(&copy->bytes); /* so that a byte too far is seen */
		buf_append(&copy->bytes, record.data, size);
		assert_false(batch_from_record(copy, &error));
	}
	batch_free(&copy);
	batch_free(&batch);
}

static void test_a_batch_is_empty_when_opened_again(void **state)
{
	struct batch *batch = filled(10);

	batch_refuse(batch, 3, "no");
	assert_string_equal(batch_refusal(batch, 3), "no");
	assert_null(batch_refusal(batch, 4));
	batch_open(batch, writer, 78);
	assert_int_equal(batch->count, 0);
	assert_null(batch_refusal(batch, 3));
	assert_false(batch->has_keys);
	batch_free(&batch);
}

/* Walk the tree of parts as the writer does when everything is refused. */
static void walk(const struct batch *batch, unsigned node, unsigned *next)
{
	struct batch_part part = batch_part(batch, node);

	assert_true(part.from < part.to);
	assert_true(batch_number(batch, node) < batch_number(batch, 0) + (1 << BATCH_NODE_BITS));
	if (part.to - part.from == 1) {
		assert_int_equal(part.from, *next);
		(*next)++;
		return;
	}
	walk(batch, 2 * node, next);
	walk(batch, 2 * node + 1, next);
}

static void test_parts_are_every_event_once_and_in_order(void **state)
{
	static const int sizes[] = {1, 2, 3, 7, 64, 100, 1023, BATCH_MAX_EVENTS};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct batch *batch = filled(sizes[i]);
		unsigned next = 0;

		walk(batch, 1, &next);
		assert_int_equal(next, sizes[i]);
		batch_free(&batch);
	}
}

static void settle_first(struct backlog *backlog, unsigned count)
{
	struct batch *batch = backlog_take(backlog);

	assert_non_null(batch);
	assert_int_equal(batch->count, count);
	backlog_settle(backlog, batch, BATCH_STORED);
	for (unsigned i = 0; i < count; i++)
		backlog_release(backlog, batch);
}

static void test_the_backlog_is_bounded_in_events(void **state)
{
	struct backlog backlog;
	char text[32];
	struct event_row row = numbered(1, text);
	unsigned taken = 0, index;

	backlog_init(&backlog);
	while (backlog_add(&backlog, &row, &index) != NULL)
		taken++;
	assert_int_equal(taken, BACKLOG_MAX_EVENTS);
	settle_first(&backlog, BATCH_MAX_EVENTS);
	assert_non_null(backlog_add(&backlog, &row, &index)); /* there is room again */
	while (backlog.first != NULL)
		settle_first(&backlog, backlog.first->count);
	assert_int_equal(backlog.events, 0);
	assert_int_equal(backlog.bytes, 0);
	backlog_free(&backlog);
}

static void test_the_backlog_is_bounded_in_bytes(void **state)
{
	struct backlog backlog;
	char text[32], *body = calloc(1, 65536);
	struct event_row row = numbered(1, text);
	size_t taken = 0;
	unsigned index;

	row.body = str_of(body, 65536);
	backlog_init(&backlog);
	while (backlog_add(&backlog, &row, &index) != NULL)
		taken += row.body.size;
	assert_true(taken > BACKLOG_MAX_BYTES / 2 && taken <= BACKLOG_MAX_BYTES);
	while (backlog.first != NULL)
		settle_first(&backlog, backlog.first->count);
	backlog_free(&backlog);
	free(body);
}

/* A batch that is being committed takes nothing more; its number is never used again. */
static void test_what_comes_meanwhile_goes_into_the_next_batch(void **state)
{
	struct backlog backlog;
	char text[32];
	struct event_row row = numbered(1, text);
	struct batch *first, *second;
	unsigned index;

	backlog_init(&backlog);
	first = backlog_add(&backlog, &row, &index);
	assert_ptr_equal(backlog_take(&backlog), first);
	second = backlog_add(&backlog, &row, &index);
	assert_ptr_not_equal(first, second);
	assert_int_equal(index, 0);
	assert_int_equal(second->sequence, first->sequence + 1);
	backlog_settle(&backlog, first, BATCH_STORED);
	assert_int_equal(first->state, BATCH_STORED); /* a waiter still holds it */
	backlog_release(&backlog, first);
	settle_first(&backlog, 1);
	backlog_free(&backlog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record_is_read_as_it_was_written),
		cmocka_unit_test(test_a_record_that_is_cut_is_refused_at_every_byte),
		cmocka_unit_test(test_a_batch_is_empty_when_opened_again),
		cmocka_unit_test(test_parts_are_every_event_once_and_in_order),
		cmocka_unit_test(test_the_backlog_is_bounded_in_events),
		cmocka_unit_test(test_the_backlog_is_bounded_in_bytes),
		cmocka_unit_test(test_what_comes_meanwhile_goes_into_the_next_batch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
