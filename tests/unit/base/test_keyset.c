/* keyset: against a plain array as the model, with replacements and removals at random. */
#include "keyset.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

enum { THINGS = 3000 };

struct thing {
	char key[16];
	int value;
};

static struct str key_of(const void *thing)
{
	return str_from(((const struct thing *)thing)->key);
}

static void put_get_remove(void **state)
{
	struct keyset *set = keyset_new(key_of);
	struct thing one = {"a", 1}, other = {"a", 2}, empty = {"", 3};

	assert_null(keyset_get(set, STR("a")));
	assert_false(keyset_remove(set, &one));
	assert_null(keyset_put(set, &one));
	assert_ptr_equal(keyset_get(set, STR("a")), &one);
	assert_ptr_equal(keyset_put(set, &other), &one);
	assert_int_equal(keyset_count(set), 1);
	/* Only its bearer takes a key away. */
	assert_false(keyset_remove(set, &one));
	assert_null(keyset_put(set, &empty));
	assert_ptr_equal(keyset_get(set, STR("")), &empty);
	assert_true(keyset_remove(set, &other));
	assert_null(keyset_get(set, STR("a")));
	assert_true(keyset_remove(set, &empty));
	assert_int_equal(keyset_count(set), 0);
	assert_null(keyset_get(set, STR("")));
	keyset_free(&set);
	assert_null(set);
	keyset_free(&set);
}

static void behaves_like_an_array(void **state)
{
	struct keyset *set = keyset_new(key_of);
	static struct thing things[THINGS];
	static bool present[THINGS];
	size_t count = 0;

	srand(7);
	for (int i = 0; i < THINGS; i++)
		snprintf(things[i].key, sizeof(things[i].key), "key-%d", i);
	for (int round = 0; round < 200000; round++) {
		/* Waves: it fills, and runs empty again. */
		int i = rand() % THINGS;
		bool put = rand() % 100 < (round / 20000 % 2 == 0 ? 70 : 30);

		if (put) {
			assert_ptr_equal(
				keyset_put(set, &things[i]), present[i] ? &things[i] : NULL);
			count += !present[i];
		} else {
			assert_int_equal(keyset_remove(set, &things[i]), present[i]);
			count -= present[i];
		}
		present[i] = put;
		i = rand() % THINGS;
		assert_ptr_equal(
			keyset_get(set, str_from(things[i].key)), present[i] ? &things[i] : NULL);
		assert_int_equal(keyset_count(set), count);
	}
	for (int i = 0; i < THINGS; i++)
		assert_ptr_equal(
			keyset_get(set, str_from(things[i].key)), present[i] ? &things[i] : NULL);
	keyset_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_get_remove),
		cmocka_unit_test(behaves_like_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
