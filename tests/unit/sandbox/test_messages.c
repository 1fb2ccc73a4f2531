/*
 * The store of messages keeps every version, within its bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "messages.h"

#include <stdio.h>

static const struct message_text hello = {{"<b>hello</b>", 12}, {"hello", 5}, {0}, {0}};
static const struct message_text bye = {{"bye", 3}, {"bye", 3}, {0}, {0}};

static struct message *send(struct messages *messages, int64_t bot, int64_t chat, int64_t id)
{
	return messages_send(messages,
		&(struct message){.bot_id = bot, .chat_id = chat, .message_id = id}, &hello, 1000);
}

static void test_private_chats_are_one_per_bot(void **state)
{
	struct messages *messages = messages_new(MESSAGES_MAX_BYTES);
	struct message *mine = send(messages, 1, 100, 7), *theirs = send(messages, 2, 100, 7);

	assert_ptr_equal(messages_find(messages, 1, 100, 7), mine);
	assert_ptr_equal(messages_find(messages, 2, 100, 7), theirs);
	assert_null(messages_find(messages, 1, 101, 7));
	messages_free(&messages);
}

static void test_a_group_is_one_for_all_bots(void **state)
{
	struct messages *messages = messages_new(MESSAGES_MAX_BYTES);
	struct message *message = send(messages, 1, -100, 7);

	assert_ptr_equal(messages_find(messages, 2, -100, 7), message);
	messages_free(&messages);
}

static void test_versions_are_kept_and_the_last_is_shown(void **state)
{
	struct messages *messages = messages_new(MESSAGES_MAX_BYTES);
	struct message *message = send(messages, 1, 100, 1);

	assert_int_equal(message_edited_ms(message), 0);
	messages_edit(messages, message, &bye, 2000);
	messages_delete(messages, message, 3000);
	assert_int_equal(message->count, 3);
	assert_true(str_equal(message_current(message)->plain, STR("bye")));
	assert_int_equal(message_sent_ms(message), 1000);
	assert_int_equal(message_edited_ms(message), 2000);
	messages_free(&messages);
}

static void test_many_edits_keep_the_first_and_the_latest(void **state)
{
	struct messages *messages = messages_new(MESSAGES_MAX_BYTES);
	struct message *message = send(messages, 1, 100, 1);

	for (int i = 0; i < 1000; i++)
		messages_edit(messages, message, &bye, 2000 + i);
	assert_int_equal(message->count, MESSAGES_MAX_VERSIONS);
	assert_int_equal(message->versions[0].op, MESSAGE_SEND);
	assert_int_equal(message_edited_ms(message), 2999);
	messages_free(&messages);
}

static void test_changes_are_listed_newest_last(void **state)
{
	struct messages *messages = messages_new(MESSAGES_MAX_BYTES);
	struct message *first = send(messages, 1, 100, 1), *second = send(messages, 1, 100, 2);

	assert_ptr_equal(messages_last_changed(messages), second);
	messages_edit(messages, first, &bye, 2000);
	assert_ptr_equal(messages_last_changed(messages), first);
	assert_ptr_equal(messages_last_changed(messages)->before, second);
	assert_ptr_equal(messages_oldest(messages), first);
	assert_true(first->revision > second->revision);
	messages_free(&messages);
}

static void test_the_oldest_go_when_there_are_too_many(void **state)
{
	struct messages *messages = messages_new(MESSAGES_MAX_BYTES);

	for (int i = 1; i <= MESSAGES_MAX + 10; i++)
		send(messages, 1, 100, i);
	assert_int_equal(messages_count(messages), MESSAGES_MAX);
	assert_null(messages_find(messages, 1, 100, 10));
	assert_non_null(messages_find(messages, 1, 100, 11));
	messages_free(&messages);
}

/* The answer to the bot is written from the message that was edited, so it must outlive the edit. */
static void test_an_edit_of_the_oldest_drops_another(void **state)
{
	struct messages *messages = messages_new(2000);
	struct message *first = send(messages, 1, 100, 1);

	for (int i = 2; messages_find(messages, 1, 100, 2) == NULL || i < 5; i++)
		send(messages, 1, 100, i);
	for (int i = 0; i < 30; i++)
		messages_edit(messages, first, &bye, 2000 + i);
	assert_ptr_equal(messages_find(messages, 1, 100, 1), first);
	assert_true(str_equal(message_current(first)->plain, STR("bye")));
	assert_int_equal(messages_count(messages), 1);
	assert_ptr_equal(messages_oldest(messages), first);
	assert_ptr_equal(messages_last_changed(messages), first);
	send(messages, 1, 100, 99);
	assert_null(messages_find(messages, 1, 100, 1));
	messages_free(&messages);
}

static void test_a_clear_is_news(void **state)
{
	struct messages *messages = messages_new(MESSAGES_MAX_BYTES);
	int64_t before;

	send(messages, 1, 100, 1);
	before = messages_revision(messages);
	messages_clear(messages);
	assert_int_equal(messages_count(messages), 0);
	assert_true(messages_cleared_revision(messages) > before);
	messages_free(&messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_chats_are_one_per_bot),
		cmocka_unit_test(test_a_group_is_one_for_all_bots),
		cmocka_unit_test(test_versions_are_kept_and_the_last_is_shown),
		cmocka_unit_test(test_many_edits_keep_the_first_and_the_latest),
		cmocka_unit_test(test_changes_are_listed_newest_last),
		cmocka_unit_test(test_the_oldest_go_when_there_are_too_many),
		cmocka_unit_test(test_an_edit_of_the_oldest_drops_another),
		cmocka_unit_test(test_a_clear_is_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
