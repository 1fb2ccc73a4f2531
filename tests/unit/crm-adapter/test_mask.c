/* mask, record: no secret leaves in whatever form it came; what is kept is JSON, and not too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json_put.h"
#include "record.h"

#define KEY "s3cr/t+key=="

struct room {
	struct arena *arena;
	struct mask mask;
	struct record record;
	struct buf text;
};

static int set_up(void **state)
{
	static const char *const names[] = {"integration_code", NULL};
	struct room *room = calloc(1, sizeof(*room));

	room->arena = arena_new(1 << 20);
	mask_init(&room->mask, names, room->arena);
	mask_add(&room->mask, STR(KEY));
	record_init(&room->record);
	buf_init(&room->text, 1 << 20);
	*state = room;
	return 0;
}

static int tear_down(void **state)
{
	struct room *room = *state;

	record_free(&room->record);
	buf_free(&room->text);
	arena_free(&room->arena);
	free(room);
	return 0;
}

static const char *masked(struct room *room, const char *text)
{
	buf_clear(&room->text);
	mask_text(&room->mask, str_from(text), &room->text);
	return room->text.data;
}

static const char *masked_json(struct room *room, const char *text)
{
	struct json *json = json_parse(str_from(text), (struct json_limits){1 << 20, 64}, NULL);

	assert_non_null(json);
	buf_clear(&room->text);
	mask_json(&room->mask, json, &room->text);
	json_free(&json);
	return room->text.data;
}

static void test_by_value(void **state)
{
	struct room *room = *state;

	assert_string_equal(masked(room, "a " KEY " b " KEY), "a *** b ***");
	assert_string_equal(masked(room, "s3cr%2Ft%2Bkey%3D%3D."), "***.");
	assert_string_equal(masked(room, "s3cr%2ft%2bkey%3d%3d"), "***");
	assert_string_equal(masked(room, "{\"k\":\"s3cr\\/t+key==\""), "{\"k\":\"***\"");
	assert_string_equal(masked(room, "s3cr/t+key="), "s3cr/t+key=");
	assert_string_equal(masked(room, "nothing"), "nothing");
}

static void test_short_values_are_left_alone(void **state)
{
	struct room *room = *state;

	mask_add(&room->mask, STR("150"));
	mask_add(&room->mask, STR(""));
	assert_string_equal(masked(room, "extension 150"), "extension 150");
}

static void test_by_member(void **state)
{
	struct room *room = *state;

	assert_string_equal(
		masked_json(room, "{\"access_token\":\"abc\",\"n\":{\"Integration_Code\":\"x\"},"
				  "\"list\":[{\"password\":123456},\"" KEY "\"],\"token\":\"\","
				  "\"secret\":null,\"keys\":1.5,\"on\":true}"),
		"{\"access_token\":\"***\",\"n\":{\"Integration_Code\":\"***\"},"
		"\"list\":[{\"password\":\"***\"},\"***\"],\"token\":\"\","
		"\"secret\":null,\"keys\":1.5,\"on\":true}");
}

static void test_in_names_and_numbers(void **state)
{
	struct room *room = *state;

	mask_add(&room->mask, STR("1234567"));
	assert_string_equal(masked_json(room, "{\"" KEY "\":1,\"a\":1234567,\"b\":91234567}"),
		"{\"***\":1,\"a\":\"***\",\"b\":\"9***\"}");
}

static void test_members_are_learned_at_any_depth(void **state)
{
	struct room *room = *state;
	struct json *json = json_parse(
		STR("{\"a\":[{\"refresh_token\":\"rrrrrrr\"}],\"integration_code\":\"iiiiiii\","
		    "\"name\":\"nnnnnnn\"}"),
		(struct json_limits){1 << 20, 16}, NULL);

	mask_add_members(&room->mask, json);
	mask_add_members(&room->mask, NULL);
	json_free(&json);
	assert_string_equal(masked(room, "rrrrrrr iiiiiii nnnnnnn"), "*** *** nnnnnnn");
}

static void test_deep_documents_end(void **state)
{
	struct room *room = *state;
	const char *text = masked_json(room, "[[[[[[[[[[[[[[[[[[[\"" KEY "\"]]]]]]]]]]]]]]]]]]]");

	assert_string_equal(text, "[[[[[[[[[[[[\"...\"]]]]]]]]]]]]");
}

static void test_urls(void **state)
{
	struct room *room = *state;

	mask_url(&room->mask,
		STR("https://h/s3cr%2Ft%2Bkey%3D%3D/"
		    "x?client_secret=abc&a=1&refresh_token&apiKey=q%20"),
		&room->text);
	assert_string_equal(
		room->text.data, "https://h/***/x?client_secret=***&a=1&refresh_token&apiKey=***");
}

