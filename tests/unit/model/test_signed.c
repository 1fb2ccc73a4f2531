/*
 * test_signed: what we signed is taken back, and nothing that differs from it in anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signed.h"

#define KEY	STR("0123456789abcdef0123456789abcdef")
#define OTHER	STR("0123456789abcdef0123456789abcdeF")
#define NOW_MS	INT64_C(1795262400000)
#define HOUR_MS INT64_C(3600000)

/* "/call/0367/123?until=...&sign=..." taken apart. */
struct link {
	struct buf text;
	struct str until, sign;
};

static struct link link_of(struct str enterprise, int64_t call_id, int64_t until_ms)
{
	struct link link;
	struct str rest;

	buf_init(&link.text, 300);
	signed_link(KEY, enterprise, call_id, until_ms, &link.text);
	rest = buf_str(&link.text);
	str_cut(&rest, '?');
	link.until = str_cut(&rest, '&');
	str_cut(&link.until, '=');
	str_cut(&rest, '=');
	link.sign = rest;
	return link;
}

static void assert_refused(
	struct str key, struct str enterprise, int64_t call_id, struct str until, struct str sign)
{
	struct error error = {0};

	const struct signed_query query = {enterprise, call_id, until, sign};

	assert_false(signed_link_check(key, &query, NOW_MS, &error));
	assert_int_equal(error.kind, ERROR_AUTH);
	assert_true(error.text[0] != '\0');
}

static void a_link_is_taken_until_it_is_over(void **state)
{
	struct link link = link_of(STR("0367"), 123, NOW_MS + HOUR_MS);
	const struct signed_query query = {STR("0367"), 123, link.until, link.sign};
	struct error error = {0};

	(void)state;
	assert_true(str_starts(buf_str(&link.text), STR("/call/0367/123?until=1795266000&sign=")));
	assert_int_equal(link.sign.size, 20);
	assert_true(signed_link_check(KEY, &query, NOW_MS + HOUR_MS, &error));
	assert_false(signed_link_check(KEY, &query, NOW_MS + HOUR_MS + 1000, &error));
	assert_string_equal(error.text, "this link is over; press the button in the chat again");
	buf_free(&link.text);
}

static void a_link_that_was_changed_is_refused(void **state)
{
	struct link link = link_of(STR("0367"), 123, NOW_MS + HOUR_MS);
	char forged[32];

	(void)state;
	assert_refused(KEY, STR("0368"), 123, link.until, link.sign);
	assert_refused(KEY, STR("0367"), 124, link.until, link.sign);
	assert_refused(KEY, STR("0367"), 123, STR("1795266001"), link.sign);
	assert_refused(OTHER, STR("0367"), 123, link.until, link.sign);
	assert_refused(KEY, STR("0367"), 123, link.until, STR(""));
	assert_refused(KEY, STR("0367"), 123, STR("never"), link.sign);
	assert_refused(KEY, STR("0367"), 123, STR(""), link.sign);
	for (size_t i = 0; i < link.sign.size; i++) {
		str_copy(forged, sizeof(forged), link.sign);
		forged[i] = forged[i] == '0' ? '1' : '0';
		assert_refused(KEY, STR("0367"), 123, link.until, str_from(forged));
	}
	buf_free(&link.text);
}

static void without_a_key_nothing_is_taken(void **state)
{
	struct link link = link_of(STR("0367"), 123, NOW_MS + HOUR_MS);
	struct callback read;
	struct error error = {0};

	(void)state;
	assert_refused(STR(""), STR("0367"), 123, link.until, link.sign);
	assert_refused(STR("short"), STR("0367"), 123, link.until, link.sign);
	assert_false(signed_callback_read(
		STR(""), STR("l:1:151:6b01:0123456789abcdef0123"), 1, NOW_MS, &read, &error));
	assert_int_equal(error.kind, ERROR_AUTH);
	buf_free(&link.text);
}

