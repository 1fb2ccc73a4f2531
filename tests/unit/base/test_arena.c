/* arena: zeroed, aligned, disjoint memory within a bound; copies; reset and reuse. */
#include "arena.h"

#include "str.h"

#include "check.h"

#include <stdalign.h>

static void memory_is_zeroed_and_aligned(void **state)
{
	struct arena *arena = arena_new(1 << 20);

	for (size_t size = 0; size < 3000; size += 37) {
		unsigned char *bytes = arena_alloc(arena, size);

		assert_int_equal((uintptr_t)bytes % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xff, size);
	}
	arena_free(&arena);
	assert_null(arena);
	arena_free(&arena);
}

/* Small, then larger than a block, then small again: each keeps what was written to it. */
static void allocations_do_not_overlap(void **state)
{
	struct arena *arena = arena_new(10 << 20);
	static const size_t sizes[] = {1, 16, 2000, 100000, 24, 5000, 4096, 16384, 3, 17};
	unsigned char *all[200];

	for (size_t i = 0; i < 200; i++) {
		all[i] = arena_alloc(arena, sizes[i % 10]);
		memset(all[i], (int)i, sizes[i % 10]);
	}
	for (size_t i = 0; i < 200; i++) {
		assert_int_equal(all[i][0], i);
		assert_int_equal(all[i][sizes[i % 10] - 1], i);
	}
	arena_free(&arena);
}

static void copies_are_terminated(void **state)
{
	struct arena *arena = arena_new(10000);

	assert_string_equal(arena_strdup(arena, "text"), "text");
	assert_string_equal(arena_strndup(arena, "text", 2), "te");
	assert_string_equal(arena_strndup(arena, NULL, 0), "");
	assert_string_equal(arena_printf(arena, "%s-%04d", "x", 12), "x-0012");
	assert_int_equal(strlen(arena_printf(arena, "%5000s", "x")), 5000);
	arena_free(&arena);
}

static void used_bytes_are_counted_and_reset(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	char *first = arena_alloc(arena, 100);
	size_t used = arena_used_bytes(arena);

	assert_in_range(used, 100, 128);
	assert_non_null(first);
	arena_alloc(arena, 100000);
	assert_true(arena_used_bytes(arena) >= used + 100000);
	arena_reset(arena);
	assert_int_equal(arena_used_bytes(arena), 0);
	memset(arena_alloc(arena, 2000), 0xff, 2000);
	arena_reset(arena);
	assert_int_equal(((char *)arena_alloc(arena, 2000))[1999], 0);
	arena_free(&arena);
}

/* A loop of batches does not grow: the bound counts from each reset anew. */
static void reset_makes_room_again(void **state)
{
	struct arena *arena = arena_new(50000);

	for (int batch = 0; batch < 100; batch++) {
		for (int i = 0; i < 40; i++)
			arena_alloc(arena, 1000);
		arena_reset(arena);
	}
	arena_free(&arena);
}

static void exceed(void)
{
	struct arena *arena = arena_new(1000);

	arena_alloc(arena, 600);
	arena_alloc(arena, 600);
}

static void exceed_in_one(void)
{
	struct arena *arena = arena_new(1000);

	arena_alloc(arena, SIZE_MAX - 3);
}

static void overflow_array(void)
{
	struct arena *arena = arena_new(SIZE_MAX);

	arena_array(arena, SIZE_MAX / 2, 3);
}

static void going_over_aborts(void **state)
{
	assert_true(check_aborts(exceed));
	assert_true(check_aborts(exceed_in_one));
	assert_true(check_aborts(overflow_array));
}

static void an_array_of_nothing_is_no_null(void **state)
{
	struct arena *arena = arena_new(1000);

	assert_non_null(arena_array(arena, 0, 16));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(allocations_do_not_overlap),
		cmocka_unit_test(copies_are_terminated),
		cmocka_unit_test(used_bytes_are_counted_and_reset),
		cmocka_unit_test(reset_makes_room_again),
		cmocka_unit_test(going_over_aborts),
		cmocka_unit_test(an_array_of_nothing_is_no_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
