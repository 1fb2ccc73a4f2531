/* log: lines as an operator reads them: fields, masking, rate limit, truncation and reopening. */
#include "log.h"

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "log_limit.h"
#include "log_mask.h"

#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct place {
	char folder[64];
	char path[96];
	char moved[96];
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->folder, sizeof(place->folder), "/tmp/callweave-log-XXXXXX");
	if (place == NULL || mkdtemp(place->folder) == NULL)
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/test.log", place->folder);
	snprintf(place->moved, sizeof(place->moved), "%s/test.log.1", place->folder);
	*state = place;
	return 0;
}

static int clear_place(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	unlink(place->moved);
	rmdir(place->folder);
	free(place);
	return 0;
}

static struct log *open_log(const struct place *place, enum log_level level, bool show_phones)
{
	const struct log_options options = {"test", place->path, level, show_phones};
	struct error error = {0};
	struct log *log = log_new(&options, &error);

	if (log == NULL)
		fail_msg("%s", error.text);
	return log;
}

/* What the file holds, and how many lines. */
static size_t read_log(const char *path, struct buf *to)
{
	FILE *file = fopen(path, "rb");
	size_t lines = 0;
	int c;

	buf_init(to, 1 << 20);
	if (file == NULL)
		fail_msg("no file %s", path);
	while ((c = fgetc(file)) != EOF) {
		buf_add_char(to, (char)c);
		lines += c == '\n';
	}
	fclose(file);
	return lines;
}

/* The one line of the file as a document; fails when there is not exactly one. */
static struct json *only_line(const struct place *place)
{
	const struct json_limits limits = {65536, 4};
	struct error error = {0};
	struct json *json;
	struct buf text;

	assert_int_equal(read_log(place->path, &text), 1);
	json = json_parse(buf_str(&text), limits, &error);
	if (json == NULL)
		fail_msg("%s: %s", error.text, text.data);
	buf_free(&text);
	return json;
}

static void a_line_has_its_fields_in_order(void **state)
{
	struct log *log = open_log(*state, LOG_INFO, false);
	const struct log_context context = {log, "t1", "0367", "1757840723.6", "deliver", "send"};
	struct json *line;
	int64_t ts = 0;
	struct buf text;

	log_warn(&context, "answered %d: \"%s\"", 429, "retry\nlater");
	log_free(&log);
	assert_null(log);
	line = only_line(*state);
	assert_true(clock_parse(json_text(json_member(line, "ts")), NULL, &ts));
	assert_true(llabs(clock_wall_ms() - ts) < 60000);
	assert_str(json_text(json_member(line, "msg")), "answered 429: \"retry\nlater\"");
	json_free(&line);
	read_log(((struct place *)*state)->path, &text);
	assert_non_null(strstr(text.data,
		"\",\"level\":\"warn\",\"service\":\"test\",\"trace\":\"t1\",\"enterprise\":"
		"\"0367\","
		"\"call\":\"1757840723.6\",\"flow\":\"deliver\",\"step\":\"send\",\"msg\":\""));
	buf_free(&text);
}

static void empty_fields_are_left_out(void **state)
{
	struct log *log = open_log(*state, LOG_INFO, false);
	const struct log_context context = {.log = log, .trace = ""};
	struct json *line;

	log_info(&context, "started");
	log_free(&log);
	line = only_line(*state);
	assert_int_equal(json_count(line), 4);
	assert_null(json_member(line, "trace"));
	json_free(&line);
}

static void levels_below_are_dropped(void **state)
{
	struct log *log = open_log(*state, LOG_WARN, false);
	const struct log_context context = {.log = log};
	struct json *line;

	log_debug(&context, "one");
	log_info(&context, "two");
	log_error(&context, "three");
	log_set_level(log, LOG_ERROR);
	log_warn(&context, "four");
	log_free(&log);
	line = only_line(*state);
	assert_str(json_text(json_member(line, "msg")), "three");
	assert_str(json_text(json_member(line, "level")), "error");
	json_free(&line);
}

static void no_log_is_no_fault(void **state)
{
	const struct log_context context = {.log = NULL};
	struct log *log = NULL;

	log_info(NULL, "nobody hears %d", 1);
	log_info(&context, "nobody hears %d", 1);
	log_free(&log);
}

