/*
 * The table of enterprises: whose token it is, and the copy of it on disk.
 */
#include "tenants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROW(no, token, other, place, works)                                                        \
	{                                                                                          \
		.number = STR(no), .name2 = STR(token), .secret = STR(other),                      \
		.zone_name = STR(place), .shard = 5, .active = (works), .debug_log = !(works)      \
	}

static const struct enterprise rows[] = {
	ROW("0367", "375290000367", "s3cret", "Europe/Minsk", true),
	ROW("0400", "0367", "", "Nowhere/Never", false), /* its token is the other's number */
	ROW("0401", "", "", "UTC", true),
	ROW("0402", "s3cret", "Ёж \"\\", "Europe/Minsk",
		true), /* its token is the other's secret */
};

static struct tenants *table(void)
{
	return tenants_new(rows, sizeof(rows) / sizeof(rows[0]));
}

static void assert_owner(const struct tenants *tenants, const char *token, const char *number)
{
	const struct enterprise *found = tenants_by_token(tenants, str_from(token));

	if (number == NULL) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_true(str_equal(found->number, str_from(number)));
}

static void test_token_comes_before_secret_before_number(void **state)
{
	struct tenants *tenants = table();

	assert_owner(tenants, "375290000367", "0367");
	assert_owner(tenants, "0367", "0400");
	assert_owner(tenants, "s3cret", "0402");
	assert_owner(tenants, "0400", "0400");
	assert_owner(tenants, "0401", "0401");
	assert_owner(tenants, "nobody", NULL);
	assert_owner(tenants, "", NULL); /* no token is not everybody's token */
	assert_false(tenants_by_token(tenants, STR("0400"))->active);
	tenants_free(&tenants);
}

static void test_zones_are_loaded_and_unknown_ones_are_utc(void **state)
{
	struct tenants *tenants = table();
	const struct enterprise *minsk = tenants_by_number(tenants, STR("0367"));

	assert_int_equal(clock_to_civil(0, minsk->zone).hour, 3); /* as it was in 1970 */
	assert_null(tenants_by_number(tenants, STR("0400"))->zone);
	tenants_free(&tenants);
}

static void test_the_copy_on_disk_is_the_same_and_private(void **state)
{
	char folder[] = "/tmp/tenants-XXXXXX", path[64];
	struct tenants *tenants = table(), *kept;
	const struct enterprise *found;
	struct error error = {0};
	struct stat file;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/enterprises.json", folder);
	assert_null(tenants_load(path, &error));
	assert_int_equal(error.kind, ERROR_MISSING);
	assert_true(tenants_save(tenants, path, &error));
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	kept = tenants_load(path, &error);
	assert_non_null(kept);
	assert_int_equal(tenants_count(kept), tenants_count(tenants));
	found = tenants_by_token(kept, STR("Ёж \"\\"));
	assert_non_null(found);
	assert_true(str_equal(found->number, STR("0402")));
	assert_int_equal(found->shard, 5);
	assert_true(tenants_by_number(kept, STR("0400"))->debug_log);
	assert_false(tenants_by_number(kept, STR("0400"))->active);
	tenants_free(&kept);
	tenants_free(&tenants);
	unlink(path);
	rmdir(folder);
}

static void test_a_copy_that_was_damaged_is_refused_with_words(void **state)
{
	char path[] = "/tmp/tenants-XXXXXX";
	struct error error = {0};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{\"enterprises\":[{\"number\":", 26), 26);
	close(fd);
	assert_null(tenants_load(path, &error));
	assert_true(str_starts(str_from(error.text), STR("the kept table of enterprises: ")));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_comes_before_secret_before_number),
		cmocka_unit_test(test_zones_are_loaded_and_unknown_ones_are_utc),
		cmocka_unit_test(test_the_copy_on_disk_is_the_same_and_private),
		cmocka_unit_test(test_a_copy_that_was_damaged_is_refused_with_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
