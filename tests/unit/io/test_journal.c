/*
 * The journal: what was synced is there after any end, what was torn is not, and nothing is replayed
 * twice or out of order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal.h"

struct bench {
	char folder[64];
	struct journal_options options;
	struct buf payload;
	struct error error;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	snprintf(bench->folder, sizeof(bench->folder), "/tmp/callweave-journal-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	bench->options = (struct journal_options){
		.folder = bench->folder, .name = "events", .max_bytes = 1 << 20};
	buf_init(&bench->payload, 1 << 20);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", bench->folder);
	assert_int_equal(system(command), 0);
	buf_free(&bench->payload);
	free(bench);
	return 0;
}

static struct journal *open_it(struct bench *bench)
{
	struct journal *journal = journal_open(&bench->options, &bench->error);

	if (journal == NULL)
		fail_msg("journal_open: %s", bench->error.text);
	return journal;
}

static void append_number(struct bench *bench, struct journal *journal, int number)
{
	char text[32];

	snprintf(text, sizeof(text), "record %d", number);
	assert_true(journal_append(journal, str_from(text), &bench->error));
}

static void expect_number(struct bench *bench, struct journal *journal, int number)
{
	char text[32];

	snprintf(text, sizeof(text), "record %d", number);
	assert_true(journal_peek(journal, &bench->payload, &bench->error));
	assert_string_equal(bench->payload.data, text);
	assert_true(journal_drop(journal, &bench->error));
}

static void segment_path(const struct bench *bench, unsigned segment, char *path, size_t size)
{
	snprintf(path, size, "%s/events.%06u.log", bench->folder, segment);
}

static void test_order_over_restarts(void **state)
{
	struct bench *bench = *state;
	struct journal *journal = open_it(bench);
	int written = 0, read = 0;

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 3; i++)
			append_number(bench, journal, written++);
		assert_true(journal_sync(journal, &bench->error));
		expect_number(bench, journal, read++);
		journal_close(&journal);
		journal = open_it(bench);
		expect_number(bench, journal, read++);
		assert_int_equal(journal_records(journal), (size_t)(written - read));
	}
	while (read < written)
		expect_number(bench, journal, read++);
	assert_true(journal_empty(journal));
	assert_int_equal(journal_bytes(journal), 0);
	assert_false(journal_peek(journal, &bench->payload, &bench->error));
	assert_int_equal(bench->error.kind, ERROR_NONE);
	journal_close(&journal);
}

static void test_restart_between_peek_and_drop_shows_it_again(void **state)
{
	struct bench *bench = *state;
	struct journal *journal = open_it(bench);

	append_number(bench, journal, 1);
	assert_true(journal_peek(journal, &bench->payload, &bench->error));
	journal_close(&journal);
	journal = open_it(bench);
	expect_number(bench, journal, 1);
	journal_close(&journal);
	journal = open_it(bench);
	assert_true(journal_empty(journal));
	journal_close(&journal);
}

static void test_segments_roll_over_and_go(void **state)
{
	struct bench *bench = *state;
	struct journal *journal;
	char path[128];

	bench->options.segment_bytes = 64;
	journal = open_it(bench);
	for (int i = 0; i < 50; i++)
		append_number(bench, journal, i);
	segment_path(bench, 5, path, sizeof(path));
	assert_int_equal(access(path, F_OK), 0);
	for (int i = 0; i < 50; i++)
		expect_number(bench, journal, i);
	assert_int_not_equal(access(path, F_OK), 0);
	append_number(bench, journal, 50);
	expect_number(bench, journal, 50);
	journal_close(&journal);
}

static void test_full_is_said_and_nothing_is_lost(void **state)
{
	struct bench *bench = *state;
	struct journal *journal;
	int written = 0;

	bench->options.max_bytes = 200;
	journal = open_it(bench);
	while (journal_append(journal, STR("record 7"), &bench->error))
		written++;
	assert_int_equal(bench->error.kind, ERROR_BUSY);
	assert_int_equal(written, 12); /* of 16 bytes each */
	for (int i = 0; i < written; i++)
		expect_number(bench, journal, 7);
	append_number(bench, journal, 8); /* room again */
	journal_close(&journal);
}

static void test_second_opener_is_refused(void **state)
{
	struct bench *bench = *state;
	struct journal *journal = open_it(bench);

	assert_null(journal_open(&bench->options, &bench->error));
	assert_int_equal(bench->error.kind, ERROR_CONFLICT);
	assert_non_null(strstr(bench->error.text, "another process"));
	journal_close(&journal);
	journal = open_it(bench);
	journal_close(&journal);
}