/* -- records ------------------------------------------------------------------------------------------ */

static const char *written(struct room *room)
{
	struct json_writer writer;
	struct json *json;

	buf_clear(&room->text);
	json_begin(&writer, &room->text);
	json_open_object(&writer);
	record_write(&room->record, &writer);
	json_close_object(&writer);
	json = json_parse(buf_str(&room->text), (struct json_limits){1 << 20, 32}, NULL);
	if (json == NULL)
		fail_msg("no JSON: %s", room->text.data);
	json_free(&json);
	return room->text.data;
}

static void test_a_form_is_kept_as_json(void **state)
{
	struct room *room = *state;
	const struct crm_request request = {.name = "calls/upload",
		.method = "POST",
		.url = "https://h/api?apiKey=abcdef",
		.content_type = "application/x-www-form-urlencoded",
		.body = STR("calls=%5B%7B%22code%22%3A%22150%22%7D%5D&apiKey=k&x=s3cr%2Ft%2Bkey%3D%"
			    "3D")};
	const struct crm_reply reply = {.status = 200, .body = STR("<html>" KEY "</html>")};

	record_request(&room->record, &room->mask, &request);
	record_reply(&room->record, &room->mask, &reply);
	record_silence(&room->record, &room->mask, "timeout at " KEY);
	assert_string_equal(written(room),
		"{\"requests\":[{\"name\":\"calls/upload\",\"method\":\"POST\","
		"\"url\":\"https://h/api?apiKey=***\",\"body\":{\"calls\":[{\"code\":\"150\"}],"
		"\"apiKey\":\"***\",\"x\":\"***\"}}],"
		"\"replies\":[{\"status\":200,\"body\":\"<html>***</html>\"},"
		"{\"status\":0,\"error\":\"timeout at ***\"}]}");
}

static void test_long_bodies_are_cut(void **state)
{
	struct room *room = *state;
	struct crm_reply reply = {.status = 200};
	struct buf body;

	buf_init(&body, 1 << 20);
	while (body.size < 500000)
		(void)buf_add(&body, STR("\xd0\xb9 " KEY " \" \xff"));
	reply.body = buf_str(&body);
	for (int i = 0; i < 20; i++)
		record_reply(&room->record, &room->mask, &reply);
	assert_true(strlen(written(room)) < RECORD_BYTES + 100);
	assert_null(strstr(room->text.data, "s3cr"));
	assert_non_null(strstr(room->text.data, "... (cut, "));
	assert_non_null(strstr(room->text.data, "\"cut\":"));
	buf_free(&body);
}

/* A form that is none, JSON that is none, a URL without end. */
static void test_broken_requests_are_kept_as_text(void **state)
{
	struct room *room = *state;
	char url[5000];
	struct crm_request request = {.name = "x",
		.method = "POST",
		.url = url,
		.content_type = "application/x-www-form-urlencoded",
		.body = STR("%zz&" KEY)};

	memset(url, 'u', sizeof(url) - 1);
	url[sizeof(url) - 1] = '\0';
	record_request(&room->record, &room->mask, &request);
	request.content_type = "application/json";
	request.body = STR("{\"a\":" KEY);
	record_request(&room->record, &room->mask, &request);
	assert_non_null(strstr(written(room), "\"body\":\"%zz&***\""));
	assert_non_null(strstr(room->text.data, "\"body\":\"{\\\"a\\\":***\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_by_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_short_values_are_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_by_member, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_in_names_and_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_members_are_learned_at_any_depth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_deep_documents_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_urls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_form_is_kept_as_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_bodies_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_broken_requests_are_kept_as_text, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
