/*
 * resolve: names and addresses, and questions that nobody waits for any more leave nothing behind.
 */
#include "resolve.h"

#include "loop_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

struct asked {
	struct loop *loop;
	struct resolve *resolve;
	bool inside; /* resolve_start() has not returned */
	unsigned answers;
	char text[INET6_ADDRSTRLEN];
	int port;
	char words[128];
};

static void on_done(void *owner, struct addrinfo *found, const char *words)
{
	struct asked *asked = owner;

	assert_false(asked->inside);
	asked->answers++;
	asked->resolve = NULL;
	if (found != NULL && found->ai_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)found->ai_addr;

		inet_ntop(AF_INET, &v4->sin_addr, asked->text, sizeof(asked->text));
		asked->port = ntohs(v4->sin_port);
	} else if (found != NULL) {
		const struct sockaddr_in6 *v6 = (const void *)found->ai_addr;

		inet_ntop(AF_INET6, &v6->sin6_addr, asked->text, sizeof(asked->text));
		asked->port = ntohs(v6->sin6_port);
	}
	if (found != NULL)
		resolve_free(found);
	else
		snprintf(asked->words, sizeof(asked->words), "%s", words);
	loop_stop(asked->loop);
}

static void ask(struct asked *asked, const char *host)
{
	asked->inside = true;
	asked->resolve = resolve_start(asked->loop, host, 8080, on_done, asked);
	asked->inside = false;
}

static void expect(const char *host, const char *address)
{
	struct asked asked = {.loop = loop_new()};

	ask(&asked, host);
	loop_test_run(asked.loop);
	assert_int_equal(asked.answers, 1);
	assert_string_equal(asked.text, address);
	assert_int_equal(asked.port, 8080);
	loop_free(&asked.loop);
}

static void addresses_and_names(void **state)
{
	expect("127.0.0.1", "127.0.0.1");
	expect("::1", "::1");
	expect("localhost", "127.0.0.1"); /* /etc/hosts */
}

static void cancelled_questions_are_not_answered(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "nobody.invalid"};
	struct asked asked = {.loop = loop_new()};

	for (size_t i = 0; i < 3; i++) {
		ask(&asked, hosts[i]);
		resolve_cancel(&asked.resolve);
		assert_null(asked.resolve);
	}
	loop_test_run_for(asked.loop, 20);
	assert_int_equal(asked.answers, 0);
	resolve_cancel(&asked.resolve); /* NULL is allowed */
	loop_free(&asked.loop);
}

static void a_loop_may_end_before_the_answer(void **state)
{
	struct asked asked = {.loop = loop_new()};

	ask(&asked, "nobody.invalid");
	resolve_cancel(&asked.resolve);
	loop_free(&asked.loop);
	assert_int_equal(asked.answers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_names),
		cmocka_unit_test(cancelled_questions_are_not_answered),
		cmocka_unit_test(a_loop_may_end_before_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
