/*
 * Several records of a journal shown one behind another and dropped together.
 */
#include "journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char folder[64];
	struct journal *journal;
	struct buf payload;
};

static struct journal *open_it(const struct place *place, size_t segment_bytes)
{
	struct journal_options options = {.folder = place->folder,
		.name = "t",
		.max_bytes = 1 << 20,
		.segment_bytes = segment_bytes};
	struct error error;
	struct journal *journal = journal_open(&options, &error);

	assert_non_null(journal);
	return journal;
}

static void append(struct journal *journal, const char *text)
{
	struct error error;

	assert_true(journal_append(journal, str_from(text), &error));
	assert_true(journal_sync(journal, &error));
}

static void expect_first(struct place *place, const char *text)
{
	struct error error;

	assert_true(journal_peek(place->journal, &place->payload, &error));
	assert_string_equal(place->payload.data, text);
}

static void expect_next(struct place *place, const char *text)
{
	assert_true(journal_peek_next(place->journal, &place->payload));
	assert_string_equal(place->payload.data, text);
}

static void drop(struct place *place)
{
	struct error error;

	assert_true(journal_drop(place->journal, &error));
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->folder, sizeof(place->folder), "/tmp/journal-next-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->journal = open_it(place, 0);
	buf_init(&place->payload, 1000);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	char command[100];

	journal_close(&place->journal);
	buf_free(&place->payload);
	snprintf(command, sizeof(command), "rm -rf %s", place->folder);
	assert_int_equal(system(command), 0);
	free(place);
	return 0;
}

static void test_what_was_shown_is_dropped_together(void **state)
{
	struct place *place = *state;

	append(place->journal, "one");
	append(place->journal, "two");
	append(place->journal, "three");
	expect_first(place, "one");
	expect_next(place, "two");
	drop(place);
	assert_int_equal(journal_records(place->journal), 1);
	journal_close(&place->journal);
	place->journal = open_it(place, 0);
	expect_first(place, "three");
	assert_false(journal_peek_next(place->journal, &place->payload));
	drop(place);
	assert_true(journal_empty(place->journal));
	assert_int_equal(journal_bytes(place->journal), 0);
}

static void test_peek_begins_anew_with_the_oldest(void **state)
{
	struct place *place = *state;

	append(place->journal, "one");
	append(place->journal, "two");
	expect_first(place, "one");
	expect_next(place, "two");
	expect_first(place, "one");
	drop(place);
	expect_first(place, "two");
}

static void test_next_is_nothing_before_peek_and_after_drop(void **state)
{
	struct place *place = *state;

	append(place->journal, "one");
	append(place->journal, "two");
	assert_false(journal_peek_next(place->journal, &place->payload));
	expect_first(place, "one");
	drop(place);
	assert_false(journal_peek_next(place->journal, &place->payload));
	expect_first(place, "two");
}

static void test_a_record_that_comes_meanwhile_is_shown_too(void **state)
{
	struct place *place = *state;

	append(place->journal, "one");
	expect_first(place, "one");
	assert_false(journal_peek_next(place->journal, &place->payload));
	append(place->journal, "two");
	expect_next(place, "two");
	append(place->journal, "three");
	drop(place);
	expect_first(place, "three");
}

static void test_it_ends_with_the_segment(void **state)
{
	struct place *place = *state;

	journal_close(&place->journal);
	place->journal = open_it(place, 1); /* each record fills one */
	append(place->journal, "one");
	append(place->journal, "two");
	expect_first(place, "one");
	assert_false(journal_peek_next(place->journal, &place->payload));
	drop(place);
	expect_first(place, "two");
	drop(place);
	assert_true(journal_empty(place->journal));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_what_was_shown_is_dropped_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_peek_begins_anew_with_the_oldest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_next_is_nothing_before_peek_and_after_drop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_record_that_comes_meanwhile_is_shown_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_ends_with_the_segment, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
