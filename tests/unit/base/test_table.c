/* table: against a plain array as the model, with removals while walking. */
#include "table.h"

#include "siphash.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

enum { MODEL_KEYS = 500 };

static struct str key_of(int i, char text[32])
{
	return str_of(text, (size_t)snprintf(text, 32, "key-%d", i));
}

static void put_get_remove(void **state)
{
	struct table *table = table_new();
	int one = 1, two = 2;

	assert_null(table_get(table, STR("a")));
	assert_null(table_put(table, STR("a"), &one));
	assert_ptr_equal(table_get(table, STR("a")), &one);
	assert_ptr_equal(table_put(table, STR("a"), &two), &one);
	assert_int_equal(table_count(table), 1);
	assert_ptr_equal(table_remove(table, STR("a")), &two);
	assert_null(table_remove(table, STR("a")));
	assert_int_equal(table_count(table), 0);
	table_free(&table);
	assert_null(table);
	table_free(&table);
}

static void keys_are_bytes_and_copied(void **state)
{
	struct table *table = table_new();
	char key[] = "ab\0c";
	int value;

	table_put(table, str_of(key, 4), &value);
	table_put(table, str_of(NULL, 0), key);
	key[0] = 'x';
	assert_ptr_equal(table_get(table, str_of("ab\0c", 4)), &value);
	assert_null(table_get(table, STR("ab")));
	assert_null(table_get(table, str_of(key, 4)));
	assert_ptr_equal(table_get(table, STR("")), key);
	table_free(&table);
}

/* A hundred thousand random puts and removals, compared with an array after each. */
static void behaves_like_an_array(void **state)
{
	struct table *table = table_new();
	int values[MODEL_KEYS];
	bool present[MODEL_KEYS] = {false};
	size_t count = 0;
	unsigned seed = 7;

	for (int step = 0; step < 100000; step++) {
		int i = rand_r(&seed) % MODEL_KEYS;
		char text[32];
		struct str key = key_of(i, text);
		void *expected = present[i] ? &values[i] : NULL;

		assert_ptr_equal(table_get(table, key), expected);
		if (rand_r(&seed) % 2 == 0) {
			assert_ptr_equal(table_put(table, key, &values[i]), expected);
			count += !present[i];
			present[i] = true;
		} else {
			assert_ptr_equal(table_remove(table, key), expected);
			count -= present[i];
			present[i] = false;
		}
		assert_int_equal(table_count(table), count);
	}
	table_free(&table);
}

static void a_walk_meets_each_key_once(void **state)
{
	struct table *table = table_new();
	int values[MODEL_KEYS];
	int met[MODEL_KEYS] = {0};
	size_t at = 0;
	void *value;
	char text[32];

	for (int i = 0; i < MODEL_KEYS; i++)
		table_put(table, key_of(i, text), &values[i]);
	while (table_next(table, &at, NULL, &value))
		met[(int *)value - values]++;
	for (int i = 0; i < MODEL_KEYS; i++)
		assert_int_equal(met[i], 1);
	table_free(&table);
}

static void the_current_key_may_be_removed_in_a_walk(void **state)
{
	struct table *table = table_new();
	int values[MODEL_KEYS];
	int met = 0;
	size_t at = 0;
	struct str key;
	void *value;
	char text[32];

	for (int i = 0; i < MODEL_KEYS; i++)
		table_put(table, key_of(i, text), &values[i]);
	while (table_next(table, &at, &key, &value)) {
		met++;
		if (((int *)value - values) % 3 != 0)
			assert_ptr_equal(table_remove(table, key), value);
	}
	assert_int_equal(met, MODEL_KEYS);
	assert_int_equal(table_count(table), (MODEL_KEYS + 2) / 3);
	for (int i = 0; i < MODEL_KEYS; i++)
		assert_int_equal(table_get(table, key_of(i, text)) != NULL, i % 3 == 0);
	table_free(&table);
}

static void an_empty_table_has_no_walk(void **state)
{
	struct table *table = table_new();
	size_t at = 0;

	assert_false(table_next(table, &at, NULL, NULL));
	table_free(&table);
}

/* The first lines of the vectors that the authors of SipHash publish: key 00..0f, data 00, 01... */
static void siphash_matches_its_authors(void **state)
{
	static const uint64_t expected[] = {0x726fdb47dd0e0e31u, 0x74f839c593dc67fdu,
		0x0d6c8009d9a94f5au, 0x85676696d7fb7e2du, 0xcf2794e0277187b7u, 0x18765564cd99a68du,
		0xcbc9466e58fee3ceu, 0xab0200f58b01d137u, 0x93f5f5799a932462u};
	static const struct siphash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
	unsigned char data[16];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_true(siphash(&key, data, i, 2, 4) == expected[i]);
	/* The paper's own example, fifteen bytes. */
	assert_true(siphash(&key, data, 15, 2, 4) == 0xa129ca6149be45e5u);
}

static void siphash_depends_on_the_key_and_every_byte(void **state)
{
	static const struct siphash_key one = {1, 2}, two = {1, 3};

	assert_true(siphash13(&one, "375291234567", 12) != siphash13(&two, "375291234567", 12));
	assert_true(siphash13(&one, "375291234567", 12) != siphash13(&one, "375291234568", 12));
	assert_true(siphash13(&one, "a", 1) != siphash13(&one, "a\0", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_get_remove),
		cmocka_unit_test(keys_are_bytes_and_copied),
		cmocka_unit_test(behaves_like_an_array),
		cmocka_unit_test(a_walk_meets_each_key_once),
		cmocka_unit_test(the_current_key_may_be_removed_in_a_walk),
		cmocka_unit_test(an_empty_table_has_no_walk),
		cmocka_unit_test(siphash_matches_its_authors),
		cmocka_unit_test(siphash_depends_on_the_key_and_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
