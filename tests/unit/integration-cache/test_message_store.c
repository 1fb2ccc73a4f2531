/* message_store: ids of messages: in order, bounded, for an hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message_store.h"

#include <stdio.h>

static void test_a_set(void **state)
{
	struct message_set set = {0};

	assert_true(message_set_empty(&set));
	message_set_put(&set, MESSAGE_START, 1);
	message_set_put(&set, MESSAGE_START, 2);
	for (int i = 0; i < 60; i++)
		message_set_put(&set, MESSAGE_DIAL, 100 + i);
	message_set_put(&set, MESSAGE_DIAL, 159);
	assert_int_equal(set.start, 2);
	assert_int_equal(set.dial_count, MESSAGES_MAX_DIALS);
	assert_int_equal(set.dials[0], 110);
	assert_int_equal(set.dials[MESSAGES_MAX_DIALS - 1], 159);
	message_set_drop(&set, MESSAGE_DIAL);
	message_set_drop(&set, MESSAGE_START);
	assert_true(message_set_empty(&set));
}

static void test_they_end_after_an_hour(void **state)
{
	struct message_store *store = message_store_new();

	message_store_make(store, STR("a"), 1000)->start = 7;
	message_store_make(store, STR("b"), 2000)->start = 8;
	message_store_make(store, STR("a"), 3000)->bridge = 9; /* lives on */
	assert_null(message_store_get(store, STR("b"), 2000 + MESSAGES_TTL_MS));
	assert_int_equal(message_store_get(store, STR("a"), 2000 + MESSAGES_TTL_MS)->start, 7);
	assert_null(message_store_get(store, STR("a"), 3000 + MESSAGES_TTL_MS));
	assert_int_equal(message_store_count(store), 0);
	message_store_remove(store, STR("a"));
	message_store_free(&store);
}

static void test_the_oldest_go_first(void **state)
{
	struct message_store *store = message_store_new();
	char key[16];

	for (int i = 0; i < MESSAGES_MAX_SETS + 10; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		message_store_make(store, str_from(key), i)->start = i + 1;
	}
	assert_int_equal(message_store_count(store), MESSAGES_MAX_SETS);
	assert_null(message_store_get(store, STR("9"), MESSAGES_MAX_SETS));
	assert_int_equal(message_store_get(store, STR("10"), MESSAGES_MAX_SETS)->start, 11);
	message_store_free(&store);
}

static void test_names(void **state)
{
	enum message_event event;

	for (unsigned i = 0; i < MESSAGE_EVENTS; i++) {
		const char *name = message_event_name((enum message_event)i);

		assert_true(message_event_read(str_from(name), &event));
		assert_int_equal(event, i);
	}
	assert_false(message_event_read(STR("hangup"), &event));
	assert_false(message_event_read(STR(""), &event));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_set),
		cmocka_unit_test(test_they_end_after_an_hour),
		cmocka_unit_test(test_the_oldest_go_first),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
