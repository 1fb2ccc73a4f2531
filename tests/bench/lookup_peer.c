/*
 * lookup_peer: the least that libevent's own HTTP server does for an answer of the same size: what
 * look-ups are measured against (lookup_bench). No program of callweave.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>

static void answer(struct evhttp_request *request, void *text)
{
	struct evbuffer *body = evbuffer_new();

	if (body == NULL)
		abort();
	(void)evbuffer_add_printf(body, "%s", (const char *)text);
	(void)evhttp_add_header(
		evhttp_request_get_output_headers(request), "Content-Type", "application/json");
	evhttp_send_reply(request, 200, "OK", body);
	evbuffer_free(body);
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);

	if (argc != 3 || base == NULL || http == NULL ||
		evhttp_bind_socket(http, "127.0.0.1", (ev_uint16_t)strtol(argv[1], NULL, 10)) !=
			0) {
		(void)fprintf(stderr, "usage: lookup_peer PORT ANSWER\n");
		return 2;
	}
	evhttp_set_gencb(http, answer, argv[2]);
	return event_base_dispatch(base) == 0 ? 0 : 1;
}
