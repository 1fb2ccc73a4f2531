/*
 * stream_token: P13: only ours, of this call, within its time.
 */
#include "stream_token.h"

#include "../base/check.h"

#include <string.h>

#define SECRET STR("0123456789abcdef0123456789abcdef")
#define CALL   STR("CA00000000000000000000000000000001")

static void one_that_was_made_is_right(void **state)
{
	char token[STREAM_TOKEN_BYTES], other[STREAM_TOKEN_BYTES];
	char nonce[STREAM_NONCE_BYTES];
	struct error error;

	stream_token_make(SECRET, CALL, 60000, token);
	assert_true(stream_token_check(SECRET, str_from(token), CALL, 60000, nonce, &error));
	assert_int_equal(strlen(nonce), STREAM_NONCE_BYTES - 1);
	assert_non_null(strstr(token, nonce));
	stream_token_make(SECRET, CALL, 60000, other);
	assert_string_not_equal(token, other);
}

static void check_refused(
	struct str secret, const char *token, struct str call, int64_t now_ms, const char *words)
{
	char nonce[STREAM_NONCE_BYTES];
	struct error error = {0};

	assert_false(stream_token_check(secret, str_from(token), call, now_ms, nonce, &error));
	assert_int_equal(error.kind, ERROR_AUTH);
	assert_string_equal(error.text, words);
	assert_string_equal(nonce, "");
}

static void others_are_refused(void **state)
{
	struct str other_call = STR("CA00000000000000000000000000000002");
	char token[STREAM_TOKEN_BYTES];

	stream_token_make(SECRET, CALL, 60000, token);
	check_refused(SECRET, token, CALL, 60001, "the token is too old");
	check_refused(SECRET, token, other_call, 0, "the token is another call's");
	check_refused(STR("another secret of thirty-two char"), token, CALL, 0,
		"the token is not one of ours");
	check_refused(STR(""), token, CALL, 0, "there is no internal secret to check by");
	check_refused(SECRET, "", CALL, 0, "no token");
	check_refused(SECRET, "a.b.c.d", CALL, 0, "the token is not one of ours");
	check_refused(SECRET, "....", CALL, 0, "the token is not one of ours");
}

static void no_byte_of_it_may_change(void **state)
{
	char token[STREAM_TOKEN_BYTES], nonce[STREAM_NONCE_BYTES];
	struct error error;

	stream_token_make(SECRET, CALL, 60000, token);
	for (size_t i = 0; i < strlen(token); i++) {
		char was = token[i];

		token[i] = was == '1' ? '2' : '1';
		assert_false(stream_token_check(SECRET, str_from(token), CALL, 0, nonce, &error));
		token[i] = was;
	}
	token[strlen(token) - 1] = '\0';
	assert_false(stream_token_check(SECRET, str_from(token), CALL, 0, nonce, &error));
}

static void without_a_secret_there_is_none(void **state)
{
	char token[STREAM_TOKEN_BYTES];

	stream_token_make(STR(""), CALL, 60000, token);
	assert_string_equal(token, "");
}

/* Twilio: name and value together stay below 500 characters; ours also in a buffer of its size. */
static void the_longest_fits(void **state)
{
	struct str call = STR("CA00000000000000000000000000000000000000");
	char token[STREAM_TOKEN_BYTES], nonce[STREAM_NONCE_BYTES];
	struct error error;

	stream_token_make(SECRET, call, 9999999999999, token);
	assert_true(stream_token_check(SECRET, str_from(token), call, 0, nonce, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_was_made_is_right),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(no_byte_of_it_may_change),
		cmocka_unit_test(without_a_secret_there_is_none),
		cmocka_unit_test(the_longest_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
