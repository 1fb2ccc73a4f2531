/*
 * test_telegram_update: what each update of the Bot API means, and how a listening bot's requests look.
 */
#include "telegram_update.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;

static int begin(void **state)
{
	arena = arena_new((size_t)16 << 20);
	return 0;
}

static int end(void **state)
{
	arena_free(&arena);
	return 0;
}

static struct telegram_update read_one(const char *json)
{
	struct telegram_update update;
	struct error error = {0};
	bool good = telegram_update_read(str_from(json), arena, &update, &error);
	if (!good)
		fail_msg("%s", error.text);
	return update;
}

static void assert_text(struct str text, const char *expected)
{
	if (!str_equal(text, str_from(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(text), expected);
}

/* -- reading ------------------------------------------------------------------------------------ */

static struct telegram_update read_text(const char *text, int chat)
{
	const char *json = arena_printf(arena,
		"{\"update_id\":7,\"message\":{\"message_id\":1,\"date\":1,\"chat\":{\"id\":%d,"
		"\"type\":\"x\"},\"from\":{\"id\":5,\"is_bot\":false},\"text\":\"%s\"}}",
		chat, text);
	return read_one(json);
}

static void reads_commands(void **state)
{
	static const struct {
		const char *text, *command, *bot_name, *argument;
	} cases[] = {
		{"/start", "start", "", ""},
		{"/start ABCD2345", "start", "", "ABCD2345"},
		{"  /START@June_Bot   ABCD 2345 ", "start", "June_Bot", "ABCD 2345"},
		{"/start\\nABCD2345", "start", "", "ABCD2345"},
		{"/mine@june_bot", "mine", "june_bot", ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct telegram_update update = read_text(cases[i].text, 5);
		assert_int_equal(update.kind, UPDATE_COMMAND);
		assert_int_equal(update.id, 7);
		assert_int_equal(update.chat_id, 5);
		assert_int_equal(update.account_id, 5);
		assert_text(update.command, cases[i].command);
		assert_text(update.bot_name, cases[i].bot_name);
		assert_text(update.argument, cases[i].argument);
	}
}

static void texts_count_in_private_chats_only(void **state)
{
	assert_int_equal(read_text("hello", 5).kind, UPDATE_TEXT);
	assert_int_equal(read_text("hello", -5).kind, UPDATE_OTHER);
	assert_int_equal(read_text("/", 5).kind, UPDATE_OTHER);
	assert_int_equal(
		read_text("/a_command_of_more_than_thirty_two_characters", 5).kind, UPDATE_OTHER);
	assert_int_equal(read_text("/stop", -5).kind, UPDATE_COMMAND);
}

static void knows_anonymous_administrators(void **state)
{
	static const char group[] =
		"{\"update_id\":1,\"message\":{\"chat\":{\"id\":-5},\"from\":{\"id\":1087968824},"
		"\"sender_chat\":{\"id\":%d},\"text\":\"/stop\"}}";
	assert_true(read_one(arena_printf(arena, group, -5)).anonymous);
	assert_false(read_one(arena_printf(arena, group, -6)).anonymous);
	assert_false(read_text("/stop", -5).anonymous);
}

static void reads_presses(void **state)
{
	struct telegram_update update =
		read_one("{\"update_id\":8,\"callback_query\":{\"id\":\"4382\",\"from\":{\"id\":9},"
			 "\"message\":"
			 "{\"message_id\":3,\"date\":0,\"chat\":{\"id\":-5}},\"data\":\"l:1\"}}");
	assert_int_equal(update.kind, UPDATE_PRESS);
	assert_int_equal(update.chat_id, -5);
	assert_int_equal(update.account_id, 9);
	assert_text(update.callback_id, "4382");
	assert_text(update.data, "l:1");
	/* Of inline mode: no message, so no chat that could be subscribed. */
	update = read_one("{\"update_id\":8,\"callback_query\":{\"id\":\"1\",\"from\":{\"id\":9},"
			  "\"inline_message_id\":\"x\",\"data\":\"l:1\"}}");
	assert_int_equal(update.kind, UPDATE_PRESS);
	assert_int_equal(update.chat_id, 0);
}

static void reads_who_left(void **state)
{
	static const char json[] = "{\"update_id\":9,\"my_chat_member\":{\"chat\":{\"id\":5},"
				   "\"from\":{\"id\":5},\"new_chat_member\":{\"status\":\"%s\"}}}";
	assert_int_equal(read_one(arena_printf(arena, json, "kicked")).kind, UPDATE_LEFT);
	assert_int_equal(read_one(arena_printf(arena, json, "left")).kind, UPDATE_LEFT);
	assert_int_equal(read_one(arena_printf(arena, json, "member")).kind, UPDATE_OTHER);
}

/* One strange update must not hold up the others for ever. */
static void passes_over_what_it_does_not_know(void **state)
{
	struct telegram_updates updates;
	struct error error = {0};
	struct str body =
		STR("{\"ok\":true,\"result\":[{\"update_id\":1,\"poll\":{}},"
		    "{\"update_id\":2,\"message\":\"not an object\"},"
		    "{\"update_id\":3,\"message\":{\"chat\":{\"id\":\"text\"}}},"
		    "{\"no_id\":true},17,"
		    "{\"update_id\":4,\"callback_query\":{\"from\":{\"id\":1}}},"
		    "{\"update_id\":5,\"message\":{\"chat\":{\"id\":5},\"text\":\"/stop\"}}]}");
	assert_true(telegram_updates_read(body, arena, &updates, &error));
	assert_int_equal(updates.count, 5);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(updates.items[i].kind, UPDATE_OTHER);
		assert_int_equal(updates.items[i].id, i + 1);
	}
	assert_int_equal(updates.items[4].kind, UPDATE_COMMAND);
}

static void refuses_what_is_no_answer(void **state)
{
	static const char *const bodies[] = {"", "<html>", "[]", "{\"ok\":true}",
		"{\"ok\":true,\"result\":{}}", "{\"ok\":true,\"result\":true}"};
	struct telegram_updates updates;
	struct error error;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_false(telegram_updates_read(str_from(bodies[i]), arena, &updates, &error));
		assert_int_equal(updates.count, 0);
	}
	assert_true(
		telegram_updates_read(STR("{\"ok\":true,\"result\":[]}"), arena, &updates, &error));
}

static void reads_other_results(void **state)
{
	struct str username, url, trouble;
	bool is_admin;
	assert_true(telegram_me_read(
		STR("{\"ok\":true,\"result\":{\"username\":\"june_bot\"}}"), arena, &username));
	assert_text(username, "june_bot");
	assert_false(telegram_me_read(STR("{\"ok\":true,\"result\":true}"), arena, &username));
	assert_true(telegram_webhook_read(
		STR("{\"ok\":true,\"result\":{\"url\":\"\"}}"), arena, &url, &trouble));
	assert_text(url, "");
	assert_true(telegram_webhook_read(STR("{\"ok\":true,\"result\":{\"url\":\"https://"
					      "x\",\"last_error_message\":\"503\"}}"),
		arena, &url, &trouble));
	assert_text(trouble, "503");
	static const char member[] = "{\"ok\":true,\"result\":{\"status\":\"%s\"}}";
	assert_true(telegram_member_read(
		str_from(arena_printf(arena, member, "creator")), arena, &is_admin));
	assert_true(is_admin);
	assert_true(telegram_member_read(
		str_from(arena_printf(arena, member, "restricted")), arena, &is_admin));
	assert_false(is_admin);
	assert_false(telegram_member_read(STR("{\"ok\":true}"), arena, &is_admin));
	assert_false(is_admin);
}

/* -- writing ------------------------------------------------------------------------------------ */

static void assert_written(struct buf *buf, const char *expected)
{
	assert_text(buf_str(buf), expected);
	buf_free(buf);
}

static void writes_requests(void **state)
{
	static const struct telegram_command commands[] = {{"stop", "No more"}, {NULL, NULL}};
	struct buf buf;
	buf_init(&buf, 4096);
	telegram_method_url("https://api.telegram.org//", "1:AA", "getUpdates", &buf);
	assert_written(&buf, "https://api.telegram.org/bot1:AA/getUpdates");
	telegram_get_updates_body(0, 25, 30, &buf);
	assert_written(&buf, "{\"limit\":25,\"timeout\":30,\"allowed_updates\":[\"message\","
			     "\"callback_query\",\"my_chat_member\"]}");
	telegram_get_updates_body(730000001, 1, 0, &buf);
	assert_written(&buf, "{\"offset\":730000001,\"limit\":1,\"timeout\":0,\"allowed_updates\":"
			     "[\"message\",\"callback_query\",\"my_chat_member\"]}");
	telegram_set_webhook_body("https://x/telegram/0367", "s", &buf);
	assert_written(&buf,
		"{\"url\":\"https://x/telegram/0367\",\"secret_token\":\"s\",\"max_connections\":1,"
		"\"allowed_updates\":[\"message\",\"callback_query\",\"my_chat_member\"]}");
	telegram_commands_body(commands, "ru", &buf);
	assert_written(&buf, "{\"language_code\":\"ru\",\"commands\":[{\"command\":\"stop\","
			     "\"description\":\"No more\"}]}");
	telegram_commands_body(commands, "", &buf);
	assert_written(&buf, "{\"commands\":[{\"command\":\"stop\",\"description\":\"No more\"}]}");
}

/* 200 characters, not bytes, and whole ones. */
static void cuts_the_answer_to_a_press(void **state)
{
	struct buf text, buf;
	buf_init(&text, 4096);
	buf_init(&buf, 4096);
	for (int i = 0; i < 300; i++)
		buf_add(&text, STR("ж"));
	telegram_answer_press_body(STR("4382"), buf_str(&text), true, &buf);
	static const char head[] = "{\"callback_query_id\":\"4382\",\"text\":\"";
	static const char tail[] = "\",\"show_alert\":true}";
	assert_int_equal(buf.size, sizeof(head) - 1 + 400 + sizeof(tail) - 1);
	assert_true(
		str_starts(buf_str(&buf), STR("{\"callback_query_id\":\"4382\",\"text\":\"жж")));
	assert_true(str_ends(buf_str(&buf), STR("жж\",\"show_alert\":true}")));
	buf_free(&text);
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_commands),
		cmocka_unit_test(texts_count_in_private_chats_only),
		cmocka_unit_test(knows_anonymous_administrators),
		cmocka_unit_test(reads_presses),
		cmocka_unit_test(reads_who_left),
		cmocka_unit_test(passes_over_what_it_does_not_know),
		cmocka_unit_test(refuses_what_is_no_answer),
		cmocka_unit_test(reads_other_results),
		cmocka_unit_test(writes_requests),
		cmocka_unit_test(cuts_the_answer_to_a_press),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