static void level_names(void **state)
{
	enum log_level level = LOG_ERROR;

	assert_true(log_level_from(STR("debug"), &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_true(log_level_from(STR("warn"), &level));
	assert_int_equal(level, LOG_WARN);
	assert_false(log_level_from(STR("WARN"), &level));
	assert_false(log_level_from(STR(""), &level));
	assert_int_equal(level, LOG_WARN);
}

static void a_path_that_cannot_be_opened_is_told(void **state)
{
	const struct log_options options = {"test", "/nowhere/at/all.log", LOG_INFO, false};
	struct error error = {0};

	assert_null(log_new(&options, &error));
	assert_string_equal(
		error.text, "cannot open the log /nowhere/at/all.log: No such file or directory");
}

static void phones_are_masked(void **state)
{
	static const struct {
		const char *text, *masked;
	} cases[] = {
		{"+375291230001", "+37529***0001"},
		{"375291230001", "37529***0001"},
		{"call from +375291230001 to 375296667788.",
			"call from +37529***0001 to 37529***7788."},
		{"(375291230001)", "(37529***0001)"},
		{"\"CallerIDName\":\"-375290000001\"", "\"CallerIDName\":\"-37529***0001\""},
		{"phone=80291230001,next", "phone=80291***0001,next"},
		{"tel:+4930123456-0", "tel:+49301***3456-0"},
		{"1234567", "12***67"},
		{"12345678", "12***78"},
		{"123456789", "12***89"},
		{"2345678901", "23456***8901"},
		{"375291230001375291230002", "37529***0002"},
		{"+1757840723", "+17578***0723"}, /* a plus makes it a number */
		/* What is no phone number. */
		{"123456", "123456"},
		{"ext 150, 152", "ext 150, 152"},
		{"1757840723.6", "1757840723.6"},
		{"1757840723.1234567", "1757840723.1234567"},
		{"at 1757840723", "at 1757840723"},
		{"at 1757840723123 ms", "at 1757840723123 ms"},
		{"chat -1001234567890", "chat -1001234567890"},
		{"line 0001363", "line 0001363"},
		{"SIP/0001363-00000004", "SIP/0001363-00000004"},
		{"c50ef955-2780-4484-a218-dfb1db61b5bc", "c50ef955-2780-4484-a218-dfb1db61b5bc"},
		{"12345678-2780-4484-a218-123456789012", "12345678-2780-4484-a218-123456789012"},
		{"2026-11-21T12:00:00.123Z", "2026-11-21T12:00:00.123Z"},
		{"abc375291230001", "abc375291230001"},
		{"375291230001abc", "375291230001abc"},
		{"3.14159265358979", "3.14159265358979"},
		{"", ""},
	};
	struct buf buf;

	buf_init(&buf, 10000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&buf);
		log_mask(&buf, str_from(cases[i].text));
		assert_str(buf_str(&buf), cases[i].masked);
	}
	buf_free(&buf);
}

static void masking_is_on_unless_switched_off(void **state)
{
	struct log *masked = open_log(*state, LOG_INFO, false);
	struct log *shown = open_log(*state, LOG_INFO, true);
	const struct log_context to_masked = {.log = masked}, to_shown = {.log = shown};
	struct buf text;

	log_info(&to_masked, "first %s", "+375291230001");
	log_info(&to_shown, "second %s", "+375291230001");
	log_free(&masked);
	log_free(&shown);
	assert_int_equal(read_log(((struct place *)*state)->path, &text), 2);
	assert_non_null(strstr(text.data, "first +37529***0001"));
	assert_non_null(strstr(text.data, "second +375291230001"));
	buf_free(&text);
}

static void a_flood_is_cut_and_counted(void **state)
{
	struct log *log = open_log(*state, LOG_INFO, false);
	const struct log_context context = {.log = log};
	int64_t start = clock_monotonic_ms();
	struct buf text;
	size_t lines;

	for (int i = 0; i < 142; i++)
		log_error(&context, "database is away: %d", i);
	log_error(&context, "something else");
	log_free(&log);
	if (clock_monotonic_ms() - start >= 1000)
		skip(); /* the machine stood still: more than one second's lines are right */
	lines = read_log(((struct place *)*state)->path, &text);
	assert_int_equal(lines, 12);
	assert_non_null(strstr(text.data, "database is away: 9\""));
	assert_null(strstr(text.data, "database is away: 10\""));
	assert_non_null(strstr(text.data, "something else"));
	assert_non_null(strstr(text.data, "database is away: 9 ... 132 more like this\""));
	buf_free(&text);
}

/* By hand, without waiting: the second after has its own ten lines, and nothing dropped is lost. */
static void a_new_second_has_new_lines(void **state)
{
	struct log_limit *limit = calloc(1, sizeof(*limit));
	const char *format = "text %d";
	uint64_t dropped = 0;
	size_t at = 0;

	for (int i = 0; i < 10; i++)
		assert_non_null(log_limit_take(limit, format, 5000));
	assert_null(log_limit_take(limit, format, 5999));
	assert_non_null(log_limit_take(limit, format, 6000));
	for (int i = 1; i < 10; i++)
		assert_non_null(log_limit_take(limit, format, 6500));
	assert_null(log_limit_take(limit, format, 6999));
	assert_non_null(log_limit_next_dropped(limit, &at, &dropped));
	assert_int_equal(dropped, 2);
	assert_null(log_limit_next_dropped(limit, &at, &dropped));
	at = 0;
	assert_null(log_limit_next_dropped(limit, &at, &dropped));
	free(limit);
}

static void many_formats_are_bounded(void **state)
{
	static const char formats[1000];
	struct log_limit *limit = calloc(1, sizeof(*limit));
	uint64_t dropped = 0, sum = 0;
	size_t at = 0;

	for (size_t i = 0; i < sizeof(formats); i++)
		assert_non_null(log_limit_take(limit, formats + i, 1000 + (int64_t)i));
	/* All entries flood: whoever comes then is dropped, but counted. */
	for (int64_t i = 0; i < LOG_LIMIT_ENTRIES; i++) {
		const char *format = limit->entries[i].format;

		for (int line = 0; line < 11; line++)
			log_limit_take(limit, format, 2000);
	}
	assert_null(log_limit_take(limit, "stranger", 2000));
	while (log_limit_next_dropped(limit, &at, &dropped) != NULL)
		sum += dropped;
	assert_true(sum > LOG_LIMIT_ENTRIES);
	assert_non_null(log_limit_take(limit, "stranger", 2000));
	free(limit);
}

static void a_truncated_file_goes_on_from_its_start(void **state)
{
	const struct place *place = *state;
	struct log *log = open_log(place, LOG_INFO, false);
	const struct log_context context = {.log = log};
	struct json *line;

	log_info(&context, "before");
	assert_int_equal(truncate(place->path, 0), 0);
	log_info(&context, "after");
	log_free(&log);
	line = only_line(place); /* would begin with a hole of NULs without O_APPEND */
	assert_str(json_text(json_member(line, "msg")), "after");
	json_free(&line);
}

static void a_moved_file_is_reopened(void **state)
{
	const struct place *place = *state;
	struct log *log = open_log(place, LOG_INFO, false);
	const struct log_context context = {.log = log};
	struct json *line;
	struct buf text;

	log_info(&context, "first");
	assert_int_equal(rename(place->path, place->moved), 0);
	log_info(&context, "second");
	log_reopen(log);
	log_info(&context, "third");
	log_free(&log);
	line = only_line(place);
	assert_str(json_text(json_member(line, "msg")), "third");
	json_free(&line);
	assert_int_equal(read_log(place->moved, &text), 2);
	buf_free(&text);
}

static void a_failed_reopen_keeps_the_old_file(void **state)
{
	const struct place *place = *state;
	struct log *log = open_log(place, LOG_INFO, false);
	const struct log_context context = {.log = log};
	struct buf text;

	assert_int_equal(rename(place->path, place->moved), 0);
	assert_int_equal(mkdir(place->path, 0700), 0);
	log_reopen(log);
	log_info(&context, "still here");
	log_free(&log);
	rmdir(place->path);
	assert_int_equal(read_log(place->moved, &text), 1);
	buf_free(&text);
}

static void a_long_message_is_cut_and_stays_json(void **state)
{
	struct log *log = open_log(*state, LOG_INFO, false);
	const struct log_context context = {.log = log};
	char *letters = calloc(1, 20001);
	struct json *line;

	for (int i = 0; i < 10000; i++)
		memcpy(letters + 2 * i, "ж", 2);
	log_info(&context, "x%s", letters);
	log_free(&log);
	line = only_line(*state);
	assert_in_range(json_text(json_member(line, "msg")).size, 4000, 4200);
	json_free(&line);
	free(letters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_line_has_its_fields_in_order, make_place, clear_place),
		cmocka_unit_test_setup_teardown(empty_fields_are_left_out, make_place, clear_place),
		cmocka_unit_test_setup_teardown(levels_below_are_dropped, make_place, clear_place),
		cmocka_unit_test(no_log_is_no_fault),
		cmocka_unit_test(level_names),
		cmocka_unit_test(a_path_that_cannot_be_opened_is_told),
		cmocka_unit_test(phones_are_masked),
		cmocka_unit_test_setup_teardown(
			masking_is_on_unless_switched_off, make_place, clear_place),
		cmocka_unit_test_setup_teardown(
			a_flood_is_cut_and_counted, make_place, clear_place),
		cmocka_unit_test(a_new_second_has_new_lines),
		cmocka_unit_test(many_formats_are_bounded),
		cmocka_unit_test_setup_teardown(
			a_truncated_file_goes_on_from_its_start, make_place, clear_place),
		cmocka_unit_test_setup_teardown(a_moved_file_is_reopened, make_place, clear_place),
		cmocka_unit_test_setup_teardown(
			a_failed_reopen_keeps_the_old_file, make_place, clear_place),
		cmocka_unit_test_setup_teardown(
			a_long_message_is_cut_and_stays_json, make_place, clear_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