/* A link to a customer opens no call, one to a call no customer, whatever the numbers. */
static void a_customers_link_is_his_alone(void **state)
{
	struct link call = link_of(STR("0367"), 33612345678, NOW_MS + HOUR_MS);
	struct signed_query query = {STR("0367"), 0, call.until, call.sign};
	struct str sign;
	struct buf text;

	(void)state;
	assert_false(signed_customer_check(KEY, &query, STR("33612345678"), NOW_MS, NULL));
	buf_init(&text, 300);
	signed_customer_link(KEY, STR("0367"), STR("33612345678"), NOW_MS + HOUR_MS, &text);
	assert_true(str_starts(
		buf_str(&text), STR("/customer/0367/33612345678?until=1795266000&sign=")));
	sign = str_of(text.data + text.size - 20, 20);
	query.sign = sign;
	assert_true(signed_customer_check(KEY, &query, STR("33612345678"), NOW_MS, NULL));
	assert_false(signed_customer_check(KEY, &query, STR("33612345679"), NOW_MS, NULL));
	assert_false(signed_customer_check(OTHER, &query, STR("33612345678"), NOW_MS, NULL));
	assert_false(signed_customer_check(
		KEY, &query, STR("33612345678"), NOW_MS + HOUR_MS + 1000, NULL));
	assert_refused(KEY, STR("0367"), 33612345678, call.until, sign);
	query.enterprise = STR("0368");
	assert_false(signed_customer_check(KEY, &query, STR("33612345678"), NOW_MS, NULL));
	buf_free(&text);
	buf_free(&call.text);
}

static void a_button_says_what_it_said(void **state)
{
	static const enum callback_action actions[] = {
		CALLBACK_LISTEN, CALLBACK_WHISPER, CALLBACK_CONFERENCE, CALLBACK_CALL_BACK};
	static const char *const phones[] = {"151", "2001", "375290000900", "123456789012345"};
	static const int64_t calls[] = {1, 4096, INT64_C(0x0fffffffffffffff)};
	struct error error = {0};

	(void)state;
	for (size_t i = 0; i < 4 * 4 * 3; i++) {
		struct callback made = {.action = actions[i % 4], .call_id = calls[i / 16]}, read;
		char data[SIGNED_CALLBACK_BYTES];

		str_copy(made.phone, sizeof(made.phone), str_from(phones[i / 4 % 4]));
		signed_callback(KEY, &made, -1001234567890, NOW_MS + HOUR_MS, data);
		assert_in_range(strlen(data), 1, 64);
		assert_true(signed_callback_read(
			KEY, str_from(data), -1001234567890, NOW_MS, &read, &error));
		assert_int_equal(read.action, made.action);
		assert_true(read.call_id == made.call_id);
		assert_string_equal(read.phone, made.phone);
	}
}

static void assert_no_button(
	struct str key, const char *data, int64_t chat, int64_t now_ms, const char *words)
{
	struct callback read;
	struct error error = {0};

	assert_false(signed_callback_read(key, str_from(data), chat, now_ms, &read, &error));
	assert_int_equal(error.kind, ERROR_AUTH);
	assert_string_equal(error.text, words);
}

static void a_button_of_others_is_refused(void **state)
{
	struct callback made = {.action = CALLBACK_LISTEN, .call_id = 77, .phone = "151"};
	char data[SIGNED_CALLBACK_BYTES], forged[SIGNED_CALLBACK_BYTES];

	(void)state;
	signed_callback(KEY, &made, 42, NOW_MS + HOUR_MS, data);
	assert_no_button(KEY, data, 43, NOW_MS, "this button is not ours");
	assert_no_button(OTHER, data, 42, NOW_MS, "this button is not ours");
	assert_no_button(KEY, data, 42, NOW_MS + HOUR_MS + 1000, "this button is over");
	for (size_t i = 0; data[i] != '\0'; i++) {
		str_copy(forged, sizeof(forged), str_from(data));
		forged[i] = forged[i] == '0' ? '1' : '0';
		assert_no_button(KEY, forged, 42, NOW_MS, "this button is not ours");
		str_copy(forged, i + 1, str_from(data));
		assert_no_button(KEY, forged, 42, NOW_MS, "this button is not ours");
	}
}

/* Signed by us, but by a fault of ours: read strictly all the same. */
static void a_phone_that_is_too_long_helps_nobody(void **state)
{
	struct callback made = {.action = CALLBACK_LISTEN,
		.call_id = INT64_MAX,
		.phone = "12345678901234567890123"};
	char data[SIGNED_CALLBACK_BYTES];
	struct callback read;
	struct error error = {0};

	(void)state;
	signed_callback(KEY, &made, 42, NOW_MS + HOUR_MS, data);
	assert_in_range(strlen(data), 1, 64);
	if (signed_callback_read(KEY, str_from(data), 42, NOW_MS, &read, &error))
		assert_string_equal(read.phone, "123456789012345");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_is_taken_until_it_is_over),
		cmocka_unit_test(a_link_that_was_changed_is_refused),
		cmocka_unit_test(without_a_key_nothing_is_taken),
		cmocka_unit_test(a_customers_link_is_his_alone),
		cmocka_unit_test(a_button_says_what_it_said),
		cmocka_unit_test(a_button_of_others_is_refused),
		cmocka_unit_test(a_phone_that_is_too_long_helps_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
