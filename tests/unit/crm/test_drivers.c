/*
 * test_drivers: every driver against its golden files, tests/golden/crm/<program>/.
 *
 * Each operation of a driver must be shown to go well and to fail. UPDATE_GOLDEN=1 writes what came
 * out into the files: read the diff before believing it.
 */
#include "golden.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 512, ARENA_BYTES = 16 << 20, MAX_DRIVERS = 32 };

static struct str read_all(const char *path, struct arena *arena)
{
	char *text = arena_alloc(arena, GOLDEN_MAX_BYTES);
	FILE *file = fopen(path, "re");
	size_t size;

	if (file == NULL)
		fail_msg("cannot read %s", path);
	size = fread(text, 1, GOLDEN_MAX_BYTES - 1, file);
	fclose(file);
	return str_of(text, size);
}

static void write_anew(const char *path, const struct json *json)
{
	FILE *file = fopen(path, "we");
	struct buf text;

	buf_init(&text, GOLDEN_MAX_BYTES);
	json_print(&text, json, true);
	buf_add(&text, STR("\n"));
	if (file == NULL || fwrite(text.data, 1, text.size, file) != text.size)
		fail_msg("cannot write %s", path);
	fclose(file);
	buf_free(&text);
}

/* What people and journals see of the configuration holds no secret either. */
static void check_mask(struct golden *golden)
{
	const struct json *account = json_member(golden->json, "account");
	struct buf masked;

	buf_init(&masked, GOLDEN_MAX_BYTES);
	crm_config_masked(golden->driver, json_member(account, "config"), &masked);
	if (golden_leak(golden, buf_str(&masked)) != NULL)
		fail_msg("crm_config_masked shows a secret");
	buf_free(&masked);
}

static bool run_file(const struct crm_driver *driver, const char *path, struct golden_seen *seen)
{
	struct golden golden = {.driver = driver, .arena = arena_new(ARENA_BYTES)};
	const struct json *actual;
	struct buf text, words;
	bool same;

	golden.json = golden_parse(&golden, read_all(path, golden.arena));
	if (golden.json == NULL)
		fail_msg("%s: no JSON", path);
	buf_init(&text, GOLDEN_MAX_BYTES);
	buf_init(&words, GOLDEN_MAX_BYTES);
	if (json_member(golden.json, "hook") != NULL)
		golden_run_hook(&golden, &text);
	else
		golden_run_job(&golden, seen, &text);
	check_mask(&golden);
	actual = golden_parse(&golden, buf_str(&text));
	assert_non_null(actual);
	same = golden_same(golden.json, actual, &words);
	if (!same && getenv("UPDATE_GOLDEN") != NULL)
		write_anew(path, actual);
	else if (!same)
		print_error("%s\n%.*s", path, STR_ARG(buf_str(&words)));
	golden_run_hostile(&golden);
	buf_free(&text);
	buf_free(&words);
	golden_free(&golden);
	return same;
}

static bool check_seen(const struct crm_driver *driver, const struct golden_seen *seen)
{
	bool all = true;

	assert_non_null(driver->operations);
	for (int i = 0; driver->operations[i] != NULL; i++) {
		const char *lacking = seen->well[i] == 0     ? "goes well"
				      : seen->failed[i] == 0 ? "fails"
							     : NULL;

		if (lacking == NULL)
			continue;
		print_error("%s: no golden file shows how %s %s\n", driver->program,
			driver->operations[i], lacking);
		all = false;
	}
	return all;
}

static int is_golden(const struct dirent *entry)
{
	return str_ends(str_from(entry->d_name), STR(".json"));
}

struct subject {
	const struct crm_driver *driver;
};

static void run_driver(void **state)
{
	const struct crm_driver *driver = ((struct subject *)*state)->driver;
	struct golden_seen seen = {0};
	char folder[PATH_BYTES], path[2 * PATH_BYTES];
	struct dirent **files = NULL;
	bool good = true;
	int count;

	snprintf(folder, sizeof(folder), "%s/golden/crm/%s", TESTS_DIR, driver->program);
	count = scandir(folder, &files, is_golden, alphasort);
	if (count <= 0)
		fail_msg("%s has no golden files", driver->program);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
		good &= run_file(driver, path, &seen);
		free(files[i]);
	}
	free(files);
	good &= check_seen(driver, &seen);
	assert_true(good);
}

int main(void)
{
	struct CMUnitTest tests[MAX_DRIVERS] = {0};
	struct subject subjects[MAX_DRIVERS];
	size_t count = 0;

	for (; count < MAX_DRIVERS && crm_drivers[count] != NULL; count++) {
		subjects[count].driver = crm_drivers[count];
		tests[count].name = crm_drivers[count]->program;
		tests[count].test_func = run_driver;
		tests[count].initial_state = &subjects[count];
	}
	return _cmocka_run_group_tests("drivers", tests, count, NULL, NULL);
}