static long file_size(const char *path)
{
	FILE *file = fopen(path, "rb");
	long size;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	fclose(file);
	return size;
}

/* Whatever part of the last record reached the disk, the two before it are replayed and it is not. */
static void test_torn_tail_at_every_byte(void **state)
{
	struct bench *bench = *state;
	struct journal *journal;
	char path[128];

	for (long cut = 1; cut < 16; cut++) {
		unsigned segment = (unsigned)cut;

		journal = open_it(bench);
		for (int i = 0; i < 3; i++)
			append_number(bench, journal, i);
		journal_close(&journal);
		segment_path(bench, segment, path, sizeof(path));
		assert_int_equal(file_size(path), 48);
		assert_int_equal(truncate(path, 48 - cut), 0);
		journal = open_it(bench);
		assert_int_equal(journal_torn_bytes(journal), (size_t)(16 - cut));
		expect_number(bench, journal, 0);
		append_number(bench, journal, 3); /* goes on behind the cut */
		expect_number(bench, journal, 1);
		expect_number(bench, journal, 3);
		assert_true(journal_empty(journal));
		journal_close(&journal);
	}
}

static void test_zeros_at_the_end_are_torn(void **state)
{
	struct bench *bench = *state;
	struct journal *journal = open_it(bench);
	char path[128];

	append_number(bench, journal, 0);
	journal_close(&journal);
	segment_path(bench, 1, path, sizeof(path));
	assert_int_equal(truncate(path, 16 + 5000), 0);
	journal = open_it(bench);
	assert_int_equal(journal_torn_bytes(journal), 5000);
	expect_number(bench, journal, 0);
	assert_true(journal_empty(journal));
	journal_close(&journal);
}

static void flip(const char *path, long offset, int bit)
{
	FILE *file = fopen(path, "r+b");
	int byte;

	assert_non_null(file);
	fseek(file, offset, SEEK_SET);
	byte = fgetc(file);
	fseek(file, offset, SEEK_SET);
	fputc(byte ^ (1 << bit), file);
	fclose(file);
}

/* A flipped bit in the first of three is never replayed as something else, and the file is kept. */
static void test_flipped_bits_are_damage(void **state)
{
	struct bench *bench = *state;
	struct journal *journal;
	char path[128], kept[160];

	for (long i = 0; i < 16 * 8; i++) {
		struct error error;

		journal = open_it(bench);
		for (int n = 0; n < 3; n++)
			append_number(bench, journal, n);
		journal_close(&journal);
		for (unsigned segment = 1;; segment++) {
			segment_path(bench, segment, path, sizeof(path));
			if (access(path, F_OK) == 0)
				break;
		}
		flip(path, i / 8, (int)(i % 8));
		journal = open_it(bench);
		assert_int_equal(journal_torn_bytes(journal), 0); /* not cut: kept */
		assert_false(journal_empty(journal));
		while (!journal_empty(journal)) {
			assert_false(journal_peek(journal, &bench->payload, &error));
			assert_int_equal(error.kind, ERROR_INTERNAL);
			assert_true(journal_skip_damaged(journal, &error));
			snprintf(kept, sizeof(kept), "%s.damaged", path);
			assert_int_equal(access(kept, F_OK), 0);
		}
		append_number(bench, journal, 9);
		expect_number(bench, journal, 9);
		journal_close(&journal);
	}
}

static void test_damage_in_an_older_segment(void **state)
{
	struct bench *bench = *state;
	struct journal *journal;
	struct error error;
	char path[128];

	bench->options.segment_bytes = 16;
	journal = open_it(bench);
	for (int i = 0; i < 3; i++)
		append_number(bench, journal, i);
	journal_close(&journal);
	segment_path(bench, 2, path, sizeof(path));
	flip(path, 12, 3);
	journal = open_it(bench);
	expect_number(bench, journal, 0);
	assert_false(journal_peek(journal, &bench->payload, &error));
	assert_non_null(strstr(error.text, "segment 2 is damaged at byte 0"));
	assert_true(journal_skip_damaged(journal, &error));
	expect_number(bench, journal, 2);
	journal_close(&journal);
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(test_order_over_restarts),
		JOURNAL_TEST(test_restart_between_peek_and_drop_shows_it_again),
		JOURNAL_TEST(test_segments_roll_over_and_go),
		JOURNAL_TEST(test_full_is_said_and_nothing_is_lost),
		JOURNAL_TEST(test_second_opener_is_refused),
		JOURNAL_TEST(test_torn_tail_at_every_byte),
		JOURNAL_TEST(test_zeros_at_the_end_are_torn),
		JOURNAL_TEST(test_flipped_bits_are_damage),
		JOURNAL_TEST(test_damage_in_an_older_segment),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
