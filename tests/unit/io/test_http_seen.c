/*
 * http_server: who sees every exchange, requests by their ids, and paths with slashes too many.
 */
#include "http_routes.h"

#define HOST "Host: a\r\n"

/* The last exchange, in words. */
static void note_seen(void *context, const struct http_seen *seen)
{
	struct web *web = context;

	snprintf(web->last_error, sizeof(web->last_error), "%.*s %.*s %d %.*s %d",
		STR_ARG(seen->request->method), STR_ARG(seen->request->path), seen->status,
		STR_ARG(seen->answer), seen->took_us >= 0);
}

static struct web *web_seen(void)
{
	return web_with((struct http_server_options){
		.loose_slashes = true, .show_trace = true, .seen = note_seen});
}

static void ask(struct web *web, const char *request, const char *answer)
{
	struct client *client = client_open(web);

	client_send(client, str_from(request));
	client_await_text(client, answer);
	client_close(client);
}

static void slashes_too_many_find_the_route(void **state)
{
	struct web *web = web_seen();

	/* The path is handed over as it came: signatures are over that. */
	ask(web, "GET /who/ HTTP/1.1\r\n" HOST "\r\n", "GET|/who/");
	ask(web, "GET //who HTTP/1.1\r\n" HOST "\r\n", "GET|//who");
	ask(web, "GET ///call//7/ HTTP/1.1\r\n" HOST "\r\n", "GET|///call//7/");
	ask(web, "GET /nobody/ HTTP/1.1\r\n" HOST "\r\n", "404 Not Found");
	ask(web, "DELETE /who/ HTTP/1.1\r\n" HOST "\r\n", "Allow: GET, HEAD, PUT");
	web_free(web);
}

static void without_the_option_a_slash_counts(void **state)
{
	struct web *web = web_default();

	ask(web, "GET /who/ HTTP/1.1\r\n" HOST "\r\n", "404 Not Found");
	web_free(web);
}

static void each_exchange_is_seen(void **state)
{
	struct web *web = web_seen();

	ask(web, "GET /nobody HTTP/1.1\r\n" HOST "\r\n", "Not Found\"}");
	assert_string_equal(web->last_error, "GET /nobody 404 {\"detail\":\"Not Found\"} 1");
	ask(web, "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "405 ");
	assert_non_null(strstr(web->last_error, "PUT /echo 405 "));
	/* What is no request has neither method nor path. */
	ask(web, "NONSENSE\r\n\r\n", "400 ");
	assert_non_null(strstr(web->last_error, "  400 "));
	web_free(web);
}

static void an_answer_says_its_request(void **state)
{
	struct web *web = web_seen();

	ask(web, "GET /who HTTP/1.1\r\n" HOST "X-Request-Id: a1-b2\r\n\r\n",
		"X-Request-Id: a1-b2\r\n");
	ask(web, "GET /nobody HTTP/1.1\r\n" HOST "\r\n", "X-Request-Id: ");
	web_free(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slashes_too_many_find_the_route),
		cmocka_unit_test(without_the_option_a_slash_counts),
		cmocka_unit_test(each_exchange_is_seen),
		cmocka_unit_test(an_answer_says_its_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
