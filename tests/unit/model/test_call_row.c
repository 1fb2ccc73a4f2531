/*
 * test_call_row: what is stored of a call, and the call that is made of it again.
 */
#include "call_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ARENA_BYTES ((size_t)4 << 20)

static char rang[][CALL_NUMBER_BYTES] = {"150", "151"}, talkers[][CALL_NUMBER_BYTES] = {"151"};
static char unique_ids[][CALL_ID_BYTES] = {"1795237200.1", "1795237201.2"};
static struct call_transfer transfers[] = {{.from = "151",
	.to = "152",
	.kind = TRANSFER_BLIND,
	.result = TRANSFER_REFUSED,
	.at_ms = INT64_C(1795237230500)}};

static struct call answered_call(void)
{
	return (struct call){.id = 77,
		.version = 5,
		.direction = CALL_INCOMING,
		.state = CALL_ENDED,
		.answered = true,
		.external = "+375291112233",
		.rang = {rang, 2},
		.talkers = {talkers, 1},
		.line = "0001363",
		.transfers = transfers,
		.transfer_count = 1,
		.unique_ids = unique_ids,
		.unique_id_count = 2,
		.started_ms = INT64_C(1795237200123),
		.answered_ms = INT64_C(1795237210000),
		.ended_ms = INT64_C(1795237260999),
		.call_status = 2};
}

static void write_row(struct buf *to, const struct call *call, struct arena *arena)
{
	const struct call_row_about about = {.shard = 3,
		.enterprise = STR("0367"),
		.data_source = STR("recovery"),
		.trace_id = STR("abc"),
		.trace = STR("[]")};

	buf_init(to, ARENA_BYTES);
	call_row_write(to, call, &about, arena);
}

/* The object with the two lists in it, as PostgreSQL would join them. */
static void join_lists(struct buf *row, const struct call *call)
{
	struct buf legs, moved;

	buf_init(&legs, ARENA_BYTES);
	buf_init(&moved, ARENA_BYTES);
	call_row_add_legs(&legs, call);
	call_row_add_transfers(&moved, call);
	row->size--;
	buf_printf(row, ",\"legs\":%s],\"transfers\":%s]}", legs.data, moved.data);
	buf_free(&legs);
	buf_free(&moved);
}

static void test_a_call_comes_back_as_it_was(void **state)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct call call = answered_call(), back;
	struct error error = {0};
	struct buf row;

	write_row(&row, &call, arena);
	join_lists(&row, &call);
	assert_true(call_row_read(buf_str(&row), arena, &back, &error));
	assert_int_equal(back.id, 77);
	assert_int_equal(back.version, 5);
	assert_int_equal(back.direction, CALL_INCOMING);
	assert_int_equal(back.state, CALL_ENDED);
	assert_true(back.answered);
	assert_string_equal(back.external, "+375291112233");
	assert_string_equal(back.line, "0001363");
	assert_int_equal(back.rang.count, 2);
	assert_string_equal(back.rang.items[1], "151");
	assert_string_equal(back.talkers.items[0], "151");
	assert_int_equal(back.unique_id_count, 2);
	assert_string_equal(back.unique_ids[0], "1795237200.1");
	assert_true(back.started_ms == call.started_ms && back.ended_ms == call.ended_ms);
	assert_int_equal(call_talk_seconds(&back), call_talk_seconds(&call));
	assert_int_equal(back.call_status, 2);
	assert_int_equal(back.transfer_count, 1);
	assert_int_equal(back.transfers[0].kind, TRANSFER_BLIND);
	assert_int_equal(back.transfers[0].result, TRANSFER_REFUSED);
	assert_true(back.transfers[0].at_ms == transfers[0].at_ms);
	assert_int_equal(back.leg_count, 2);
	assert_string_equal(back.legs[1].number, "151");
	buf_free(&row);
	arena_free(&arena);
}

static void test_what_is_not_known_is_left_out(void **state)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct call call = {.id = 78,
		.state = CALL_RINGING,
		.started_ms = 0,
		.answered_ms = CALL_NO_TIME,
		.ended_ms = CALL_NO_TIME,
		.call_status = -1};
	struct call back;
	struct error error = {0};
	struct buf row;

	write_row(&row, &call, arena);
	assert_null(strstr(row.data, "phone_number"));
	assert_null(strstr(row.data, "end_time"));
	assert_null(strstr(row.data, "duration"));
	assert_null(strstr(row.data, "call_status"));
	assert_true(call_row_read(buf_str(&row), arena, &back, &error));
	assert_true(back.ended_ms == CALL_NO_TIME && back.answered_ms == CALL_NO_TIME);
	assert_int_equal(back.call_status, -1);
	assert_int_equal(back.leg_count, 0);
	buf_free(&row);
	arena_free(&arena);
}

static void test_a_row_that_is_none_is_refused(void **state)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct error error = {0};
	struct call call;

	assert_false(call_row_read(STR(""), arena, &call, &error));
	assert_false(call_row_read(STR("{\"version\":1}"), arena, &call, &error));
	assert_string_equal(error.text, "id: missing");
	arena_free(&arena);
}

static void test_reasons_are_a_list(void **state)
{
	struct buf reasons;

	buf_init(&reasons, ARENA_BYTES);
	call_row_add_reason(&reasons, INT64_C(1795237200123), 5, "new: \"dial\"");
	call_row_add_reason(&reasons, INT64_C(1795237200124), 0, "lost");
	assert_string_equal(reasons.data,
		"[{\"at\":\"2026-11-21T05:00:00.123Z\",\"event\":5,\"why\":\"new: \\\"dial\\\"\"},"
		"{\"at\":\"2026-11-21T05:00:00.124Z\",\"event\":0,\"why\":\"lost\"}");
	buf_free(&reasons);
}

static void test_a_copy_needs_nothing_of_its_model(void **state)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct call call = answered_call(), *copy = call_copy(&call, arena);

	assert_int_equal(copy->id, 77);
	assert_ptr_not_equal(copy->rang.items, call.rang.items);
	assert_ptr_not_equal(copy->unique_ids, call.unique_ids);
	assert_string_equal(copy->rang.items[1], "151");
	assert_string_equal(copy->unique_ids[1], "1795237201.2");
	assert_string_equal(copy->transfers[0].to, "152");
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call_comes_back_as_it_was),
		cmocka_unit_test(test_what_is_not_known_is_left_out),
		cmocka_unit_test(test_a_row_that_is_none_is_refused),
		cmocka_unit_test(test_reasons_are_a_list),
		cmocka_unit_test(test_a_copy_needs_nothing_of_its_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
