/*
 * websocket_handshake: the RFC's own vectors, tokens, URLs, and requests that cannot be broken by what
 * they hold.
 */
#include "websocket_handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void keys(void **state)
{
	char accept[WEBSOCKET_ACCEPT_TEXT], key[WEBSOCKET_KEY_TEXT], other[WEBSOCKET_KEY_TEXT];

	websocket_accept_of(STR("dGhlIHNhbXBsZSBub25jZQ=="), accept);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	websocket_make_key(key);
	websocket_make_key(other);
	assert_true(websocket_key_is_good(str_from(key)));
	assert_string_not_equal(key, other);
	assert_false(websocket_key_is_good(STR("")));
	assert_false(websocket_key_is_good(STR("dGhlIHNhbXBsZSBub25j")));     /* 15 bytes */
	assert_false(websocket_key_is_good(STR("dGhlIHNhbXBsZSBub25jZWU="))); /* 17 */
}

static void tokens(void **state)
{
	struct str found = websocket_token(STR("keep-alive ,\tUpGrade,"), STR("upgrade"));

	assert_true(str_equal(found, STR("UpGrade")));
	assert_int_equal(websocket_token(STR("upgraded, up grade,,"), STR("upgrade")).size, 0);
	assert_int_equal(websocket_token(STR(""), STR("")).size, 0);
	assert_int_equal(websocket_token(STR(", ,"), STR("")).size, 0);
}

static void expect_url(
	const char *text, bool secure, const char *host, int port, const char *target)
{
	struct websocket_url url;
	struct error error;

	assert_true(websocket_url_read(str_from(text), &url, &error));
	assert_int_equal(url.secure, secure);
	assert_true(str_equal(url.host, str_from(host)));
	assert_int_equal(url.port, port);
	assert_true(str_equal(url.target, str_from(target)));
}

static void urls(void **state)
{
	expect_url("ws://a", false, "a", 80, "");
	expect_url("WSS://a.b/", true, "a.b", 443, "/");
	expect_url("ws://a:8080?x=1", false, "a", 8080, "?x=1");
	expect_url("wss://[2001:db8::1]:99/p?q", true, "2001:db8::1", 99, "/p?q");
	expect_url("ws://[::1]/", false, "::1", 80, "/");
}

static void expect_request(const struct websocket_target *target, const char *words)
{
	struct error error = {.kind = ERROR_NONE};
	struct websocket_url url;
	struct buf request;
	bool written;

	buf_init(&request, 4096);
	assert_true(websocket_url_read(str_from(target->url), &url, &error));
	written = websocket_write_request(&request, &url, target, "key", &error);
	assert_int_equal(written, error.kind == ERROR_NONE);
	assert_string_equal(written ? request.data : error.text, words);
	buf_free(&request);
}

#define HEAD                                                                                       \
	"Host: a:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"  \
	"Sec-WebSocket-Key: key\r\n"

static void requests(void **state)
{
	expect_request(
		&(struct websocket_target){.url = "ws://a:1"}, "GET / HTTP/1.1\r\n" HEAD "\r\n");
	expect_request(&(struct websocket_target){.url = "ws://a:1?b",
			       .headers = {{"Authorization", "Bearer x"}}},
		"GET /?b HTTP/1.1\r\n" HEAD "Authorization: Bearer x\r\n\r\n");
	expect_request(&(struct websocket_target){.url = "ws://a:1/c", .protocol = "p"},
		"GET /c HTTP/1.1\r\n" HEAD "Sec-WebSocket-Protocol: p\r\n\r\n");
	expect_request(&(struct websocket_target){.url = "ws://a:1",
			       .headers = {{"A", "b\r\nHost: evil"}}},
		"header 1 holds a line break");
	expect_request(&(struct websocket_target){.url = "ws://a:1", .protocol = "p\nq"},
		"protocol: holds a line break");
}

/* Every beginning of a good answer is an incomplete one. */
static void answers_in_pieces(void **state)
{
	static const char good[] = "HTTP/1.1 101 Switching\r\nUPGRADE: WebSocket\r\n"
				   "connection: keep-alive, upgrade\r\nX:\r\n"
				   "sec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
	struct error error;
	size_t head = 0;

	for (size_t size = 0; size <= sizeof(good); size++) { /* with one byte of a frame */
		enum websocket_answer answer = websocket_read_answer(
			str_of(good, size), "dGhlIHNhbXBsZSBub25jZQ==", NULL, &head, &error);

		assert_int_equal(answer,
			size < sizeof(good) - 1 ? WEBSOCKET_ANSWER_MORE : WEBSOCKET_ANSWER_GOOD);
	}
	assert_int_equal(head, sizeof(good) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(tokens),
		cmocka_unit_test(urls),
		cmocka_unit_test(requests),
		cmocka_unit_test(answers_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
